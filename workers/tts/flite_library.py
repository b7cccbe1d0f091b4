"""libflite through ctypes: loading, and walking an utterance. Debian's libflite1, version 2.2, BSD-like licence."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from broker.errors import MissingError

Pointer = ctypes.c_void_p


class Wave(ctypes.Structure):
    """cst_wave."""

    _fields_ = [
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    ]


class StreamingInfo(ctypes.Structure):
    """cst_audio_streaming_info: what the callback is given."""


Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(Wave), ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.POINTER(StreamingInfo)
)
"""(wave, start, size, last, info) → CONTINUE or STOP."""
StreamingInfo._fields_ = [
    ("min_buffsize", ctypes.c_int),
    ("asc", Callback),
    ("utt", Pointer),
    ("item", Pointer),
    ("userdata", Pointer),
]
CONTINUE, STOP = 0, -1
_STREAM_SAMPLES = 1024

_SIGNATURES: dict[str, tuple[type | None, list[type]]] = {
    "flite_init": (ctypes.c_int, []),
    "flite_synth_text": (Pointer, [ctypes.c_char_p, Pointer]),
    "new_audio_streaming_info": (ctypes.POINTER(StreamingInfo), []),
    "audio_streaming_info_val": (Pointer, [ctypes.POINTER(StreamingInfo)]),
    "feat_set": (None, [Pointer, ctypes.c_char_p, Pointer]),
    "delete_utterance": (None, [Pointer]),
    "utt_relation": (Pointer, [Pointer, ctypes.c_char_p]),
    "utt_wave": (ctypes.POINTER(Wave), [Pointer]),
    "relation_head": (Pointer, [Pointer]),
    "item_next": (Pointer, [Pointer]),
    "item_daughter": (Pointer, [Pointer]),
    "item_as": (Pointer, [Pointer, ctypes.c_char_p]),
    "item_feat_string": (ctypes.c_char_p, [Pointer, ctypes.c_char_p]),
    "item_feat_float": (ctypes.c_float, [Pointer, ctypes.c_char_p]),
    "lex_lookup": (Pointer, [Pointer, ctypes.c_char_p, ctypes.c_char_p, Pointer]),
    "val_car": (Pointer, [Pointer]),
    "val_cdr": (Pointer, [Pointer]),
    "val_string": (ctypes.c_char_p, [Pointer]),
    "delete_val": (None, [Pointer]),
}

DURATION_STRETCH = ctypes.c_char_p(b"duration_stretch")
STREAMING_INFO = ctypes.c_char_p(b"streaming_info")
"""flite keeps the pointer of a feature's name, not its letters, so the names must outlive every voice."""


@cache
def library() -> ctypes.CDLL:
    """libflite with its English. Its state is the process's, so it is loaded once. Raises MissingError."""
    flite = _load("libflite.so.1")
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(flite, name)
        function.restype = result
        function.argtypes = arguments
    flite.flite_feat_set_float.restype = None
    flite.flite_feat_set_float.argtypes = [Pointer, ctypes.c_char_p, ctypes.c_float]
    flite.flite_init()
    _load("libflite_usenglish.so.1")
    _load("libflite_cmulex.so.1")
    return flite


@cache
def lexicon() -> int:
    """The CMU lexicon with its letter-to-sound rules, for `lex_lookup`."""
    library()
    start = _load("libflite_cmulex.so.1").cmu_lex_init
    start.restype = Pointer
    start.argtypes = []
    return int(start())


@cache
def voice(name: str) -> int:
    """The cst_voice called `cmu_us_<name>`, registered. Raises MissingError when its library is not there."""
    library()
    register = getattr(_load(f"libflite_cmu_us_{name}.so.1"), f"register_cmu_us_{name}")
    register.restype = Pointer
    register.argtypes = [Pointer]
    return int(register(None))


def set_pace(handle: int, stretch: float) -> None:
    """How much longer than usual a voice's phones last from now on."""
    library().flite_feat_set_float(_features(handle), DURATION_STRETCH, stretch)


def set_stream(handle: int, stream: Stream) -> None:
    """Where a voice's sound goes as it grows, from now on. Once a voice: a second time frees the value first."""
    library().feat_set(_features(handle), STREAMING_INFO, stream.value)


def _features(handle: int) -> int:
    """The features of a voice: the second pointer of cst_voice."""
    return int(ctypes.cast(handle, ctypes.POINTER(Pointer))[1])


@dataclass(frozen=True, slots=True)
class Stream:
    """A feature value that makes a voice call back with its sound. The library keeps addresses: it must live on."""

    value: int
    info: Any  # a ctypes pointer
    callback: Any


def stream(hear: Callable[[Any, int, int, int, Any], int]) -> Stream:
    """`hear` as a feature value: it is called with (wave, start, size, last, info) for every 64 ms of sound."""
    flite = library()
    info, callback = flite.new_audio_streaming_info(), Callback(hear)
    info.contents.min_buffsize = _STREAM_SAMPLES
    info.contents.asc = callback
    return Stream(value=int(flite.audio_streaming_info_val(info)), info=info, callback=callback)


def items(head: int | None) -> Iterator[int]:
    """An item and those after it."""
    step = library().item_next
    while head:
        yield head
        head = step(head)


def _load(name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
    except OSError as exc:
        raise MissingError(f"flite needs {name}: apt-get install libflite1") from exc


def begin_alike() -> None:
    """Make the next synthesis repeatable: flite's excitation noise comes from the C library's `rand`."""
    ctypes.CDLL(None).srand(1)
