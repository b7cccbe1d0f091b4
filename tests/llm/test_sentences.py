"""Running text becomes the sentences a person would hear."""

from __future__ import annotations

import pytest

from workers.llm.markup import HiddenBlocks, plain, take_tags
from workers.llm.sentences import LONGEST, SentenceStream, sentences_of

TEXTS = {
    "Dr. Smith pays 3.50 at 9 a.m. on Monday. Then he rests.": [
        "Dr. Smith pays 3.50 at 9 a.m. on Monday.",
        "Then he rests.",
    ],
    "See https://a.example.com/x.html. Then rest!": ["See https://a.example.com/x.html.", "Then rest!"],
    '"Why?" he asked. Yes (really.) Fine.': ['"Why?" he asked.', "Yes (really.)", "Fine."],
    "No. Not that. No. 5 is good.": ["No.", "Not that.", "No. 5 is good."],
    "J. R. Smith came. The U.S. Army too.": ["J. R. Smith came.", "The U.S. Army too."],
    "1. First thing\n2. Second thing\n- third": ["First thing", "Second thing", "third"],
    "# Head\nText here.": ["Head", "Text here."],
    "One line\nand its rest. Two.": ["One line and its rest.", "Two."],
    "Wait... what? Well… Yes.": ["Wait... what?", "Well…", "Yes."],
    "你好。今天很好！“真的吗？”他问。好": ["你好。", "今天很好！", "“真的吗？”", "他问。", "好"],
    "¿Qué tal? ¡Hola! Sí.": ["¿Qué tal?", "¡Hola!", "Sí."],
    "I sat. Then left.": ["I sat.", "Then left."],
}


@pytest.mark.parametrize("text", TEXTS)
def test_sentences_end_where_a_reader_would_end_them(text: str) -> None:
    assert sentences_of(text) == TEXTS[text]


@pytest.mark.parametrize(
    "text", [*TEXTS, "A **bold** [word](http://x.y). ```py\nx = 1.\n``` <think>no. no.</think> End."]
)
def test_pieces_of_one_character_give_the_same_sentences(text: str) -> None:
    stream = SentenceStream()
    spoken = [sentence for character in text for sentence in stream.feed(character)] + stream.flush()
    assert [sentence.text for sentence in spoken] == sentences_of(text)


def test_a_sentence_is_known_as_soon_as_the_next_one_begins() -> None:
    stream = SentenceStream()
    assert stream.feed("It costs 3.") == []
    assert [s.text for s in stream.feed("50 euros. A")] == ["It costs 3.50 euros."]


def test_markup_is_never_spoken() -> None:
    text = "## Title\n\n> **Bold** and _soft_, `code`, ~~gone~~ and [a link](https://x.example). 😀 A &amp; B<br>end."
    spoken = " ".join(sentences_of(text))
    assert spoken == "Title Bold and soft, code, gone and a link. A & B end."


def test_code_and_thoughts_are_left_out_even_when_never_closed() -> None:
    assert sentences_of("<think>I plan. So.</think>Four. ```py\nx = 1.\n``` Done.") == ["Four.", "Done."]
    assert sentences_of("Four. <think>I plan. And plan") == ["Four."]


def test_tags_ride_along_and_are_held_to_their_ranges() -> None:
    stream = SentenceStream()
    spoken = stream.feed("[happy] Hello! [rate:0.85] Slow now. [rate: 99] Fast. [unknown] Word [1]. ") + stream.flush()
    assert [(s.text, s.tags) for s in spoken] == [
        ("Hello!", {"emotion": "happy"}),
        ("Slow now.", {"rate": 0.85}),
        ("Fast.", {"rate": 2.0}),
        ("Word.", {}),
    ]


def test_a_tag_with_nonsense_for_a_number_is_dropped() -> None:
    assert take_tags("[rate:abc] Yes.")[1] == {}
    assert take_tags("[rate:nan] Yes.")[1] in ({}, {"rate": 0.5})


def test_text_without_an_end_is_cut_so_that_speech_can_go_on() -> None:
    stream = SentenceStream()
    pieces = [s.text for _ in range(200) for s in stream.feed("word ")] + [s.text for s in stream.flush()]
    assert len(pieces) > 1
    assert all(len(piece) <= LONGEST for piece in pieces)
    assert " ".join(pieces).split() == ["word"] * 200


def test_invisible_characters_and_stray_spaces_are_gone() -> None:
    assert plain("  a\t b\u200b  , c\x00 ") == "a b, c"


def test_a_mark_cut_in_two_is_still_a_mark() -> None:
    hidden = HiddenBlocks()
    assert hidden.feed("a <thi") + hidden.feed("nk>b</th") + hidden.feed("ink>c") + hidden.flush() == "a  c"
