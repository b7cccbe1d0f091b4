from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from broker.messages import Voice, Word
from tests.programme.play import pieces, sine, voice
from workers.programme.track import FRAME_BYTES, LONGEST_SAMPLES, Track


def test_pieces_join_to_the_whole() -> None:
    track = Track(1, 0)
    assert [track.feed(piece) for piece in pieces(voice(samples=10_000), 960)] == [""] * 11
    assert track.complete
    assert track.turn_last
    assert np.array_equal(track.take(20_000), sine(10_000))
    assert track.finished


def test_a_piece_sent_twice_sounds_once() -> None:
    track = Track(1, 0)
    first, second, third = pieces(voice(samples=2_880, last=False), 960)
    assert track.feed(first) == ""
    assert track.feed(first) == "duplicate"
    assert track.feed(second) == ""
    overlap = replace(third, start_sample=1_440, pcm=voice(samples=2_880).pcm[2 * 1_440 :])
    assert track.feed(overlap) == "duplicate"
    assert np.array_equal(track.take(9_999), sine(2_880))


def test_a_hole_becomes_silence_so_that_times_stay_true() -> None:
    track = Track(1, 0)
    first, _, third = pieces(voice(samples=2_880), 960)
    track.feed(first)
    assert track.feed(third) == "gap"
    pcm = track.take(9_999)
    assert not pcm[960:1_920].any()
    assert np.array_equal(pcm[1_920:], sine(2_880)[1_920:])


@pytest.mark.parametrize(
    "broken",
    [
        Voice(turn=1, sentence=0, start_sample=-5, pcm=b"\0\0"),
        Voice(turn=1, sentence=0, start_sample=10**9, pcm=b"\0\0"),
        Voice(turn=1, sentence=0, start_sample=0, pcm=bytes(2 * (LONGEST_SAMPLES + 1))),
    ],
)
def test_nonsense_is_refused(broken: Voice) -> None:
    track = Track(1, 0)
    assert track.feed(broken) == "malformed"
    assert track.end == 0


def test_half_a_sample_and_half_a_mouth_are_left_out() -> None:
    track = Track(1, 0)
    assert track.feed(Voice(turn=1, sentence=0, start_sample=0, pcm=bytes(2_001), mouth=bytes(FRAME_BYTES + 3)))
    assert track.end == 1_000
    assert track.mouth_frame(0) == bytes(FRAME_BYTES)
    assert track.mouth_frame(480) is None


def test_a_word_is_reported_when_its_start_goes_out() -> None:
    track = Track(1, 0)
    track.feed(voice(samples=4_000, words=4))
    track.take(1_000)
    assert [word.index for word in track.words_started()] == [0]
    track.take(1)
    assert [word.index for word in track.words_started()] == [1]
    track.take(3_000)
    assert [word.index for word in track.words_started()] == [2, 3]


def test_a_word_beyond_the_end_is_moved_into_the_sentence() -> None:
    track = Track(1, 0)
    stray = Word(index=0, text="x", start_sample=5_000, end_sample=6_000)
    track.feed(Voice(turn=1, sentence=0, start_sample=0, pcm=bytes(2_000), words=(stray,), last=True))
    track.take(1_000)
    assert track.words_started() == (replace(stray, start_sample=1_000, end_sample=1_000),)


def test_rewinding_goes_to_the_start_of_the_word_that_was_cut_at_the_ear_and_reports_it_again() -> None:
    track = Track(1, 0)
    track.feed(voice(samples=40_000, words=4))
    track.take(25_000)
    track.words_started()
    track.rewind(15_000)
    assert track.position == 10_000
    track.take(10_010)
    assert [word.index for word in track.words_started()] == [1, 2]


def test_a_word_that_was_wholly_heard_is_not_said_again_however_shortly_before() -> None:
    track = Track(1, 0)
    track.feed(voice(samples=40_000, words=4))
    track.take(10_000 + 79 * 48)
    track.rewind(10_000)
    assert track.position == 10_000


def test_rewinding_in_a_pause_stays() -> None:
    track = Track(1, 0)
    lone = Word(index=0, text="x", start_sample=0, end_sample=5_000)
    track.feed(Voice(turn=1, sentence=0, start_sample=0, pcm=bytes(40_000), words=(lone,), last=True))
    track.take(9_000)
    track.rewind(6_000)
    assert track.position == 6_000


def test_rewinding_never_goes_on_beyond_what_left() -> None:
    track = Track(1, 0)
    track.feed(voice(samples=40_000, words=4))
    track.take(10_000)
    track.rewind(30_000)
    assert track.position == 10_000


def test_a_cut_keeps_whole_words_and_names_the_next() -> None:
    track = Track(1, 0)
    track.feed(replace(voice(samples=4_800, words=4), pcm=sine(3_000).tobytes(), last=False))
    assert track.cut() == 2
    assert track.end == 2_400
    again = replace(voice(samples=2_400, words=2), words=(Word(index=2, text="w2", start_sample=0, end_sample=1_200),))
    assert track.feed(again) == ""
    assert track.words[2].start_sample == 2_400
    assert track.end == 4_800
    assert track.complete


def test_a_cut_in_a_word_that_is_sounding_has_it_said_again() -> None:
    track = Track(1, 0)
    track.feed(replace(voice(samples=4_800, words=2), pcm=sine(1_700).tobytes(), last=False))
    track.take(1_700)
    track.words_started()
    assert track.cut() == 0
    assert track.end == 1_920, "rounded up to a whole mouth frame"
    assert track.position == 1_700


def test_after_a_cut_a_piece_of_the_old_speaking_is_not_taken() -> None:
    track = Track(1, 0)
    first, second, *_ = pieces(voice(samples=4_800), 960)
    track.feed(first)
    track.cut()
    assert track.feed(second) == "gap"


def test_the_window_around_a_sample_is_padded_with_silence() -> None:
    track = Track(1, 0)
    track.feed(voice(samples=1_000))
    assert len(track.window(0, 400)) == 800
    assert track.window(0, 400)[:400] == bytes(400)
    assert track.window(0, 400)[400:] == sine(1_000)[:200].tobytes()
    assert track.window(1_000, 400)[400:] == bytes(400)
    assert track.window(50_000, 400) == bytes(800)
