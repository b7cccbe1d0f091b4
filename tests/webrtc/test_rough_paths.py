"""Loss, jitter and holes between the edge and its people: who notices, what is made good, and who does not."""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import numpy as np
from aiortc.rtp import RtpPacket

from broker.clock import now_ns
from broker.key_frames import APART_NS
from broker.messages import KeyFrame, MicFrame, Wanted
from tests.webrtc.opus_encoder import chirps
from tests.webrtc.rough_path import FAIR, RoughPath, Weather, is_rtcp
from tests.webrtc.scene import Microphone, Page, Scene, page, scene, until
from tests.webrtc.viewer import Viewer
from webrtc.uplink import FRAME

SESSION = "session-1"
TICK_RTP, PICTURE_RTP = 960, 3600


def at_an_edge(tmp_path: Path, story: Callable[[Scene], Awaitable[None]]) -> None:
    async def run() -> None:
        async with scene(tmp_path) as world:
            world.origins[SESSION] = now_ns()
            await story(world)

    asyncio.run(run())


def in_a_call(tmp_path: Path, story: Callable[[Scene, Page, RoughPath], Awaitable[None]]) -> None:
    async def run() -> None:
        async with scene(tmp_path) as world, page(world) as caller:
            path = RoughPath()
            try:
                await story(world, caller, path)
            finally:
                path.close()

    asyncio.run(run())


def first_sent(packets: Sequence[RtpPacket]) -> set[int]:
    """The pictures' packets as they were first sent, by their SSRC: those sent again have another."""
    return {packet.sequence_number for packet in packets if packet.ssrc == packets[0].ssrc}


def sent_again(packets: Sequence[RtpPacket]) -> set[int]:
    """Sequence numbers of what came again, from the first two bytes of its payload (RFC 4588)."""
    again = [packet.payload for packet in packets if packet.ssrc != packets[0].ssrc]
    return {struct.unpack("!H", payload[:2])[0] for payload in again if len(payload) > 2}


def gaps(numbers: set[int]) -> set[int]:
    """Sequence numbers that are missing between the first and the last; none of these tests' counts wraps twice."""
    if max(numbers) - min(numbers) > 0x8000:
        numbers = {(number + 0x8000) & 0xFFFF for number in numbers}
    return set(range(min(numbers), max(numbers) + 1)) - numbers


def every(nth: int) -> Callable[[int, bytes], bool]:
    """Loses every nth packet of sound, never a report."""
    return lambda n, data: not is_rtcp(data) and n % nth == nth - 1


FIRST_PICTURE = 10
"""Packets: it is a key frame."""


def every_picture(nth: int, answer: str) -> Callable[[int, bytes], bool]:
    """Loses every nth packet of pictures that is sent for the first time; what is sent again has another type.

    Not of the first picture: nobody misses what came before the first packet that arrived.
    """
    pictures = int(next(line for line in answer.splitlines() if line.startswith("m=video")).split()[3])
    seen = itertools.count()

    def lost(_: int, data: bytes) -> bool:
        if data[1] & 0x7F != pictures:
            return False
        return next(seen) >= FIRST_PICTURE and struct.unpack("!H", data[2:4])[0] % nth == 0

    return lost


def begins_a_key_frame(payload: bytes) -> bool:
    """A sequence parameter set comes first (RFC 6184: type 7, alone or first in an aggregate of type 24)."""
    kind = payload[0] & 0x1F
    return kind == 7 or (kind == 24 and payload[3] & 0x1F == 7)


def test_the_same_seed_gives_the_same_weather() -> None:
    def fates(seed: int) -> list[float | None]:
        path = RoughPath(seed)
        path.weather(Weather(loss=0.2, burst=3, delay_ms=5, jitter_ms=30))
        return [path._down.fate(bytes([0x80, 111, n % 256])) for n in range(500)]

    first = fates(4)
    assert first == fates(4)
    assert first != fates(5)
    lost = [n for n, fate in enumerate(first) if fate is None]
    assert 50 < len(lost) < 150
    runs = [len(list(run)) for gone, run in itertools.groupby(first, lambda fate: fate is None) if gone]
    assert min(runs) >= 3 or lost[-1] == 499, "losses come in bursts"
    assert all(fate is None or 0.005 <= fate <= 0.035 for fate in first)


def test_lost_packets_of_pictures_are_sent_again_to_a_viewer(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        path = RoughPath()
        viewer = await Viewer(world).watch(SESSION, path=path)
        path.weather(Weather(lost=every_picture(5, viewer.answer)))
        await until(lambda: world.watching(SESSION))
        await world.play(SESSION, 90)
        path.weather()
        await world.play(SESSION, 10, first=90)
        pictures = viewer.packets["video"]
        await until(lambda: not gaps(first_sent(pictures) | sent_again(pictures)))
        assert len(sent_again(pictures)) >= 4, "some were lost, and came again"
        assert path.lost >= len(sent_again(pictures))
        shown = sorted({packet.timestamp for packet in pictures})
        assert {b - a for a, b in itertools.pairwise(shown)} == {PICTURE_RTP}
        await until(lambda: viewer.pictures >= 40)
        await viewer.close()
        path.close()

    at_an_edge(tmp_path, story)


def test_lost_packets_of_pictures_are_sent_again_to_the_caller(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, path: RoughPath) -> None:
        session = (await caller.hello())["session"]
        answer = await caller.call(path=path)
        path.weather(Weather(lost=every_picture(5, answer)))
        await world.play(session, 90)
        path.weather()
        await world.play(session, 10, first=90)
        pictures = caller.packets["video"]
        await until(lambda: not gaps(first_sent(pictures) | sent_again(pictures)))
        assert len(sent_again(pictures)) >= 4
        await until(lambda: len(caller.pictures) >= 40)

    in_a_call(tmp_path, story)


def test_lost_sound_is_a_hole_of_its_own_length_in_order(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, path: RoughPath) -> None:
        opened = await caller.hello()
        await caller.call(path=path)
        await world.play(opened["session"], 10)
        path.weather(Weather(loss=0.15, burst=2))
        await world.play(opened["session"], 80, first=10)
        path.weather()
        await world.play(opened["session"], 20, first=90)
        sound = caller.packets["audio"]
        ticks = await until(lambda: [t for t in [_ticks(sound, opened["audio_offset"])] if t[-1] == 109])
        assert ticks[0] == sorted(set(ticks[0])), "in order, each once"
        assert set(range(92, 110)) <= set(ticks[0]), "after the loss nothing is missing"
        sequence = [(b.sequence_number - a.sequence_number) & 0xFFFF for a, b in itertools.pairwise(sound)]
        times = [((b.timestamp - a.timestamp) & 0xFFFFFFFF) // TICK_RTP for a, b in itertools.pairwise(sound)]
        assert sequence == times, "a lost packet is as long to the sequence as to the clock: it can be concealed"

    def _ticks(sound: list[RtpPacket], offset: int) -> list[int]:
        return [((packet.timestamp - offset) % 2**32) // TICK_RTP for packet in sound] or [0]

    in_a_call(tmp_path, story)


def test_a_lost_microphone_packet_is_concealed_and_counted_and_nothing_is_when_the_loss_has_ended(
    tmp_path: Path,
) -> None:
    async def story(world: Scene, caller: Page, path: RoughPath) -> None:
        await caller.hello()
        await caller.call(Microphone(chirps(3.0)), path=path)
        await until(lambda: len(world.frames) >= 40)
        path.weather(up=Weather(lost=every(6), jitter_ms=15))
        await until(lambda: path.lost_up >= 8)
        path.weather()
        at = len(world.frames)
        await until(lambda: len(world.frames) >= at + 80)
        assert contiguous(world.frames)
        counted = world.calls.totals()
        assert counted["mic_lost"] >= 8
        assert 0 < counted["mic_concealed_samples"] <= counted["mic_lost"] * 2 * FRAME
        assert sum(frame.concealed for frame in world.frames) >= 8, "the vad and asr are told what is a guess"
        assert not any(frame.concealed for frame in world.frames[at + 20 :])
        loud = [np.abs(np.frombuffer(frame.pcm, np.int16)).max() > 500 for frame in world.frames if frame.concealed]
        assert sum(loud) >= len(loud) / 2, "from the error correction in the packet after it, not silence"

    in_a_call(tmp_path, story)


def contiguous(frames: Sequence[MicFrame]) -> bool:
    starts = [frame.mic_sample for frame in frames]
    return starts == list(range(0, FRAME * len(starts), FRAME))


def test_a_jittery_microphone_is_put_in_order(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, path: RoughPath) -> None:
        await caller.hello()
        await caller.call(Microphone(chirps(3.0)), path=path)
        path.weather(up=Weather(jitter_ms=60))
        await until(lambda: len(world.frames) >= 200)
        assert contiguous(world.frames)
        counted = world.calls.totals()
        assert counted.get("mic_malformed", 0) == 0
        assert counted["mic_packets"] > 60, "most are heard, late or not"

    in_a_call(tmp_path, story)


def test_after_a_hole_longer_than_what_is_kept_pictures_go_on_from_a_key_frame(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        path = RoughPath()
        viewer = await Viewer(world).watch(SESSION, path=path)
        await until(lambda: world.watching(SESSION))
        await world.play(SESSION, 20)
        path.cut = True
        await world.play(SESSION, 8, first=20)
        path.cut = False
        while not waits_for_a_key_frame(world):
            await viewer.complain()
            await asyncio.sleep(0.1)
        at = len(viewer.packets["video"])
        await world.play(SESSION, 60, first=28)
        came = [packet for packet in viewer.packets["video"][at:] if packet.ssrc == viewer.packets["video"][0].ssrc]
        assert begins_a_key_frame(came[0].payload), "nothing that cannot be decoded was passed on before it"
        assert not gaps({packet.sequence_number for packet in came})
        await viewer.close()
        path.close()

    def waits_for_a_key_frame(world: Scene) -> bool:
        """The gate before the viewer's pictures is shut."""
        fanout = world.calls.audience._watched[SESSION].fanout
        assert fanout
        return any(sink._gate._shut for sink in fanout._queues if sink.codec == "h264")

    at_an_edge(tmp_path, story)


def test_a_caller_whose_line_loses_much_is_given_cheaper_pictures_and_a_viewer_is_not(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, path: RoughPath) -> None:
        session = (await caller.hello())["session"]
        answer = await caller.call(path=path)
        viewers_path = RoughPath(seed=7)
        viewer = await Viewer(world).watch(session, path=viewers_path)
        viewers_path.weather(Weather(lost=every_picture(3, viewer.answer)))
        playing = asyncio.ensure_future(world.play(session, 100_000))
        await until(lambda: viewer.reported >= 3, 60)
        assert all(each.step <= 0 for each in wants(world)), "what a viewer reports changes nothing"
        path.weather(Weather(lost=every_picture(3, answer)))
        found = await until(lambda: [each for each in wants(world) if each.step > 0], 60)
        assert "your connection loses" in found[0].reason
        assert found[0].edge == world.edge.peer.name
        playing.cancel()
        await viewer.close()
        viewers_path.close()

    def wants(world: Scene) -> list[Wanted]:
        return [each for each in world.asked if isinstance(each, Wanted)]

    in_a_call(tmp_path, story)


def test_a_viewer_in_trouble_is_nobody_elses(tmp_path: Path) -> None:
    """One loses a third of everything, then all of it, and complains; another gets every packet in order."""

    async def story(world: Scene) -> None:
        path = RoughPath()
        fine, poor = await Viewer(world).watch(SESSION), await Viewer(world).watch(SESSION, path=path)
        await until(lambda: world.watching(SESSION)[-1].viewers == 2)
        await world.play(SESSION, 10)
        path.weather(Weather(loss=0.33, burst=3, jitter_ms=40), Weather(loss=0.33))
        began_ns = now_ns()
        playing = asyncio.ensure_future(world.play(SESSION, 100, first=10))
        while not playing.done():
            await poor.complain()
            path.cut = not path.cut
            await asyncio.sleep(0.1)
        path.cut = False
        path.weather(FAIR)
        await world.play(SESSION, 60, first=110)
        for kind, step in (("audio", TICK_RTP), ("video", PICTURE_RTP)):
            packets = fine.packets[kind]
            assert not gaps({packet.sequence_number for packet in packets}), kind
            shown = list(dict.fromkeys(packet.timestamp for packet in packets))
            assert {(b - a) & 0xFFFFFFFF for a, b in itertools.pairwise(shown)} == {step}, kind
        keys = [each for each in world.asked if isinstance(each, KeyFrame)]
        assert len(keys) <= 3 + (now_ns() - began_ns) / APART_NS, (
            "whoever complains without end is not obeyed each time"
        )
        before = len(poor.packets["video"])
        await world.play(SESSION, 60, first=170)
        await until(lambda: poor.packets["video"][-1].timestamp == fine.packets["video"][-1].timestamp)
        assert not gaps(first_sent(poor.packets["video"][before:])), "its pictures come again, each of them"
        for each in (fine, poor):
            await each.close()
        path.close()

    at_an_edge(tmp_path, story)
