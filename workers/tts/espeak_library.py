"""espeak-ng 1.52 through ctypes: the library inside the `espeakng-loader` wheel, its events and its voice list.

All its state belongs to the process (GPL-3, too: it is loaded only in processes that speak or need pronunciations).
Debian 12's own 1.51 is not used: its Mandarin reads pinyin as English letters.
"""

from __future__ import annotations

import ctypes
import os
import threading
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from broker.errors import MissingError

SYNCHRONOUS, CHARS_UTF8 = 2, 1
PHONEME_EVENTS, PHONEME_IPA, DONT_EXIT = 0x1, 0x2, 0x8000
RATE = 1
IPA_TEXT = 0x02
"""espeak_TextToPhonemes: answer in IPA."""
LIST_END, WORD, PHONEME = 0, 1, 7
_CHUNK_MS = 500
_NO_DICTIONARY = ("fo", "kaa", "xex")


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class Event(ctypes.Structure):
    """espeak_EVENT."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


class _Voice(ctypes.Structure):
    """espeak_VOICE."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.POINTER(ctypes.c_char)),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


@dataclass(slots=True)
class Native:
    """The initialised library: its functions, its sample rate, and the voice it speaks with now."""

    lib: Any  # ctypes.CDLL has no types for what it loads
    rate_hz: int
    chosen: str = ""
    guard: threading.Lock = field(default_factory=threading.Lock)
    """Held by whoever uses it: it is one, and does not know of threads."""

    def choose(self, tag: str, variant: str = "") -> bool:
        """Speak the language `tag` of `voice_files` from now on. Switching costs 3 to 5 ms, staying nothing."""
        name = voice_files()[tag] + (f"+{variant}" if variant else "")
        if name != self.chosen:
            if self.lib.espeak_SetVoiceByName(name.encode()):
                return False
            self.chosen = name
        return True


@cache
def library() -> Native:
    """The library, initialised once a process. Raises MissingError."""
    try:
        import espeakng_loader
    except ImportError as exc:
        raise MissingError("espeak needs its library: pip install espeakng-loader") from exc
    data_path = espeakng_loader.get_data_path()
    if not os.path.isdir(data_path):  # without its data the library would end the process, even when told not to
        raise MissingError("espeak's data is gone: pip install --force-reinstall espeakng-loader")
    try:
        lib = ctypes.CDLL(espeakng_loader.get_library_path())
    except OSError as exc:
        raise MissingError(f"espeak does not load ({exc}): pip install --force-reinstall espeakng-loader") from exc
    lib.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    lib.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    lib.espeak_SetParameter.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int]
    lib.espeak_SetSynthCallback.argtypes = [Callback]
    lib.espeak_SetSynthCallback.restype = None
    lib.espeak_ListVoices.argtypes = [ctypes.c_void_p]
    lib.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    lib.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.POINTER(ctypes.c_uint),
        ctypes.c_void_p,
    ]
    options = PHONEME_EVENTS | PHONEME_IPA | DONT_EXIT
    rate_hz = lib.espeak_Initialize(SYNCHRONOUS, _CHUNK_MS, os.fsencode(data_path), options)
    if rate_hz <= 0:
        raise MissingError("espeak does not start: pip install --force-reinstall espeakng-loader")
    return Native(lib=lib, rate_hz=rate_hz)


@cache
def voice_files() -> dict[str, str]:
    """Language tag (`en-us`, `es`, `cmn`, …) → the voice that speaks it, by the file name that is sure to find it.

    Those without a dictionary in the wheel would say nothing, and are left out.
    """
    voices = library().lib.espeak_ListVoices(None)
    best: dict[str, tuple[int, str]] = {}
    index = 0
    while voices[index]:
        voice = voices[index].contents
        for priority, tag in _tags(voice):
            best[tag] = min(best.get(tag, (256, "")), (priority, voice.identifier.decode("utf-8")))
        index += 1
    return {tag: identifier for tag, (_, identifier) in best.items() if tag not in _NO_DICTIONARY}


@cache
def variants() -> tuple[str, ...]:
    """The speakers that can be laid over any language: `f2`, `m3`, … and the named ones."""
    import espeakng_loader

    return tuple(sorted(os.listdir(os.path.join(espeakng_loader.get_data_path(), "voices", "!v"))))


def phoneme(event: Event) -> str:
    """The IPA of a phoneme event. The field is 8 bytes that need not end in NUL, so it is read as memory."""
    raw = ctypes.string_at(ctypes.addressof(event) + Event.id.offset, 8)
    return raw.split(b"\0")[0].decode("utf-8", "ignore")


def _tags(voice: _Voice) -> list[tuple[int, str]]:
    """`languages` is a list of (priority byte, NUL-terminated tag), ended by a zero priority; low is preferred."""
    tags, address = [], ctypes.cast(voice.languages, ctypes.c_void_p).value
    while address and ctypes.string_at(address, 1) != b"\0":
        tag = ctypes.string_at(address + 1)
        tags.append((ctypes.string_at(address, 1)[0], tag.decode("ascii", "ignore").lower()))
        address += len(tag) + 2
    return tags
