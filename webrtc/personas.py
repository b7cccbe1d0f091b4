"""Personas as pages see them: the card of each, and where its face's picture and 3D model are."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from broker import outputs, personas
from broker.config import RecordingSettings
from broker.errors import ConfigError

logger = logging.getLogger(__name__)

POSTER = "poster.jpg"

TOGETHER_S = 60.0
"""A check-out or a copy writes a model and its light file within this time, in whatever order."""

MODELS = (".glb", ".vrm")
"""Endings of 3D models, the first one preferred."""

LARGEST_MODEL = 64 * 1024 * 1024
"""Bytes; a good head has 2 to 10 MiB."""


class PersonaCards:
    """The personas of a folder, read anew each time: a changed file shows without a restart."""

    def __init__(
        self, folder: Path, avatars: Path, first: str = "", recording: RecordingSettings | None = None
    ) -> None:
        """`first`: the persona who answers when nobody chose one; she heads the list."""
        self._folder = folder
        self._avatars = avatars
        self._first = first
        self._recording = recording or RecordingSettings()

    def all(self) -> list[dict[str, Any]]:
        """Every persona that can be read, the first one first, then by id. A broken one is left out and logged."""
        cards = []
        for name in sorted(personas.known(self._folder), key=lambda name: (name != self._first, name)):
            try:
                cards.append(self.card(personas.load(self._folder, name).snapshot()))
            except ConfigError as error:
                logger.warning("persona left out", extra={"persona": name, "reason": str(error)})
        return cards

    def card(self, persona: Mapping[str, Any]) -> dict[str, Any]:
        """What a page shows of a persona's snapshot. `poster` is empty while the face has no picture, `model` without
        a 3D model, `light` without a file of what low quality shows of it; `fronts` are the ways this face can be
        shown, `front` the one to begin with. `recording`: every (conversation is recorded), button (the page has one
        for it) or no."""
        face = persona.get("face", {})
        portrait = str(face.get("portrait", ""))
        folder = str(face.get("model", "") or portrait)
        card = {key: persona.get(key, "") for key in ("id", "name", "description")}
        card |= {key: list(persona.get(key, ())) for key in ("languages", "suggestions")}
        card["motion"] = float(persona.get("face", {}).get("motion", 1.0))
        rule = outputs.rule(self._recording, persona)
        card["recording"] = (
            rule if rule == "every" else "button" if rule == "asked" and self._recording.callers else "no"
        )
        card["poster"] = f"/avatars/{portrait}/{POSTER}" if self.poster(portrait) else ""
        model = self.model(folder)
        card["model"] = f"/avatars/{folder}/{model.name}" if model else ""
        light = self.light(folder)
        card["light"] = f"/avatars/{folder}/{light.name}" if light else ""
        card["fronts"] = ["portrait", "avatar3d"] if model else ["portrait"]
        card["front"] = front if (front := str(face.get("front", ""))) in card["fronts"] else "portrait"
        return card

    def poster(self, avatar: str) -> Path | None:
        """The picture of a prepared face; None when there is none by this name."""
        path = self._avatars / avatar / POSTER
        return path if personas.IDENTIFIER.fullmatch(avatar) and path.is_file() else None

    def model(self, avatar: str) -> Path | None:
        """The 3D model of a face, the one called like its folder first; None when there is none of a sensible size."""
        if not personas.IDENTIFIER.fullmatch(avatar):
            return None
        for ending in MODELS:
            found = sorted(
                (self._avatars / avatar).glob(f"*{ending}"), key=lambda path: (path.stem != avatar, path.name)
            )
            for path in found:
                light = path.name.endswith(personas.LIGHT_MODEL)
                if not light and path.is_file() and path.stat().st_size <= LARGEST_MODEL:
                    return path
        return None

    def light(self, avatar: str) -> Path | None:
        """What low quality shows of the 3D model; None when there is none, or it is that of another model, which was
        here before."""
        model = self.model(avatar)
        light = model.with_suffix(personas.LIGHT_MODEL) if model and model.suffix == ".glb" else None
        if model is None or light is None or not light.is_file():
            return None
        return light if light.stat().st_mtime >= model.stat().st_mtime - TOGETHER_S else None
