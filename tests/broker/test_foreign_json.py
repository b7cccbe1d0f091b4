"""JSON of strangers: what it says, and how deep it may nest."""

from __future__ import annotations

import gc
import json

import pytest

from broker.foreign_json import DEEPEST, read_json


@pytest.mark.parametrize("value", [None, 7, "ü😀", [], {"a": [1, {"b": '[{"\\'}]}, "[" * 1000, ['\\"' + "{" * 1000]])
def test_what_it_says_is_what_json_says(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert read_json(text) == read_json(text.encode()) == read_json(b"\xef\xbb\xbf" + text.encode()) == value


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert read_json("[" + "[[]]," * 5_000 + "0]")[-2:] == [[[]], 0]


@pytest.mark.parametrize(
    ("opening", "ending", "levels"),
    [("[", "]", 1), ('{"a":', "}", 1), ('[{"]":', "}]", 2), ('{"\\"]":[ ', "]}", 2), ('[ "}", ', "]", 1)],
)
def test_it_may_nest_so_deep_and_no_deeper(opening: str, ending: str, levels: int) -> None:
    fits = DEEPEST // levels
    assert read_json(opening * fits + "0" + ending * fits)
    with pytest.raises(ValueError, match="deeper"):
        read_json(opening * (fits + 1) + "0" + ending * (fits + 1))


@pytest.mark.parametrize(
    "text", ["", "{", "]" * 500 + "[" * 500, '"' + "[" * 500, b"\xff\xfe[", b'"\xed\xa0\x80"', "NaN0"]
)
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        read_json(text)


class _Finalized:
    """Garbage that only the collector finds, and whose finalizer needs room on the stack."""

    deepest_reached = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        type(self).deepest_reached = max(type(self).deepest_reached, self._down(300))

    def _down(self, more: int) -> int:
        return self._down(more - 1) + 1 if more else 0


@pytest.mark.parametrize("text", ["[" * 100_000, b"[" * 100_000, '{"a":' * 100_000])
def test_a_finalizer_that_runs_meanwhile_has_its_room(text: str | bytes) -> None:
    """Where it has none, pytest reports its RecursionError, and this fails."""
    before = gc.get_threshold()
    gc.collect()
    _Finalized.deepest_reached = 0
    _Finalized()
    try:
        gc.set_threshold(gc.get_count()[0] + 750)
        with pytest.raises(ValueError):
            read_json(text)
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert _Finalized.deepest_reached == 300
