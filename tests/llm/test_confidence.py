"""What tells a right passage from a near miss: the words it covers, and how far it lies before the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.llm.confidence import by_letters, signs, sureness
from workers.llm.coverage import WordCover

WORDS = ("library", "opens", "garage", "costs", "euros")


def one_hot(word: str) -> NDArray[np.float32]:
    """Words that have nothing to do with each other; unknown ones with nobody."""
    return np.array([float(word == known) for known in WORDS], np.float32)


def test_a_text_covers_the_words_it_has_and_the_rare_one_weighs_more() -> None:
    cover = WordCover(["the library opens", "the garage opens", "costs euros"], one_hot)
    mean, least = cover.of("when the library opens")
    assert np.allclose(least, [1, 0, 0])
    assert mean[0] > 0.99
    assert 0 < mean[1] < 0.5  # "opens" alone, which two of three texts have
    assert mean[2] == 0


def test_a_question_of_function_words_or_an_empty_text_covers_nothing() -> None:
    mean, least = WordCover(["the library opens", ""], one_hot).of("what is it")
    assert not mean.any()
    assert not least.any()


def test_one_is_surer_of_a_passage_far_before_the_others() -> None:
    def sure(*scores: float) -> float:
        found = signs(
            "when does the library open",
            np.array(scores, np.float32),
            0.7,
            0.6,
            0.2,
            0.8,
            0.6,
            np.array([*(0.2 for _ in scores), 0.1], np.float32),
        )
        return sureness(found, listed=True)

    assert sure(18.0, 10.0, 9.0) > sure(18.0, 17.5, 9.0)
    assert 0 < sure(18.0) < 1


def test_nothing_in_common_means_no_confidence_at_all() -> None:
    assert by_letters(0.0, 0.0) == 0.0
    assert by_letters(0.9, 0.5) > 0.9
