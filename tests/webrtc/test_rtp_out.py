"""Our send loop inside aiortc's sender: what it leans on is there, and one stuck sender stops nobody."""

from __future__ import annotations

import asyncio
from typing import Any

from aiortc import RTCRtpReceiver, RTCRtpSender
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import HeaderExtensionsMap, RtcpSenderInfo, RtcpSrPacket, RtpPacket

from webrtc.fanout import AUDIO, H264, Fanout, Frame, FrameQueue
from webrtc.media_clock import MediaClock
from webrtc.rtp_out import PRIVATE, RtpOut
from webrtc.transceivers import REMOTE_STREAMS

CLOCK = MediaClock(origin_ns=0, wall_ns=0, audio_offset=0, video_offset=0)
OPUS = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48_000, channels=2, payloadType=111)


class Transport:
    """Takes RTP; stuck from packet `stuck_after` on."""

    state = "connected"

    def __init__(self, stuck_after: int = 10**9) -> None:
        self.sent: list[RtpPacket] = []
        self.stuck_after = stuck_after

    async def _send_rtp(self, data: bytes) -> None:
        if len(self.sent) >= self.stuck_after:
            await asyncio.Event().wait()
        self.sent.append(RtpPacket.parse(data, HeaderExtensionsMap()))


def sound(n: int) -> Frame:
    return Frame(payloads=(b"%d" % n,), rtp=960 * n, programme_sample=960 * n, n=n)


async def started(fanout: Fanout, codec: str, transport: Transport) -> tuple[asyncio.Future[Any], FrameQueue]:
    sender = RTCRtpSender("audio" if codec == AUDIO else "video", transport)  # type: ignore[arg-type]
    queue = FrameQueue(codec)
    RtpOut(sender, queue, CLOCK, fanout.join, fanout.leave)
    task = asyncio.ensure_future(sender._run_rtp(OPUS))
    await asyncio.sleep(0)
    return task, queue


def test_what_is_touched_inside_aiortc_is_there() -> None:
    async def run() -> None:
        sender = RTCRtpSender("audio", Transport())  # type: ignore[arg-type]
        for name in PRIVATE:
            assert hasattr(sender, f"_RTCRtpSender__{name}"), name
        assert hasattr(RTCRtpReceiver("audio", Transport()), REMOTE_STREAMS)  # type: ignore[arg-type]

    asyncio.run(run())


def test_a_tick_lost_on_the_bus_shows_as_a_lost_packet() -> None:
    async def run() -> None:
        transport = Transport()
        task, queue = await started(Fanout(CLOCK), AUDIO, transport)
        for n in (5, 6, 8, 9, 300, 301):
            queue.offer(sound(n))
        await asyncio.sleep(0.01)
        task.cancel()
        first = transport.sent[0].sequence_number
        assert [(packet.sequence_number - first) % 65536 for packet in transport.sent] == [0, 1, 3, 4, 5, 6]
        assert [packet.timestamp // 960 for packet in transport.sent] == [5, 6, 8, 9, 300, 301]

    asyncio.run(run())


def test_no_sender_report_tells_a_time_before_there_is_one() -> None:
    async def run() -> None:
        transport = Transport()
        sender = RTCRtpSender("audio", transport)  # type: ignore[arg-type]
        fanout, queue, reports = Fanout(CLOCK), FrameQueue(AUDIO), []

        async def note(packets: list[Any]) -> None:
            reports.append(packets)

        sender._send_rtcp = note  # type: ignore[method-assign]
        RtpOut(sender, queue, CLOCK, fanout.join, fanout.leave)
        task = asyncio.ensure_future(sender._run_rtp(OPUS))
        report = RtcpSrPacket(ssrc=1, sender_info=RtcpSenderInfo(0, 0, 0, 0))
        await sender._send_rtcp([report])
        assert not reports
        queue.offer(sound(3))
        await asyncio.sleep(0.01)
        await sender._send_rtcp([report])
        assert reports == [[report]]
        task.cancel()

    asyncio.run(run())


def test_a_sender_that_is_stuck_does_not_hold_up_another() -> None:
    async def run() -> None:
        fanout, stuck, free = Fanout(CLOCK), Transport(stuck_after=3), Transport()
        tasks = [await started(fanout, AUDIO, transport) for transport in (stuck, free)]
        for n in range(100):
            for _, queue in tasks:
                queue.offer(sound(n))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert len(free.sent) == 100
        assert len(stuck.sent) == 3
        assert len(tasks[0][1]) <= 10
        for task, _ in tasks:
            task.cancel()
        await asyncio.gather(*(task for task, _ in tasks))
        assert fanout.totals()["audio_dropped"] == 100 - 3 - 1 - 10

    asyncio.run(run())


def test_a_connection_that_ends_leaves_the_fanout_and_lets_aiortc_stop() -> None:
    async def run() -> None:
        class Broken(Transport):
            async def _send_rtp(self, data: bytes) -> None:
                raise ConnectionError

        fanout = Fanout(CLOCK)
        task, queue = await started(fanout, H264, Broken())
        assert fanout.wanted(H264) == 1
        queue.offer(Frame(payloads=(b"x",), rtp=0, programme_sample=0, n=1, key=True))
        await asyncio.wait_for(task, 1.0)
        assert fanout.wanted(H264) == 0

    asyncio.run(run())
