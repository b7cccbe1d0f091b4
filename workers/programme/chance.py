"""Dice that fall the same way for the same session: what looks random in a face is a function of sample and seed."""

from __future__ import annotations


def chance(seed: int, kind: int, number: int) -> float:
    """A number in [0, 1) that belongs to these three: the SplitMix64 finaliser (Steele, Lea, Flood 2014)."""
    x = (seed * 0x9E3779B97F4A7C15 + kind * 0xD1B54A32D192ED03 + number * 0x2545F4914F6CDD1D) & 0xFFFFFFFFFFFFFFFF
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (x ^ (x >> 31)) / 2**64


def smooth(x: float) -> float:
    """From 0 at 0 to 1 at 1, level at both ends."""
    x = min(1.0, max(0.0, x))
    return x * x * (3 - 2 * x)
