"""What is said in a film as captions: words to short lines, as WebVTT and for the MP4's track."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workers.programme.ticks import RATE_HZ
from workers.tts.words import CJK

LONGEST = 74
"""Characters of a cue: two lines on a small screen."""

WIDEST_PAUSE_SAMPLES = RATE_HZ // 2
"""A pause of half a second ends a cue."""

_LINGER_SAMPLES = RATE_HZ // 2
_ENDS = (".", "!", "?", "…", "。", "！", "？")


@dataclass(frozen=True, kw_only=True)
class Said:
    """A word with the samples of the film in which it sounds. Words of one `sentence` are shown together."""

    sentence: int
    text: str
    start_sample: int
    end_sample: int


@dataclass(frozen=True, kw_only=True)
class Cue:
    """One caption, in samples of the film."""

    text: str
    start_sample: int
    end_sample: int


def cues(words: Iterable[Said]) -> list[Cue]:
    """Captions in order; each stays half a second after its last word unless the next one comes."""
    groups: list[list[Said]] = []
    for word in words:
        if groups and not _breaks(groups[-1], word):
            groups[-1].append(word)
        else:
            groups.append([word])
    found = []
    for place, group in enumerate(groups):
        until = group[-1].end_sample + _LINGER_SAMPLES
        if place + 1 < len(groups):
            until = min(until, groups[place + 1][0].start_sample)
        start = group[0].start_sample
        found.append(Cue(text=_joined(group), start_sample=start, end_sample=max(until, start + 1)))
    return found


def webvtt(captions: Iterable[Cue]) -> str:
    """A WebVTT file (https://www.w3.org/TR/webvtt1/)."""
    blocks = [f"{_clock(cue.start_sample)} --> {_clock(cue.end_sample)}\n{_escaped(cue.text)}" for cue in captions]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def _breaks(group: list[Said], word: Said) -> bool:
    last = group[-1]
    if word.sentence != last.sentence and last.text.rstrip("\"'”’)").endswith(_ENDS):
        return True
    if word.start_sample - last.end_sample > WIDEST_PAUSE_SAMPLES:
        return True
    length = len(_joined([*group, word]))
    return length > LONGEST or (length > LONGEST // 2 and last.text.endswith((*_ENDS, ",", ";", ":", "，")))


def _joined(group: list[Said]) -> str:
    text = ""
    for word in group:
        wide = bool(text) and (_wide(text[-1]) or _wide(word.text[:1]))
        text += word.text if wide or not text else f" {word.text}"
    return text


def _wide(letter: str) -> bool:
    return bool(letter) and (letter in "，。！？；：、" or any(a <= letter <= b for a, b in _ranges()))


def _ranges() -> list[tuple[str, str]]:
    return [(part[0], part[2]) for part in (CJK[n : n + 3] for n in range(0, len(CJK) - 2, 3)) if part[1] == "-"]


def _clock(sample: int) -> str:
    ms = round(sample * 1000 / RATE_HZ)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
