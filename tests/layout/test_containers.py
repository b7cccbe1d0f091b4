"""The containers: what a person edits and what the processes write is on volumes that all of them share."""

from __future__ import annotations

import dataclasses
import re

from broker.config import Paths
from tests.layout.test_layout import ROOT

COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
MOUNTED = dict(re.findall(r"^    - (\S+):/visavis/(\S+)$", COMPOSE, re.MULTILINE))


def test_every_path_of_the_settings_is_on_a_volume() -> None:
    paths = {each.name: str(each.default) for each in dataclasses.fields(Paths) if each.default}
    assert {name for name, path in paths.items() if not path.startswith(tuple(MOUNTED.values()))} == set()


def test_what_is_edited_is_the_checkouts_own_folder() -> None:
    own = {source.removeprefix("./"): target for source, target in MOUNTED.items() if source.startswith("./")}
    assert set(own) == {Paths.personas, Paths.avatars, Paths.backdrops}
    assert all(source == target for source, target in own.items())


def test_every_process_has_them() -> None:
    services = re.findall(
        r"^  ([\w-]+):(.*(?:\n    .*)*)", COMPOSE.split("services:")[1].split("\nvolumes:")[0], re.MULTILINE
    )
    assert len(services) == 16
    assert all("<<: *process" in what and "volumes" not in what for _, what in services)


def test_whoever_owns_the_checkout_can_be_who_runs() -> None:
    assert 'HOST_UID: "${HOST_UID:-10001}"' in COMPOSE
    assert "--uid $HOST_UID visavis" in (ROOT / "etc" / "Dockerfile").read_text(encoding="utf-8")
