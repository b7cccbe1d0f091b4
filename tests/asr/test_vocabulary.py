from __future__ import annotations

import time
from pathlib import Path

import docx
import pytest

from workers.asr.vocabulary import ASKED, own_pronunciations, persona_sentences, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Who's there?", "who's there"),
        ("It costs 25 euros — since 1998.", "it costs twenty five euros since nineteen ninety eight"),
        ("Write to desk@example.org or see https://example.org/a?b=c today", "write to or see today"),
        ("Press `Ctrl+C` twice", "press twice"),
        ("3.5 litres", "three point five litres"),
        ("", ""),
        ("★ … ,,, ***", ""),
        ("99999999999999999999", ""),
        ("pi is " + "3" * 5000, "pi is"),
        ("0" * 5000 + "7", "seven"),
        ("0." + "3" * 5000, "zero point" + " three" * 16),
        ("see " + "a" * 5000, "see"),
    ],
)
def test_text_becomes_words_as_they_are_said(text: str, words: str) -> None:
    assert words_of(text) == tuple(words.split())


def test_data_written_as_text_takes_no_time(tmp_path: Path) -> None:
    """A picture inside a document has 100 000 letters without a space; a table has numbers only."""
    (tmp_path / "picture.txt").write_text("See " + "aB1/" * 50_000)
    (tmp_path / "table.txt").write_text("0.1234 0.5678 " * 100_000)
    began = time.process_time()
    assert ("zero", "point", "one") in [words[:3] for words, _ in persona_sentences({}, tmp_path)]
    assert time.process_time() - began < 60


def test_documents_questions_small_talk_and_extra_words_are_all_heard(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "# The quince\n\nIt is green. It is sour.\n\nAsked: what is a quince; is it sweet\n\nNot answered: who ate it\n"
    )
    (tmp_path / "b.html").write_text("<h1>Pears</h1><p>Are &amp; stay soft.<script>var x = 1</script></p>")
    word = docx.Document()
    word.add_paragraph("Medlars ripen late.")
    word.save(str(tmp_path / "c.docx"))
    (tmp_path / "broken.docx").write_bytes(b"not a document")
    (tmp_path / "picture.png").write_bytes(b"unread bytes")
    (tmp_path / "questions.toml").write_text("held = 'out question'")
    persona = {
        "suggestions": ["Tell me a joke"],
        "small_talk": [{"say": ["what's up"], "reply": ["Not much"]}],
        "asr": {"words": ["Zyzzyva"]},
    }
    found = dict(persona_sentences(persona, tmp_path))
    assert found[("what", "is", "a", "quince")] == ASKED
    assert found[("who", "ate", "it")] == found[("it", "is", "sour")] == 1.0
    assert found[("what's", "up")] == ASKED
    assert ("what", "is", "zyzzyva") in found
    assert ("tell", "me", "about", "the", "quince") in found
    assert ("are", "stay", "soft") in found
    assert ("medlars", "ripen", "late") in found
    everything = {word for words in found for word in words}
    assert not everything & {"unread", "held", "var"}


def test_a_word_may_say_how_it_sounds_and_nonsense_is_passed_over() -> None:
    words = ["Visavis: V IY Z AA V IY", "visavis: V IH S AH V IH S", "Ollama", "x: QQ", "two words: AH", ": AH", "y:"]
    said = own_pronunciations({"asr": {"words": words}})
    assert said == {"visavis": ("V IY Z AA V IY", "V IH S AH V IH S")}


def test_a_bare_persona_still_has_talk() -> None:
    assert (("thank", "you"), 1.0) in persona_sentences({}, None)
    assert persona_sentences({}, Path("/nowhere"))
