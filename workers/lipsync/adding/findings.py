"""What was found in a file, in words for the person who chose it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from workers.lipsync.errors import AvatarError

Level = Literal["good", "note", "warning", "refusal"]

MARKS: dict[str, str] = {"good": "✓", "note": "·", "warning": "!", "refusal": "✗"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`good`: as it should be. `note`: worth knowing. `warning`: it works, not well. `refusal`: it does not."""

    level: Level
    code: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """About one file. `faces`: each face's box (x, y, width, height) in shares of the picture, from left to right."""

    kind: str = ""
    """`photo`, `clip` or `model`; empty when that could not be told."""
    findings: tuple[Finding, ...] = ()
    faces: tuple[tuple[float, float, float, float], ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    """For programs; differs by kind."""

    @property
    def usable(self) -> bool:
        """Nothing in it is refused."""
        return bool(self.kind) and not any(finding.level == "refusal" for finding in self.findings)

    def lines(self) -> list[str]:
        """For a terminal."""
        return [f"  {MARKS[finding.level]} {finding.text}" for finding in self.findings]

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"usable": self.usable}


def report_of(plain: dict[str, Any]) -> Report:
    """Back from `Report.plain`. Raises AvatarError for anything else: its process met a hostile file."""
    try:
        return Report(
            kind=str(plain["kind"]),
            findings=tuple(
                Finding(level=each["level"], code=str(each["code"]), text=str(each["text"]))
                for each in plain["findings"]
                if each["level"] in MARKS
            ),
            faces=tuple(tuple(map(float, box)) for box in plain["faces"]),  # type: ignore[misc]  # four each
            facts=dict(plain["facts"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise AvatarError("workshop", "The file could not be examined; try another one.") from exc


def refused(code: str, text: str, kind: str = "") -> Report:
    """A report with one refusal."""
    return Report(kind=kind, findings=(Finding(level="refusal", code=code, text=text),))
