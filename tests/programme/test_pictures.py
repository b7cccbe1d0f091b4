from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from av import Packet, VideoCodecContext

from broker.messages import Draw, KeyFrame, Picture, Programme
from broker.visemes import CLOSED_MOUTH
from tests.programme.play import MS, SMALL, Play, painted, voice
from workers.programme.lips import closed
from workers.programme.ticks import due_ns, picture_sample


def pictured(play: Play) -> list[Programme]:
    return [tick for tick in play.ticks() if tick.picture >= 0]


def test_nobody_draws_and_nothing_is_encoded_while_nobody_watches() -> None:
    play = Play()
    play.run(500)
    assert not play.draws()
    play.watch(h264=0, vp8=0)
    play.run(500)
    assert not play.draws()
    assert not pictured(play)


@pytest.mark.parametrize("fps", [25, 30, 15])
def test_pictures_leave_at_their_rate_in_the_tick_that_holds_their_sample(fps: int) -> None:
    play = Play(settings=replace(SMALL, fps=fps))
    play.watch()
    play.run(200)
    play.watch()
    first = len(play.ticks())
    play.run(1_990)
    shown = [tick for tick in play.ticks()[first:] if tick.h264]
    assert len(shown) in (2 * fps, 2 * fps - 1)
    numbers = [tick.picture for tick in shown]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    for tick in shown:
        assert tick.picture_sample == picture_sample(tick.picture, fps)
        assert tick.programme_sample <= tick.picture_sample < tick.programme_sample + 960
    assert play.stage.counters["pictures_late"] == 0


def test_pictures_are_asked_for_60_ms_ahead_with_the_instant_they_are_due() -> None:
    play = Play()
    play.watch()
    play.run(500)
    asked = [(at, m) for at, m in zip(play.times, play.messages, strict=True) if isinstance(m, Draw)]
    assert asked
    for at, draw in asked:
        assert draw.deadline_ns - at == 60 * MS
        assert (draw.width, draw.height, len(draw.mouth)) == (64, 64, 15)
        assert set(draw.face) >= {"blink", "gaze_x", "gaze_y", "yaw", "pitch", "roll", "brows", "breath"}


def test_units_are_counted_so_that_a_gap_would_show() -> None:
    play = Play()
    play.watch(h264=1, vp8=1)
    play.run(1_000)
    assert [tick.h264_n for tick in pictured(play)] == list(range(1, len(pictured(play)) + 1))
    assert [tick.vp8_n for tick in pictured(play)] == list(range(1, len(pictured(play)) + 1))
    assert [tick.h264_key for tick in pictured(play)].count(True) == 1


def test_key_frames_come_on_request_merged_and_300_ms_apart() -> None:
    play = Play()
    play.watch()
    play.run(500)
    for _ in range(40):
        play.say(KeyFrame(session="a"), KeyFrame(session="a"))
        play.run(20)
    keys = [tick.tick for tick in play.ticks() if tick.h264_key]
    gaps = [b - a for a, b in itertools.pairwise(keys)]
    assert keys[1] <= 28, "at once when the last one is long ago"
    assert all(15 <= gap <= 17 for gap in gaps[1:])


def test_an_encoder_runs_only_while_its_codec_is_wanted() -> None:
    play = Play()
    play.watch(h264=1, vp8=0)
    play.run(300)
    assert not any(tick.vp8 for tick in play.ticks())
    play.watch(h264=0, vp8=1)
    first = len(play.ticks())
    play.run(300)
    assert not any(tick.h264 for tick in play.ticks()[first:])
    assert next(tick for tick in play.ticks()[first:] if tick.vp8).vp8_key
    play.watch(h264=1, vp8=1)
    first = len(play.ticks())
    play.run(300)
    assert next(tick for tick in play.ticks()[first:] if tick.h264).h264_key


def test_an_edge_that_falls_silent_wants_nothing_any_more() -> None:
    play = Play()
    play.watch(edge="one")
    play.watch(edge="two")
    for _ in range(5):
        play.run(1_000)
        play.watch(edge="one", h264=0)
    assert not any(tick.h264 for tick in play.ticks()[160:])
    assert any(tick.h264 for tick in play.ticks()[100:150])


def test_the_mouth_in_the_pictures_is_the_voices_from_the_first_ones_on() -> None:
    play = Play()
    play.watch()
    play.run(495)
    play.say(voice(samples=48_000))
    play.commit()
    play.run(800)
    begin = play.emitted()[0].programme_sample
    newest = {draw.picture // 16: draw for draw in play.draws()}
    for number, draw in newest.items():
        late = picture_sample(number, 25) - begin
        if late >= 2_400:
            assert draw.mouth[10] > 150, f"picture {late / 48} ms into the voice"
        if late < -480:
            assert draw.mouth == CLOSED_MOUTH
    assert play.stage.counters["pictures_asked_again"] >= 1


def test_a_hold_changes_the_pictures_under_way() -> None:
    play = Play()
    play.watch()
    play.say(voice(samples=96_000))
    play.commit()
    play.run(1_001)
    play.hold()
    play.run(200)
    held = next(tick for tick in play.ticks() if tick.held).programme_sample
    newest = {draw.picture // 16: draw for draw in play.draws()}
    for number, draw in newest.items():
        if picture_sample(number, 25) >= held + 3_840:
            assert closed(draw.mouth)


@pytest.mark.parametrize(("delay_ms", "number_and_attempt"), [(8, (13, 1)), (30, (13, 0))])
def test_of_a_picture_asked_for_twice_the_newest_answer_that_is_in_time_is_shown(
    delay_ms: float, number_and_attempt: tuple[int, int]
) -> None:
    seen: dict[int, tuple[int, int]] = {}

    def marked(draw: Draw) -> Picture | None:
        _number, attempt = divmod(draw.picture, 16)
        picture = painted(draw)
        assert picture
        return replace(picture, yuv=bytes((20 + 100 * attempt,)) * len(picture.yuv))

    play = Play(delay_ms=delay_ms, lipsync=marked)
    play.watch()
    play.run(495)
    play.say(voice(samples=48_000))
    play.commit()
    play.run(300)
    decoder = VideoCodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    for tick in pictured(play):
        for frame in decoder.decode(Packet(tick.h264)):
            seen[tick.picture] = (tick.picture, int(frame.to_ndarray()[32, 32] > 70))
    assert number_and_attempt in seen.values()
    assert play.stage.counters["pictures_late"] == 0


def test_a_picture_that_comes_a_little_late_leaves_in_the_next_tick_under_its_own_time() -> None:
    play = Play(delay_ms=65)
    play.watch()
    play.run(1_000)
    play.watch()
    shown = pictured(play)[3:]
    assert len(shown) > 10
    assert all(tick.programme_sample - tick.picture_sample == 960 for tick in shown if tick.picture % 2)
    assert play.stage.counters["pictures_late"] > 10


def test_without_lipsync_the_last_picture_stands_and_the_sound_goes_on() -> None:
    play = Play()
    play.watch()
    play.say(voice(samples=9 * 48_000, words=30))
    play.commit()
    play.run(1_500)
    play.lipsync = lambda draw: None
    for _ in range(5):
        play.run(1_000)
        play.watch()
    assert [tick.tick for tick in play.ticks()] == list(range(326))
    assert play.stage.counters["underruns"] == 0
    steps = [event.data["step"] for event in play.events("degraded")]
    assert steps[-1] == "still"
    assert len(steps) <= 2
    assert all(draw.picture // 16 % 2 == 0 for draw in play.draws()[-30:]), "asked for at half the rate"
    still = [tick for tick in play.ticks()[100:] if tick.picture >= 0]
    assert 3 <= len(still) <= 8, "repeated once a second, no more"
    play.lipsync = painted
    for _ in range(10):
        play.run(1_000)
        play.watch()
    steps = [event.data["step"] for event in play.events("degraded")]
    assert steps[-2:] == ["half_rate", "full"]
    assert sum(1 for tick in play.ticks()[-50:] if tick.h264) in (24, 25)


def test_when_the_voice_ends_while_lipsync_is_dead_a_closed_mouth_is_shown() -> None:
    play = Play()
    play.watch()
    play.run(500)
    play.say(voice(samples=48_000))
    play.commit()
    play.run(500)
    play.lipsync = lambda draw: None
    play.run(1_000)
    assert play.stage.counters["pictures_repeated"] >= 1
    assert bytes(pictured(play)[-1].h264)


def test_lipsync_that_was_never_there_is_no_cause_for_alarm_while_it_prepares() -> None:
    play = Play(lipsync=lambda draw: None)
    play.watch()
    for _ in range(6):
        play.run(1_000)
        play.watch()
    assert not play.events("degraded")
    assert not pictured(play)
    for _ in range(4):
        play.run(1_000)
        play.watch()
    assert [event.data["step"] for event in play.events("degraded")] == ["still"]


def test_a_late_process_encodes_no_picture_and_sends_the_sound() -> None:
    play = Play()
    play.watch()
    play.run(505)
    play.stall(55)
    play.run(0)
    late = play.ticks()[-3:]
    assert [tick.tick for tick in late] == [26, 27, 28]
    assert sum(1 for tick in late if tick.h264) <= 1
    assert all(tick.opus for tick in late)
    assert play.stage.counters["pictures_skipped"] >= 0


def test_a_picture_of_the_wrong_size_is_counted_and_not_shown() -> None:
    play = Play(lipsync=lambda draw: Picture(session="a", picture=draw.picture, width=8, height=8, yuv=bytes(96)))
    play.watch()
    play.run(500)
    assert play.stage.counters["picture_malformed"] > 10
    assert not pictured(play)


def test_a_neural_face_gets_the_voice_around_each_picture() -> None:
    play = Play(settings=replace(SMALL, voice_window_samples=9_600))
    play.watch()
    play.say(voice(samples=48_000))
    play.commit()
    play.run(500)
    assert all(len(draw.voice) == 19_200 for draw in play.draws())
    assert any(draw.voice.strip(b"\0") for draw in play.draws())


def test_the_face_of_a_sentence_shows_its_emotion_and_lets_go_of_it() -> None:
    play = Play()
    play.watch()
    play.say(voice(samples=48_000, emotion="happy"))
    play.commit()
    play.run(900)
    assert play.draws()[-1].emotion == "happy"
    assert play.draws()[-1].face["emotion_strength"] > 0.5
    play.run(1_500)
    play.watch()
    play.run(1_500)
    assert play.draws()[-1].face["emotion_strength"] == 0


def test_due_instants_of_pictures_are_their_ticks() -> None:
    play = Play()
    play.watch()
    play.run(300)
    for draw in play.draws():
        assert (draw.deadline_ns - due_ns(0, 0)) % MS == 0


def test_while_lipsync_takes_nothing_no_picture_is_asked_for_and_the_sound_goes_on() -> None:
    play = Play()
    play.watch()
    play.run(400)
    play.stage.pause(frozenset({"a"}))
    before = len(play.draws())
    play.say(voice())
    play.commit()
    play.watch()
    play.run(1_000)
    assert len(play.draws()) == before
    assert sum(segment.samples for segment in play.emitted()) >= 40_000
    play.stage.pause(frozenset())
    play.run(400)
    assert len(play.draws()) > before
