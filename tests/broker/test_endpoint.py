from __future__ import annotations

import pytest

from broker.endpoint import DEFAULT, EndpointSettings, Shape, shape_of, wait_ms


@pytest.mark.parametrize(
    ("text", "language", "shape"),
    [
        ("what are the opening hours of the library", "en", Shape.WHOLE),
        ("where can i find you", "en", Shape.WHOLE),
        ("what is it for", "en", Shape.WHOLE),
        ("who is that", "en", Shape.WHOLE),
        ("yes", "en", Shape.WHOLE),
        ("Thank you very much.", "en", Shape.WHOLE),
        ("tell me more", "en", Shape.WHOLE),
        ("my laptop does not connect", "en", Shape.OPEN),
        ("what are the opening hours of the", "en", Shape.TRAILING),
        ("tell me more about", "en", Shape.TRAILING),
        ("how do i", "en", Shape.TRAILING),
        ("i would like to know um", "en", Shape.TRAILING),
        ("i have a question", "en", Shape.TRAILING),
        ("the printer works but", "en-GB", Shape.TRAILING),
        ("dónde está la biblioteca", "es", Shape.WHOLE),
        ("¿Cuánto cuesta?", "es", Shape.WHOLE),
        ("quiero saber dónde está la", "es", Shape.TRAILING),
        ("sí", "es", Shape.WHOLE),
        ("mi ordenador no funciona", "es", Shape.OPEN),
        ("图书馆在哪里", "zh", Shape.WHOLE),
        ("请问图书馆几点开门", "zh", Shape.WHOLE),
        ("我想知道图书馆的", "zh", Shape.TRAILING),
        ("谢谢", "zh", Shape.WHOLE),
        ("我的电脑坏了", "zh", Shape.OPEN),
        ("bonjour madame", "fr", Shape.OPEN),
        ("", "en", Shape.NOTHING),
        (" … ", "en", Shape.NOTHING),
    ],
)
def test_words_have_a_shape(text: str, language: str, shape: Shape) -> None:
    assert shape_of(text, language) is shape


@pytest.mark.parametrize("text", ["what time is it now", "my laptop does not connect", "give me the", ""])
@pytest.mark.parametrize("hit", [None, 0.1, 0.8])
def test_the_more_finished_it_sounds_the_shorter_the_wait(text: str, hit: float | None) -> None:
    waits = [wait_ms(p / 20, text, "en", hit) for p in range(21)]
    assert waits == sorted(waits, reverse=True)
    assert 160 <= waits[-1] <= waits[0] <= 1000


def test_a_whole_question_that_sounds_finished_waits_a_fifth_of_a_second() -> None:
    assert wait_ms(0.95, "what time does the library open", "en") <= 200


def test_a_sure_answer_shortens_the_wait_and_a_trailing_word_lengthens_it() -> None:
    unsure = wait_ms(0.3, "my laptop does not connect", "en")
    assert wait_ms(0.3, "my laptop does not connect", "en", 0.9) < unsure
    assert wait_ms(0.3, "my laptop does not connect", "en", 0.0) > unsure
    assert wait_ms(0.3, "my laptop does not connect to the", "en") > unsure


def test_the_likelier_a_sentence_ends_after_the_words_the_shorter_the_wait() -> None:
    waits = [wait_ms(0.5, "i have the flu and cannot come", "en", None, ends) for ends in (-9.0, -5.0, -3.0, -1.5)]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] > waits[-1] + 200


@pytest.mark.parametrize("text", ["yes", "thank you", "hello", "what is your name", "really?"])
def test_a_short_answer_is_not_waited_for_because_it_is_short(text: str) -> None:
    assert wait_ms(0.7, text, "en", None, -4.0) < 400


@pytest.mark.parametrize("text", ["where", "can i", "the printer", "what about"])
def test_a_bare_beginning_is_waited_for(text: str) -> None:
    assert wait_ms(0.6, f"{text} the", "en") > 600


def test_words_not_understood_are_waited_for() -> None:
    assert wait_ms(0.99, "", "en") >= 500


def test_settings_are_followed() -> None:
    eager, patient = EndpointSettings(quick_ms=111, doubt=-50), EndpointSettings(patient_ms=999, doubt=50)
    assert wait_ms(0.5, "what time is it now", "en", settings=eager) == 111
    assert wait_ms(0.5, "what time is it now", "en", settings=patient) == 999


@pytest.mark.parametrize("language", ["en", "es", "zh", "xx", ""])
@pytest.mark.parametrize("text", ["\0", "a" * 10_000, "¿¡", "''''", "图" * 500, "\n\t"])
def test_any_text_gets_a_wait(text: str, language: str) -> None:
    assert 160 <= wait_ms(0.5, text, language) <= 1000


def test_a_fluent_speaker_is_waited_for_less_and_never_less_than_a_sure_end() -> None:
    text = "tell me about the library and the"
    waits = [wait_ms(0.05, text, "en", fluent=n) for n in range(7)]
    assert len(set(waits[:4])) == 1, "who pauses in every second utterance is not cut short for the others"
    assert len(set(waits[4:])) == 1, "it is learnt after a few"
    assert waits[4] < waits[3]
    assert DEFAULT.quick_ms < waits[-1] <= DEFAULT.fluent_ms
