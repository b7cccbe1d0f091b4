"""Ordering films by REST, with the real maker beside the edge."""

from __future__ import annotations

import asyncio
import io
import json
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
import pytest

from broker.films import Films, Stage
from tests.webrtc.served import OPERATOR, TOKEN, Served, at_an_edge
from workers.production.service import work

GENERATE = "/api/v1/generate"
SMALL = {"size": 128, "text": "Hello there."}


def films(world: Served) -> Films:
    return Films(world.settings.path("films"))


async def made(world: Served) -> bool:
    """Let the maker make the next film."""
    return await asyncio.to_thread(work, world.settings, films(world))


def tone() -> bytes:
    whole = io.BytesIO()
    with wave.open(whole, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes((8_000 * np.sin(np.arange(16_000) * 0.05)).astype("<i2").tobytes())
    return whole.getvalue()


def form(audio: bytes, **fields: str) -> aiohttp.FormData:
    data = aiohttp.FormData()
    for name, value in fields.items():
        data.add_field(name, value)
    data.add_field("audio", audio, filename="../../in.wav", content_type="audio/wav")
    return data


def test_a_text_becomes_a_film_one_can_fetch_in_parts(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        status, job = await world.ask("POST", GENERATE, OPERATOR, json=SMALL | {"captions": True})
        assert (status, job["state"]) == (202, "queued")
        place = f"/api/v1/jobs/{job['job']}"
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        async with world.http.get(world.url + place + "/events", headers=headers) as stream:
            assert await made(world)
            told = [json.loads(line[6:]) async for line in stream.content if line.startswith(b"data: ")]
        assert (told[0]["state"], told[-1]["state"]) == ("queued", "done")
        status, job = await world.ask("GET", place, OPERATOR)
        assert job["seconds"] > 1
        async with world.http.get(world.url + job["video"]) as whole:
            film = await whole.read()
            assert whole.content_type == "video/mp4"
        with av.open(io.BytesIO(film)) as container:
            assert container.streams.video[0].codec_context.width == 128
        async with world.http.get(world.url + job["video"], headers={"Range": "bytes=100-199"}) as part:
            assert part.status == 206
            assert await part.read() == film[100:200]
        async with world.http.get(world.url + job["captions"]) as captions:
            assert "Hello there." in await captions.text()
        assert (await world.ask("DELETE", place, OPERATOR))[0] == 204
        assert (await world.ask("GET", place, OPERATOR))[0] == 404
        assert (await world.ask("GET", job["video"]))[0] == 404

    at_an_edge(tmp_path, story)


def test_a_recording_comes_in_a_form(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        status, job = await world.ask("POST", GENERATE, OPERATOR, data=form(tone(), size="128", captions="true"))
        assert status == 202
        assert await made(world)
        _, job = await world.ask("GET", f"/api/v1/jobs/{job['job']}", OPERATOR)
        assert job["state"] == "done", job
        assert 1.3 < job["seconds"] < 2.5

    at_an_edge(tmp_path, story)


def test_a_job_outlives_its_maker_and_the_edge(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        _, job = await world.ask("POST", GENERATE, OPERATOR, json=SMALL)
        folder = world.settings.path("films") / job["job"]
        left = films(world).job(job["job"])
        assert left
        state = left.state()
        assert state
        left.write(replace(state, stage=Stage.MAKING, attempts=1, share=0.4))
        (folder / "film.mp4").write_bytes(b"half a film")
        assert await made(world)
        _, job = await world.ask("GET", f"/api/v1/jobs/{job['job']}", OPERATOR)
        assert job["state"] == "done"
        again = left.state()
        assert again
        left.write(replace(again, stage=Stage.MAKING, attempts=2))
        assert not await made(world)
        _, job = await world.ask("GET", f"/api/v1/jobs/{job['job']}", OPERATOR)
        assert (job["state"], job["code"]) == ("failed", "died")

    at_an_edge(tmp_path, story)


def test_a_job_is_cancelled_before_and_while_it_is_made(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        _, waiting = await world.ask("POST", GENERATE, OPERATOR, json=SMALL)
        assert (await world.ask("DELETE", f"/api/v1/jobs/{waiting['job']}", OPERATOR))[0] == 204
        assert not await made(world)
        assert (await world.ask("GET", f"/api/v1/jobs/{waiting['job']}", OPERATOR))[1]["state"] == "cancelled"
        long = {"size": 128, "text": "This is said again and again. " * 100}
        _, job = await world.ask("POST", GENERATE, OPERATOR, json=long)
        making = asyncio.ensure_future(made(world))
        while (await world.ask("GET", f"/api/v1/jobs/{job['job']}", OPERATOR))[1]["share"] == 0:
            await asyncio.sleep(0.05)
        await world.ask("DELETE", f"/api/v1/jobs/{job['job']}", OPERATOR)
        assert await making
        assert (await world.ask("GET", f"/api/v1/jobs/{job['job']}", OPERATOR))[1]["state"] == "cancelled"
        assert not (world.settings.path("films") / job["job"] / "film.mp4").exists()

    at_an_edge(tmp_path, story)


def test_what_cannot_be_made_is_said(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        wrong: tuple[dict[str, Any], ...] = (
            {}, {"text": " "}, {"text": "a", "size": 130}, {"text": "a", "size": 4096}, {"text": "a", "size": "512"},
            {"text": "a", "persona": "../host"}, {"text": "a", "portrait": "../../etc"}, {"text": "a", "sound": "midi"},
            {"text": "a", "fps": 0}, {"text": "a", "recording": "/etc/passwd"}, {"text": 7},
        )  # fmt: skip
        for each in wrong:
            status, answer = await world.ask("POST", GENERATE, OPERATOR, json=each)
            assert (status, set(answer)) == (400, {"code", "text"}), each
        status, answer = await world.ask("POST", GENERATE, OPERATOR, json={"text": "a" * 20_001})
        assert (status, answer["code"]) == (413, "too_large")
        for data in (form(tone(), nonsense="1"), form(tone(), size="huge"), form(tone(), persona="nobody")):
            assert (await world.ask("POST", GENERATE, OPERATOR, data=data))[0] == 400
        for raw in (b"", b"--x", b"--x\r\n\r\n--x--", bytes(range(256))):
            headers = {"Content-Type": "multipart/form-data; boundary=x"}
            assert (await world.ask("POST", GENERATE, OPERATOR, data=raw, headers=headers))[0] == 400, raw
        headers = {"Content-Type": "multipart/form-data"}
        assert (await world.ask("POST", GENERATE, OPERATOR, data=b"x", headers=headers))[0] == 400
        assert films(world).jobs() == []
        assert list(films(world).folder.iterdir()) == [], "nothing is left of what was refused"
        _, job = await world.ask("POST", GENERATE, OPERATOR, data=form(b"RIFF no sound at all", size="128"))
        await made(world)
        _, job = await world.ask("GET", f"/api/v1/jobs/{job['job']}", OPERATOR)
        assert (job["state"], job["code"]) == ("failed", "audio")
        assert world.settings.path("films").as_posix() not in job["text"]

    at_an_edge(tmp_path, story)


def test_only_the_operator_orders_and_nobody_walks_about(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        for token in ("", TOKEN):
            for method, path in (("POST", GENERATE), ("GET", "/api/v1/jobs")):
                assert (await world.ask(method, path, token, json=SMALL))[0] == 403
        _, job = await world.ask("POST", GENERATE, OPERATOR, json=SMALL)
        assert len(job["job"]) == 22
        assert (await world.ask("DELETE", f"/api/v1/jobs/{job['job']}", TOKEN))[0] == 403
        for name in ("..%2f..%2fetc%2fpasswd", f"{job['job']}.mp4", "..%2fx.mp4", f"{job['job']}%2fstate.json", "x"):
            assert (await world.ask("GET", f"/api/v1/videos/{name}"))[0] == 404, name
            assert (await world.ask("GET", f"/api/v1/jobs/{name}", OPERATOR))[0] == 404, name

    at_an_edge(tmp_path, story)


def test_there_is_an_end_to_what_may_wait_and_lie_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(world: Served) -> None:
        for _ in range(world.settings.films.waiting):
            assert (await world.ask("POST", GENERATE, OPERATOR, json=SMALL))[0] == 202
        status, answer = await world.ask("POST", GENERATE, OPERATOR, json=SMALL)
        assert (status, answer["code"]) == (429, "busy")
        for job, _ in films(world).jobs():
            films(world).drop(job)
        monkeypatch.setattr(Films, "size_bytes", lambda self: 10**12)
        status, answer = await world.ask("POST", GENERATE, OPERATOR, json=SMALL)
        assert (status, answer["code"]) == (507, "full")

    at_an_edge(tmp_path, story)
