from __future__ import annotations

from pathlib import Path

import pytest

from broker import personas
from broker.errors import ConfigError
from broker.expressions import Expression, expressed, rules_of


@pytest.mark.parametrize(
    ("kind", "text", "tags"),
    [
        ("unknown", "That is not in what I was given to know.", {"emotion": "concerned", "strength": 0.8}),
        ("ask_back", "Is it about this: parking?", {"gesture": "tilt"}),
        ("greeting", "I am Vera.", {"emotion": "happy"}),
        ("small_talk", "Hello! Nice to see you.", {"emotion": "happy"}),
        ("answer", "Yes, on Sundays too.", {"gesture": "nod"}),
        ("answer", "抱歉，今天关门。", {"emotion": "concerned"}),
        ("answer", "The Helloworld building opens at nine.", {}),
    ],
)
def test_sentences_bring_the_face_people_expect(kind: str, text: str, tags: dict[str, object]) -> None:
    assert expressed((), kind, text) == tags


def test_what_the_model_wrote_comes_before_the_persona_and_she_before_the_usual() -> None:
    rules = (
        Expression(when="greeting", emotion="neutral", gesture="nod"),
        Expression(words=("price",), emotion="surprised", strength=0.5),
    )
    assert expressed(rules, "greeting", "Hello.") == {"emotion": "neutral", "gesture": "nod"}
    assert expressed(rules, "answer", "The PRICE is low.") == {"emotion": "surprised", "strength": 0.5}
    assert expressed(rules, "answer", "The price.", {"emotion": "happy", "rate": 0.8}) == {
        "emotion": "happy",
        "rate": 0.8,
    }


def write(folder: Path, table: str) -> Path:
    (folder / "ada.toml").write_text(f'name = "Ada"\n{table}\n')
    return folder


def test_a_persona_file_carries_its_rules_into_the_snapshot(tmp_path: Path) -> None:
    write(tmp_path, '[[expressions]]\nwords = ["discount"]\nemotion = "happy"\ngesture = "nod"')
    snapshot = personas.load(tmp_path, "ada").snapshot()
    assert rules_of(snapshot) == (Expression(words=("discount",), emotion="happy", gesture="nod"),)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('[[expressions]]\nwhen = "sunday"\nemotion = "happy"', "Known: greeting"),
        ('[[expressions]]\nwhen = "unknown"\nemotion = "sad"', "Known: neutral, happy"),
        ('[[expressions]]\nwhen = "unknown"\ngesture = "wave"', "Known: nod, shake, tilt"),
        ('[[expressions]]\nemotion = "happy"', "neither `when` nor `words`"),
        ('[[expressions]]\nwhen = "unknown"', "does nothing"),
        ('[[expressions]]\nwhen = "unknown"\nemotion = "happy"\nstrength = 3', "between 0 and 1"),
        ('[[expressions]]\nif = "unknown"', "Known keys: when"),
        ("[face]\nmotion = 4", "between 0 and 1"),
    ],
)
def test_a_wrong_rule_is_an_error_that_says_what_would_be_right(tmp_path: Path, table: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        personas.load(write(tmp_path, table), "ada")


def test_the_faces_of_an_installation_are_its_folders_with_a_portrait(tmp_path: Path) -> None:
    for name, file in (("ada", "portrait.jpg"), ("bob", "portrait.json"), ("cy", "poster.jpg"), ("di", "portrait.png")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).touch()
    assert personas.portraits(tmp_path) == ("ada", "di")
