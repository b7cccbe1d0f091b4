from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from workers.asr.language_model import END, START, count_ngrams, smooth, write_arpa

SENTENCES = [(("open", "the", "door"), 2.0), (("open", "the", "window"), 1.0), (("the", "door", "is", "open"), 1.0)]


def chance(model: tuple[dict, dict], history: tuple[str, ...], word: str) -> float:
    """What a reader of the file computes, back-off by back-off."""
    probability, back_off = model
    if (*history, word) in probability:
        return 10 ** probability[(*history, word)]
    if not history:
        return 0.0
    return 10 ** back_off.get(history, 0.0) * chance(model, history[1:], word)


def test_after_any_history_the_chances_of_all_words_sum_to_one() -> None:
    model = smooth(count_ngrams(SENTENCES))
    words = ["open", "the", "door", "window", "is", END]
    histories = [(), *((w,) for w in (*words[:-1], START)), *product((*words[:-1], START), words[:-1])]
    for history in histories:
        assert sum(chance(model, history, word) for word in words) == pytest.approx(1, abs=1e-9), history


def test_what_was_read_is_likelier_than_what_was_not() -> None:
    model = smooth(count_ngrams(SENTENCES))
    assert chance(model, ("open", "the"), "door") > chance(model, ("open", "the"), "window")
    assert chance(model, ("open", "the"), "window") > 5 * chance(model, ("open", "the"), "is") > 0


def test_the_file_counts_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "m.arpa"
    total = write_arpa(SENTENCES, path)
    text = path.read_text()
    announced = [int(line.split("=")[1]) for line in text.splitlines() if line.startswith("ngram ")]
    assert sum(announced) == total
    assert text.startswith("\\data\\")
    assert text.rstrip().endswith("\\end\\")


def test_no_words_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no sentence"):
        write_arpa([((), 1.0)], tmp_path / "m.arpa")
