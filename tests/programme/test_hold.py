"""Holding, resuming and cancelling as listeners, the page and the broker see it."""

from __future__ import annotations

import random

import pytest

from broker.visemes import CLOSED_MOUTH
from tests.programme.play import OPEN_MOUTH, Play, voice


def speaking(samples: int = 96_000, words: int = 10) -> Play:
    play = Play()
    play.watch()
    play.say(voice(samples=samples, words=words))
    play.commit()
    play.run(310)
    return play


def test_a_hold_stops_the_segments_at_once_and_closes_the_mouth_within_80_ms() -> None:
    play = speaking()
    assert play.ticks()[-1].mouth == OPEN_MOUTH
    first = len(play.ticks())
    play.hold()
    messages = play.run(200)
    assert not [m for m in messages if type(m).__name__ == "Emitted"]
    after = play.ticks()[first:]
    assert all(tick.held and not tick.speaking for tick in after)
    assert [tick.mouth == CLOSED_MOUTH for tick in after][4:] == [True] * (len(after) - 4)
    assert after[0].mouth[10] > after[1].mouth[10] > after[2].mouth[10]


def test_a_resumed_answer_loses_and_repeats_no_whole_word() -> None:
    play = speaking(samples=96_000, words=10)
    play.hold()
    play.run(300)
    play.resume()
    play.run(3_000)
    assert [(start, end) for _, start, end in play.voiced()] == [(0, 16 * 960), (9_600, 96_000)]
    captions = [c[2] for tick in play.ticks() for c in tick.words]
    assert captions == list(range(10)), "each word is shown once"
    assert [word.index for e in play.emitted() for word in e.words] == [0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]


def heard_from(play: Play) -> int:
    """The programme_sample of the first voice."""
    return play.emitted()[0].programme_sample


def test_what_was_on_its_way_at_a_hold_is_said_again_from_the_word_cut_at_the_ear() -> None:
    play = speaking(samples=96_000, words=10)
    heard = heard_from(play) + 10_000  # the second word had begun, the first was over; 5 360 samples were on their way
    play.hold()
    play.run(300)
    play.resume(heard)
    play.run(3_000)
    assert [(start, end) for _, start, end in play.voiced()] == [(0, 16 * 960), (9_600, 96_000)]
    assert {e.resumed_from for e in play.emitted()} == {-1, heard}
    assert play.emitted()[-1].turn_last


def test_a_word_that_had_not_begun_at_the_ear_is_not_lost() -> None:
    play = speaking(samples=96_000, words=10)
    heard = heard_from(play) + 4_000
    play.hold()
    play.run(300)
    play.resume(heard)
    play.run(3_000)
    assert [(start, end) for _, start, end in play.voiced()] == [(0, 16 * 960), (0, 96_000)]
    captions = [c[2] for tick in play.ticks() for c in tick.words]
    assert captions == list(range(10)), "each word is shown once"


def test_a_sentence_that_had_left_and_was_not_heard_to_its_end_is_taken_up_again() -> None:
    play = Play()
    play.say(voice(samples=9_600, words=2, turn_last=False), voice(sentence=1, samples=48_000, words=5))
    play.commit()
    play.run(260)
    first = heard_from(play)
    assert play.emitted()[-1].sentence == 1
    play.hold()
    play.run(300)
    play.resume(first + 6_000)
    play.run(3_000)
    again = [e for e in play.emitted() if e.resumed_from >= 0]
    assert (again[0].sentence, again[0].start_sample) == (0, 4_800)
    assert [e.sentence for e in again if e.last] == [0, 1]
    assert next(e for e in again if e.sentence == 1).start_sample == 0


def test_the_end_of_a_turn_that_was_not_heard_is_said_again() -> None:
    play = Play()
    play.say(voice(samples=9_600, words=2))
    play.commit()
    play.run(400)
    assert play.emitted()[-1].turn_last
    play.hold()
    play.run(300)
    play.resume(heard_from(play) + 6_000)
    play.run(1_000)
    again = [e for e in play.emitted() if e.resumed_from >= 0]
    assert [(e.start_sample, e.last, e.turn_last) for e in again] == [
        (4_800 + k * 960, k == 4, k == 4) for k in range(5)
    ]


def test_a_turn_that_was_heard_to_its_end_stays_over() -> None:
    play = Play()
    play.say(voice(samples=9_600, words=2))
    play.commit()
    play.run(400)
    play.hold()
    play.run(300)
    play.resume(heard_from(play) + 9_600)
    play.run(1_000)
    assert not [e for e in play.emitted() if e.resumed_from >= 0]


def test_phones_are_announced_again_where_they_moved() -> None:
    play = speaking()
    play.hold()
    play.run(300)
    play.resume()
    play.run(100)
    first, second = play.events("phonemes")
    assert len(first.data["items"]) == 10
    assert second.data["items"][0][1] == 9_600
    resumed = next(e for e in play.emitted() if e.programme_sample > 25_000)
    assert second.data["programme_sample"] == resumed.programme_sample - resumed.start_sample


@pytest.mark.parametrize("seed", range(6))
def test_many_holds_lose_no_word(seed: int) -> None:
    rng = random.Random(seed)
    play = Play()
    play.say(voice(samples=4 * 48_000, words=16, turn_last=False), voice(sentence=1, samples=48_000, words=5))
    play.commit()
    for _ in range(12):
        play.run(rng.uniform(20, 500))
        play.hold()
        play.run(rng.uniform(0, 300))
        play.resume()
    play.run(6_000)
    whole: set[tuple[int, int]] = set()
    for sentence, start, end in play.voiced():
        length = 12_000 if sentence == 0 else 9_600
        whole |= {(sentence, k) for k in range(16) if start <= k * length and (k + 1) * length <= end}
    assert whole >= {(0, k) for k in range(16)} | {(1, k) for k in range(5)}
    captions = [c[1:3] for tick in play.ticks() for c in tick.words]
    assert captions == [(0, k) for k in range(16)] + [(1, k) for k in range(5)]
    assert play.emitted()[-1].turn_last


def test_nothing_cancelled_leaves_in_any_later_tick_and_the_next_turn_starts_in_the_first() -> None:
    play = speaking()
    play.say(voice(turn=2))
    play.cancel(1)
    play.commit(2)
    first = len(play.emitted())
    play.run(500)
    later = play.emitted()[first:]
    assert {e.turn for e in later} == {2}
    assert later[0].programme_sample == play.emitted()[first - 1].programme_sample + 960
    assert not any(c[0] == 1 for tick in play.ticks()[16:] for c in tick.words)


def test_a_cancel_ends_a_hold() -> None:
    play = speaking()
    play.hold()
    play.run(100)
    play.cancel(1)
    play.say(voice(turn=2))
    play.commit(2)
    play.run(100)
    assert play.emitted()[-1].turn == 2
    assert not play.ticks()[-1].held
