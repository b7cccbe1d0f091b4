"""What was learnt from many texts: which class a vector is like, however many texts each has."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.llm import classifier
from workers.llm.classifier import Classifier

SIZE = 16


def clouds(count: int, each: int, spread: float = 0.3) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Vectors around `count` directions, and which one each is near."""
    random = np.random.default_rng(1)
    classes = np.repeat(np.arange(count), each)
    vectors = np.eye(SIZE)[classes] + spread * random.standard_normal((len(classes), SIZE)) / np.sqrt(SIZE)
    return vectors.astype(np.float32), classes


def test_a_vector_is_like_the_class_it_is_near_and_unlike_the_others() -> None:
    vectors, classes = clouds(5, 8)
    learnt = Classifier(vectors, classes, 5)
    for at in range(5):
        likeness = learnt.of(np.eye(SIZE, dtype=np.float32)[at])
        assert likeness.argmax() == at
        assert likeness[at] > 0.7
        assert np.delete(likeness, at).max() < 0.2


def test_a_class_of_two_separate_topics_is_learnt_though_no_direction_tells_it_from_another() -> None:
    corners = np.eye(SIZE, dtype=np.float32)[:2]
    vectors = np.concatenate((corners, -corners))
    classes = np.array([0, 1, 0, 1])
    likeness = Classifier(vectors, classes, 2).of(vectors)
    assert (likeness.argmax(axis=1) == classes).all()


def test_every_part_of_a_vector_counts_the_same_whatever_its_length() -> None:
    vectors, classes = clouds(4, 6)
    random = np.random.default_rng(2)
    noise = random.standard_normal(vectors.shape).astype(np.float32)
    learnt, louder = (
        Classifier(np.concatenate((vectors, by * noise), axis=1), classes, 4, parts=2).of(
            np.concatenate((vectors[0], by * noise[-1]))
        )
        for by in (1, 100)
    )
    assert learnt.argmax() == 0
    assert np.allclose(learnt, louder, atol=1e-3)


def test_of_too_many_texts_each_class_keeps_as_many_of_its_first_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "MOST_TEXTS", 7)
    classes = np.array([0, 0, 0, 0, 0, 1, 2, 2, 2])
    kept = classifier._first_of_each(classes, 7)
    assert kept.tolist() == [0, 1, 2, 5, 6, 7, 8]
    assert classifier._first_of_each(classes, 2).tolist() == [0, 5, 6]
    assert classifier._first_of_each(classes, 100).tolist() == list(range(9))
    vectors = np.eye(SIZE, dtype=np.float32)[classes]
    assert (Classifier(vectors, classes, 3).of(vectors).argmax(axis=1) == classes).all()
