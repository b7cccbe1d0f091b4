"""Offers and candidates are cleaned of what must not be tried, and refused when they are none."""

from __future__ import annotations

import random

import pytest

from webrtc import offer
from webrtc.errors import SdpError

LINES = [
    "v=0",
    "o=- 1 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "a=candidate:1 1 udp 2122260223 0c1f6c2b-aaaa.local 50000 typ host generation 0",
    "a=candidate:2 1 udp 2122260223 192.0.2.7 50000 typ host generation 0",
    "a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active",
    "a=candidate:4 1 UDP 2122260223 2001:db8::1 50000 typ host",
    "a=end-of-candidates",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
]
SDP = "\r\n".join(LINES) + "\r\n"


def test_names_tcp_and_the_end_of_candidates_are_taken_out() -> None:
    kept = offer.cleaned(SDP)
    assert ".local" not in kept
    assert "tcptype" not in kept
    assert "end-of-candidates" not in kept
    assert "192.0.2.7 50000" in kept
    assert "2001:db8::1" in kept
    assert offer.has_pictures(kept)


@pytest.mark.parametrize(
    "sdp",
    [
        "",
        "hello",
        "v=0\r\n",
        SDP.replace("m=audio", "m=video"),
        SDP + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
        SDP + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
        SDP + "a=candidate:2 1 udp 1 192.0.2.7 50000 typ host\r\n" * 60,
        SDP + "a=x\r\n" * 30_000,
    ],
)
def test_what_is_no_offer_of_a_call_page_is_refused(sdp: str) -> None:
    with pytest.raises(SdpError):
        offer.cleaned(sdp)


def test_a_trickled_candidate() -> None:
    text = "candidate:842163049 1 udp 1677729535 192.0.2.1 46154 typ srflx raddr 0.0.0.0 rport 0 ufrag x"
    candidate = offer.candidate({"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0})
    assert candidate is not None
    assert (candidate.ip, candidate.port, candidate.type, candidate.sdpMid) == ("192.0.2.1", 46154, "srflx", "0")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "candidate:1 1 udp 1 a.local 1 typ host",
        "candidate:1 1 udp 1 metadata.example 1 typ host",
        "candidate:1 1 tcp 1 192.0.2.1 9 typ host",
        "candidate:1 1 udp 1 224.0.0.1 9 typ host",
        "candidate:1 1 udp 1 0.0.0.0 9 typ host",
        "candidate:1",
    ],
)
def test_candidates_that_are_not_tried(text: str) -> None:
    assert offer.candidate({"candidate": text, "sdpMid": "0"}) is None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"candidate": 7},
        {"candidate": "candidate:1 x udp y 192.0.2.1 z typ host"},
        {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": 3},
        {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMLineIndex": "0"},
        {"candidate": "x" * 5000},
    ],
)
def test_candidates_that_are_none_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(SdpError):
        offer.candidate(fields)


@pytest.mark.parametrize("seed", range(30))
def test_damaged_offers_are_cleaned_or_refused_but_never_break(seed: int) -> None:
    chance = random.Random(seed)
    text = list(SDP)
    for _ in range(chance.randrange(1, 40)):
        text[chance.randrange(len(text))] = chr(chance.randrange(1, 300))
    try:
        clean = offer.cleaned("".join(text))
    except SdpError:
        return
    assert offer.cleaned(clean) == clean, "what is left needs no cleaning"
