from __future__ import annotations

import pytest

from workers.llm.markup import take_tags
from workers.llm.prompts import messages
from workers.llm.sentences import SentenceStream
from workers.llm.tags import tags_of

from .known import persona

MEANT = {
    "[happy] Hi.": {"emotion": "happy"},
    "[Emotion: sad] Oh.": {"emotion": "concerned"},
    "[happy: 0.4] Hi.": {"emotion": "happy", "strength": 0.4},
    "[happy: 7] Hi.": {"emotion": "happy", "strength": 1.0},
    "[smiles warmly] Hi.": {"emotion": "happy"},
    "[nods] Right.": {"gesture": "nod"},
    "[shakes head] No.": {"gesture": "shake"},
    "[head tilt] Really?": {"gesture": "tilt"},
    "[look away] Well.": {"gaze": "away"},
    "[looks up] Let me see.": {"gaze": "up"},
    "[look: down] Well.": {"gaze": "down"},
    "[looks at you] You.": {"gaze": "camera"},
    "[thinking][look_up] Hm.": {"emotion": "thinking", "gaze": "up"},
    "[nonsense] Hi.": {},
}


@pytest.mark.parametrize("text", MEANT)
def test_what_models_write_is_understood_and_never_spoken(text: str) -> None:
    said, tags = take_tags(text)
    assert tags == MEANT[text]
    assert "[" not in said


def test_words_in_brackets_that_are_no_stage_direction_stay() -> None:
    assert "[the old library]" in take_tags("Go there [the old library] now.")[0]
    assert tags_of("the old library", None) is None


def test_a_tag_at_the_end_of_all_text_is_not_lost() -> None:
    stream = SentenceStream()
    spoken = stream.feed("That is great! [nod]") + stream.flush()
    assert [(each.text, each.tags) for each in spoken] == [("That is great!", {}), ("", {"gesture": "nod"})]


def test_a_tag_cut_between_two_pieces_is_one_tag() -> None:
    stream = SentenceStream()
    spoken = [each for piece in ("Yes. [ha", "ppy", "] Fine", ".") for each in stream.feed(piece)] + stream.flush()
    assert [(each.text, each.tags) for each in spoken] == [("Yes.", {}), ("Fine.", {"emotion": "happy"})]


@pytest.mark.parametrize("prompt", ["", "You are {name}.", "Be {name}. Notes: {passages}", "{tags} You are {name}."])
def test_the_model_is_told_the_tags_once_whatever_the_prompt(prompt: str) -> None:
    system = messages(persona(brain={"prompt": prompt}), "en", (), "Hi", [])[0]["content"]
    assert system.count("[concerned]") == 1
    assert "{tags}" not in system
