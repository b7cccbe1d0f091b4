"""What tells a right passage from a near miss: the words and tokens it has, and how far it lies before the others."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.llm.confidence import by_letters, signs, sureness
from workers.llm.coverage import TokenCover, WordCover, bag
from workers.llm.embeddings import Reading

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


def reading(*words: str) -> Reading:
    """As if each word were one token that means the same everywhere."""
    return Reading(
        np.zeros(0, np.float32),
        np.array([WORDS.index(word) for word in words], np.int64),
        np.stack([*map(one_hot, words)]),
    )


def test_a_text_holds_the_tokens_it_has_and_lacks_the_rare_one_that_another_has() -> None:
    bags = [bag([reading("library"), reading("library", "opens")]), bag([reading("garage", "opens")])]
    assert [len(each) for each in bags] == [2, 2]
    held, lacking = TokenCover(bags).of(reading("library", "opens"))
    assert held[0] == pytest.approx(1)
    assert 0 < held[1] < 0.5  # "opens" alone, which both have
    assert lacking[0] == pytest.approx(0)
    assert lacking[1] == pytest.approx(1 - held[1])


def test_what_no_text_has_is_lacking_in_none() -> None:
    held, lacking = TokenCover([bag([reading("library")]), bag([reading("garage")])]).of(reading("euros"))
    assert not held.any()
    assert not lacking.any()
    held, lacking = TokenCover([bag([reading("library")])]).of(
        Reading(np.zeros(0), np.zeros(0, np.int64), np.zeros((0, 5)))
    )
    assert held.shape == lacking.shape == (1,)


def test_a_token_said_twice_is_kept_once_with_the_direction_between() -> None:
    two = Reading(np.zeros(0, np.float32), np.array([7, 7]), np.eye(2, dtype=np.float32))
    assert np.allclose(bag([two]), [[7, 0.5**0.5, 0.5**0.5]])


def sure_of(
    scores: tuple[float, ...] = (18.0, 14.0), held: tuple[float, ...] = (0.8, 0.6), lacking: float = 0.0
) -> float:
    found = signs(
        "when does the library open",
        np.array(scores, np.float32),
        0.7,
        0.6,
        0.2,
        0.8,
        0.6,
        np.array([*(0.2 for _ in scores), 0.1], np.float32),
        np.array(held, np.float32),
        lacking,
        2,
    )
    return sureness(found, listed=True)


def test_one_is_surer_of_a_passage_far_before_the_others() -> None:
    assert sure_of((18.0, 10.0, 9.0)) > sure_of((18.0, 17.5, 9.0))
    assert 0 < sure_of((18.0,), (0.8,)) < 1


def test_one_is_less_sure_of_a_passage_if_another_has_more_of_the_words_or_one_that_it_lacks() -> None:
    assert sure_of(held=(0.8, 0.7)) < sure_of(held=(0.8, 0.4))
    assert sure_of(lacking=0.1) < sure_of(lacking=0.0)


def test_nothing_in_common_means_no_confidence_at_all() -> None:
    assert by_letters(0.0, 0.0) == 0.0
    assert by_letters(0.9, 0.5) > 0.9
