"""What README and docs name is there: files, commands with their options, settings."""

from __future__ import annotations

import ast
import dataclasses
import re
import typing
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from broker.config import Settings
from tests.layout.test_layout import ROOT, modules, tracked

GUIDES = ("README.md", *sorted(path for path in tracked() if re.fullmatch(r"docs/[\w-]+\.md", path)))
FOLDERS = ("bench", "bin", "broker", "docs", "etc", "static", "tests", "webrtc", "workers", r"\.ci")
FETCHED = ("static/vendor/",)
"""Not in the repository: fetched at set-up."""

MADE_UP = re.compile(r"\b(ada|alice|museo|xiaolin)\b")
"""Who is added in the examples."""

PYTEST = frozenset({"-k", "-s"})


def text_of(guide: str) -> str:
    return (ROOT / guide).read_text(encoding="utf-8")


def code_of(guide: str) -> list[str]:
    """Every line of its fenced blocks, without comments, and every `code` in its sentences."""
    text = text_of(guide)
    fences = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.partition(" #")[0] for fence in fences for line in fence.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return lines + re.findall(r"`([^`]+)`", prose)


def named(guide: str, pattern: str) -> Iterator[re.Match[str]]:
    for code in code_of(guide):
        yield from re.finditer(pattern, code)


@cache
def there() -> frozenset[str]:
    """Every file, and every folder with and without its slash."""
    files = tracked()
    folders = {folder.as_posix() for file in files for folder in Path(file).parents}
    return frozenset({*files, *folders, *(f"{folder}/" for folder in folders)})


@pytest.mark.parametrize("guide", GUIDES)
def test_the_files_that_a_guide_names_are_there(guide: str) -> None:
    paths = {found[0] for found in named(guide, rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./-]*[\w/](?![\w<…*])")}
    assert not {path for path in paths - there() if not path.startswith(FETCHED) and not MADE_UP.search(path)}


@pytest.mark.parametrize("guide", GUIDES)
def test_the_modules_that_a_guide_calls_by_name_alone_are_there(guide: str) -> None:
    names = {found[1] for found in named(guide, r"^([\w-]+\.(?:py|mjs))$")}
    assert names <= {Path(file).name for file in tracked()}


@pytest.mark.parametrize("guide", GUIDES)
def test_the_links_of_a_guide_lead_somewhere(guide: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", text_of(guide))
    assert not [target for target in targets if not (ROOT / guide).parent.joinpath(target).exists()]


def source(command: str) -> str:
    """What reads the options of `bin/NAME`, `bin/bench NAME` or `python -m NAME`."""
    name = command.split()[-1]
    if not command.startswith("bin/"):
        return module(name)
    if command.startswith("bin/bench "):
        return module(f"bench.{name}")
    script = (ROOT / name).read_text(encoding="utf-8")
    return script + "".join(module(called) for called in re.findall(r"-m ([\w.]+)", script) if called != "pytest")


def module(name: str) -> str:
    """The source of what `python -m` runs."""
    path = ROOT.joinpath(*name.split("."))
    path = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    text = path.read_text(encoding="utf-8")
    assert "__main__" in (path.stem, *re.findall("__main__", text)), f"{name} does not run"
    return text


COMMAND = re.compile(r"(?<!/)(bin/bench [a-z]\w+|bin/[a-z]+|python -m [a-z][\w.]*)(?![\w./<])([^|;&\n]*)")


def unknown_options(command: str, rest: str) -> list[str]:
    """Options that are not read: neither named to argparse nor a case of the script."""
    options = set(re.findall(r"(?<=[\s\[])--?[a-z][a-z0-9-]*", rest)) - PYTEST
    known = source(command)
    return [option for option in options if not re.search(rf'"{option}"|{option}[)=]', known)]


@pytest.mark.parametrize("guide", GUIDES)
def test_the_commands_of_a_guide_can_be_given_as_they_stand_there(guide: str) -> None:
    for found in named(guide, COMMAND.pattern):
        assert not unknown_options(found[1], found[2]), found[0]


@pytest.mark.parametrize("path", [p for f in ("bench", "broker", "webrtc", "workers") for p in modules(f)], ids=str)
def test_the_commands_of_a_docstring_can_be_given_as_they_stand_there(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    for found in COMMAND.finditer(docstring):
        assert not unknown_options(found[1], found[2]), found[0]


def settings() -> dict[str, set[str]]:
    """Keys by section."""
    sections = typing.get_type_hints(Settings)
    tables = {name: cls for name, cls in sections.items() if dataclasses.is_dataclass(cls)}
    return {name: {each.name for each in dataclasses.fields(cls)} for name, cls in tables.items()}


@pytest.mark.parametrize("guide", GUIDES)
def test_the_settings_that_a_guide_names_exist(guide: str) -> None:
    known = settings()
    for found in named(guide, r"^\[(\w+)\] (\w+)"):
        if guide != "docs/personas.md" and found[1] in known:  # what a persona holds is looked at with its page
            assert found[2] in known[found[1]], found[0]
    variables = {f"VISAVIS_{section}_{key}".upper() for section, keys in known.items() for key in keys}
    assert {found[0] for found in named(guide, r"VISAVIS_(?!CONFIG|TEST)[A-Z_]+")} <= variables
