"""Ordering films by REST, with the real maker beside the edge."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
import pytest

from bench.spoken_pictures import speak
from broker.clock import NS_PER_S, now_ns
from broker.config import ROOT, load
from broker.films import Films
from broker.jobs import Stage
from broker.memory_bus import MemoryBus
from broker.messages import Make
from tests.stack.lips import mouth_box
from tests.wav import wav_bytes
from tests.webrtc.served import OPERATOR, TOKEN, Served, at_an_edge
from workers.lipsync.avatars import AvatarLibrary
from workers.lipsync.face import FaceState
from workers.lipsync.portrait_engine import PortraitAvatar
from workers.production.service import Service

GENERATE = "/api/v1/generate"
SMALL = {"size": 128, "text": "Hello there."}
LONG = {"size": 128, "text": "This is said again and again. " * 100}


def films(world: Served) -> Films:
    return Films(world.settings.path("films"))


@contextlib.asynccontextmanager
async def maker(world: Served, incarnation: str = "a") -> AsyncIterator[Service]:
    """A maker of films on the bus, until it is killed: as the real one, but for its process."""
    bus = MemoryBus("production", "production", world.hub, incarnation)
    service = Service(world.settings, bus)

    async def run() -> None:
        while True:
            service.turn(now_ns())
            await asyncio.sleep(0.005)

    running = asyncio.ensure_future(run())
    try:
        yield service
    finally:
        running.cancel()
        service.maker.wish(Make(job="nothing"))
        world.hub.down(bus.peer)


async def ended(world: Served, name: str) -> dict[str, Any]:
    """The job once it is over."""
    deadline = now_ns() + 60 * NS_PER_S
    while True:
        _, job = await world.ask("GET", f"/api/v1/jobs/{name}", OPERATOR)
        if Stage(job["state"]).over:
            return dict(job)
        assert now_ns() < deadline, job
        await asyncio.sleep(0.02)


def tone() -> bytes:
    return wav_bytes((8_000 * np.sin(np.arange(16_000) * 0.05)).astype(np.int16), 16_000)


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
        async with world.http.get(world.url + place + "/events", headers=headers) as stream, maker(world):
            told = [json.loads(line[6:]) async for line in stream.content if line.startswith(b"data: ")]
        assert (told[0]["state"], told[-1]["state"]) == ("queued", "done")
        assert [each["share"] for each in told] == sorted(each["share"] for each in told)
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
        async with maker(world):
            job = await ended(world, job["job"])
        assert job["state"] == "done", job
        assert 1.3 < job["seconds"] < 2.5

    at_an_edge(tmp_path, story)


SPANISH = """
name = "Ana"
languages = ["en", "es"]
[face]
portrait = "sam"
[voices.es]
engine = "espeak"
voice = "es"
"""


def test_another_persona_face_and_language_are_seen_and_heard_in_the_film(tmp_path: Path) -> None:
    text = "Buenos días, la biblioteca abre a las nueve."
    shutil.copytree(ROOT / "etc/personas", tmp_path / "personas")
    (tmp_path / "personas" / "ana.toml").write_text(SPANISH)
    wanted = {"text": text, "persona": "ana", "portrait": "robin", "language": "es", "size": 128, "captions": True}

    async def story(world: Served) -> None:
        status, job = await world.ask("POST", GENERATE, OPERATOR, json=wanted)
        assert status == 202, job
        async with maker(world):
            job = await ended(world, job["job"])
        assert job["state"] == "done", job
        film = films(world).of(job["job"]).film
        assert looks_like(film) == "robin"
        spanish, english = (speak(text, *voice).pcm for voice in (("es", ESPEAK), ("en", FLITE)))
        assert likeness(film, spanish) > 0.9
        assert likeness(film, english) < 0.7
        assert text in films(world).of(job["job"]).captions.read_text()

    at_an_edge(tmp_path, story)


@pytest.mark.parametrize("kind", ["mp3", "flac"])
def test_a_compressed_recording_is_heard_in_the_film_and_moves_its_lips(tmp_path: Path, kind: str) -> None:
    text = "Mum may be happy to help you."
    voice = speak(text, "en", FLITE).pcm

    async def story(world: Served) -> None:
        data = form(compressed(voice, kind), text=text, portrait="robin", size="128", captions="true")
        status, job = await world.ask("POST", GENERATE, OPERATOR, data=data)
        assert status == 202, job
        async with maker(world):
            job = await ended(world, job["job"])
        assert job["state"] == "done", job
        film = films(world).of(job["job"]).film
        assert likeness(film, voice) > 0.9
        assert looks_like(film) == "robin"
        assert text in films(world).of(job["job"]).captions.read_text(), "its words were found in it"
        moving = mouth_motion(film)
        spoken_s = len(voice) / 48_000
        assert moving[15 : 12 + int(25 * spoken_s)].mean() > 3 * moving[-10:].mean() + 0.1, moving

    at_an_edge(tmp_path, story)


ESPEAK, FLITE = {"engine": "espeak", "voice": "es"}, {"engine": "flite", "voice": "slt"}


def compressed(voice: np.ndarray, kind: str) -> bytes:
    """48 kHz samples as an MP3 or FLAC file."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as out:
        stream = out.add_stream({"mp3": "libmp3lame", "flac": "flac"}[kind], rate=48_000, layout="mono")
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=48_000, frame_size=stream.frame_size)
        frame = av.AudioFrame.from_ndarray(voice.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48_000
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return file.getvalue()


def likeness(film: Path, voice: np.ndarray) -> float:
    """Of the film's loudness over time to this voice's, where it fits best; espeak's samples differ each time."""
    with av.open(str(film)) as container:
        sound = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in container.decode(audio=0)])
    heard, said = (np.sqrt((each[: len(each) // 480 * 480].reshape(-1, 480).astype(float) ** 2).mean(axis=1))
                   for each in (sound, voice))  # fmt: skip
    pieces = [heard[place:][: len(said)] for place in range(max(1, len(heard) - len(said)))]
    return max(float(np.corrcoef(piece, said[: len(piece)])[0, 1]) for piece in pieces)


def grey(film: Path) -> list[np.ndarray]:
    with av.open(str(film)) as container:
        return [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(video=0)]


def looks_like(film: Path) -> str:
    """Whose portrait the first picture is most like."""
    library, first = AvatarLibrary.of(load()), grey(film)[0]
    size = len(first)

    def far(name: str) -> float:
        drawn = PortraitAvatar(library.framed(library.path_of(name)), size).draw(FaceState())
        luma = np.frombuffer(drawn, np.uint8)[: size * size].reshape(size, size)
        return float(np.abs(luma - first).mean())

    return min(("vera", "robin", "sam"), key=far)


def mouth_motion(film: Path) -> np.ndarray:
    """How much the mouth's box changes from each picture to the next."""
    x, y, width, height = mouth_box("robin")
    pictures = grey(film)
    size = len(pictures[0])
    box = np.s_[int(y * size) : int((y + height) * size), int(x * size) : int((x + width) * size)]
    return np.array([np.abs(after[box] - before[box]).mean() for before, after in itertools.pairwise(pictures)])


def test_a_job_outlives_its_maker_which_may_die_over_it_once(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        _, job = await world.ask("POST", GENERATE, OPERATOR, json=LONG)
        place = f"/api/v1/jobs/{job['job']}"
        for incarnation, then in (("a", "queued"), ("b", "failed")):
            async with maker(world, incarnation) as service:
                while (await world.ask("GET", place, OPERATOR))[1]["share"] == 0:
                    await asyncio.sleep(0.02)
                assert not (world.settings.path("films") / job["job"] / "film.mp4").exists(), (
                    "only whole films are shown"
                )
            world.control.lost(service.peer, now_ns())
            assert (await world.ask("GET", place, OPERATOR))[1]["state"] == then
        assert (await world.ask("GET", place, OPERATOR))[1]["code"] == "died"

    at_an_edge(tmp_path, story)


def test_a_job_is_cancelled_before_and_while_it_is_made(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        _, waiting = await world.ask("POST", GENERATE, OPERATOR, json=SMALL)
        assert (await world.ask("DELETE", f"/api/v1/jobs/{waiting['job']}", OPERATOR))[0] == 204
        _, job = await world.ask("POST", GENERATE, OPERATOR, json=LONG)
        _, after = await world.ask("POST", GENERATE, OPERATOR, json=SMALL)
        async with maker(world):
            while (await world.ask("GET", f"/api/v1/jobs/{job['job']}", OPERATOR))[1]["share"] == 0:
                await asyncio.sleep(0.05)
            await world.ask("DELETE", f"/api/v1/jobs/{job['job']}", OPERATOR)
            assert (await ended(world, after["job"]))["state"] == "done", "the next one's turn came"
        for name in (waiting["job"], job["job"]):
            assert (await world.ask("GET", f"/api/v1/jobs/{name}", OPERATOR))[1]["state"] == "cancelled"
        assert list((world.settings.path("films") / job["job"]).iterdir()) == []

    at_an_edge(tmp_path, story)


def test_what_cannot_be_made_is_said(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        wrong: tuple[dict[str, Any], ...] = (
            {}, {"text": " "}, {"text": "a", "size": 130}, {"text": "a", "size": 4096}, {"text": "a", "size": "512"},
            {"text": "a", "persona": "../host"}, {"text": "a", "portrait": "../../etc"}, {"text": "a", "sound": "midi"},
            {"text": "a", "fps": 0}, {"text": "a", "recording": "/etc/passwd"}, {"text": 7},
            {"text": "a", "language": "xx"},
        )  # fmt: skip
        for each in wrong:
            status, answer = await world.ask("POST", GENERATE, OPERATOR, json=each)
            assert (status, set(answer)) == (400, {"code", "text"}), each
        status, answer = await world.ask("POST", GENERATE, OPERATOR, json={"text": "a", "language": "xx"})
        assert answer["text"] == "Vera speaks en, not 'xx'."
        status, answer = await world.ask("POST", GENERATE, OPERATOR, json={"text": "a" * 20_001})
        assert (status, answer["code"]) == (413, "too_large")
        for data in (form(tone(), nonsense="1"), form(tone(), size="huge"), form(tone(), persona="nobody")):
            assert (await world.ask("POST", GENERATE, OPERATOR, data=data))[0] == 400
        for raw in (b"", b"--x", b"--x\r\n\r\n--x--", bytes(range(256))):
            headers = {"Content-Type": "multipart/form-data; boundary=x"}
            assert (await world.ask("POST", GENERATE, OPERATOR, data=raw, headers=headers))[0] == 400, raw
        headers = {"Content-Type": "multipart/form-data"}
        assert (await world.ask("POST", GENERATE, OPERATOR, data=b"x", headers=headers))[0] == 400
        assert (await world.ask("GET", "/api/v1/jobs", OPERATOR))[1] == {"jobs": []}
        assert list(films(world).folder.iterdir()) == [], "nothing is left of what was refused"
        _, job = await world.ask("POST", GENERATE, OPERATOR, data=form(b"RIFF no sound at all", size="128"))
        async with maker(world):
            job = await ended(world, job["job"])
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
        assert len(list(films(world).folder.iterdir())) == world.settings.films.waiting, "nothing is left of the last"
        monkeypatch.setattr(Films, "size_bytes", lambda self: 10**12)
        status, answer = await world.ask("POST", GENERATE, OPERATOR, json=SMALL)
        assert (status, answer["code"]) == (507, "full")

    at_an_edge(tmp_path, story)
