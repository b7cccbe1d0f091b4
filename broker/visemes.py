"""The names every part of the mouth agrees on: fifteen visemes, their order, and the mouth track's rate."""

from __future__ import annotations

VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U")
"""Oculus names in the order of every mouth track: developers.meta.com, audio-ovrlipsync-viseme-reference."""

MOUTH_FRAME_SAMPLES = 480
"""Of 48 kHz: a hundred mouth frames a second."""

CLOSED_MOUTH = bytes((255,)) + bytes(14)
"""One mouth frame of silence: `sil` is 1, the others 0."""
