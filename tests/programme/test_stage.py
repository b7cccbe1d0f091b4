from __future__ import annotations

from dataclasses import replace

import pytest

from broker.messages import Close, Commit, Credit, Emitted, KeyFrame, Picture, Programme, Voice
from tests.programme.play import MS, ORIGIN_NS, Play, pieces, voice
from workers.programme.ticks import TICK_NS


def test_every_20_ms_leaves_one_tick_from_the_origin_on() -> None:
    play = Play()
    play.run(1_000)
    assert [tick.tick for tick in play.ticks()] == list(range(51))
    assert [tick.programme_sample for tick in play.ticks()] == [960 * n for n in range(51)]
    ticks = [at for at, m in zip(play.times, play.messages, strict=True) if isinstance(m, Programme)]
    assert ticks == [ORIGIN_NS + n * TICK_NS for n in range(51)]


def test_before_the_origin_nothing_leaves() -> None:
    play = Play(origin_ns=ORIGIN_NS + 100 * MS)
    play.run(95)
    assert not play.ticks()
    play.run(10)
    assert [tick.tick for tick in play.ticks()] == [0]


def test_a_stage_without_sessions_wants_nothing() -> None:
    play = Play(sessions=())
    assert play.stage.due_ns is None
    assert play.stage.step(ORIGIN_NS) == []


def test_a_successor_starts_with_the_present_tick() -> None:
    play = Play(sessions=())
    play.run(10_007)
    play.open(replaced=("programme",))
    play.run(50)
    assert [tick.tick for tick in play.ticks()] == [501, 502]


def test_a_short_delay_is_made_up_for_and_a_long_one_is_not() -> None:
    play = Play()
    play.run(100)
    play.stall(50)
    play.run(0)
    assert [tick.tick for tick in play.ticks()] == list(range(8))
    play.stall(1_000)
    play.run(0)
    assert [tick.tick for tick in play.ticks()][8:] == [57]
    assert play.stage.counters["ticks_skipped"] == 49
    play.run(60)
    assert [tick.tick for tick in play.ticks()][9:] == [58, 59, 60]


def test_a_long_delay_costs_time_and_no_voice() -> None:
    play = Play()
    play.say(voice())
    play.commit()
    play.run(200)
    play.stall(500)
    play.run(2_000)
    assert [(start, end) for _, start, end in play.voiced()] == [(0, 11 * 960), (11 * 960, 48_000)]


def test_segments_say_exactly_what_went_out_and_when() -> None:
    play = Play()
    play.say(*pieces(voice(samples=10_000, words=5), 960))
    play.run(100)
    play.commit()
    play.run(500)
    emitted = play.emitted()
    assert emitted[0].programme_sample == 6 * 960
    assert all(e.programme_sample - e.start_sample == 6 * 960 for e in emitted)
    assert sum(e.samples for e in emitted) == 10_000
    assert [(e.last, e.turn_last) for e in emitted] == [(False, False)] * 10 + [(True, True)]
    words = [word for e in emitted for word in e.words]
    assert [word.text for word in words] == ["w0", "w1", "w2", "w3", "w4"]
    for e in emitted:
        assert all(e.start_sample <= word.start_sample < e.start_sample + e.samples for word in e.words)


def test_ticks_say_who_speaks_and_carry_captions_where_words_start() -> None:
    play = Play()
    play.say(voice(turn=7, sentence=2, samples=9_600, words=2))
    play.commit(7)
    play.run(400)
    spoken = [tick for tick in play.ticks() if tick.speaking]
    assert [(tick.turn, tick.sentence) for tick in spoken] == [(7, 2)] * 10
    assert [c for tick in play.ticks() for c in tick.words] == [
        (7, 2, 0, "w0", 0, 4_800),
        (7, 2, 1, "w1", 4_800, 4_800),
    ]
    assert not any(tick.turn or tick.sentence for tick in play.ticks() if not tick.speaking)


def test_phonemes_and_visemes_are_announced_when_the_sentence_begins_to_sound() -> None:
    play = Play()
    play.say(voice(samples=9_600, words=2))
    play.run(50)
    assert not play.events("phonemes")
    play.commit()
    play.run(300)
    (phonemes,), (visemes,) = play.events("phonemes"), play.events("visemes")
    assert phonemes.data == {
        "sentence": 0,
        "programme_sample": 3 * 960,
        "items": [["AA", 0, 4_800], ["AA", 4_800, 9_600]],
    }
    assert visemes.data["items"] == [["aa", 0, 9_600]]


def test_the_synthesiser_is_asked_for_about_a_second_ahead_and_no_more() -> None:
    play = Play()
    whole = pieces(voice(samples=5 * 48_000, words=10), 480)
    through, sent = 48_000, 0
    play.commit()
    most = 0
    for _ in range(700):
        while sent < len(whole) and whole[sent].start_sample + 480 <= through:
            play.say(whole[sent])
            sent += 1
        for message in play.run(10):
            if isinstance(message, Credit):
                assert (message.turn, message.sentence) == (1, 0)
                assert message.through_sample > through
                through = message.through_sample
            if isinstance(message, Emitted):
                most = max(most, sent * 480 - message.start_sample)
    assert sent == len(whole)
    assert 47_000 < most <= 48_960
    assert play.emitted()[-1].turn_last
    assert play.stage.counters["underruns"] == 0


def test_a_finished_short_sentence_gives_its_credit_to_the_next() -> None:
    play = Play()
    play.say(voice(samples=9_600, turn_last=False))
    granted = [m for m in play.run(30) if isinstance(m, Credit)]
    assert [(c.turn, c.sentence, c.through_sample, c.buffered_samples) for c in granted] == [(1, 1, 38_400, 9_600)]


def test_a_known_session_keeps_its_voice_and_clock_when_its_route_changes() -> None:
    play = Play()
    play.say(voice())
    play.commit()
    play.run(100)
    play.open(committed=(1,), replaced=("llm",))
    play.run(1_000)
    assert play.voiced() == [(0, 0, 48_000)]
    assert [tick.tick for tick in play.ticks()] == list(range(56))


def test_an_open_of_a_successor_restores_the_gate() -> None:
    play = Play(committed=(5,), cancelled_through=3, held=True)
    play.say(voice(turn=3), voice(turn=5))
    play.run(100)
    assert not play.emitted()
    assert play.stage.counters["voice_stale"] == 1
    play.resume()
    play.run(100)
    assert play.emitted()[0].turn == 5


def test_a_closed_session_falls_silent_and_is_forgotten() -> None:
    play = Play()
    play.run(50)
    play.say(Close(session="a", reason="bye"))
    assert not play.run(100)
    assert play.stage.report("a") == {}
    play.say(voice())
    assert play.stage.counters["unknown_session"] == 1


def test_a_report_says_what_is_held() -> None:
    play = Play()
    play.say(voice(samples=1_920, turn_last=False), voice(sentence=1, last=False, turn_last=False), voice(turn=2))
    play.commit()
    play.run(60)
    play.hold()
    assert play.stage.report("a") == {
        "turn": 1,
        "committed": [1],
        "finished": [],
        "cancelled_through": 0,
        "held": True,
        "programme_sample": 4 * 960,
        "sentences": [[1, 0, 1_920, 1, 1_920], [1, 1, 48_000, 0, 1_920], [2, 0, 48_000, 1, 0]],
    }


def test_eight_sessions_keep_their_own_clocks_and_voices() -> None:
    names = tuple("abcdefgh")
    play = Play(sessions=())
    for k, name in enumerate(names):
        play.open(name, origin_ns=ORIGIN_NS + k * 7 * MS % 20 * MS)
        play.watch(session=name)
    for k, name in enumerate(names):
        play.say(replace(voice(turn=k + 1, samples=9_600), session=name), Commit(session=name, turn=k + 1))
    play.run(1_000)
    for k, name in enumerate(names):
        ticks = play.ticks(name)
        assert [tick.tick for tick in ticks][:50] == list(range(50))
        assert {tick.turn for tick in ticks} == {0, k + 1}
        assert sum(1 for tick in ticks if tick.h264) >= 22
        said = [m for m in play.messages if isinstance(m, Emitted) and m.session == name]
        assert sum(e.samples for e in said) == 9_600
    assert all(m.session in names for m in play.messages)


@pytest.mark.parametrize(
    "message",
    [
        Voice(session="a", turn=1, sentence=0, start_sample=-1, pcm=b"x", mouth=b"123", mouth_from=-7),
        Voice(session="a", turn=1, sentence=-3, start_sample=10**12, pcm=bytes(2)),
        Voice(session="a", turn=1, sentence=0, start_sample=0, pcm=bytes(4_000), mouth=bytes(30), mouth_from=10**9),
        Voice(session="a", turn=1, sentence=0, start_sample=0, pcm=bytes(4_000), tags={"emotion": 3}),
        Picture(session="a", picture=-1, width=64, height=64, yuv=bytes(6_144)),
        Picture(session="a", picture=0, width=640, height=64, yuv=b""),
        KeyFrame(session="a", codec="av1"),
        Close(session="nobody", reason="x"),
    ],
)
def test_nonsense_does_not_stop_the_clock(message: Voice) -> None:
    play = Play()
    play.watch()
    play.commit()
    play.run(50)
    play.say(message)
    play.run(500)
    assert [tick.tick for tick in play.ticks()] == list(range(28))
