"""Every phone has a mouth shape."""

from __future__ import annotations

import pytest

from broker.visemes import VISEMES
from workers.tts.visemes import shapes
from workers.tts.words import listed

ARPABET = listed(
    "aa ae ah ao aw ax ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh"
)


@pytest.mark.parametrize("phone", ARPABET)
def test_each_phone_of_flite_has_a_shape(phone: str) -> None:
    assert "sil" not in shapes(phone, "arpabet")
    assert set(shapes(phone, "arpabet")) <= set(VISEMES)


@pytest.mark.parametrize(
    ("phone", "expected"),
    {
        "ˈoʊ": ("O", "U"),
        "aɪ": ("aa", "I"),
        "ˈɔɪ": ("O", "I"),
        "tʃ": ("CH",),
        "dʒ": ("CH",),
        "tɕh": ("CH",),
        "ts.h": ("CH",),
        "th": ("DD",),
        "h": ("kk",),
        "ˈɛɹ": ("E", "RR"),
        "əl": ("E", "nn"),
        "n̩": ("nn",),
        "ˈiɛ": ("I", "E"),
        "β": ("PP",),
        "ˈuː": ("U",),
        "m": ("PP",),
        "v": ("FF",),
        "θ": ("TH",),
        "": ("sil",),
    }.items(),
)
def test_ipa_with_its_marks_is_understood(phone: str, expected: tuple[str, ...]) -> None:
    assert shapes(phone, "ipa") == expected


def test_an_unknown_sign_shows_a_closed_mouth() -> None:
    assert shapes("?", "ipa") == ("sil",)
    assert shapes("nonsense", "arpabet") == ("sil",)
