from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from broker.messages import Voice
from tests.programme.play import pieces, sine, voice
from workers.programme.sound import MOST_BUFFERED_SAMPLES, Sound, TickSound

STEEPEST = 9_000 * 2 * np.pi * 300 / 48_000
"""The largest step between samples of the test's sine."""


def play(sound: Sound, ticks: int) -> NDArray[np.int16]:
    return np.concatenate([sound.next_tick().pcm for _ in range(ticks)])


def clicks(pcm: NDArray[np.int16]) -> float:
    """The largest step between neighbours."""
    return float(np.abs(np.diff(pcm.astype(np.int32))).max())


def ready(whole: Voice | None = None) -> Sound:
    sound = Sound()
    for piece in pieces(whole or voice(), 4_800):
        assert sound.feed(piece) == ""
    sound.commit(1)
    return sound


def test_speculative_voice_waits_in_silence_and_sounds_in_the_tick_after_its_commit() -> None:
    sound = Sound()
    sound.feed(voice())
    assert not play(sound, 5).any()
    sound.commit(1)
    tick = sound.next_tick()
    assert [(s.start_sample, s.samples) for s in tick.segments] == [(0, 960)]
    assert np.array_equal(tick.pcm[480:], sine(960)[480:])


def test_what_goes_out_is_the_voice_sample_for_sample_but_for_its_fade_in() -> None:
    assert np.array_equal(play(ready(), 50)[480:], sine(48_000)[480:])


def test_a_voice_begins_with_its_first_tick_and_not_before() -> None:
    sound = Sound()
    sound.commit(1)
    first, second, *_ = pieces(voice(), 480)
    sound.feed(first)
    assert not sound.next_tick().segments
    sound.feed(second)
    assert sound.next_tick().segments[0].samples == 960


def test_a_short_whole_sentence_does_not_wait_for_more() -> None:
    sound = ready(voice(samples=480))
    tick = sound.next_tick()
    assert tick.segments[0].turn_last
    assert sound.gate.finished == {1}


@pytest.mark.parametrize("stop", [Sound.hold, lambda sound: sound.cancel(1)])
@pytest.mark.parametrize("ticks", [3, 7, 11])
def test_a_hold_or_cancel_is_silent_after_10_ms_without_a_click(stop: Callable[[Sound], None], ticks: int) -> None:
    sound = ready(voice(samples=48_000, words=4))
    before = play(sound, ticks)
    stop(sound)
    after = play(sound, 3)
    assert after[:480].any()
    assert not after[480:].any()
    assert clicks(np.concatenate([before, after])) < 1.5 * STEEPEST


def test_no_sample_of_a_cancelled_turn_is_emitted_after_the_cancel() -> None:
    sound = ready()
    play(sound, 4)
    sound.cancel(1)
    assert sound.feed(voice()) == "stale"
    sound.commit(1)
    assert all(not sound.next_tick().segments for _ in range(60))
    assert not sound.answers


def test_a_resumed_voice_goes_on_from_the_start_of_the_cut_word_without_a_click() -> None:
    sound = ready(voice(samples=48_000, words=10))
    play(sound, 14)
    sound.hold()
    silence = play(sound, 5)
    sound.resume()
    tick = sound.next_tick()
    assert tick.segments[0].start_sample == 9_600
    assert [word.index for word in tick.segments[0].words] == [2]
    assert np.array_equal(tick.pcm[480:], sine(48_000)[9_600 + 480 : 9_600 + 960])
    assert clicks(np.concatenate([silence, tick.pcm])) < 1.5 * STEEPEST


def test_a_hold_before_anything_sounded_loses_nothing() -> None:
    sound = ready()
    sound.hold()
    assert not play(sound, 3).any()
    sound.resume()
    assert sound.next_tick().segments[0].start_sample == 0


def test_hold_and_resume_between_two_ticks_make_no_click() -> None:
    sound = ready()
    before = play(sound, 5)
    sound.hold()
    sound.resume()
    assert clicks(np.concatenate([before, play(sound, 3)])) < 2 * STEEPEST


def test_a_resume_without_a_hold_changes_nothing() -> None:
    sound = ready()
    play(sound, 5)
    sound.resume()
    assert np.array_equal(sound.next_tick().pcm, sine(48_000)[4_800:5_760])


def test_an_underrun_fades_waits_for_two_ticks_and_goes_on_with_the_very_next_sample() -> None:
    sound = Sound()
    sound.commit(1)
    parts = pieces(voice(), 480)
    for part in parts[:5]:
        sound.feed(part)
    ticks = [sound.next_tick() for _ in range(4)]
    assert [tick.underrun for tick in ticks] == [False, False, True, False]
    for part in parts[5:8]:
        sound.feed(part)
    ticks.append(sound.next_tick())
    assert not ticks[-1].segments, "30 ms are not enough"
    sound.feed(parts[8])
    ticks.append(sound.next_tick())
    spans = [(s.start_sample, s.start_sample + s.samples) for tick in ticks for s in tick.segments]
    assert spans == [(0, 960), (960, 1_920), (1_920, 2_400), (2_400, 3_360)]
    assert clicks(np.concatenate([tick.pcm for tick in ticks])) < 1.5 * STEEPEST


def test_sentences_follow_each_other_within_a_tick() -> None:
    sound = Sound()
    sound.feed(voice(sentence=0, samples=1_440, turn_last=False))
    sound.feed(voice(sentence=1, samples=2_400))
    sound.commit(1)
    tick = [sound.next_tick() for _ in range(2)][1]
    assert [(s.track.sentence, s.offset, s.samples, s.last) for s in tick.segments] == [
        (0, 0, 480, True),
        (1, 480, 480, False),
    ]


def test_an_empty_sentence_ends_the_turn_without_sound() -> None:
    sound = Sound()
    sound.feed(Voice(turn=1, sentence=0, start_sample=0, pcm=b"", last=True, turn_last=True))
    sound.commit(1)
    (segment,) = sound.next_tick().segments
    assert (segment.samples, segment.last, segment.turn_last) == (0, True, True)


def test_a_last_piece_that_comes_after_all_sound_went_out_still_ends_the_turn() -> None:
    sound = Sound()
    sound.commit(1)
    sound.feed(voice(samples=1_920, last=False, turn_last=False))
    for _ in range(4):
        sound.next_tick()
    sound.feed(Voice(turn=1, sentence=0, start_sample=1_920, pcm=b"", last=True, turn_last=True))
    (segment,) = sound.next_tick().segments
    assert (segment.start_sample, segment.samples, segment.turn_last) == (1_920, 0, True)


def test_turns_sound_one_after_the_other_whatever_the_order_of_their_commits() -> None:
    sound = Sound()
    for turn in (2, 1):
        sound.feed(voice(turn=turn, samples=1_920))
        sound.commit(turn)
    order = [s.track.turn for _ in range(6) for s in sound.next_tick().segments]
    assert order == [1, 1, 2, 2]


def test_a_committed_turn_without_voice_keeps_a_later_one_waiting_until_it_is_cancelled() -> None:
    sound = Sound()
    sound.commit(1)
    sound.feed(voice(turn=2))
    sound.commit(2)
    assert not sound.next_tick().segments
    sound.cancel(1)
    assert sound.next_tick().segments[0].track.turn == 2


def test_cancelling_an_earlier_turn_leaves_a_later_one_sounding_undisturbed() -> None:
    sound = Sound()
    sound.feed(voice(turn=2))
    sound.commit(2)
    play(sound, 2)
    sound.cancel(1)
    assert np.array_equal(sound.next_tick().pcm, sine(48_000)[1_920:2_880])


def test_a_sentence_that_comes_after_its_successor_began_is_dropped() -> None:
    sound = Sound()
    sound.commit(1)
    sound.feed(voice(sentence=1, samples=4_800, turn_last=False))
    sound.next_tick()
    assert sound.feed(voice(sentence=0)) == "order"
    play(sound, 6)
    assert sound.feed(voice(sentence=1)) == "duplicate"
    assert sound.feed(voice(sentence=0)) == "order"


def test_voice_far_beyond_all_credit_is_refused() -> None:
    sound = Sound()
    turn = 0
    while sound.buffered_samples <= MOST_BUFFERED_SAMPLES:
        turn += 1
        assert sound.feed(voice(turn=turn, samples=20 * 48_000)) == ""
    assert sound.feed(voice(turn=turn + 1)) == "beyond_credit"


def test_sound_that_overlaps_too_loudly_is_clipped_and_not_wrapped() -> None:
    sound = Sound()
    loud = np.full(48_000, 32_000, np.int16)
    for turn in (1, 2):
        sound.feed(Voice(turn=turn, sentence=0, start_sample=0, pcm=loud.tobytes(), last=True, turn_last=True))
        sound.commit(turn)
    play(sound, 3)
    sound.cancel(1)
    assert sound.next_tick().pcm.min() >= 0


def test_left_out_ticks_lose_no_sample() -> None:
    sound = ready()
    play(sound, 5)
    sound.skip()
    tick: TickSound = sound.next_tick()
    assert tick.segments[0].start_sample == 4_800
    assert abs(int(tick.pcm[0])) < 100
