"""Cutting a sentence into clauses: the first short, so that speech starts early; never in a name.

Every cut is heard, since a voice ends its clause there: cuts go to punctuation first, then before a conjunction.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from workers.tts.words import Token, listed

_PAUSE_S = {".": 0.32, "?": 0.32, "!": 0.32, ";": 0.22, ":": 0.20, ",": 0.13, "": 0.03}
_ENDS = ".?!;:"
_LONG = 12
"""Words in a row that may be said in one breath without any punctuation."""
_MOST = 22
_AT_LEAST = 4
_JOINTS = frozenset(
    listed(
        "and but or because which that who if when while where so though although unless until since after before"
        " with without for than y e pero o porque que quien si cuando donde aunque para con sin pues mientras"
    )
)
"""Words before which a breath sounds right (English, Spanish)."""
_CJK_FROM = "\u3040"


@dataclass(frozen=True, slots=True)
class Clause:
    """Words said in one go, and the pause after them at rate 1. Without a `sounding` word it is not said at all."""

    tokens: tuple[Token, ...]
    pause_s: float

    @property
    def sounding(self) -> bool:
        return any(token.spoken for token in self.tokens)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A word that is said, with the silent ones around it, and the strongest stop among them."""

    tokens: tuple[Token, ...]
    stop: str
    weight: float
    first: str
    name: bool


def clauses(tokens: Iterable[Token]) -> Iterator[Clause]:
    """The clauses of a text, as its words are asked for. All words are in one; a text without sound is one clause."""
    source = _units(tokens)
    ahead: deque[_Unit] = deque()
    first = True
    while True:
        while len(ahead) < 2 * _MOST and (unit := next(source, None)):
            ahead.append(unit)
        if not ahead:
            return
        cut = [ahead.popleft() for _ in range(_cut(ahead, first))]
        yield Clause(tuple(token for unit in cut for token in unit.tokens), _PAUSE_S[cut[-1].stop])
        first = False


def _units(tokens: Iterable[Token]) -> Iterator[_Unit]:
    held: list[Token] = []
    for token in tokens:
        if token.spoken and any(earlier.spoken for earlier in held):
            yield _unit(held)
            held = []
        held.append(token)
    if held:
        yield _unit(held)


def _unit(tokens: Sequence[Token]) -> _Unit:
    said = [word for token in tokens for word in token.spoken]
    weight = sum(0.6 * len(word) if word[-1] >= _CJK_FROM else 1.0 for word in said)
    written = next((token.text.lstrip("\"'“‘(¿¡") for token in tokens if token.spoken), "")
    stops = {token.stop for token in tokens}
    stop = next((mark for mark in ".?!;:," if mark in stops), "")
    return _Unit(tuple(tokens), stop, weight, said[0] if said else "", written[:1].isupper() and written != "I")


def _cut(ahead: Sequence[_Unit], first: bool) -> int:
    """How many units the next clause takes."""
    weight = 0.0
    for place, unit in enumerate(ahead):
        weight += unit.weight
        rest = _weight_to_end(ahead, place + 1)
        if unit.stop in _ENDS and unit.stop:
            return place + 1
        if unit.stop == "," and rest >= 2 and weight >= (1 if first else 5):
            return place + 1
        if weight >= _LONG and rest >= _AT_LEAST:
            return _joint(ahead, place + 1, first) or _forced(ahead)
    return len(ahead)


def _weight_to_end(ahead: Sequence[_Unit], start: int) -> float:
    """Words from `start` to the next stop that certainly cuts, as far as one can see."""
    total = 0.0
    for place in range(start, len(ahead)):
        total += ahead[place].weight
        if total >= _AT_LEAST or (ahead[place].stop and ahead[place].stop in _ENDS):
            break
    return total


def _joint(ahead: Sequence[_Unit], end: int, first: bool) -> int:
    """A place before a conjunction: for the first clause the earliest, later the last. 0: there is none."""
    places = [
        place
        for place in range(_AT_LEAST, end)
        if ahead[place].first in _JOINTS and not _in_name(ahead, place) and ahead[place - 1].first not in _JOINTS
    ]
    return (places[0] if first else places[-1]) if places else 0


def _in_name(ahead: Sequence[_Unit], place: int) -> bool:
    """`Marks and Spencer`."""
    return ahead[place - 1].name and place + 1 < len(ahead) and ahead[place + 1].name


def _forced(ahead: Sequence[_Unit]) -> int:
    """No stop and no conjunction: cut at the first stop within reach, else where no name is broken."""
    weight = 0.0
    for place, unit in enumerate(ahead):
        weight += unit.weight
        if unit.stop:
            return place + 1
        if weight >= _MOST and not (unit.name and place + 1 < len(ahead) and ahead[place + 1].name):
            return place + 1
    return len(ahead)
