"""The viewers' sender: what it writes, what it leaves out for a viewer who cannot keep up, what it asks aiortc for."""

from __future__ import annotations

import asyncio
import itertools
import struct
from types import SimpleNamespace
from typing import Any

import pytest
from aiortc import RTCRtpSender
from aiortc.rtcdtlstransport import State
from aiortc.rtp import HeaderExtensionsMap

from tests.webrtc.srtp import outbound
from webrtc.burst import Wire
from webrtc.fanout import AUDIO, H264, Frame
from webrtc.media_clock import MediaClock
from webrtc.rtp_push import KEPT, MOST_UNSENT, PRIVATE, RtpPush

CLOCK = MediaClock(origin_ns=0, wall_ns=0, audio_offset=0, video_offset=0)


class Path:
    """A socket that takes notes, behind what aiortc and aioice have in between."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.unsent = 0
        pair = SimpleNamespace(protocol=SimpleNamespace(transport=self), remote_addr=("192.0.2.1", 5))
        ice = SimpleNamespace(_nominated={1: pair})
        self.dtls: Any = SimpleNamespace(
            transport=SimpleNamespace(_connection=ice), _state=State.CONNECTED, _tx_srtp=outbound()
        )

    def sendto(self, data: bytes, address: tuple[str, int]) -> None:
        self.sent.append(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def headers(self) -> list[tuple[int, int, int, int]]:
        """(marker, payload type, sequence, time) of each packet."""
        heads = [struct.unpack("!BBHL", packet[:8]) for packet in self.sent]
        return [(second >> 7, second & 0x7F, sequence, time) for _, second, sequence, time in heads]


class Asked(list[int]):
    def __call__(self) -> None:
        self.append(1)


def push(path: Path, codec: str, asked: Asked | None = None) -> RtpPush:
    names = {f"_RTCRtpSender__{name}": None for name in PRIVATE}
    names["_RTCRtpSender__rtp_header_extensions_map"] = HeaderExtensionsMap()
    sender: Any = SimpleNamespace(**names, _ssrc=7 + (codec == AUDIO), transport=path.dtls, _send_rtcp=None)
    want_key = Asked() if asked is None else asked
    out = RtpPush(sender, codec, CLOCK, lambda sink: None, lambda sink: None, Wire(), want_key)
    out._payload_type, out._dtls, out._ice = 96, path.dtls, path.dtls.transport._connection
    return out


def picture(n: int, key: bool = False, payloads: tuple[bytes, ...] = (b"a", b"b")) -> Frame:
    return Frame(payloads=payloads, rtp=n * 3600, programme_sample=n * 1920, n=n, key=key)


def sound(n: int) -> Frame:
    return Frame(payloads=(b"s",), rtp=n * 960, programme_sample=n * 960, n=n)


@pytest.mark.parametrize("name", PRIVATE)
def test_what_is_used_inside_aiortc_is_there(name: str) -> None:
    async def look() -> None:
        sender = RTCRtpSender("audio", SimpleNamespace(state="new"))  # type: ignore[arg-type]
        assert hasattr(sender, f"_RTCRtpSender__{name}")

    asyncio.run(look())


def test_a_picture_is_as_many_packets_as_payloads_the_last_one_marked() -> None:
    path = Path()
    out = push(path, H264)
    out.offer(picture(1, key=True))
    out.offer(picture(2))
    markers, types, sequences, times = zip(*path.headers(), strict=True)
    assert markers == (0, 1, 0, 1)
    assert set(types) == {96}
    assert [(b - a) % 65536 for a, b in itertools.pairwise(sequences)] == [1, 1, 1]
    assert times == (3600, 3600, 7200, 7200)
    assert out.packets == 4


def test_lost_ticks_show_as_lost_packets() -> None:
    path = Path()
    out = push(path, AUDIO)
    for n in (1, 2, 5, 500):
        out.offer(sound(n))
    sequences = [each[2] for each in path.headers()]
    assert [(b - a) % 65536 for a, b in itertools.pairwise(sequences)] == [1, 3, 1]


def test_a_viewer_whose_line_is_full_loses_pictures_up_to_the_next_key_frame_and_no_sound() -> None:
    path, asked = Path(), Asked()
    out, voice = push(path, H264, asked), push(path, AUDIO)
    out.offer(picture(1, key=True))
    path.unsent = MOST_UNSENT + 1
    out.offer(picture(2))
    voice.offer(sound(1))
    path.unsent = 0
    out.offer(picture(3))
    count = len(path.sent)
    assert count == 3
    assert asked
    out.offer(picture(4, key=True))
    out.offer(picture(5))
    assert len(path.sent) == count + 4
    assert out.counters["viewer_too_slow"] == 1
    assert out.counters["pictures_dropped"] == 2


def test_a_path_that_breaks_costs_this_viewer_only() -> None:
    path = Path()
    out = push(path, AUDIO)
    out.offer(Frame(payloads=(b"longer than SRTP takes" * 100,), rtp=0, programme_sample=0, n=1))
    assert out.counters["viewer_send_failed"] == 1
    path.dtls._state = State.CLOSED
    out.offer(sound(2))
    path.dtls.transport._connection._nominated.clear()
    out.offer(sound(3))
    assert not path.sent


def test_another_pair_of_addresses_is_used_from_the_next_frame_on() -> None:
    path, other = Path(), Path()
    out = push(path, AUDIO)
    out.offer(sound(1))
    path.dtls.transport._connection._nominated.update(other.dtls.transport._connection._nominated)
    out.offer(sound(2))
    assert (len(path.sent), len(other.sent)) == (1, 1)


def test_what_was_lost_is_sent_again_as_long_as_it_is_kept() -> None:
    path, again = Path(), list[bytes]()

    async def take(packet: bytes) -> None:
        again.append(packet)

    path.dtls._send_rtp = take
    out = push(path, H264)
    for n in range(1, KEPT + 2):
        out.offer(picture(n, key=n == 1, payloads=(b"a", b"b%d" % n)))
    sequences = [each[2] for each in path.headers()]

    async def lose() -> None:
        for sequence in (sequences[-1], sequences[2], sequences[0], (sequences[-1] + 1) % 65536):
            await out._again(sequence)

    asyncio.run(lose())
    assert [packet[12:] for packet in again] == [b"b%d" % (KEPT + 1), b"a"]
    assert [packet[:12] for packet in again] == [path.sent[-1][:12], path.sent[2][:12]]
    assert out.counters["packets_again"] == 2


def test_complaints_beyond_the_rate_are_left_alone() -> None:
    path, asked = Path(), Asked()
    out = push(path, H264, asked)
    out.offer(picture(1, key=True))
    for _ in range(50):
        out.cut()
    assert len(asked) == 4
    assert push(path, AUDIO, asked).cut() is None
    assert len(asked) == 4
