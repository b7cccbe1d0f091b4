"""From a file to an avatar and a persona: whole or not at all, never over other work, and removed with all traces."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from broker import personas
from broker.config import ROOT, Paths, Settings, load
from tests.lipsync.adding.small_glb import ARKIT_SHAPES, SmallGlb
from workers.lipsync.adding import manifest, shelf
from workers.lipsync.adding.adding import Adding, Order
from workers.lipsync.adding.model_file import look_over
from workers.lipsync.adding.persona_file import persona_text, write_persona
from workers.lipsync.avatars import AvatarLibrary
from workers.lipsync.errors import AvatarError
from workers.lipsync.portrait_engine import PortraitEngine


@pytest.fixture
def settings(tmp_path: Path, weights: Path) -> Settings:
    """An installation of this test's own."""
    for name in ("avatars", "personas", "cache"):
        (tmp_path / name).mkdir()
    paths = Paths(
        avatars=str(tmp_path / "avatars"),
        personas=str(tmp_path / "personas"),
        cache=str(tmp_path / "cache"),
        weights=str(weights.parent),
    )
    return dataclasses.replace(load(), paths=paths)


@pytest.fixture
def photo(tmp_path: Path, astronaut: np.ndarray) -> Path:
    path = tmp_path / "Eileen in 1992.jpg"
    cv2.imwrite(str(path), astronaut)
    return path


def order(source: Path, **changes: object) -> Order:
    return dataclasses.replace(Order(source=source, name="eileen", consent=True), **changes)  # type: ignore[arg-type]


def files(settings: Settings) -> dict[str, bytes]:
    """Everything in the folders of avatars and personas."""
    return {
        str(path): path.read_bytes()
        for name in ("avatars", "personas")
        for path in sorted(settings.path(name).rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_a_photograph_becomes_a_face_that_can_be_called_at_once(settings: Settings, photo: Path) -> None:
    added = Adding(settings).add(order(photo, title="Eileen Collins"))
    assert added.folder is not None
    assert {path.name for path in added.folder.iterdir()} == {
        ".gitignore", "avatar.toml", "portrait.jpg", "portrait.json", "poster.jpg", "preview.png",
    }  # fmt: skip
    persona = personas.load(settings.path("personas"), "eileen")
    assert (persona.name, persona.face.portrait) == ("Eileen Collins", "eileen")
    noted = manifest.read(added.folder)["face"]
    assert noted["source"] == "Eileen in 1992.jpg"
    assert "may use" in noted["consent"]
    # No network is asked again: the points lie beside the picture.
    engine = PortraitEngine(dataclasses.replace(settings, paths=dataclasses.replace(settings.paths, weights="nowhere")))
    assert engine.prepare(engine.find("eileen"), 256).portrait.shape == (256, 256, 3)


def test_what_a_camera_wrote_beside_the_pixels_is_not_kept(settings: Settings, tmp_path: Path, photo: Path) -> None:
    data = photo.read_bytes()
    spoken = b"\xff\xfe\x00\x1bMrs Smith, 4 Privet Drive"  # a JPEG comment
    tagged = tmp_path / "tagged.jpg"
    tagged.write_bytes(data[:2] + spoken + data[2:])
    Adding(settings).add(order(tagged))
    assert not [path for path, found in files(settings).items() if b"Privet" in found]


def test_without_a_statement_of_consent_nothing_is_made(settings: Settings, photo: Path) -> None:
    with pytest.raises(AvatarError, match="May you use this face") as caught:
        Adding(settings).add(order(photo, consent=False))
    assert caught.value.code == "consent"
    assert files(settings) == {}


def test_a_refused_picture_leaves_nothing_behind(settings: Settings, tmp_path: Path) -> None:
    wall = tmp_path / "wall.png"
    cv2.imwrite(str(wall), np.full((300, 300, 3), 180, np.uint8))
    added = Adding(settings).add(order(wall))
    assert added.folder is None
    assert [each.code for each in added.report.findings] == ["no_face"]
    assert files(settings) == {}
    assert [path.name for path in settings.path("avatars").iterdir()] == [".lock"]


def test_nothing_is_replaced_unless_it_is_said(settings: Settings, photo: Path) -> None:
    adding = Adding(settings)
    adding.add(order(photo))
    own = settings.path("personas") / "eileen.toml"
    own.write_text(own.read_text() + "# mine\n")
    before = files(settings)
    with pytest.raises(AvatarError, match="--replace"):
        adding.add(order(photo))
    assert files(settings) == before
    again = adding.add(order(photo, replace=True, by="page"))
    assert again.persona is None  # somebody's edits stay
    assert own.read_text().endswith("# mine\n")
    assert 'by = "page"' in (settings.path("avatars") / "eileen/avatar.toml").read_text()


def test_a_3d_head_joins_a_face_of_its_name(settings: Settings, tmp_path: Path, photo: Path) -> None:
    adding = Adding(settings)
    adding.add(order(photo))
    model = tmp_path / "head.glb"
    model.write_bytes(SmallGlb(ARKIT_SHAPES).bytes())
    adding.add(order(model))
    folder = settings.path("avatars") / "eileen"
    assert (folder / "eileen.glb").read_bytes() == model.read_bytes()
    assert (folder / "portrait.jpg").is_file()
    assert manifest.read(folder).keys() == {"face", "model"}
    adding.add(order(photo, replace=True))
    assert (folder / "eileen.glb").is_file()
    assert manifest.read(folder)["model"]["source"] == "head.glb"


def test_a_3d_head_alone_has_a_persona_that_can_be_read(settings: Settings, tmp_path: Path) -> None:
    model = tmp_path / "head.glb"
    model.write_bytes(SmallGlb(ARKIT_SHAPES).bytes())
    added = Adding(settings).add(order(model))
    assert added.folder is not None
    face = personas.load(settings.path("personas"), "eileen").face
    assert (face.portrait, face.front, face.model) == ("vera", "avatar3d", "eileen")


def test_a_fine_3d_head_gets_a_light_file_that_comes_and_goes_with_it(settings: Settings, tmp_path: Path) -> None:
    adding = Adding(settings)
    adding.add(order(ROOT / "static" / "avatars" / "robin" / "robin.glb"))
    folder = settings.path("avatars") / "eileen"
    light = folder / "eileen.light.glb"
    assert 10_000 < look_over(light.read_bytes()).triangles < 12_000
    assert adding.shelf.parts("eileen") == ["model"]
    coarse = tmp_path / "head.glb"
    coarse.write_bytes(SmallGlb(ARKIT_SHAPES).bytes())
    adding.add(order(coarse, replace=True))
    assert not light.exists(), "that of the head before"
    assert (folder / "eileen.glb").read_bytes() == coarse.read_bytes()


@pytest.mark.parametrize("name", ["", "..", "Alice", "a/b", "-a", "x" * 41, "é"])
def test_a_name_that_is_none_is_refused(settings: Settings, photo: Path, name: str) -> None:
    with pytest.raises(AvatarError, match="cannot be a name"):
        Adding(settings).add(order(photo, name=name))


def test_a_link_among_the_avatars_is_not_followed(settings: Settings, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (settings.path("avatars") / "eileen").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AvatarError, match="link"):
        Adding(settings).add(order(photo, replace=True))


def filled(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "portrait.jpg").write_text(text)
    return folder


def origin() -> manifest.Origin:
    return manifest.Origin(kind="photo", source="x", sha256="0", added="2026-01-01T00:00:00+00:00")


def test_a_failed_swap_brings_the_old_face_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = shelf.Shelf(tmp_path)
    filled(tmp_path / "eileen", "old")
    staged = filled(tmp_path / ".adding-eileen-1", "new")
    rename = os.rename

    def failing(source: Path, target: Path) -> None:
        if Path(source) == staged:
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(shelf.os, "rename", failing)
    with pytest.raises(OSError, match="space"):
        place.put(staged, "eileen", "photo", origin(), replace=True)
    assert (tmp_path / "eileen/portrait.jpg").read_text() == "old"


def test_what_a_killed_process_put_aside_comes_back(tmp_path: Path) -> None:
    filled(tmp_path / ".before-eileen-collins-123", "old")
    with shelf.Shelf(tmp_path).staging("other"):
        pass
    assert (tmp_path / "eileen-collins/portrait.jpg").read_text() == "old"


def test_a_half_filled_folder_is_no_portrait(tmp_path: Path) -> None:
    filled(tmp_path / ".adding-eileen-1", "new")
    filled(tmp_path / "eileen", "old")
    assert shelf.Shelf(tmp_path).names() == ["eileen"]
    assert AvatarLibrary((tmp_path,), tmp_path, tmp_path).names() == ["eileen"]


def test_a_persona_of_somebody_else_is_never_written_over(tmp_path: Path) -> None:
    assert write_persona(tmp_path, "ada", "one") is not None
    assert write_persona(tmp_path, "ada", "two") is None
    assert [path.read_text() for path in tmp_path.iterdir()] == ["one"]


@pytest.mark.parametrize(
    "title", ['Anna "Ann" O\'Hara', "Zoë \\ n", "名前", "a\nb = 1", "x" * 300, "\x7f\0", "{name}", "Ada: the first"]
)
def test_any_title_makes_a_persona_that_can_be_read(tmp_path: Path, title: str) -> None:
    write_persona(tmp_path, "ada", persona_text("ada", title, "vera"))
    read = personas.load(tmp_path, "ada")
    assert read.name == "".join(character for character in title if character.isprintable())


def test_points_of_another_picture_are_passed_over(settings: Settings, photo: Path, astronaut: np.ndarray) -> None:
    """Somebody puts another photograph in the place of the one that was added."""
    Adding(settings).add(order(photo))
    library = AvatarLibrary.of(settings)
    path = library.path_of("eileen")
    before = library.framed(path)
    cv2.imwrite(str(path), np.ascontiguousarray(astronaut[:, ::-1]))
    after = library.framed(path)
    assert not np.array_equal(before.points, after.points)
    assert len(list((settings.path("cache") / "avatars").glob("eileen-*.npz"))) == 1


def test_the_command_adds_lists_checks_and_removes(settings: Settings, photo: Path, tmp_path: Path) -> None:
    env = os.environ | {
        f"VISAVIS_PATHS_{key.upper()}": str(settings.path(key)) for key in ("avatars", "personas", "cache", "weights")
    }

    def avatar(*words: str) -> tuple[int, dict[str, object]]:
        command = [sys.executable, "-m", "workers.lipsync.adding", *words, "--json"]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=200)
        assert done.stderr == ""
        return done.returncode, json.loads(done.stdout)

    assert avatar("add", str(photo), "--name", "eileen")[0] == 2
    code, added = avatar("add", str(photo), "--name", "eileen", "--i-may-use-this-face")
    assert (code, added["persona"]) == (0, "eileen")
    _, listed = avatar("list")
    assert [(each["name"], each["personas"]) for each in listed["avatars"]] == [("eileen", ["eileen"])]  # type: ignore[attr-defined]
    library = AvatarLibrary.of(settings)
    kept = settings.path("cache") / "avatars" / "eileen-0123456789abcdef-v1.npz"
    kept.parent.mkdir()
    kept.write_bytes(b"pixels of a person")
    code, _ = avatar("remove", "eileen", "--persona")
    assert code == 0
    assert files(settings) == {}
    assert not kept.exists()
    assert library.names() == []
    code, error = avatar("remove", "eileen")
    assert (code, error["code"]) == (2, "face_unknown")
