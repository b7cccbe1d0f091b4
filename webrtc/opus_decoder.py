"""Opus to 16 kHz PCM with libopus itself: its own rate conversion, its own concealment and in-band FEC.

PyAV decodes Opus at 48 kHz only and offers neither concealment nor FEC; resampling its output costs a further frame of
delay (soxr in streaming use holds back 20-40 ms). The library used is the one inside PyAV's wheel, else the system's.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from pathlib import Path

import av

from broker.errors import MissingError

RATE_HZ = 16_000
LONGEST = RATE_HZ * 120 // 1000
"""Samples in the longest packet Opus has, 120 ms."""


class OpusDecoder:
    """One mono stream. Keeps state from packet to packet: one decoder per microphone."""

    def __init__(self) -> None:
        self._library = _library()
        error = ctypes.c_int()
        self._state = self._library.opus_decoder_create(RATE_HZ, 1, ctypes.byref(error))
        if not self._state:
            raise MissingError(f"libopus could not make a decoder (error {error.value}).")
        self._pcm = (ctypes.c_int16 * LONGEST)()

    def decode(self, payload: bytes) -> bytes:
        """The packet's sound, s16le. Raises ValueError for bytes that are not an Opus packet."""
        return self._decode(payload, LONGEST, fec=False)

    def recover(self, following: bytes, samples: int) -> bytes:
        """`samples` that were lost: the last of them from the copy in the packet after it, what has none concealed."""
        return self._decode(following, samples, fec=True)

    def conceal(self, samples: int) -> bytes:
        """A guess at `samples` that were lost, from what came before."""
        return self._decode(b"", samples, fec=False)

    def _decode(self, payload: bytes, samples: int, fec: bool) -> bytes:
        count = self._library.opus_decode(self._state, payload or None, len(payload), self._pcm, samples, fec)
        if count < 0:
            raise ValueError(f"Not an Opus packet (error {count}).")
        return bytes(memoryview(self._pcm).cast("B")[: 2 * count])

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._library.opus_decoder_destroy(self._state)


def _library() -> ctypes.CDLL:
    """libopus with the signatures of opus.h. Raises MissingError saying how to get it."""
    inside = sorted(Path(f"{Path(av.__file__).parent}.libs").glob("libopus[-.]*"))
    name = str(inside[0]) if inside else ctypes.util.find_library("opus")
    if not name:
        raise MissingError("libopus is missing: `apt install libopus0`, or install av from its wheel.")
    library = ctypes.CDLL(name)
    library.opus_decoder_create.restype = ctypes.c_void_p
    library.opus_decoder_create.argtypes = [ctypes.c_int32, ctypes.c_int, ctypes.POINTER(ctypes.c_int)]
    library.opus_decoder_destroy.restype = None
    library.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
    library.opus_decode.restype = ctypes.c_int
    library.opus_decode.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_int32,
        ctypes.POINTER(ctypes.c_int16),
        ctypes.c_int,
        ctypes.c_int,
    ]
    return library
