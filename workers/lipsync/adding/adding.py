"""Adding one avatar from beginning to end: examined and made in the workshop, put on the shelf, given a persona."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker import personas
from broker.config import Settings
from workers.lipsync.adding.confined import Job, run
from workers.lipsync.adding.findings import Report, refused
from workers.lipsync.adding.kinds import kind_of
from workers.lipsync.adding.manifest import origin_of
from workers.lipsync.adding.persona_file import persona_text, write_persona
from workers.lipsync.adding.shelf import Shelf, check_name
from workers.lipsync.errors import AvatarError

ASK_CONSENT = (
    "May you use this face? It must be your own, or its owner must have agreed. Say so with --i-may-use-this-face; "
    "the statement is kept in avatar.toml."
)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What somebody asks for. `called`: the file's own name, where `source` is only a copy of it."""

    source: Path
    name: str
    title: str = ""
    face: int = 0
    consent: bool = False
    replace: bool = False
    by: str = "command line"
    called: str = ""


@dataclass(frozen=True, kw_only=True)
class Added:
    """`folder` and `persona` are None where nothing was made."""

    report: Report
    name: str = ""
    folder: Path | None = None
    persona: Path | None = None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return self.report.plain() | {
            "name": self.name,
            "folder": str(self.folder or ""),
            "persona": self.persona.stem if self.persona else "",
        }


class Adding:
    """Adds avatars to one installation."""

    def __init__(self, settings: Settings) -> None:
        self.shelf = Shelf(settings.path("avatars"))
        self._personas = settings.path("personas")
        self._weights = settings.path("weights") / "mediapipe"
        self._size = settings.media.size
        self._first = settings.sessions.persona

    def examine(self, source: Path, face: int = 0, preview: Path | None = None) -> Report:
        """The report alone; nothing is added. `preview`: where its sheet is to be put. Raises AvatarError."""
        kind_of(source)
        with self.shelf.staging("look") as folder:
            report = run(self._job(source, folder, face, make=preview is not None))
            sheet = folder / "preview.png"
            if preview is not None and sheet.is_file():
                shutil.copyfile(sheet, preview)
        return report

    def add(self, order: Order) -> Added:
        """An avatar and its persona, or the report that says why not. Raises AvatarError for an order that is wrong."""
        check_name(order.name)
        kind = kind_of(order.source)
        self.shelf.check_free(order.name, kind, order.replace)
        if not order.consent:
            raise AvatarError("consent", ASK_CONSENT)
        origin = origin_of(order.source, kind, order.by, order.called)
        with self.shelf.staging(order.name) as folder:
            report = run(self._job(order.source, folder, order.face, make=True, name=order.name))
            if not report.usable:
                return Added(report=report, name=order.name)
            if origin_of(order.source, kind, order.by).sha256 != origin.sha256:
                return Added(report=refused("changed", "The file changed while it was read; try again.", kind))
            placed = self.shelf.put(folder, order.name, kind, origin, order.replace)
        return Added(report=report, name=order.name, folder=placed, persona=self._persona(order))

    def users(self, name: str) -> list[str]:
        """The personas that wear an avatar."""
        worn = (persona for persona in personas.readable(self._personas))
        return [each.id for each in worn if name in (each.face.portrait, getattr(each.face, "model", ""))]

    def _job(self, source: Path, folder: Path, face: int, make: bool, name: str = "") -> Job:
        return Job(
            source=str(source.resolve()),
            folder=str(folder),
            weights=str(self._weights),
            name=name,
            face=face,
            make=make,
            portrait_px=self._size,
        )

    def _persona(self, order: Order) -> Path | None:
        title = order.title.strip() or order.name.replace("-", " ").replace("_", " ").title()
        has_face = self.shelf.portrait(order.name) is not None
        model = order.name if "model" in self.shelf.parts(order.name) else ""
        text = persona_text(order.name, title, order.name if has_face else self._stand_in(), model)
        return write_persona(self._personas, order.name, text)

    def _stand_in(self) -> str:
        """Whose picture is shown where a 3D head cannot be: the first persona's."""
        try:
            return personas.load(self._personas, self._first).face.portrait
        except Exception:  # a broken persona is told by whoever loads it to talk
            return personas.Face().portrait
