"""When each sound of a recording is made: its text's phones laid along it, or, without a text, phones recognised.

pocketsphinx does both. Every phone is a word of its own to it, so that one pass gives all times. `bestpath` must be
off: with it whole alignments fail. After a failure the decoder must not be asked for anything (it crashes), so each
alignment has a decoder of its own.
"""

from __future__ import annotations

import functools
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from broker.arpabet import PHONES
from broker.errors import EngineError, MissingError
from workers.tts.engine import PhoneMark
from workers.tts.g2p import g2p
from workers.tts.loudness import RATE_HZ, Samples
from workers.tts.words import Token

logger = logging.getLogger(__name__)

MIC_HZ = 16_000
FRAME_SAMPLES = RATE_HZ // 100
"""pocketsphinx's frame, 10 ms, in samples of 48 kHz."""

WIDE_BEAM_S = 60.0
"""Up to this length no path is given up early; beyond, that costs minutes."""

_NARROW_BEAM = 1e-100
_SILENT = ("<sil>", "SIL", "<s>", "</s>", "(NULL)", "+", "[")


def aligned(samples: Samples, tokens: Sequence[Token], language: str) -> list[PhoneMark] | None:
    """The phones of `tokens` in 48 kHz samples, `token` counting from 0; None where the text does not fit the sound.

    Raises MissingError without pocketsphinx.
    """
    wanted = [(place, phone) for place, token in enumerate(tokens) for phone in _phones(token, language)]
    if not wanted or len(wanted) * 2 > len(samples) // FRAME_SAMPLES:
        return None
    beam = 0.0 if len(samples) <= WIDE_BEAM_S * RATE_HZ else _NARROW_BEAM
    with tempfile.NamedTemporaryFile("w", suffix=".dict") as dictionary:
        dictionary.writelines(f"{phone.lower()}_ {phone}\n" for phone in sorted(PHONES))
        dictionary.flush()
        decoder = _decoder(dict=dictionary.name, lm=None, bestpath=False, beam=beam, pbeam=beam, wbeam=beam)
        try:
            decoder.set_align_text(" ".join(f"{phone.lower()}_" for _, phone in wanted))
            spans = _decoded(decoder, samples)
        except RuntimeError:
            return None
    if [name for name, _, _ in spans] != [f"{phone.lower()}_" for _, phone in wanted]:
        return None
    return [
        PhoneMark(phone=phone.lower(), start=start, end=end, token=place)
        for (place, phone), (_, start, end) in zip(wanted, spans, strict=True)
    ]


def recognised(samples: Samples) -> list[PhoneMark]:
    """The phones one hears in a recording whose words are not known; none where there are none. English sounds.

    Raises MissingError without pocketsphinx.
    """
    try:
        model = str(_models() / "en-us-phone.lm.bin")
        decoder = _decoder(allphone=model, lm=None, bestpath=False, beam=1e-10, pbeam=1e-10, allphone_ci=True, lw=2.0)
        spans = _decoded(decoder, samples)
    except RuntimeError:
        logger.warning("no phones found")
        return []
    return [PhoneMark(phone=name.lower(), start=start, end=end, token=0) for name, start, end in spans]


def _phones(token: Token, language: str) -> tuple[str, ...]:
    if not token.spoken:
        return ()
    try:
        return tuple(phone for phone in g2p(token.text, language) if phone in PHONES)
    except MissingError:
        raise
    except EngineError as error:
        logger.warning("a word has no sounds", extra={"reason": str(error)})
        return ()


def _decoded(decoder: Any, samples: Samples) -> list[tuple[str, int, int]]:
    """(name, start, end) of everything that is not silence. Raises RuntimeError when the decoder fails."""
    pcm = soxr.resample(samples, RATE_HZ, MIC_HZ, quality="HQ")
    decoder.start_utt()
    decoder.process_raw(np.rint(np.clip(pcm, -1, 1) * 32767).astype("<i2").tobytes(), False, True)
    decoder.end_utt()
    segments = decoder.seg()
    if segments is None:
        raise RuntimeError("the text was not reached")
    return [
        (each.word, each.start_frame * FRAME_SAMPLES, (each.end_frame + 1) * FRAME_SAMPLES)
        for each in segments
        if not each.word.startswith(_SILENT)
    ]


def _decoder(**options: Any) -> Any:
    """A pocketsphinx decoder, of whatever type its wheel has."""
    sphinx = _sphinx()
    return sphinx.Decoder(sphinx.Config(hmm=str(_models() / "en-us"), loglevel="FATAL", **options))


def _models() -> Path:
    return Path(_sphinx().get_model_path("en-us"))


@functools.cache
def _sphinx() -> Any:
    try:
        import pocketsphinx
    except ImportError as error:
        raise MissingError("pocketsphinx is missing: .venv/bin/pip install pocketsphinx.") from error
    return pocketsphinx
