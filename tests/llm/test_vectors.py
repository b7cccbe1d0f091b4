"""Vectors are computed once for each text, and a file that is no use is no loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.llm.vectors import KeptVectors


class Counting:
    """Embeds a text as its length, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: list[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.array([[len(text), 1.0] for text in texts], np.float32)


def vectors(path: Path, texts: list[str], model: str = "model", most: int = 10) -> tuple[list[float], list[str]]:
    """(first component of each vector, what had to be embedded)."""
    embed = Counting()
    return KeptVectors(path, most).of(texts, model, 2, embed)[:, 0].tolist(), embed.asked


def test_a_changed_line_costs_one_embedding(tmp_path: Path) -> None:
    path = tmp_path / "new" / "vectors.sqlite"
    assert vectors(path, ["a", "bb", "a"]) == ([1, 2, 1], ["a", "bb"])
    assert vectors(path, ["ccc", "a", "bb"]) == ([3, 1, 2], ["ccc"])
    assert vectors(path, ["bb"]) == ([2], [])


def test_tables_of_any_number_of_rows_are_kept_as_they_are(tmp_path: Path) -> None:
    def table(texts: list[str]) -> list[NDArray[np.float32]]:
        return [np.full((len(text), 2), len(text), np.float32) for text in texts]

    kept = KeptVectors(tmp_path / "vectors.sqlite")
    kept.tables_of(["a", "ccc"], "model", 2, table)
    again = kept.tables_of(["ccc", "bb"], "model", 2, lambda texts: table(texts) if texts == ["bb"] else [])
    assert [one.tolist() for one in again] == [[[3, 3]] * 3, [[2, 2]] * 2]


def test_another_model_has_vectors_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "vectors.sqlite"
    vectors(path, ["a"])
    assert vectors(path, ["a"], model="better") == ([1], ["a"])


def test_more_texts_than_one_query_takes_are_all_found(tmp_path: Path) -> None:
    many = [f"text {number}" for number in range(1200)]
    path = tmp_path / "vectors.sqlite"
    vectors(path, many, most=5000)
    assert vectors(path, many, most=5000)[1] == []


def test_texts_used_longest_ago_leave_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "vectors.sqlite"
    for text in ("old", "older", "oldest"):
        vectors(path, [text], most=3)
    vectors(path, ["old"], most=3)
    vectors(path, ["new"], most=3)
    assert vectors(path, ["old", "older", "oldest", "new"], most=4)[1] == ["older"]


def test_a_spoilt_file_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "vectors.sqlite"
    path.write_bytes(b"no database, " * 100)
    assert vectors(path, ["a"]) == ([1], ["a"])
    assert vectors(path, ["a"]) == ([1], [])


@pytest.mark.parametrize("name", ["vectors.sqlite", "file/vectors.sqlite"])
def test_where_nothing_can_be_kept_it_only_costs_time(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    (tmp_path / "vectors.sqlite").mkdir()
    assert vectors(tmp_path / name, ["a"]) == ([1], ["a"])
    assert vectors(tmp_path / name, ["a"]) == ([1], ["a"])
