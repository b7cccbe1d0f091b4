"""When each word of a clip sounds, its text being known: forced alignment by pocketsphinx, for benches that cut."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.asr.biased_model import read_dictionary
from workers.asr.libpocketsphinx import model_folder
from workers.asr.pronounce import pronounce
from workers.asr.vocabulary import words_of

Span = tuple[str, int, int]
"""A word and its first and last sample + 1, at 16 kHz."""


def word_times(sound: NDArray[np.int16], text: str) -> list[Span]:
    """The words of `text` in `sound` (int16, 16 kHz). Empty where the two do not fit together."""
    words = words_of(text)
    decoder, said = _decoder()
    for word in dict.fromkeys(words):
        if decoder.lookup_word(word) is None:
            ways = pronounce(word, said)
            if not ways:
                return []
            decoder.add_word(word, ways[0], True)
    if not words:
        return []
    decoder.set_align_text(" ".join(words))
    decoder.start_utt()
    decoder.process_raw(sound.tobytes(), False, True)
    decoder.end_utt()
    spans = [
        (segment.word.partition("(")[0], segment.start_frame * 160, (segment.end_frame + 1) * 160)
        for segment in decoder.seg() or ()
        if segment.word[0] not in "<["
    ]
    return spans if tuple(word for word, _, _ in spans) == words else []


def quietest(sound: NDArray[np.int16], around: int, reach: int = 480) -> int:
    """The sample within `reach` of a border with the least energy in the 10 ms about it: where a cut shows least."""
    first, last = max(0, around - reach), min(len(sound), around + reach)
    energy = np.convolve(sound[first:last].astype(np.float64) ** 2, np.ones(160), "same")
    return first + int(np.argmin(energy)) if len(energy) else around


@cache
def _decoder() -> tuple[Any, dict[str, tuple[str, ...]]]:
    """Any: pocketsphinx's module has no types. `bestpath` breaks alignment; wide beams always reach the end."""
    from pocketsphinx import Config, Decoder

    config = Config(lm=None, bestpath=False, fwdflat=False, beam=0.0, pbeam=0.0, wbeam=0.0, loglevel="FATAL")
    return Decoder(config), read_dictionary(model_folder() / "cmudict-en-us.dict")
