"""The operator's page for faces: files come in whole or not at all, the command's words go out, nobody else may."""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
import pytest

from broker.config import ROOT
from tests.webrtc.scene import Scene, scene
from webrtc import workshop

Story = Callable[[Scene], Awaitable[None]]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command puts faces and personas in this test."""
    for name in ("avatars", "personas", "cache"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"VISAVIS_PATHS_{name.upper()}", str(tmp_path / name))
    return tmp_path


@pytest.fixture
def photo() -> bytes:
    pixels = cv2.cvtColor(pytest.importorskip("skimage.data").astronaut(), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def at_an_edge(folder: Path, story: Story, **server: Any) -> None:
    async def run() -> None:
        async with scene(folder, **server) as world:
            await story(world)

    asyncio.run(run())


async def send(world: Scene, path: str, body: bytes, name: str = "photo.jpg", **headers: str) -> tuple[int, Any]:
    options: dict[str, Any] = {"data": body, "headers": {"X-File-Name": quote(name)} | headers}
    async with world.http.post(world.url + path, **options) as response:
        told = await response.json() if response.content_type == "application/json" else await response.text()
        return response.status, told


@pytest.fixture
def echoing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the command's place, a program that answers with its own words and the file's size."""
    program = tmp_path / "echo.py"
    program.write_text(
        "import json, os, sys\n"
        "words = sys.argv[1:]\n"
        "size = os.path.getsize(words[-1]) if os.path.exists(words[-1]) else -1\n"
        "print(json.dumps({'usable': True, 'words': words, 'size': size}))\n"
    )
    monkeypatch.setattr(workshop, "COMMAND", (sys.executable, str(program)))


def weights_are_here() -> bool:
    return (ROOT / ".cache/weights/mediapipe/face_landmark.tflite").is_file()


@pytest.mark.skipif(not weights_are_here(), reason="the face finder's weights are not here")
def test_a_photograph_is_judged_and_then_added(place: Path, photo: bytes) -> None:
    async def story(world: Scene) -> None:
        status, report = await send(world, "/workshop/check", photo)
        assert (status, report["usable"]) == (200, True)
        sheet = base64.b64decode(report["preview"].removeprefix("data:image/png;base64,"))
        assert cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR) is not None
        assert not (place / "avatars/eileen").exists()
        status, refusal = await send(world, "/workshop/avatars/eileen?title=Eileen", photo)
        assert (status, refusal["code"]) == (400, "consent")
        status, added = await send(world, "/workshop/avatars/eileen?title=Eileen&consent=yes", photo, "Ä b.jpg")
        assert (status, added["persona"]) == (200, "eileen")
        assert (await send(world, "/workshop/avatars/eileen?consent=yes", photo))[0] == 409

    at_an_edge(place, story)
    assert 'name = "Eileen"' in (place / "personas/eileen.toml").read_text()
    noted = (place / "avatars/eileen/avatar.toml").read_text()
    assert 'source = "Ä b.jpg"' in noted
    assert 'by = "page"' in noted


def test_only_the_operator_gets_in(tmp_path: Path, echoing: None) -> None:
    async def story(world: Scene) -> None:
        proxied = {"X-Forwarded-For": "192.0.2.7"}
        assert (await send(world, "/workshop/check", b"x", **proxied))[0] == 401
        token = {"Authorization": "Bearer a-long-enough-secret"}
        assert (await send(world, "/workshop/check", b"x", **proxied, **token))[0] == 200
        assert (await send(world, "/workshop/check", b"x", **proxied, Authorization="Bearer wrong"))[0] == 401
        assert (await send(world, "/workshop/check", b"x", Origin="http://evil.example"))[0] == 403

    at_an_edge(tmp_path, story, operator_token="a-long-enough-secret")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("-o.jpg", "o.jpg"),
        (".hidden", "hidden"),
        ("", "upload"),
        ("a\0b\n.png", "a_b_.png"),
        ("x" * 500 + ".glb", "x" * 56 + ".glb"),
        ("\U00020000" * 80, "\U00020000" * 60),
    ],
)
def test_a_file_is_called_by_a_name_and_nothing_else(sent: str, kept: str) -> None:
    assert workshop._called(quote(sent)) == kept


def test_a_large_file_arrives_whole_and_a_larger_one_is_refused(
    tmp_path: Path, echoing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop, "LARGEST_UPLOAD", 3_000_000)

    async def story(world: Scene) -> None:
        status, answer = await send(world, "/workshop/check", bytes(2_500_000))
        assert (status, answer["size"]) == (200, 2_500_000)
        assert (await send(world, "/workshop/check", bytes(3_500_000)))[0] == 413

    at_an_edge(tmp_path, story)


def test_what_is_asked_becomes_words_of_the_command(tmp_path: Path, echoing: None) -> None:
    async def story(world: Scene) -> None:
        query = "title=--re%00place%0a&face=2&consent=yes&replace=no"
        _, answer = await send(world, f"/workshop/avatars/alice?{query}", b"x", "--replace")
        words = answer["words"]
        assert words[:2] == ["add", "--json"]
        assert {"--name=alice", "--title=--replace", "--face=2", "--i-may-use-this-face", "--by=page"} <= set(words)
        assert "--replace" not in words
        assert words[-1].startswith("/")

    at_an_edge(tmp_path, story)


def test_two_at_once_are_one_and_a_busy_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "slow.py"
    program.write_text("import time\ntime.sleep(2)\nprint('{\"usable\": true}')\n")
    monkeypatch.setattr(workshop, "COMMAND", (sys.executable, str(program)))

    async def story(world: Scene) -> None:
        both = await asyncio.gather(*(send(world, "/workshop/check", b"x") for _ in range(2)))
        assert sorted(status for status, _ in both) == [200, 429]

    at_an_edge(tmp_path, story)


@pytest.mark.parametrize(
    "program", ["import os; os.abort()", "print('[1]')", "print('x')", "print('{\"a\":' + '1' * 3000000 + '}')"]
)
def test_a_command_that_fails_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(workshop, "COMMAND", (sys.executable, "-c", program))

    async def story(world: Scene) -> None:
        _, answer = await send(world, "/workshop/check", b"x")
        assert answer["error"].endswith(".")
        assert not answer["usable"]

    at_an_edge(tmp_path, story)


def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    monkeypatch.setattr(workshop, "COMMAND", (sys.executable, "-c", program))
    monkeypatch.setattr(workshop, "GIVEN_UP_S", 10)

    async def story(world: Scene) -> None:
        _, answer = await send(world, "/workshop/check", b"x")
        assert not answer["usable"]

    at_an_edge(tmp_path, story)
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()
