"""All doors of one conversation at once, beside another one: each is served, in order, with its own packets."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tests.outputs.media_server import MediaServer, lacking
from tests.stack.doors import (
    HEARD,
    KEY,
    BehindJanus,
    Browsing,
    Door,
    Got,
    GStreamer,
    HlsPlayer,
    Recorder,
    RtmpPlayer,
    Stranger,
    Strangers,
    ViewerPage,
    until,
)
from tests.stack.running import Stack, free_port
from tests.stack.spoken_to import SpokenTo
from tests.webrtc import gstreamer
from webrtc import vendor
from webrtc.janus_server import janus

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(lacking()), reason=lacking()),
    pytest.mark.skipif(not shutil.which("janus"), reason="needs Janus: apt-get install janus"),
    pytest.mark.skipif(
        not all(vendor.complete(name, package) for name, package in vendor.catalogue().items()),
        reason="needs static/vendor: python -m webrtc.vendor",
    ),
]

OTHERS_QUESTIONS = ("How do I reset my password?", "My printer does not print.", "How do I connect to the wireless?")
PICTURES, SOUNDS = 100, 200
"""So many come through every door: four seconds' worth."""
DRAWINGS = 20
"""So many of a page that draws a head by the CPU, beside all others."""
READ = 4
"""Words in a row that are not said by everybody."""

ALMOST_ALL = 0.95
"""A busy machine loses a tick to the one door and not to the other."""


@pytest.fixture(scope="module")
def small() -> Iterator[Stack]:
    stack = Stack(VISAVIS_MEDIA_SIZE="256")
    try:
        yield stack.start()
    finally:
        stack.stop()


def test_each_gets_the_packets_of_its_own_conversation_in_order_whatever_becomes_of_the_others(
    small: Stack, tmp_path: Path
) -> None:
    with contextlib.ExitStack() as open_doors:
        enter = open_doors.enter_context
        server = enter(janus(free_port(), KEY))
        media = MediaServer(tmp_path).start()
        open_doors.callback(media.kill)
        browsing, strangers = enter(Browsing()), enter(Strangers())
        session = enter(SpokenTo(small.url)).session
        other = enter(SpokenTo(small.url, "helpdesk", OTHERS_QUESTIONS)).session
        recorder, others = enter(Recorder(small, session)), enter(Recorder(small, other))
        stranger = enter(Stranger(strangers, small, session))
        relayed = enter(BehindJanus(strangers, small, session, server))
        hls, rtmp = enter(HlsPlayer(small, session)), enter(RtmpPlayer(small, session, media))
        viewer, drawing = enter(ViewerPage(browsing, small, session)), enter(ViewerPage(browsing, small, session, "3d"))
        doors: dict[str, Door] = {
            "recorder": recorder,
            "WHEP player": stranger,
            "Janus": relayed,
            "HLS": hls,
            "RTMP": rtmp,
            "viewer page": viewer,
            "3D viewer page": drawing,
        }
        if not gstreamer.lacking():
            doors["GStreamer"] = enter(GStreamer(small, session))
        come(doors, PICTURES, SOUNDS)
        caption = until(lambda: found if len(found := words(viewer.captions())) >= READ else None, "nothing is read")

        # What befalls some is nothing to the rest.
        server.stop(kill=True)
        media.freeze()
        drawing.page.close()
        rest = {name: door for name, door in doors.items() if name not in ("Janus", "RTMP", "3D viewer page")}
        come(rest, PICTURES, SOUNDS)

        heard = {"WHEP player": list(stranger.sounds), "Janus": list(relayed.sounds)}
        seen = {"HLS": hls.kept.copy(), "RTMP": rtmp.kept.copy()}
        for each in (recorder, others):
            each.finish()
            until(lambda each=each: "ended" in about(each.folder), "the recording is not finished")
        mine, theirs = recorder.kept, others.kept

    assert mine.times == sorted(mine.times)
    for name, sounds in heard.items():
        found = share(sounds, mine.sounds)
        assert found > ALMOST_ALL, f"{name}: not the packets that were recorded, or not in order"
        assert not set(sounds) & strange(theirs.sounds, mine.sounds), f"{name}: hears another conversation"
    for player in (stranger, relayed):
        for packets in player.player.packets.values():
            numbers = [
                packet.sequence_number for packet in packets if packet.ssrc == packets[0].ssrc
            ]  # none sent again
            assert all(0 < (b - a) % 2**16 < 2**15 for a, b in pairwise(numbers)), "in order, and each once"
    for name, kept in seen.items():
        assert all(a < b for a, b in pairwise(kept.times)), f"{name}: pictures are not in order"
        found = share(kept.pictures, mine.pictures)
        assert found > ALMOST_ALL, f"{name}: pictures were encoded again"
        assert not set(kept.pictures) & strange(theirs.pictures, mine.pictures), f"{name}: sees another conversation"
    said = [" ".join(spoken(each.folder)) for each in (recorder, others)]
    assert " ".join(caption) in said[0], "what is read is not what was said"
    assert " ".join(caption) not in said[1]


def come(doors: dict[str, Door], pictures: int, sounds: int) -> None:
    """Wait until so much more has come through each of them."""
    before = {name: door.got() for name, door in doors.items()}
    for name, door in doors.items():
        was, fewest = before[name], DRAWINGS if name == "3D viewer page" else pictures

        def enough(door: Door = door, was: Got = was, fewest: int = fewest) -> bool:
            now = door.got()
            return now.pictures >= was.pictures + fewest and now.sounds >= was.sounds + sounds

        until(enough, f"{name}: {was} … {door.got()}")


def share(came: Sequence[bytes], made: Sequence[bytes]) -> float:
    """Which part of what came is in what was made, in the same order. Packets that were made twice are left out:
    those of silence are all alike.
    """
    often = Counter(made)
    places = {packet: place for place, packet in enumerate(made)}
    single = [packet for packet in came if often[packet] < 2]
    assert len(single) > PICTURES, "hardly any can be told apart"
    at, found = -1, 0
    for packet in single:
        if places.get(packet, -1) > at:
            at, found = places[packet], found + 1
    return found / len(single)


def strange(theirs: Sequence[bytes], mine: Sequence[bytes]) -> set[bytes]:
    """Packets that only the other conversation has."""
    found = {packet for packet in theirs if len(packet) > HEARD} - set(mine)
    assert len(found) > PICTURES, "the other conversation has hardly any"
    return found


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def about(folder: Path) -> dict[str, object]:
    return dict(json.loads((folder / "recording.json").read_text()))


def spoken(folder: Path) -> list[str]:
    """The words of a recording, in order."""
    lines = [json.loads(line) for line in (folder / "timeline.jsonl").read_text(encoding="utf-8").splitlines()]
    return [word for line in lines if line["kind"] == "word" for word in words(line["text"])]
