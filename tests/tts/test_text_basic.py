"""Text of languages that have no front end of their own: what espeak-ng is given to say."""

from __future__ import annotations

import pytest

from workers.tts.text import spoken

CASES = {
    ("de", "50 % der Leute zahlen 5 €."): "50 % der Leute zahlen 5 €",
    ("de", "A & B + C = D"): "A & B + C = D",
    ("de", "20 ° und 5 $, 5 £, 5 ¥"): "20 ° und 5 $ 5 £ 5 ¥",
    ("de", "-5 °C, −5 %"): "minus 5 °C minus 5 %",
    ("de", "5-10 % oder 5–10€"): "5 bis 10 % oder 5 bis 10€",
    ("de", "9:00 - 17:00"): "9:00 bis 17:00",
    ("de", "10 - 3 = 7"): "10 minus 3 = 7",
    ("de", "2024-05-01"): "2024, 05, 01",
    ("de", "die A-Klasse - x-5"): "die A-Klasse x-5",
    ("de", "±5, 3 × 4"): "±5 3 × 4",
    ("fr", "50 % paient 5 €"): "50 % paient 5 €",
    ("fr", "-5 à 10-15 km, 5 = 5"): "moins 5 à 10 à 15 km 5 égale 5",
    ("it", "-€5"): "meno €5",
    ("pt-BR", "5–10 anos"): "5 a 10 anos",
    ("ru", "-5°, 5 €"): "минус 5 градусов 5 евро",
    ("pl", "5€"): "5 euro",
    ("tr", "-5, 5-10"): "eksi 5 5, 10",
    ("fi", "-5 ja 5-10"): "-5 ja 5, 10",
    ("de", "*fett* 😀 _kursiv_ ---"): "fett kursiv",
}


@pytest.mark.parametrize(("tagged", "said"), CASES.items(), ids=["-".join(case) for case in CASES])
def test_symbols_and_signs_reach_the_synthesiser(tagged: tuple[str, str], said: str) -> None:
    language, written = tagged
    assert " ".join(word for token in spoken(written, language) for word in token.spoken) == said


def test_a_dash_that_is_said_is_no_pause_and_one_that_is_not_is() -> None:
    for language, written, stop in (("de", "5 - 10", ""), ("fi", "5 – 10", ","), ("de", "gut – ja", ",")):
        assert [token.stop for token in spoken(written, language)] == ["", stop, ""]
