"""avatar.toml: where a face comes from, when, and who said that it may be used."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workers.lipsync.errors import AvatarError

FILE = "avatar.toml"
CONSENT = "Whoever added it stated that they may use this face: their own, or with its owner's consent."
HEAD = "# Written by bin/avatar. Where this face comes from; remove it with `bin/avatar remove {name}`.\n"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Of one part of an avatar."""

    kind: str
    source: str
    """The file's own name, without its folder."""
    sha256: str
    """Of the file as it was given."""
    added: str
    """ISO 8601, UTC."""
    consent: str = CONSENT
    by: str = "command line"
    """Or `page`."""


def origin_of(source: Path, kind: str, by: str, name: str = "") -> Origin:
    """Of a file that is being added now. `name`: what it was called where it came from. Raises AvatarError."""
    hasher = hashlib.sha256()
    try:
        with source.open("rb") as file:
            while piece := file.read(1 << 20):
                hasher.update(piece)
    except OSError as exc:
        raise AvatarError("unreadable", f"{source.name} cannot be read ({exc.strerror}); check its rights.") from exc
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Origin(kind=kind, source=(name or source.name)[:200], sha256=hasher.hexdigest(), added=now, by=by)


def read(folder: Path) -> dict[str, Any]:
    """By part, `face` and `model`; empty for a face that was not added by this tool, or whose note is damaged."""
    try:
        table = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
    return {part: table[part] for part in ("face", "model") if isinstance(table.get(part), dict)}


def write(folder: Path, name: str, parts: dict[str, Any]) -> None:
    """`parts`: Origin, or what `read` gave, by part."""
    lines = [HEAD.format(name=name)]
    for part, origin in parts.items():
        values = asdict(origin) if isinstance(origin, Origin) else origin
        lines.append(f"[{part}]")
        lines += [f"{key} = {toml_text(str(value))}" for key, value in values.items()]
        lines.append("")
    (folder / FILE).write_text("\n".join(lines), encoding="utf-8")
    # A person's face does not belong into a repository by accident.
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def toml_text(text: str) -> str:
    """A TOML basic string. JSON's escapes are TOML's, but for characters that neither may hold."""
    clean = "".join(character for character in text if character.isprintable())
    return json.dumps(clean.encode("utf-8", "replace").decode(), ensure_ascii=False)
