"""3D models at the edge: which file is a face's, how it is served, and what a page may load with it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from broker import personas
from broker.errors import ConfigError
from tests.webrtc.scene import Scene, scene
from webrtc.personas import PersonaCards
from webrtc.security import policy


def at_an_edge(tmp_path: Path, story: Callable[[Scene], Awaitable[None]]) -> None:
    async def run() -> None:
        async with scene(tmp_path) as world:
            await story(world)

    asyncio.run(run())


def cards(tmp_path: Path, *files: str) -> PersonaCards:
    (tmp_path / "vera").mkdir(exist_ok=True)
    for file in files:
        (tmp_path / "vera" / file).write_bytes(b"glTF")
    return PersonaCards(tmp_path, tmp_path)


def test_a_faces_model_is_the_one_called_like_it_then_any(tmp_path: Path) -> None:
    for file, expected in (("z.vrm", "z.vrm"), ("vera.vrm", "vera.vrm"), ("a.glb", "a.glb"), ("vera.glb", "vera.glb")):
        found = cards(tmp_path, file).model("vera")
        assert found is not None
        assert found.name == expected
    assert cards(tmp_path).model("../vera") is None
    assert cards(tmp_path).model("nobody") is None


def test_a_card_says_which_fronts_there_are(tmp_path: Path) -> None:
    flat = cards(tmp_path).card({"id": "a", "face": {"portrait": "vera", "front": "avatar3d"}})
    assert (flat["fronts"], flat["front"], flat["model"]) == (["portrait"], "portrait", "")
    deep = cards(tmp_path, "vera.glb").card({"id": "a", "face": {"portrait": "vera", "front": "avatar3d"}})
    assert (deep["fronts"], deep["front"]) == (["portrait", "avatar3d"], "avatar3d")
    assert deep["model"] == "/avatars/vera/vera.glb"
    other = cards(tmp_path).card({"id": "a", "face": {"portrait": "sam", "model": "vera"}})
    assert (other["front"], other["model"]) == ("portrait", "/avatars/vera/vera.glb")


def test_a_card_names_the_light_file_of_its_model_and_no_other(tmp_path: Path) -> None:
    card = {"id": "a", "face": {"portrait": "vera"}}
    assert cards(tmp_path, "vera.light.glb").card(card)["model"] == "", "it is no model"
    assert cards(tmp_path).card(card)["light"] == ""
    found = cards(tmp_path, "vera.glb").card(card)
    assert (found["model"], found["light"]) == ("/avatars/vera/vera.glb", "/avatars/vera/vera.light.glb")
    model, light = tmp_path / "vera" / "vera.glb", tmp_path / "vera" / "vera.light.glb"
    os.utime(light, (1000, 1000))
    os.utime(model, (1030, 1030))
    assert cards(tmp_path).light("vera") == light, "a check-out writes them in any order"
    os.utime(model, (2000, 2000))
    assert cards(tmp_path).light("vera") is None, "another head was put in its place"
    model.unlink()
    assert cards(tmp_path, "vera.vrm").card(card)["light"] == ""


def test_a_model_as_large_as_a_film_is_left_out(tmp_path: Path) -> None:
    cards(tmp_path)
    with (tmp_path / "vera/vera.glb").open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    assert PersonaCards(tmp_path, tmp_path).model("vera") is None


def test_a_persona_names_its_front_and_a_wrong_one_names_the_known(tmp_path: Path) -> None:
    (tmp_path / "ada.toml").write_text('name = "Ada"\n[face]\nfront = "avatar3d"\nmodel = "vera"\n')
    assert personas.load(tmp_path, "ada").face.front == "avatar3d"
    (tmp_path / "ada.toml").write_text('name = "Ada"\n[face]\nfront = "hologram"\n')
    with pytest.raises(ConfigError, match="'portrait', 'avatar3d'"):
        personas.load(tmp_path, "ada")


def test_a_model_is_served_as_one_and_only_from_its_door(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        folder = tmp_path / "avatars" / "vera"
        (folder / "vera.glb").write_bytes(b"glTF....")
        (folder / "vera.light.glb").write_bytes(b"glTF..")
        (folder / "notes.txt").write_text("mine")
        for file, content in (("vera.glb", b"glTF...."), ("vera.light.glb", b"glTF..")):
            async with world.http.get(f"{world.url}/avatars/vera/{file}") as response:
                assert response.status == 200
                assert response.headers["Content-Type"] == "model/gltf-binary"
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert await response.read() == content
        for path in (
            "/avatars/vera/notes.txt",
            "/static/avatars/vera/vera.glb",
            "/static/avatars/vera/notes.txt",
            "/static//avatars/vera/notes.txt",
            "/avatars/..%2fvera/vera.glb",
        ):
            async with world.http.get(world.url + path) as response:
                assert response.status == 404, path

    at_an_edge(tmp_path, story)


def test_a_pages_import_map_is_let_in_by_its_hash_and_no_other_script(tmp_path: Path) -> None:
    text = '\n{"imports": {}}\n'
    page = f'<script type="importmap">{text}</script><script>steal()</script>'

    async def story(world: Scene) -> None:
        (tmp_path / "call.html").write_text(page)
        async with world.http.get(world.url + "/") as response:
            allowed = response.headers["Content-Security-Policy"]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        scripts = next(each for each in allowed.split("; ") if each.startswith("script-src"))
        assert scripts == f"script-src 'self' 'wasm-unsafe-eval' 'sha256-{digest}'"
        async with world.http.get(world.url + "/personas") as response:
            assert "sha256" not in response.headers["Content-Security-Policy"]

    at_an_edge(tmp_path, story)
    assert "'unsafe-eval'" not in policy("localhost", page)
    assert "unsafe-inline" not in policy("localhost", page)
