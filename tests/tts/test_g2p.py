"""Pronunciations for the recogniser."""

from __future__ import annotations

import pytest

from broker.arpabet import PHONES
from broker.errors import MissingError
from workers.tts import g2p as module
from workers.tts.engine import UnknownLanguage
from workers.tts.g2p import g2p


def test_pocketsphinx_knows_every_phone() -> None:
    words = "hello Visavis don't Dr. 42 WebRTC measure thing boy church judge yacht Zürich naïve Kubernetes I'm James's"
    for word in words.split():
        assert g2p(word), word
        assert set(g2p(word)) <= PHONES, word


@pytest.mark.parametrize(
    ("word", "phones"),
    {
        "hello": "HH AH L OW",
        "tomato": "T AH M EY T OW",
        "don't": "D OW N T",
        "it's": "IH T S",
        "dog's": "D AO G Z",
        "42": "F AO R T IY T UW",
        "FBI": "EH F B IY AY",
    }.items(),
)
def test_english_words_have_their_dictionary_pronunciation(word: str, phones: str) -> None:
    try:
        module.flite_library.library()
    except MissingError as exc:
        pytest.skip(str(exc))
    assert " ".join(g2p(word)) == phones


def test_without_flite_espeak_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise MissingError("flite is not here")

    monkeypatch.setattr(module.flite_library, "library", missing)
    monkeypatch.setattr(module.flite_library, "lexicon", missing)
    g2p.cache_clear()
    try:
        assert " ".join(g2p("hello", "en-GB")) in ("HH AH L OW", "HH EH L OW")
    finally:
        g2p.cache_clear()


@pytest.mark.parametrize(("word", "language"), [("cigüeña", "es"), ("你好", "zh"), ("schön", "de"), ("bonjour", "fr")])
def test_other_languages_use_the_nearest_english_sounds(word: str, language: str) -> None:
    assert len(g2p(word, language)) >= 3
    assert set(g2p(word, language)) <= PHONES


@pytest.mark.parametrize("word", ["", "😀", "...", "\x00"])
def test_what_is_not_said_has_no_phones(word: str) -> None:
    assert g2p(word) == ()


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(UnknownLanguage):
        g2p("hello", "tlh-x-none")
