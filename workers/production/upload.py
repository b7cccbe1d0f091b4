"""A recording made into a voice: `python -m workers.production.upload` reads a wish, says how it went.

A process of its own, bounded before it opens a stranger's file: a file made to break a decoder ends this process and
no conversation. Standard input: {"recording", "voice" (where to), "text", "language"}; standard output: {"text",
"seconds", "aligned"} or {"code", "error"}.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from broker.errors import EngineError
from broker.messages import Voice, Word
from broker.uploads import write
from broker.visemes import MOUTH_FRAME_SAMPLES
from workers.limits import confine
from workers.production.order import OrderError
from workers.production.playback import Marked, marked
from workers.production.recording import read
from workers.tts.engine import PhoneMark
from workers.tts.loudness import RATE_HZ
from workers.tts.marks import phone_of, shapes_of
from workers.tts.mouth import mouth_track
from workers.tts.text import spoken
from workers.tts.words import Token

LONGEST_S = 100
"""One sentence to the programme, which has at most two minutes."""

MEMORY, PROCESSOR_S = 2 * 1024**3, 60

UNKNOWN = "…"
"""Stands for a stretch of speech whose words are not known: what was heard of it is counted in these."""

PHRASE_GAP = round(0.3 * RATE_HZ)

Span = tuple[int, int]


def voice(recording: Path, text: str, language: str) -> tuple[list[Voice], dict[str, Any]]:
    """The recording's voice and what to say of it. Raises OrderError for what is no speech or too long."""
    samples = read(recording, LONGEST_S)
    parts = marked(samples, text, language)
    words = [_shifted(word, part.passage.start_sample) for part in parts for word in part.words]
    aligned = bool(words)
    if not words:
        words = spread(list(spoken(text, language)), phrases(parts) or [(0, len(samples))])
    text = " ".join(text.split()) or " ".join(word.text for word in words)
    about = {"text": text, "seconds": round(len(samples) / RATE_HZ, 2), "aligned": aligned}
    return list(_pieces(parts, words, text, language)), about


def phrases(parts: Sequence[Marked]) -> list[Span]:
    """From where to where something is spoken without a pause, in samples of the whole."""
    found: list[Span] = []
    for part in parts:
        for mark in part.phones:
            start, end = part.passage.start_sample + mark.start, part.passage.start_sample + mark.end
            if found and start - found[-1][1] < PHRASE_GAP:
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
    return found


def spread(tokens: Sequence[Token], spans: Sequence[Span]) -> list[Word]:
    """Words whose times are not known, over the time in which something is spoken, each by its length.

    Without words there is one `UNKNOWN` a phrase, so that an interruption goes on at a phrase's beginning.
    """
    if not tokens:
        return [Word(index=n, text=UNKNOWN, start_sample=a, end_sample=b) for n, (a, b) in enumerate(spans)]
    lengths = [len(token.text) for token in tokens]
    total = sum(b - a for a, b in spans)
    edges = [total * reached // sum(lengths) for reached in accumulate(lengths, initial=0)]
    return [
        Word(index=token.index, text=token.text, start_sample=_place(spans, a), end_sample=_place(spans, b, True))
        for token, (a, b) in zip(tokens, pairwise(edges), strict=True)
    ]


def _place(spans: Sequence[Span], spoken_samples: int, is_end: bool = False) -> int:
    """Where so much has been spoken; at a pause its beginning for an end, else its end."""
    for start, end in spans:
        if spoken_samples < end - start or (is_end and spoken_samples == end - start):
            return start + spoken_samples
        spoken_samples -= end - start
    return spans[-1][1]


def _pieces(parts: Sequence[Marked], words: Sequence[Word], text: str, language: str) -> Iterator[Voice]:
    for n, part in enumerate(parts):
        samples, first = part.passage.samples, part.passage.start_sample
        mouth = mouth_track(list(shapes_of(part.phones, "arpabet")), samples, len(samples) // MOUTH_FRAME_SAMPLES)
        yield Voice(
            turn=0,
            sentence=0,
            start_sample=first,
            pcm=np.rint(samples * 32767).astype("<i2").tobytes(),
            words=tuple(word for word in words if first <= word.start_sample < first + len(samples)),
            phones=tuple(_phone(mark, first) for mark in part.phones),
            mouth=mouth.tobytes(),
            mouth_from=first // MOUTH_FRAME_SAMPLES,
            last=n == len(parts) - 1,
            text=text if n == 0 else "",
            language=language,
        )


def _phone(mark: PhoneMark, first: int) -> Any:
    return phone_of(mark, first, "arpabet")


def _shifted(word: Word, by: int) -> Word:
    return Word(index=word.index, text=word.text, start_sample=word.start_sample + by, end_sample=word.end_sample + by)


def answer(wanted: dict[str, Any]) -> dict[str, Any]:
    """What to print: how it went, or why it did not."""
    try:
        pieces, about = voice(Path(wanted["recording"]), str(wanted["text"]), str(wanted["language"]))
        write(Path(wanted["voice"]), pieces)
        return about
    except OrderError as error:
        return {"code": "bad_request", "error": str(error)}
    except MemoryError:
        return {"code": "too_large", "error": "The recording needs too much memory to open; send a smaller one."}
    except (EngineError, OSError) as error:
        return {"code": "not_ready", "error": f"The recording cannot be made into a voice: {error}."}


def main() -> None:
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    wanted = json.load(sys.stdin)
    confine(MEMORY, PROCESSOR_S)
    print(json.dumps(answer(wanted)))


if __name__ == "__main__":
    main()
