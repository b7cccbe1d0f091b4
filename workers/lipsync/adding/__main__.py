"""`bin/avatar`: faces for personas, from a photograph, a film or a 3D model.

bin/avatar add photo.jpg --name alice --i-may-use-this-face
bin/avatar list
bin/avatar check photo.jpg | alice
bin/avatar preview alice
bin/avatar remove alice
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from broker.config import ROOT, Settings, load
from broker.errors import VisavisError
from workers.lipsync.adding import manifest
from workers.lipsync.adding.adding import ASK_CONSENT, Added, Adding, Order
from workers.lipsync.adding.findings import Report
from workers.lipsync.adding.shelf import check_name
from workers.lipsync.errors import AvatarError

UNNOTED = {"face": "photo", "model": "model"}
"""What a part is called that was not put there by this command."""


def main(argv: list[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    try:
        settings = load()
        return int(options.run(Adding(settings), settings, options))
    except VisavisError as error:
        code = getattr(error, "code", "config")
        _out(options, {"usable": False, "code": code, "error": str(error)}, [str(error)], sys.stderr)
        return 2
    except OSError as error:
        text = f"{error.filename or 'A file'}: {error.strerror}. Check the disk's space and the folder's rights."
        _out(options, {"usable": False, "code": "disk", "error": text}, [text], sys.stderr)
        return 2


def _add(adding: Adding, settings: Settings, options: argparse.Namespace) -> int:
    source = Path(options.source)
    name = options.name or "".join(c if c.isalnum() else "-" for c in source.stem.lower()).strip("-")[:40]
    consent = options.i_may_use_this_face or (not options.json and _asked())
    order = Order(
        source=source, name=name, title=options.title, face=options.face, consent=consent, replace=options.replace,
        by=options.by, called=options.called,
    )  # fmt: skip
    added = adding.add(order)
    _out(options, added.plain(), _added_lines(added, source))
    return 0 if added.folder else 1


def _added_lines(added: Added, source: Path) -> list[str]:
    lines = [f"{source.name}:", *added.report.lines()]
    if added.folder is None:
        return [*lines, "Nothing was added."]
    preview = added.folder / "preview.png"
    lines.append(f"Added to {_short(added.folder)}.")
    if preview.is_file():
        lines.append(f"Everything it can show: {_short(preview)}.")
    if added.persona:
        lines.append(f"{_short(added.persona)} is a persona with this face; the page shows it at once.")
    else:
        lines.append(f"The persona {added.name} exists and was left as it is.")
    return lines


def _asked() -> bool:
    """By somebody at a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    sys.stdout.write(ASK_CONSENT.split(" Say so")[0] + " [yes/no] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("yes", "y")


def _check(adding: Adding, settings: Settings, options: argparse.Namespace) -> int:
    report = adding.examine(_source(adding, options.what), options.face)
    verdict = "It can be used." if report.usable else "It cannot be used."
    _out(options, report.plain(), [f"{options.what}:", *report.lines(), verdict])
    return 0 if report.usable else 1


def _preview(adding: Adding, settings: Settings, options: argparse.Namespace) -> int:
    out = Path(options.out or f"{Path(options.what).stem}-preview.png")
    report: Report = adding.examine(_source(adding, options.what), options.face, out)
    made = report.usable and out.is_file()
    lines = [f"{options.what}:", *report.lines(), f"Wrote {out}." if made else "There is nothing to show."]
    _out(options, report.plain() | {"preview": str(out) if made else ""}, lines)
    return 0 if made else 1


def _list(adding: Adding, settings: Settings, options: argparse.Namespace) -> int:
    found = []
    for name in adding.shelf.names():
        noted = manifest.read(adding.shelf.folder(name))
        parts = adding.shelf.parts(name)
        kinds = [str(noted.get(part, {}).get("kind") or UNNOTED[part]) for part in parts]
        origin: dict[str, Any] = noted.get("face") or noted.get("model") or {}
        found.append(
            {
                "name": name,
                "kinds": kinds,
                "personas": adding.users(name),
                "source": origin.get("source", ""),
                "added": origin.get("added", ""),
            }
        )
    lines = [f"{'name':<20} {'made of':<14} {'worn by':<24} added"]
    for each in found:
        when = f"{each['added'][:10]} from {each['source']}" if each["added"] else "came with Visavis or by hand"
        lines.append(
            f"{each['name']:<20} {' + '.join(each['kinds']):<14} {', '.join(each['personas']) or '-':<24} {when}"
        )
    _out(options, {"avatars": found}, lines if found else ["There are no avatars yet: bin/avatar add photo.jpg"])
    return 0


def _remove(adding: Adding, settings: Settings, options: argparse.Namespace) -> int:
    from workers.lipsync.avatars import AvatarLibrary

    users = adding.users(options.name)
    own = settings.path("personas") / f"{options.name}.toml"
    others = [user for user in users if user != options.name]
    if others:
        raise AvatarError("worn", f"{options.name} is worn by {', '.join(others)}; give them another face first.")
    adding.shelf.remove(options.name)
    AvatarLibrary.of(settings).forget(options.name)
    lines = [f"Removed {options.name}, with what was prepared of it."]
    if options.name in users:
        if options.persona:
            own.unlink()
            lines.append(f"Removed {_short(own)}, too.")
        else:
            lines.append(f"{_short(own)} names it still: remove it, or give it another face.")
    _out(options, {"removed": options.name}, lines)
    return 0


def _source(adding: Adding, what: str) -> Path:
    """A file, or the picture or model of a known avatar. Raises AvatarError."""
    if Path(what).exists():
        return Path(what)
    check_name(what)
    portrait = adding.shelf.portrait(what)
    models = sorted(path for path in adding.shelf.folder(what).glob("*") if path.suffix in (".glb", ".vrm"))
    for path in (portrait, *models):
        if path is not None:
            return path
    known = ", ".join(adding.shelf.names()) or "none yet"
    raise AvatarError("face_unknown", f"{what} is neither a file nor an avatar. Known avatars: {known}.")


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _out(options: argparse.Namespace, plain: dict[str, Any], lines: list[str], stream: Any = None) -> None:
    """One line of JSON for programs, or sentences."""
    if options.json:
        sys.stdout.write(json.dumps(plain) + "\n")
    else:
        (stream or sys.stdout).write("\n".join(lines) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("bin/avatar", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    verbs = parser.add_subparsers(required=True, metavar="add | list | check | preview | remove")

    def verb(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=text)
        made.add_argument("--json", action="store_true", help="answer with one line of JSON")
        made.set_defaults(run=run)
        return made

    adds = verb("add", _add, "Make an avatar and a persona of a photograph, a film or a 3D model.")
    adds.add_argument("source", help="JPEG, PNG, WebP, BMP; MP4, MOV, WebM; GLB, VRM")
    adds.add_argument("--name", default="", help="small letters, digits, - and _; else the file's name")
    adds.add_argument("--title", default="", help="as it is called on the page, such as 'Alice Meyer'")
    adds.add_argument("--face", type=int, default=0, help="of several faces, which one from the left, from 1")
    adds.add_argument("--i-may-use-this-face", action="store_true", help="you state it; it is noted in avatar.toml")
    adds.add_argument("--replace", action="store_true", help="take the place of what has this name")
    adds.add_argument("--by", default="command line", choices=("command line", "page"), help=argparse.SUPPRESS)
    adds.add_argument("--called", default="", help=argparse.SUPPRESS)
    verb("list", _list, "Show every avatar, what it was made of and who wears it.")
    checks = verb("check", _check, "Say what a file or an avatar is good for; nothing is changed.")
    shows = verb("preview", _preview, "Draw a sheet of everything a face can show.")
    shows.add_argument("-o", "--out", default="", help="PNG file to write")
    for each in (checks, shows):
        each.add_argument("what", help="a file, or the name of an avatar")
        each.add_argument("--face", type=int, default=0, help="of several faces, which one from the left, from 1")
    removes = verb("remove", _remove, "Remove an avatar that was added, and what was prepared of it.")
    removes.add_argument("name")
    removes.add_argument("--persona", action="store_true", help="remove the persona of the same name, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
