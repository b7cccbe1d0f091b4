"""Sentences spoken for benches and tests, as mono int16 at 16 kHz: by flite (Debian's libflite1, through ctypes) and,
where another kind of voice is wanted, by espeak."""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

from workers.tts import flite_library
from workers.tts.espeak_engine import EspeakEngine
from workers.tts.text import spoken

RATE_HZ = 16_000
VOICES = ("slt", "rms", "awb", "kal16")
ESPEAK_VOICES = ("en-us", "f3")


def speak(text: str, voice: str = "slt") -> NDArray[np.int16]:
    """The reading of `text`, its leading and trailing silence included. Raises MissingError where flite is."""
    if voice in ESPEAK_VOICES:
        return _espeak(text, voice)
    library = _flite()
    wave = library.flite_text_to_wave(text.encode(), flite_library.voice(voice))
    try:
        heard = np.ctypeslib.as_array(wave.contents.samples, (wave.contents.num_samples,)).copy()
        rate_hz = int(wave.contents.sample_rate)
    finally:
        library.delete_wave(wave)
    if rate_hz == RATE_HZ:
        return heard
    return soxr.resample(heard, rate_hz, RATE_HZ).astype(np.int16)


def trimmed(sound: NDArray[np.int16], below_db: float = 55.0) -> NDArray[np.int16]:
    """Without the silence at both ends: 10 ms frames more than `below_db` under the loudest one.

    A "th" lies 45 dB under a vowel: cut it off, and "thank you" is heard as "and he".
    """
    frames = sound[: len(sound) // 160 * 160].reshape(-1, 160).astype(np.float64)
    level_db = 10 * np.log10((frames**2).mean(axis=1) + 1)
    loud = np.flatnonzero(level_db > max(level_db.max() - below_db, 20))
    return sound[loud[0] * 160 : (loud[-1] + 1) * 160] if len(loud) else sound[:0]


def audible_from(sound: NDArray[np.int16]) -> int:
    """The sample from which somebody speaks, as ITU-T P.56 tells speech from the rest: at most 15.9 dB under its level.

    The level is the mean power of the 10 ms frames that are speech. A breath or a hum before the first word is none.
    """
    frames = sound[: len(sound) // 160 * 160].reshape(-1, 160).astype(np.float64)
    power = (frames**2).mean(axis=1) + 1
    for threshold in np.sort(power):
        if power[power >= threshold].mean() <= threshold * 10**1.59:
            return int(np.flatnonzero(power >= threshold)[0]) * 160
    return 0


def silence(duration_ms: int, seed: int = 0) -> NDArray[np.int16]:
    """A quiet microphone: noise of 3 steps, never digital zeros."""
    return np.random.default_rng(seed).normal(0, 3, duration_ms * RATE_HZ // 1000).astype(np.int16)


def _espeak(text: str, voice: str) -> NDArray[np.int16]:
    sound = _espeak_engine().start(list(spoken(text, "en")), "en", voice, 1.0).read()
    return soxr.resample(sound.pcm, sound.rate_hz, RATE_HZ).astype(np.int16)


@cache
def _espeak_engine() -> EspeakEngine:
    return EspeakEngine()


@cache
def _flite() -> ctypes.CDLL:
    library = flite_library.library()
    library.flite_text_to_wave.restype = ctypes.POINTER(flite_library.Wave)
    library.flite_text_to_wave.argtypes = [ctypes.c_char_p, flite_library.Pointer]
    library.delete_wave.argtypes = [ctypes.POINTER(flite_library.Wave)]
    return library
