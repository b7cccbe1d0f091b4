"""The events that are told are those that are documented: in `Event`, and for viewers in docs/audience.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from broker.config import ROOT
from broker.messages import Event

BY_VARIABLE: dict[str, set[str]] = {
    "workers/programme/announce.py": {"phonemes", "visemes"},
    "broker/move.py": set(),
    "broker/control.py": set(),
}
"""Where the kind is not written at the call: what it may be there, if it does not come from a caller in turn."""


def calls(folders: tuple[str, ...], names: tuple[str, ...]) -> Iterator[tuple[str, ast.expr | None]]:
    """(file, the first argument or `kind`) of every call of one of these names."""
    for path in (each for folder in folders for each in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in names:
                    given = (
                        [each.value for each in node.keywords if each.arg == "kind"] if name == "Event" else node.args
                    )
                    yield str(path.relative_to(ROOT)), given[0] if given else None


def told(folders: tuple[str, ...], *names: str) -> set[str]:
    found: set[str] = set()
    for file, kind in calls(folders, names):
        if isinstance(kind, ast.Constant):
            found.add(str(kind.value))
        elif kind is not None:
            found |= BY_VARIABLE[file]
    return found


def test_every_kind_of_event_is_documented_and_no_other() -> None:
    documented = re.findall(r"^ +(\w+) {", Event.__doc__ or "", re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == told(("broker",), "tell", "Event") | told(("workers", "webrtc"), "Event")


def test_what_viewers_are_told_is_documented_and_nothing_else() -> None:
    row = re.search(r"^\| `/view/<session>/events` \|(.*)$", Path(ROOT / "docs/audience.md").read_text(), re.MULTILINE)
    assert row
    documented = set(re.findall(r"`(\w+)`", row[1])) - {"rtp"}
    sent = {
        str(kind.value)
        for file, kind in calls(("webrtc",), ("_say", "encoded"))
        if file == "webrtc/watched.py" and isinstance(kind, ast.Constant)
    }
    assert documented == sent
