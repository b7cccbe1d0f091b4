"""One programme to many senders: packetised once, a slow one cut to the next key frame, the others untouched."""

from __future__ import annotations

import asyncio

import pytest

from broker.messages import Programme
from tests.webrtc.pictures import h264_units, vp8_units
from webrtc.fanout import AUDIO, CUTOUT, H264, VP8, Fanout, Frame, FrameQueue
from webrtc.media_clock import MediaClock

CLOCK = MediaClock(origin_ns=0, wall_ns=0, audio_offset=1000, video_offset=2000)


def picture(n: int, key: bool = False) -> Frame:
    return Frame(payloads=(b"x",), rtp=n, programme_sample=n, n=n, key=key)


def drained(queue: FrameQueue) -> list[int]:
    async def take() -> list[int]:
        return [(await queue.take()).n for _ in range(len(queue))]

    return asyncio.run(take())


def test_pictures_start_with_a_key_frame_and_one_is_asked_for() -> None:
    asked: list[int] = []
    queue = FrameQueue(H264, lambda: asked.append(1))
    for frame in (picture(1), picture(2), picture(3, key=True), picture(4)):
        queue.offer(frame)
    assert drained(queue) == [3, 4]
    assert asked


def test_from_a_gap_to_the_next_key_frame_nothing_is_sent() -> None:
    asked: list[int] = []
    queue = FrameQueue(H264, lambda: asked.append(1))
    for n in (1, 2, 3, 5, 6, 7, 8):
        queue.offer(picture(n, key=n in (1, 7)))
    assert drained(queue) == [1, 2, 3, 7, 8]
    assert len(asked) == 2
    assert queue.counters["picture_gaps"] == 1


def test_a_sender_that_does_not_keep_up_drops_to_the_next_key_frame() -> None:
    slow, quick = FrameQueue(H264), FrameQueue(H264)
    got: list[int] = []
    for n in range(1, 34):
        for queue in (slow, quick):
            queue.offer(picture(n, key=n in (1, 30)))
        got += drained(quick)
    assert got == list(range(1, 34)), "the other one does not notice"
    assert drained(slow) == [30, 31, 32, 33]
    assert slow.counters["pictures_dropped"] == 29


def test_a_slow_sender_hears_the_newest_sound() -> None:
    queue = FrameQueue(AUDIO)
    for n in range(100):
        queue.offer(picture(n))
    assert drained(queue) == list(range(90, 100))
    assert queue.counters["audio_dropped"] == 90


def tick(n: int, h264: bytes = b"", vp8: bytes = b"", key: bool = False) -> Programme:
    return Programme(
        tick=n,
        programme_sample=960 * n,
        opus=b"opus%d" % n,
        mouth=bytes(15),
        picture_sample=960 * n,
        h264=h264,
        h264_key=key,
        h264_n=n,
        vp8=vp8,
        vp8_key=key,
        vp8_n=n,
    )


@pytest.mark.parametrize(("codec", "units"), [(H264, h264_units(5)), (VP8, vp8_units(5))])
def test_access_units_survive_being_cut_into_payloads(codec: str, units: list[tuple[bytes, bool]]) -> None:
    from aiortc.codecs.h264 import h264_depayload
    from aiortc.codecs.vpx import vp8_depayload

    fanout, queue = Fanout(CLOCK), FrameQueue(codec)
    fanout.join(queue)
    depayload = h264_depayload if codec == H264 else vp8_depayload

    async def run() -> None:
        for n, (unit, key) in enumerate(units):
            fanout.feed(tick(n, **{codec: unit}, key=key))  # type: ignore[arg-type]
            frame = await queue.take()
            again = b"".join(depayload(payload) for payload in frame.payloads)
            assert again.replace(b"\0\0\0\1", b"\0\0\1") == unit.replace(b"\0\0\0\1", b"\0\0\1")
            assert max(map(len, frame.payloads)) <= 1300
            assert frame.rtp == CLOCK.video_rtp(960 * n)

    asyncio.run(run())


def test_all_senders_of_a_codec_get_the_same_payloads() -> None:
    fanout = Fanout(CLOCK)
    queues = [FrameQueue(AUDIO) for _ in range(3)]
    for queue in queues:
        fanout.join(queue)
    fanout.feed(tick(7))

    async def take() -> list[Frame]:
        return [await queue.take() for queue in queues]

    frames = asyncio.run(take())
    assert frames[0] is frames[1] is frames[2]
    assert frames[0].rtp == 7 * 960 + 1000


def test_who_has_left_gets_nothing_and_is_not_counted() -> None:
    changes: list[int] = []
    fanout = Fanout(CLOCK, lambda: changes.append(1))
    queue = FrameQueue(VP8)
    fanout.join(queue)
    assert (fanout.wanted(VP8), fanout.wanted(H264)) == (1, 0)
    fanout.leave(queue)
    fanout.feed(tick(1, vp8=b"x", key=True))
    assert (fanout.wanted(VP8), len(queue), len(changes)) == (0, 0, 2)


@pytest.mark.parametrize("codec", [H264, VP8])
def test_the_figure_alone_goes_only_to_who_asked_for_it(codec: str) -> None:
    units = {H264: h264_units, VP8: vp8_units}[codec](2)
    fanout, whole, alone = Fanout(CLOCK), FrameQueue(codec), FrameQueue(codec + CUTOUT)
    fanout.join(whole)
    fanout.join(alone)
    assert fanout.wanted(codec) == fanout.wanted(codec + CUTOUT) == 1
    data, key = units[0]
    fields = {codec + CUTOUT: data, f"{codec}{CUTOUT}_key": key, f"{codec}{CUTOUT}_n": 1}
    fanout.feed(Programme(tick=0, programme_sample=0, opus=b"", mouth=b"", **fields))  # type: ignore[arg-type]
    assert (len(whole), len(alone)) == (0, 1)
