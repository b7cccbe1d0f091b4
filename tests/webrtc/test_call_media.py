"""Real peer connections against the edge: what arrives, when, and with which clock."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from broker.messages import KeyFrame, Played, Wanted
from tests.webrtc.opus_encoder import chirps
from tests.webrtc.scene import Microphone, Page, Scene, page, scene, until
from webrtc.uplink import FRAME


def in_a_call(tmp_path: Path, story: Callable[[Scene, Page, dict], Awaitable[None]], **hello: object) -> None:  # type: ignore[type-arg]
    """Run `story` with an edge and a page that has its session."""

    async def run() -> None:
        async with scene(tmp_path) as world, page(world) as caller:
            await story(world, caller, await caller.hello(**hello))

    asyncio.run(run())


def sent(caller: Page, session: dict) -> set[int]:  # type: ignore[type-arg]
    """The numbers of the pictures that came; they are decoded later."""
    return {(packet.timestamp - session["video_offset"]) % 2**32 // 3600 for packet in caller.packets["video"]}


def test_rtp_time_is_the_programmes_sample_plus_the_offset_told(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        await caller.call()
        await world.play(session["session"], 100)
        await until(lambda: len(caller.packets["audio"]) >= 35 and len(caller.pictures) >= 10)
        audio = [packet.timestamp for packet in caller.packets["audio"]]
        samples = [(rtp - session["audio_offset"]) % 2**32 for rtp in audio]
        assert samples == list(range(samples[0], samples[0] + 960 * len(samples), 960))
        assert samples[0] % 960 == 0
        assert samples[0] < 960 * 50
        video = sorted({(packet.timestamp - session["video_offset"]) % 2**32 for packet in caller.packets["video"]})
        assert {b - a for a, b in itertools.pairwise(video)} == {3600}
        assert all(rtp * 8 % (15 * 1920) == 0 for rtp in video)

    in_a_call(tmp_path, story)


def test_sender_reports_carry_media_time_even_when_pictures_are_sent_late(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        await caller.call()
        name = session["session"]

        async def play() -> None:
            for n in range(10, 1000):
                world.tick(name, n, picture_sample=960 * (n - 10))
                await asyncio.sleep(0.02)

        playing = asyncio.ensure_future(play())
        await until(lambda: caller.reports["audio"] and caller.reports["video"], 20.0)
        playing.cancel()

        def media_s(kind: str, offset: int, rate_hz: int) -> float:
            """The programme time, s, that the report's wall time belongs to, minus that of its RTP time."""
            info = caller.reports[kind][-1].sender_info
            rtp_s = ((info.rtp_timestamp - offset) % 2**32) / rate_hz
            return (info.ntp_timestamp / 2**32) - rtp_s

        audio_s = media_s("audio", session["audio_offset"], 48_000)
        video_s = media_s("video", session["video_offset"], 90_000)
        assert abs(audio_s - video_s) < 0.0001, "0.2 if the reports told when things were sent"

    in_a_call(tmp_path, story)


def test_pictures_decode_and_the_codec_is_h264_when_there_is_a_choice(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        answer = await caller.call()
        assert "H264/90000" in answer
        assert "profile-level-id=42e01f" in answer
        assert "VP9" not in answer
        first = next(line for line in answer.splitlines() if line.startswith("m=video")).split()[3]
        assert f"a=rtpmap:{first} H264/90000" in answer
        await world.play(session["session"], 50)
        await until(lambda: len(caller.pictures) >= 8)
        wanted = [each for each in world.asked if isinstance(each, Wanted)]
        assert (wanted[-1].h264, wanted[-1].vp8, wanted[-1].edge) == (1, 0, "webrtc-1")
        plane = caller.pictures[3].to_ndarray(format="gray")
        assert plane.shape == (128, 128)
        assert plane.std() > 20

    in_a_call(tmp_path, story)


def test_a_browser_with_vp8_only_gets_vp8(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        answer = await caller.call(codec="vp8")
        assert "VP8/90000" in answer
        assert "H264" not in answer
        await world.play(session["session"], 50)
        await until(lambda: len(caller.pictures) >= 8)
        wanted = [each for each in world.asked if isinstance(each, Wanted)]
        assert (wanted[-1].h264, wanted[-1].vp8) == (0, 1)

    in_a_call(tmp_path, story)


def test_a_lost_picture_on_the_bus_asks_for_a_key_frame_and_sends_nothing_undecodable(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        name = session["session"]
        await caller.call()
        await world.play(name, 60)
        await until(lambda: 29 in sent(caller, session) and len(caller.pictures) >= 4)
        await asyncio.sleep(0.35)
        asked = len([each for each in world.asked if isinstance(each, KeyFrame)])
        for n in (62, 64, 66):
            world.tick(name, n)
        await until(lambda: len([each for each in world.asked if isinstance(each, KeyFrame)]) > asked)
        await asyncio.sleep(0.1)
        assert max(sent(caller, session)) == 29, "picture 30 was lost: 31, 32 and 33 cannot be decoded"
        decoded = len(caller.pictures)
        for n in range(98, 110):
            world.tick(name, n)
        await until(lambda: len(caller.pictures) >= decoded + 4)

    in_a_call(tmp_path, story)


def test_the_microphone_arrives_contiguous_and_in_time(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        answer = await caller.call(Microphone(chirps(3.0)))
        sections = answer.split("m=")
        assert ["a=ptime:10\r\n" in section for section in sections[1:]] == [True, False], "sound, and not pictures"
        await until(lambda: len(world.frames) >= 100)
        starts = [frame.mic_sample for frame in world.frames]
        assert starts == list(range(0, FRAME * len(starts), FRAME))
        assert all(frame.route == 5 and frame.session == session["session"] for frame in world.frames)
        sound = np.frombuffer(b"".join(frame.pcm for frame in world.frames), np.int16)
        assert np.abs(sound.astype(int)).max() > 3000

    in_a_call(tmp_path, story)


def test_muted_and_in_text_mode_nothing_of_the_voice_is_handed_on(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        await caller.call(Microphone(chirps(3.0)))
        await until(lambda: len(world.frames) >= 20)
        await caller.send("mute", muted=True)
        await asyncio.sleep(0.2)
        count = len(world.frames)
        await until(lambda: len(world.frames) >= count + 10)
        assert not any(
            any(frame.pcm) and np.abs(np.frombuffer(frame.pcm, np.int16)).max() > 200
            for frame in world.frames[count + 5 :]
        )
        await caller.send("mute", muted=False)
        await until(lambda: np.abs(np.frombuffer(world.frames[-1].pcm, np.int16).astype(int)).max() > 1000)
        starts = [frame.mic_sample for frame in world.frames]
        assert starts == list(range(0, FRAME * len(starts), FRAME))

    in_a_call(tmp_path, story)


def test_a_successor_of_vad_hears_the_open_utterance_again_and_then_goes_on_live(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        await caller.call(Microphone(chirps(3.0)))
        await until(lambda: len(world.frames) >= 60)
        before = {frame.mic_sample: frame.pcm for frame in world.frames}
        world.frames.clear()
        world.open(session["session"], route=6, replaced=("vad",), mic_from=20 * FRAME, utterance=1)
        await until(lambda: len(world.frames) >= 60)
        again = [frame for frame in world.frames if frame.route == 6]
        starts = [frame.mic_sample for frame in again]
        assert starts == list(range(20 * FRAME, 20 * FRAME + FRAME * len(again), FRAME))
        assert all(before[frame.mic_sample] == frame.pcm for frame in again if frame.mic_sample in before)

    in_a_call(tmp_path, story)


def test_an_acknowledgement_becomes_the_programmes_sample(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        await caller.call()
        await world.play(session["session"], 20)
        await caller.send("ping", t=1000.0)
        await caller.hears("pong")
        rtp = (session["audio_offset"] + 960 * 12 + 100) % 2**32
        await caller.send("played", rtp=rtp, t=1001.0)
        played = await until(lambda: world.of(Played))
        assert played[0].programme_sample == 960 * 12 + 100
        await caller.send("played", rtp=(rtp + 10_000_000) % 2**32, t=1002.0)
        await caller.send("played", rtp=(rtp + 960) % 2**32, t=1003.0)
        await until(lambda: len(world.of(Played)) == 2)
        assert world.of(Played)[1].programme_sample == 960 * 13 + 100

    in_a_call(tmp_path, story)


def test_words_reach_the_page_with_the_rtp_time_at_which_they_sound(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        world.tick(session["session"], 7, words=((3, 0, 2, "hello", 960 * 7 + 5, 4000),), speaking=True, turn=3)
        words = (await caller.hears("words"))["words"]
        assert words == [[3, 0, 2, "hello", (session["audio_offset"] + 960 * 7 + 5) % 2**32, 4000]]
        assert not caller.all("mouth"), "only 3D pages get the mouth track"

    in_a_call(tmp_path, story)


def test_words_of_an_answer_that_was_cut_no_longer_reach_the_page(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        world.tick(session["session"], 7, words=((3, 0, 2, "hello", 960 * 7, 4000),), speaking=True, turn=3)
        await caller.hears("words")
        world.event(session["session"], "turn", turn=3, what="interrupted", heard="hello", text="hello there")
        await caller.hears("turn")
        world.tick(session["session"], 8, words=((3, 0, 3, "there", 960 * 8, 4000),), speaking=True, turn=3)
        world.tick(session["session"], 9, words=((4, 0, 0, "Yes", 960 * 9, 4000),), speaking=True, turn=4)
        await caller.hears("words", 1)
        assert [word[3] for message in caller.all("words") for word in message["words"]] == ["hello", "Yes"]

    in_a_call(tmp_path, story)


def test_a_3d_page_gets_the_mouth_track_and_nobody_draws_for_it(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        for n in range(4):
            world.tick(session["session"], n, mouth=bytes([n] * 15), face={"blink": 0.5}, emotion="happy")
        await caller.hears("mouth", 1)
        frames = [frame for message in caller.all("mouth") for frame in message["frames"]]
        assert frames[3] == [960 * 3, [3] * 15, {"blink": 0.5}, "happy"]
        assert [(each.h264, each.vp8) for each in world.asked if isinstance(each, Wanted)][-1] == (0, 0)

    in_a_call(tmp_path, story, mouth=True)


def test_a_new_offer_replaces_the_old_connection(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        await caller.call(Microphone(chirps(1.0)))
        await until(lambda: len(world.frames) >= 10)
        await caller.call(Microphone(chirps(1.0)))
        count = len(world.frames)
        await until(lambda: len(world.frames) >= count + 10)
        starts = [frame.mic_sample for frame in world.frames]
        assert starts == list(range(0, FRAME * len(starts), FRAME))
        await until(lambda: [each for each in world.asked if isinstance(each, Wanted)][-1].h264 == 1)

    in_a_call(tmp_path, story)


def test_candidates_that_are_only_names_do_not_delay_or_prevent_the_call(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        def hidden(sdp: str) -> str:
            lines = [line for line in sdp.splitlines() if not line.startswith("a=candidate")]
            local = "a=candidate:1 1 udp 2122260223 4f1c6c2b-1111-4222-8333-444455556666.local 50000 typ host"
            at = next(n for n, line in enumerate(lines) if line.startswith("m=audio")) + 1
            return "\r\n".join([*lines[:at], local, *lines[at:]]) + "\r\n"

        await caller.call(edit=hidden)
        await world.play(session["session"], 10)
        await until(lambda: len(caller.packets["audio"]) > 3)

    in_a_call(tmp_path, story)


def test_a_page_that_draws_in_3d_is_drawn_no_pictures_until_it_wants_them_again(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        def wanted() -> int:
            return [each for each in world.asked if isinstance(each, Wanted)][-1].h264

        def mouths() -> list[int]:
            """Ticks by number."""
            return [frame[0] // 960 for message in caller.all("mouth") for frame in message["frames"]]

        await caller.call()
        await world.play(session["session"], 60)
        await until(lambda: wanted() == 1 and len(caller.pictures) >= 3)
        await caller.send("front", front="avatar3d")
        await until(lambda: wanted() == 0)
        sounds = len(caller.packets["audio"])
        await world.play(session["session"], 20, first=60)
        await until(lambda: len(caller.packets["audio"]) >= sounds + 15 and max(mouths(), default=0) > 70)
        assert max(sent(caller, session)) < 30, "only what was on its way still comes"
        world.asked.clear()
        await caller.send("front", front="portrait")
        await until(lambda: any(isinstance(each, KeyFrame) for each in world.asked))
        assert wanted() == 1
        before = len(caller.pictures)
        await world.play(session["session"], 40, first=80)
        await until(lambda: max(sent(caller, session)) >= 40 and len(caller.pictures) > before)
        assert max(mouths()) < 80
        assert len(caller.all("answer")) == 1, "nothing was negotiated anew"

    in_a_call(tmp_path, story)


def test_the_figure_alone_and_whole_pictures_change_places_without_a_new_offer(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        def wanted() -> tuple[int, int]:
            newest = [each for each in world.asked if isinstance(each, Wanted)][-1]
            return newest.h264, newest.h264_cutout

        def widths() -> list[int]:
            return [picture.width for picture in caller.pictures]

        await caller.call()
        playing = asyncio.ensure_future(world.play(session["session"], 3000))
        await until(lambda: wanted() == (1, 0) and len(caller.pictures) >= 3)
        assert set(widths()) == {128}
        for cutout, width in ((True, 256), (False, 128)):
            world.asked.clear()
            await caller.send("cutout", cutout=cutout)
            await until(lambda: any(isinstance(each, Wanted) for each in world.asked))
            assert wanted() == (0, 1) if cutout else (1, 0)
            keys = {each.codec for each in world.asked if isinstance(each, KeyFrame)}
            assert keys <= {"h264_cutout" if cutout else "h264"}, "a key frame of the new ones is asked for"
            await until(lambda width=width: widths()[-1] == width, 20)
        playing.cancel()
        assert len(caller.all("answer")) == 1, "nothing was negotiated anew"

    in_a_call(tmp_path, story)


def test_who_comes_back_asks_anew_for_the_figure_alone(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        await caller.send("cutout", cutout=True)
        await caller.call()
        await until(lambda: [each for each in world.asked if isinstance(each, Wanted)][-1].h264_cutout == 1)

    in_a_call(tmp_path, story)


def test_a_page_is_told_what_its_face_stands_before_when_that_changes_and_when_it_comes_back(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page, session: dict) -> None:  # type: ignore[type-arg]
        assert session["background"] == ""
        name = session["session"]
        for n, background in enumerate(("", "", "studio", "studio", "transparent", "")):
            world.tick(name, n, background=background)
        await caller.hears("background", 2)
        assert [each["background"] for each in caller.all("background")] == ["studio", "transparent", ""]
        world.tick(name, 6, background="#204060")
        await caller.hears("background", 3)
        async with page(world) as again:
            back = await again.hello(session=name, token=session["token"])
            assert back["background"] == "#204060"

    in_a_call(tmp_path, story)
