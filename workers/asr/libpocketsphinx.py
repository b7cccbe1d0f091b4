"""pocketsphinx's C library, as it lies inside its Python wheel, through ctypes: what the wheel's own module leaves out.

Two reasons: its module holds the GIL while it decodes and while it builds a decoder (0.3 s), ctypes does not; and
language models can be interpolated in C only. Functions: https://cmusphinx.github.io/doc/pocketsphinx5/api.html
"""

from __future__ import annotations

import ctypes as c
from functools import cache
from pathlib import Path

_SIGNATURES: dict[str, tuple[type | None, list[type]]] = {
    "ps_config_init": (c.c_void_p, [c.c_void_p]),
    "ps_config_free": (c.c_int, [c.c_void_p]),
    "ps_config_set_str": (c.c_void_p, [c.c_void_p, c.c_char_p, c.c_char_p]),
    "ps_config_set_bool": (c.c_void_p, [c.c_void_p, c.c_char_p, c.c_int]),
    "ps_config_set_int": (c.c_void_p, [c.c_void_p, c.c_char_p, c.c_long]),
    "ps_config_set_float": (c.c_void_p, [c.c_void_p, c.c_char_p, c.c_double]),
    "ps_init": (c.c_void_p, [c.c_void_p]),
    "ps_free": (c.c_int, [c.c_void_p]),
    "ps_add_lm": (c.c_int, [c.c_void_p, c.c_char_p, c.c_void_p]),
    "ps_activate_search": (c.c_int, [c.c_void_p, c.c_char_p]),
    "ps_start_stream": (c.c_int, [c.c_void_p]),
    "ps_start_utt": (c.c_int, [c.c_void_p]),
    "ps_process_raw": (c.c_int, [c.c_void_p, c.c_char_p, c.c_size_t, c.c_int, c.c_int]),
    "ps_end_utt": (c.c_int, [c.c_void_p]),
    "ps_get_hyp": (c.c_char_p, [c.c_void_p, c.POINTER(c.c_int)]),
    "ps_get_cmn": (c.c_char_p, [c.c_void_p, c.c_int]),
    "ps_set_cmn": (c.c_int, [c.c_void_p, c.c_char_p]),
    "ps_seg_iter": (c.c_void_p, [c.c_void_p]),
    "ps_seg_next": (c.c_void_p, [c.c_void_p]),
    "ps_seg_word": (c.c_char_p, [c.c_void_p]),
    "ps_seg_frames": (None, [c.c_void_p, c.POINTER(c.c_int), c.POINTER(c.c_int)]),
    "ps_seg_prob": (c.c_int, [c.c_void_p, c.POINTER(c.c_int), c.POINTER(c.c_int), c.POINTER(c.c_int)]),
    "logmath_init": (c.c_void_p, [c.c_double, c.c_int, c.c_int]),
    "logmath_free": (c.c_int, [c.c_void_p]),
    "ngram_model_read": (c.c_void_p, [c.c_void_p, c.c_char_p, c.c_int, c.c_void_p]),
    "ngram_model_set_init": (
        c.c_void_p,
        [c.c_void_p, c.POINTER(c.c_void_p), c.POINTER(c.c_char_p), c.POINTER(c.c_float), c.c_int],
    ),
    "ngram_wid": (c.c_int32, [c.c_void_p, c.c_char_p]),
    "ngram_ng_prob": (
        c.c_int32,
        [c.c_void_p, c.c_int32, c.POINTER(c.c_int32), c.c_int32, c.POINTER(c.c_int32)],
    ),
    "ngram_model_retain": (c.c_void_p, [c.c_void_p]),
    "ngram_model_free": (c.c_int, [c.c_void_p]),
    "err_set_loglevel_str": (c.c_char_p, [c.c_char_p]),
}


@cache
def library() -> c.CDLL:
    """The loaded library, silenced. ImportError where the wheel is missing or does not export what is needed."""
    import pocketsphinx._pocketsphinx as module

    loaded = c.CDLL(module.__file__)
    try:
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
    except AttributeError as exc:
        raise ImportError(
            f"this build of pocketsphinx does not export {name}: pip install 'pocketsphinx>=5.1,<6'"
        ) from exc
    loaded.err_set_loglevel_str(b"FATAL")
    return loaded


def model_folder() -> Path:
    """Where the wheel keeps its en-us models."""
    import pocketsphinx

    return Path(pocketsphinx.get_model_path()) / "en-us"
