"""WHEP as a foreign player uses it: offers of every kind, trickle, tags, refusals, and what arrives."""

from __future__ import annotations

import asyncio
import json
import time
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.config import Audience
from broker.messages import KeyFrame, Wanted, Watch
from tests.webrtc.gstreamer import PLAYER, SYSTEM_PYTHON, lacking
from tests.webrtc.scene import Scene, scene, until
from tests.webrtc.viewer import SDP, Viewer
from webrtc import doors, sdp_fragment
from webrtc.errors import SdpError
from webrtc.media_clock import NTP_EPOCH_S

SESSION = "session-1"
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
Story = Callable[[Scene], Awaitable[None]]


def at_an_edge(tmp_path: Path, story: Story, audience: Audience | None = None, **server: Any) -> None:
    async def run() -> None:
        async with scene(tmp_path, audience, **server) as world:
            world.origins[SESSION] = time.monotonic_ns()
            await story(world)

    asyncio.run(run())


async def asked(
    world: Scene, method: str, path: str, data: str = "", **headers: str
) -> tuple[int, str, dict[str, str]]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    url = path if path.startswith("http") else world.url + path
    async with world.http.request(method, url, data=data, headers=names, allow_redirects=False) as response:
        return response.status, await response.text(), dict(response.headers)


@pytest.mark.parametrize("kinds", [("video", "audio"), ("audio", "video"), ("audio",), ("video",)], ids="+".join)
@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_a_player_gets_what_it_offers_to_take(tmp_path: Path, kinds: tuple[str, ...], codec: str) -> None:
    async def story(world: Scene) -> None:
        viewer = await Viewer(world, kinds, codec).watch(SESSION)
        playing = asyncio.ensure_future(world.play(SESSION, 1000))
        await until(lambda: all(len(viewer.packets[kind]) > 30 for kind in kinds))
        if "video" in kinds:
            await until(lambda: viewer.pictures > 3)
            wanted = [each for each in world.asked if isinstance(each, Wanted)][-1]
            assert {"h264": wanted.h264, "vp8": wanted.vp8}[codec] == 1
        assert all(not viewer.packets[kind] for kind in {"audio", "video"} - set(kinds))
        playing.cancel()
        await viewer.close()

    at_an_edge(tmp_path, story)


def test_the_answer_names_its_resource_its_edge_and_its_events(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        viewer = await Viewer(world).watch(SESSION)
        assert viewer.location.startswith(f"{world.url}/whep/{SESSION}/webrtc-1.")
        assert viewer.etag.startswith('"')
        for lines in str(viewer.connection.remoteDescription.sdp).split("m=")[1:]:
            assert "a=rtcp-mux\r\n" in lines
        assert f'<{world.url}/view/{SESSION}/events>; rel="alternate"; type="text/event-stream"' in viewer.links
        assert '<stun:stun.example:3478>; rel="ice-server"' in viewer.links
        turn = next(link for link in viewer.links if link.startswith("<turn:turn.example:3478?transport=tcp>"))
        assert 'username="' in turn
        assert 'credential-type="password"' in turn
        await viewer.close()

    at_an_edge(
        tmp_path,
        story,
        turn_urls=("turn:turn.example:3478?transport=udp", "turn:turn.example:3478?transport=tcp"),
        turn_secret="a secret of sixteen and more",
        ice_servers=({"urls": "stun:stun.example:3478"},),
    )


def test_somebody_who_joins_in_the_middle_sees_a_key_frame_at_once(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        playing = asyncio.ensure_future(world.play(SESSION, 2000))
        first = await Viewer(world).watch(SESSION)
        await until(lambda: first.pictures > 2)
        before = len([each for each in world.asked if isinstance(each, KeyFrame)])
        second = await Viewer(world).watch(SESSION)
        await until(lambda: len([each for each in world.asked if isinstance(each, KeyFrame)]) > before)
        await until(lambda: second.pictures > 2)
        playing.cancel()
        await first.close()
        await second.close()

    at_an_edge(tmp_path, story)


def test_complaints_are_merged_and_one_viewer_cannot_ask_for_key_frames_without_end(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        playing = asyncio.ensure_future(world.play(SESSION, 2000))
        viewer = await Viewer(world).watch(SESSION)
        await until(lambda: viewer.pictures > 2)
        asked_before = len([each for each in world.asked if isinstance(each, KeyFrame)])
        for _ in range(60):
            await viewer.complain()
        count = len(viewer.packets["audio"])
        await until(lambda: len(viewer.packets["audio"]) > count + 50)
        assert len([each for each in world.asked if isinstance(each, KeyFrame)]) - asked_before <= 4
        playing.cancel()
        await viewer.close()

    at_an_edge(tmp_path, story)


def test_sender_reports_carry_the_medias_own_time(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        viewer = await Viewer(world).watch(SESSION)
        playing = asyncio.ensure_future(world.play(SESSION, 2000))
        await until(lambda: viewer.reports["audio"] and viewer.reports["video"])
        watched = world.calls.audience.watched(SESSION)
        assert watched
        assert watched.fanout
        clock = watched.fanout.clock
        for kind, hz, offset in (("audio", 48_000, clock.audio_offset), ("video", 90_000, clock.video_offset)):
            info = viewer.reports[kind][-1].sender_info
            told_s = (info.ntp_timestamp >> 32) - NTP_EPOCH_S + (info.ntp_timestamp & 0xFFFFFFFF) / 2**32
            media_s = clock.wall_ns / 1e9 + (info.rtp_timestamp - offset) % 2**32 / hz
            assert abs(told_s - media_s) < 0.001
            assert info.packet_count > 0
        playing.cancel()
        await viewer.close()

    at_an_edge(tmp_path, story)


def test_what_is_lost_is_sent_again(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        viewer = await Viewer(world).watch(SESSION)
        playing = asyncio.ensure_future(world.play(SESSION, 2000))
        await until(lambda: len(viewer.packets["video"]) > 10)
        receiver = next(t.receiver for t in viewer.connection.getTransceivers() if t.kind == "video")
        lost = viewer.packets["video"][-1]
        before = len(viewer.packets["video"])
        await receiver._send_rtcp_nack(lost.ssrc, [lost.sequence_number])
        number = lost.sequence_number.to_bytes(2, "big")
        again = lambda p: p.ssrc != lost.ssrc and p.payload == number + lost.payload  # noqa: E731  # RFC 4588
        await until(lambda: any(again(packet) for packet in viewer.packets["video"][before:]))
        assert world.calls.audience.totals()["packets_again"] == 1
        playing.cancel()
        await viewer.close()

    at_an_edge(tmp_path, story)


def test_candidates_are_trickled_under_the_rules_of_if_match(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        viewer = Viewer(world)
        await viewer.watch(SESSION)
        ufrag = sdp_fragment.ufrag_of(str(viewer.connection.localDescription.sdp))
        good = (
            f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:x\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
            "a=candidate:1 1 UDP 2130706431 192.0.2.1 50000 typ host\r\na=end-of-candidates\r\n"
        )
        place, tag = viewer.location, viewer.etag

        async def patch(data: str, kind: str = FRAGMENT["Content-Type"], **headers: str) -> int:
            status, _, told = await asked(world, "PATCH", place, data, Content_Type=kind, **headers)
            assert status != 204 or "ETag" not in told, "it is no new ICE session"
            return status

        assert await patch(good, If_Match=tag) == 204
        assert await patch(good, If_Match="*") == 204
        assert await patch(good, If_Match='"other", ' + tag) == 204
        assert await patch(good) == 428
        assert await patch(good, If_Match='"other"') == 412
        assert await patch(good.replace(ufrag, "other"), If_Match=tag) == 422
        assert await patch(good, "application/sdp", If_Match=tag) == 415
        assert await patch("nonsense", If_Match=tag) == 400
        assert await patch(good.replace("mid:0", "mid:7"), If_Match=tag) in (204, 400)
        assert await patch("a=candidate:x\r\n" * 3, If_Match=tag) == 204, "what cannot be tried is left out"
        flood = "".join(f"a=candidate:{n} 1 UDP 1 192.0.2.1 {n} typ host\r\n" for n in range(1, 60))
        assert await patch("m=video 9 X 0\r\na=mid:0\r\n" + flood, If_Match=tag) == 400
        await viewer.close()

    at_an_edge(tmp_path, story)


def test_leaving_ends_the_resource_and_the_count(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        viewer = await Viewer(world).watch(SESSION)
        await until(lambda: world.watching(SESSION)[-1].viewers == 1)
        assert (await asked(world, "DELETE", viewer.location))[0] == 200
        assert (await asked(world, "DELETE", viewer.location))[0] == 404
        assert (await asked(world, "PATCH", viewer.location, If_Match=viewer.etag, **_typed(FRAGMENT)))[0] == 404
        await until(lambda: world.watching(SESSION)[-1].viewers == 0)
        await until(lambda: world.watching(SESSION)[-1].leave, 12)
        assert world.calls.audience.watched(SESSION) is None
        await viewer.close()

    at_an_edge(tmp_path, story)


def _typed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in headers.items()}


def test_what_cannot_be_served_is_refused_in_words(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        good = await Viewer(world).offer()
        whep = f"/whep/{SESSION}"
        kinds = _typed(SDP)
        for path, data, headers, wanted in (
            ("/whep/unknown-session", good, kinds, 404),
            ("/whep/x", good, kinds, 404),
            (whep, good, {"Content_Type": "text/plain"}, 415),
            (whep, good, kinds | {"Accept": "text/html"}, 406),
            (whep, "", kinds, 422),
            (whep, "v=0\r\n", kinds, 422),
            (whep, "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", kinds, 422),
            (whep, good.replace("recvonly", "sendonly"), kinds, 422),
            (whep, good.replace("H264", "H999").replace("VP8", "VP0"), kinds, 422),
            (whep, "v=0" + "x" * 70_000, kinds, 413),
        ):
            status, text, _ = await asked(world, "POST", path, data, **headers)
            assert status == wanted, (path, text)
            assert len(text) > 15
        for method in ("GET", "PUT", "PATCH"):
            assert (await asked(world, method, whep))[0] == 405
        assert world.calls.audience.count == 0

    at_an_edge(tmp_path, story)


def test_past_its_capacity_an_edge_says_when_to_come_back(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        viewer = await Viewer(world).watch(SESSION)
        status, text, headers = await asked(
            world, "POST", f"/whep/{SESSION}", await Viewer(world).offer(), **_typed(SDP)
        )
        assert status == 503
        assert int(headers["Retry-After"]) > 0
        assert "seat" in text
        await viewer.close()

    at_an_edge(tmp_path, story, Audience(capacity=1))


def test_without_a_broker_nobody_waits_for_long(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        world.answering = False
        status, _, headers = await asked(world, "POST", f"/whep/{SESSION}", await Viewer(world).offer(), **_typed(SDP))
        assert status == 503
        assert "Retry-After" in headers
        assert world.calls.audience.watched(SESSION) is None

    at_an_edge(tmp_path, story)


def test_with_a_token_in_force_only_those_who_bear_it_look_on(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        offer = await Viewer(world).offer()
        for token in ("", "Bearer wrong", "Basic audience-secret"):
            status, _, headers = await asked(
                world, "POST", f"/whep/{SESSION}", offer, Authorization=token, **_typed(SDP)
            )
            assert status == 401
            assert headers["WWW-Authenticate"] == "Bearer"
        assert (await asked(world, "GET", f"/view/{SESSION}/events"))[0] == 401
        assert (await asked(world, "POST", f"/whep/{SESSION}?moved=9999999999.0", offer, **_typed(SDP)))[0] == 401
        bearer = {"Authorization": "Bearer audience-secret"}
        viewer = await Viewer(world).watch(SESSION, bearer)
        assert (await asked(world, "DELETE", viewer.location))[0] == 401
        assert (await asked(world, "DELETE", viewer.location, **bearer))[0] == 200
        await viewer.close()

    at_an_edge(tmp_path, story, Audience(token="audience-secret"))


def test_where_nobody_may_look_on_there_is_no_door(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        assert (await asked(world, "POST", f"/whep/{SESSION}", await Viewer(world).offer(), **_typed(SDP)))[0] == 404
        assert (await asked(world, "GET", f"/view/{SESSION}"))[0] == 404
        assert (await asked(world, "GET", f"/view/{SESSION}/events"))[0] == 404
        assert not world.of(Watch)

    at_an_edge(tmp_path, story, Audience(watch=False))


def test_other_pages_may_play_only_where_the_settings_name_them(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        asks = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "content-type"}
        good = {"Origin": "https://school.example"}
        status, _, headers = await asked(world, "OPTIONS", f"/whep/{SESSION}", **good, **asks)
        assert status == 200
        assert headers["Access-Control-Allow-Origin"] == "https://school.example"
        assert "PATCH" in headers["Access-Control-Allow-Methods"]
        assert "If-Match" in headers["Access-Control-Allow-Headers"]
        assert headers["Accept-Post"] == "application/sdp"
        assert (await asked(world, "OPTIONS", f"/whep/{SESSION}", Origin="https://evil.example", **asks))[0] == 403
        assert (await asked(world, "GET", "/personas", **good))[0] == 403, "only the doors for players are open"
        status, _, headers = await asked(world, "POST", "/whep/unknown-session", "x", **good, **_typed(SDP))
        assert status == 404
        assert headers["Access-Control-Allow-Origin"] == "https://school.example", "a refusal can be read too"
        assert "Location" in headers["Access-Control-Expose-Headers"]

    at_an_edge(tmp_path, story, Audience(origins=("https://school.example",)))


def test_an_answer_says_that_rtcp_has_no_port_of_its_own_and_is_one_stream(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        offer = await Viewer(world).offer()
        status, answer, _ = await asked(world, "POST", f"/whep/{SESSION}", offer, **_typed(SDP))
        assert status == 201
        media = answer.split("\r\nm=")[1:]
        assert len(media) == 2
        assert all("\r\na=rtcp-mux\r\na=rtcp-mux-only\r\n" in lines for lines in media)
        assert len({line.split()[0] for line in answer.splitlines() if line.startswith("a=msid:")}) == 1

    at_an_edge(tmp_path, story)


def test_links_to_ice_servers_are_read_as_they_are_written() -> None:
    servers: tuple[dict[str, Any], ...] = (
        {"urls": "stun:stun.example:3478"},
        {"urls": "turn:turn.example:3478?transport=tcp", "username": "7:u,;s", "credential": "a=b; c, <d>"},
    )
    links = doors.ice_links(servers)
    assert doors.ice_servers(links) == servers
    assert doors.ice_servers([", ".join(links)]) == servers
    assert doors.ice_servers(["<turn:turn.example>;rel=ice-server;username=u;credential=c"])[0]["username"] == "u"
    for other in (
        '<https://x/>; rel="ice-server"',
        '<stun:a b>; rel="ice-server"',
        '<stun:a>; rel="next"',
        "x",
        "<",
        "",
    ):
        assert doors.ice_servers([other]) == ()


@pytest.mark.skipif(bool(lacking()), reason=lacking())
def test_gstreamers_own_player_gets_sound_and_pictures(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        playing = asyncio.ensure_future(world.play(SESSION, 4000))
        command = [SYSTEM_PYTHON, PLAYER, f"{world.url}/whep/{SESSION}", "35"]
        player = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
        said, complained = await asyncio.wait_for(player.communicate(), 60)
        came = json.loads(said.splitlines()[-1]) if said else {}
        assert came.get("audio", 0) > 20, complained.decode()[-800:]
        assert came.get("video", 0) > 20
        playing.cancel()

    at_an_edge(tmp_path, story)


@given(
    text=st.one_of(
        st.text(max_size=300),
        st.lists(
            st.sampled_from(
                (
                    "v=0",
                    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
                    "m=video 9 UDP/TLS/RTP/SAVPF 96",
                    "a=rtpmap:111 opus/48000/2",
                    "a=mid:0",
                    "a=rtpmap:96 VP8/90000",
                    "a=recvonly",
                    "a=ice-ufrag:aaaa",
                    "a=ice-pwd:" + "b" * 22,
                    "a=setup:actpass",
                    "c=IN IP4 x",
                    "a=fingerprint:sha-256 " + ":".join(["00"] * 32),
                    "a=group:BUNDLE 0",
                    "m=",
                    "a=mid:",
                    "a=rtpmap:x",
                    "\x00",
                    "o=",
                )
            ),
            max_size=25,
        ).map("\r\n".join),
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_offer_brings_the_edge_down(tmp_path: Path, text: str) -> None:
    async def story(world: Scene) -> None:
        status, said, _ = await asked(world, "POST", f"/whep/{SESSION}", text, **_typed(SDP))
        assert status in (201, 422), said
        assert (await asked(world, "GET", "/health"))[0] == 200

    at_an_edge(tmp_path / "s", story)


@given(
    text=st.one_of(
        st.text(max_size=300),
        st.lists(
            st.sampled_from(
                (
                    "a=ice-ufrag:aaaa",
                    "a=mid:0",
                    "m=audio 9 X 0",
                    "a=candidate:1 1 UDP 1 192.0.2.1 5 typ host",
                    "a=candidate:",
                    "a=",
                    "a=candidate:1 1 udp 1 x 5 typ host",
                    "a=candidate:1 1 UDP 1 192.0.2.1 x typ host",
                    "a=end-of-candidates",
                )
            ),
            max_size=12,
        ).map("\n".join),
    )
)
def test_any_fragment_is_read_or_refused(text: str) -> None:
    try:
        found = sdp_fragment.parse(text)
    except SdpError:
        return
    assert len(found.candidates) <= text.count("candidate:")
