"""Phones on a sentence's 48 kHz timeline to what programme and captions need of them: shapes, phones, words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from broker.messages import Phone, Word
from workers.tts.engine import PhoneMark
from workers.tts.loudness import RATE_HZ
from workers.tts.mouth import Shape
from workers.tts.visemes import shapes
from workers.tts.words import Token

_DIPHTHONG_TURN = 0.55
"""Where in a diphthong its first shape gives way to its second."""


def shapes_of(marks: Sequence[PhoneMark], alphabet: str) -> Iterator[Shape]:
    """The shapes of the mouth in turn; a diphthong has two."""
    for mark in marks:
        visemes = shapes(mark.phone, alphabet)
        start_s, end_s = mark.start / RATE_HZ, mark.end / RATE_HZ
        turn_s = start_s + _DIPHTHONG_TURN * (end_s - start_s) if len(visemes) > 1 else end_s
        yield Shape(viseme=visemes[0], start_s=start_s, end_s=turn_s)
        if len(visemes) > 1:
            yield Shape(viseme=visemes[-1], start_s=turn_s, end_s=end_s)


def phone_of(mark: PhoneMark, start: int, alphabet: str) -> Phone:
    """A phone as messages carry it, its times moved by `start`."""
    viseme = shapes(mark.phone, alphabet)[0]
    return Phone(phone=mark.phone, viseme=viseme, start_sample=start + mark.start, end_sample=start + mark.end)


def words_of(tokens: Sequence[Token], marks: Sequence[PhoneMark], start: int) -> Iterator[Word]:
    """Every token with where it sounds. What is not said has no length, where the word before it ends."""
    spans: dict[int, tuple[int, int]] = {}
    for mark in marks:
        begin, _ = spans.get(mark.token, (mark.start, 0))
        spans[mark.token] = (begin, mark.end)
    end = marks[0].start
    for first, count in _groups(tokens, spans):
        begin, last = spans.get(first, (end, end))
        for step in range(count):
            token_end = begin + (last - begin) * (step + 1) // count
            yield word_of(tokens[first + step], start + begin + (last - begin) * step // count, start + token_end)
        end = last


def _groups(tokens: Sequence[Token], spans: dict[int, tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """(position, how many tokens share the sound found there): espeak joins some Chinese characters into one word."""
    place = 0
    while place < len(tokens):
        count = 1
        while (
            place in spans
            and place + count < len(tokens)
            and tokens[place + count].spoken
            and place + count not in spans
        ):
            count += 1
        yield place, count
        place += count


def word_of(token: Token, start_sample: int, end_sample: int) -> Word:
    """A written word with where it sounds."""
    return Word(index=token.index, text=token.text, start_sample=start_sample, end_sample=end_sample)
