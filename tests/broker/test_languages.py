"""A language is the same in whatever region: in what is spoken, in what the persona lists, in the broker's phrases."""

from __future__ import annotations

import pytest

from broker.languages import nearest, primary
from broker.messages import Ask, Transcript
from broker.phrases import FAILED, phrase
from broker.sessions import new_state
from tests.broker.talk import Talk, of


@pytest.mark.parametrize(
    ("tag", "language"),
    [("en", "en"), ("en-GB", "en"), ("EN_us", "en"), ("zh-Hant-TW", "zh"), ("cmn-CN", "zh"), ("yue", "yue"), ("", "")],
)
def test_the_primary_language_of_a_tag(tag: str, language: str) -> None:
    assert primary(tag) == language


@pytest.mark.parametrize(
    ("tag", "found"),
    [("en-GB", "en-GB"), ("en", "en-US"), ("en-AU", "en-US"), ("es", "es-MX"), ("fr", ""), ("", "")],
)
def test_the_nearest_of_the_languages_spoken(tag: str, found: str) -> None:
    assert nearest(tag, ("es-MX", "en-US", "en-GB")) == found


@pytest.mark.parametrize(
    ("heard", "asked_in"), [("en", "en-GB"), ("en-US", "en-US"), ("es", "es-MX"), ("fr", "en-GB"), ("", "en-GB")]
)
def test_a_recogniser_that_knows_no_regions_is_answered_in_the_personas(heard: str, asked_in: str) -> None:
    talk = Talk(languages=("en-US", "en-GB", "es-MX"), language="en-GB")
    talk.starts()
    talk.wait(900)
    done = talk(
        Transcript(
            utterance=0, n=1, text="when do you open on sundays", final=True, language=heard, through_sample=14_400
        )
    )
    assert of(done, Ask)[-1].language == asked_in


@pytest.mark.parametrize(("wished", "begins"), [("en", "en-GB"), ("es-MX", "es"), ("fr", "es"), ("", "es")])
def test_a_call_begins_in_the_personas_language_that_is_nearest_to_the_wish(wished: str, begins: str) -> None:
    assert new_state({"languages": ("es", "en-GB")}, wished, "voice", 0).language == begins


def test_the_brokers_phrases_keep_the_region_by_which_the_voice_is_chosen() -> None:
    assert phrase(FAILED, "de-AT") == (phrase(FAILED, "de")[0], "de-AT")
    assert phrase(FAILED, "it") == (phrase(FAILED, "en")[0], "en")
