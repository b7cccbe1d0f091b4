"""After its edge has died a page sends its microphone again: whole, contiguous, once, and RTP only after a silence."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from broker.clock import NS_PER_S
from broker.messages import Present
from tests.webrtc.opus_encoder import chirps
from tests.webrtc.scene import Microphone, Page, Scene, page, scene, until
from webrtc.errors import BadMessage, RateError
from webrtc.replay import BURST_S, BYTES_PER_S, Replay
from webrtc.uplink import FRAME

LOST = {"session": "lost-session", "token": "its-token", "remembers": True}
RNG = np.random.default_rng(1)


class Untouched:
    def clean(self, pcm: bytes) -> bytes:
        return pcm


def noise(seconds: float, level: float = 3000.0) -> bytes:
    return bytes((RNG.standard_normal(int(16_000 * seconds)) * level).clip(-32768, 32767).astype("<i2").tobytes())


def silence(seconds: float) -> bytes:
    return bytes(int(32_000 * seconds))


def asked() -> Replay:
    return Replay(Untouched(), 640, 0, Counter())


def test_frames_are_contiguous_whatever_the_pieces_and_carry_the_time_they_were_spoken() -> None:
    replay, sound = asked(), noise(1.0)
    replay.begins(age_ms=5_000, now_ns=10 * NS_PER_S)
    cuts = [0, 500, 7_000, 7_002, 30_000, 32_000]
    frames = [f for a, b in itertools.pairwise(cuts) for f in replay.feed(sound[a:b], 10 * NS_PER_S)]
    assert [frame.mic_sample for frame, _ in frames] == [640 + FRAME * n for n in range(100)]
    assert b"".join(frame.pcm for frame, _ in frames) == sound
    assert frames[-1][1] == 6 * NS_PER_S


def test_rtp_takes_over_in_a_silence_of_the_present_and_not_before() -> None:
    replay = asked()
    replay.begins(3_000, 0)
    list(replay.feed(silence(0.5), 0))
    assert not replay.done(speaking=False, now_ns=0), "the past is not over"
    replay.level(0)
    assert not replay.done(speaking=True, now_ns=0), "somebody speaks"
    list(replay.feed(noise(0.2), 0))
    assert not replay.done(speaking=False, now_ns=0), "a word may have begun"
    list(replay.feed(silence(0.2), 0))
    assert not replay.done(speaking=False, now_ns=0), "the word's end is too near"
    list(replay.feed(silence(0.1), 0))
    assert replay.done(speaking=False, now_ns=0)


def test_a_page_that_sends_nothing_is_not_waited_for() -> None:
    replay = asked()
    assert not replay.done(False, NS_PER_S)
    assert replay.done(False, 4 * NS_PER_S)
    replay.begins(1_000, 0)
    list(replay.feed(noise(0.1), 0))
    assert replay.done(True, 3 * NS_PER_S), "nor one that has fallen silent"


@pytest.mark.parametrize("pcm", [b"", b"\x00", bytes(40_000)])
def test_sound_of_the_wrong_size_is_refused(pcm: bytes) -> None:
    replay = asked()
    replay.begins(0, 0)
    with pytest.raises(BadMessage):
        replay.feed(pcm, 0)


def test_sound_of_no_age_is_refused() -> None:
    with pytest.raises(BadMessage):
        asked().feed(noise(0.1), 0)


def test_more_sound_than_there_was_time_for_is_refused() -> None:
    replay = asked()
    replay.begins(0, 0)
    for _ in range(BURST_S):
        list(replay.feed(bytes(BYTES_PER_S), 0))
    with pytest.raises(RateError):
        replay.feed(bytes(BYTES_PER_S), 0)


# --- at an edge ------------------------------------------------------------------------------------------------------


def at_an_edge(tmp_path: Path, story: Callable[[Scene, Page], Awaitable[None]]) -> None:
    async def run() -> None:
        async with scene(tmp_path) as world, page(world) as caller:
            await story(world, caller)

    asyncio.run(run())


async def comes_back(world: Scene, caller: Page, **hello: object) -> dict[str, object]:
    """A page whose edge died says hello to this one."""
    world.answering = False
    await caller.connect()
    await caller.send("hello", persona="host", mode="voice", **(LOST | hello))
    [present] = await until(lambda: world.of(Present))
    assert present.hears_again is bool((LOST | hello)["remembers"])
    world.open(LOST["session"], replaced=("vad", "asr", "webrtc"), utterance=3, turn=2)  # type: ignore[arg-type]
    return await caller.hears("session")


def test_what_the_page_remembers_comes_before_rtp_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        session = await comes_back(world, caller)
        assert session["again"] == {"utterance": 3}
        await caller.call(Microphone(chirps(5.0)))
        await caller.send("again", what="begins", age_ms=2_500)
        for _ in range(5):
            await caller.socket.send_bytes(noise(0.5))
        await until(lambda: len(world.frames) == 250)
        assert [frame.mic_sample for frame in world.frames] == [FRAME * n for n in range(250)]
        world.event(LOST["session"], "speech", what="started", utterance=3, mic_sample=3_200)  # type: ignore[arg-type]
        speech = await caller.hears("speech")
        assert (speech["what"], speech["utterance"]) == ("started", 3)
        assert 2_200 < speech["ago_ms"] < 10_000
        await caller.send("again", what="level")
        await caller.socket.send_bytes(silence(0.5))
        await until(lambda: len(world.frames) >= 300)
        await asyncio.sleep(0.15)
        assert len(world.frames) == 300, "an utterance is open: RTP waits"
        world.event(LOST["session"], "speech", what="over", utterance=3, mic_sample=32_000)  # type: ignore[arg-type]
        await caller.hears("microphone")
        await caller.socket.send_bytes(silence(0.1))
        await until(lambda: len(world.frames) > 340)
        assert [frame.mic_sample for frame in world.frames] == [FRAME * n for n in range(len(world.frames))]
        assert not caller.all("error"), "what was on its way is no fault"
        assert world.calls.totals()["mic_replayed_frames"] == 300

    at_an_edge(tmp_path, story)


def test_a_page_with_nothing_to_send_speaks_over_rtp_at_once(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        await comes_back(world, caller)
        await caller.send("again", what="none")
        await caller.call(Microphone(chirps(5.0)))
        await until(lambda: len(world.frames) > 10)

    at_an_edge(tmp_path, story)


def test_a_page_without_a_memory_is_not_asked(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        session = await comes_back(world, caller, remembers=False)
        assert session["again"] is None
        await caller.socket.send_bytes(noise(0.1))
        assert (await caller.hears("error"))["code"] == "bad_message"
        assert world.calls.totals()["page_error_bad_message"] == 1

    at_an_edge(tmp_path, story)


def test_bad_sound_is_answered_and_counted_and_the_call_goes_on(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        await comes_back(world, caller)
        await caller.send("again", what="begins", age_ms=500)
        await caller.socket.send_bytes(b"\x00")
        assert (await caller.hears("error"))["code"] == "bad_message"
        await caller.socket.send_bytes(noise(0.5))
        await until(lambda: len(world.frames) == 50)

    at_an_edge(tmp_path, story)


def test_who_mutes_in_a_replay_is_not_heard_through_it(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        await comes_back(world, caller)
        await caller.send("again", what="begins", age_ms=500)
        await caller.send("mute", muted=True)
        await caller.hears("microphone")
        await caller.socket.send_bytes(noise(0.5))
        await asyncio.sleep(0.1)
        assert not world.frames

    at_an_edge(tmp_path, story)
