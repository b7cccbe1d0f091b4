"""What the programme does when the synthesiser, lipsync or a programme before it has died."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from broker.messages import Buffered, Credit, Emitted, Voice, Word
from tests.programme.play import Play, sine, voice


def partly(samples: int, of: int = 96_000, words: int = 10, **fields: Any) -> Voice:
    """The first samples of a sentence whose marks are all known."""
    return replace(voice(samples=of, words=words, **fields), pcm=sine(samples).tobytes(), last=False, turn_last=False)


def rest(from_word: int, words: int, length: int, **fields: Any) -> Voice:
    """What the successor says: the words from `from_word` on, counted from sample 0."""
    spans = [(k * length, (k + 1) * length) for k in range(words - from_word)]
    marks = tuple(
        Word(index=from_word + k, text=f"w{from_word + k}", start_sample=s, end_sample=e)
        for k, (s, e) in enumerate(spans)
    )
    return replace(voice(samples=length * len(spans), **fields), words=marks)


def buffered(play: Play) -> list[Buffered]:
    return [m for m in play.messages if isinstance(m, Buffered)]


def test_a_dead_synthesisers_sentence_is_kept_to_its_last_whole_word_and_goes_on_from_there() -> None:
    play = Play()
    play.say(partly(40_000))
    play.commit()
    play.run(200)
    play.open(committed=(1,), replaced=("tts",))
    play.run(1)
    assert [(b.turn, b.sentence, b.next_word, b.complete) for b in buffered(play)] == [(1, 0, 4, False)]
    play.run(30)
    play.say(rest(4, 10, 9_600))
    play.run(3_000)
    assert play.voiced() == [(0, 0, 96_000)]
    assert [c[2] for tick in play.ticks() for c in tick.words] == list(range(10))
    assert [w.index for e in play.emitted() for w in e.words] == list(range(10))


def test_a_word_cut_by_the_crash_is_said_again_and_shown_once() -> None:
    play = Play()
    play.say(partly(12_000))
    play.commit()
    play.run(600)
    play.open(committed=(1,), replaced=("tts",))
    play.run(1)
    assert buffered(play)[0].next_word == 1
    play.say(rest(1, 10, 9_600))
    play.run(3_000)
    assert [c[2] for tick in play.ticks() for c in tick.words] == list(range(10))
    reported = [w for e in play.emitted() for w in e.words]
    assert [w.index for w in reported] == [0, 1, *range(1, 10)]
    assert play.emitted()[-1].turn_last


def test_a_complete_sentence_is_kept_and_what_follows_it_is_forgotten() -> None:
    play = Play()
    play.say(voice(samples=48_000, turn_last=False), partly(10_000, sentence=1))
    play.commit()
    play.run(100)
    play.open(committed=(1,), replaced=("tts",))
    play.run(1)
    assert [(b.turn, b.sentence, b.next_word, b.complete) for b in buffered(play)] == [(1, 0, 4, True)]
    play.say(voice(sentence=1, samples=48_000))
    play.run(3_000)
    assert play.voiced()[0] == (0, 0, 48_000)
    assert sum(e.samples for e in play.emitted() if e.sentence == 1) == 48_000


def test_between_sentences_the_next_one_is_asked_for() -> None:
    play = Play()
    play.say(voice(samples=4_800, turn_last=False))
    play.commit()
    play.run(300)
    play.open(committed=(1,), replaced=("tts",))
    play.run(1)
    assert [(b.turn, b.sentence, b.next_word, b.complete) for b in buffered(play)] == [(1, 1, 0, False)]


def test_with_nothing_in_hand_the_answer_is_turn_0() -> None:
    play = Play()
    play.open(replaced=("tts",))
    play.run(1)
    assert buffered(play)[0].turn == 0


def test_voice_of_other_turns_is_forgotten_because_it_is_said_again() -> None:
    play = Play()
    play.say(partly(20_000), partly(20_000, turn=2))
    play.commit()
    play.run(50)
    play.open(committed=(1,), replaced=("tts",))
    play.run(1)
    assert [b.turn for b in buffered(play)] == [1]
    play.cancel(1)
    play.say(voice(turn=2, samples=9_600))
    play.commit(2)
    play.run(500)
    assert sum(e.samples for e in play.emitted() if e.turn == 2) == 9_600


def test_the_successor_is_told_at_once_how_far_it_may_go() -> None:
    play = Play()
    play.say(partly(30_000))
    play.commit()
    play.run(100)
    play.open(committed=(1,), replaced=("tts",))
    credits = [m for m in play.run(25) if isinstance(m, Credit)]
    assert [(c.turn, c.sentence) for c in credits] == [(1, 0)]
    assert 48_000 - 28_800 < credits[0].through_sample < 48_000


def test_a_programmes_successor_speaks_from_the_word_the_broker_names() -> None:
    play = Play(sessions=())
    play.run(5_003)
    play.open(committed=(3,), cancelled_through=2, replaced=("programme",))
    play.watch()
    play.say(rest(4, 6, 9_600, turn=3, sentence=2))
    play.run(1_000)
    assert play.emitted()[0].sentence == 2
    assert [c[1:3] for tick in play.ticks() for c in tick.words] == [(2, 4), (2, 5)]
    first = next(tick for tick in play.ticks() if tick.h264)
    assert first.h264_key
    assert first.h264_n == 1


def test_a_successors_idle_life_is_its_predecessors() -> None:
    old, new = Play(), Play(sessions=())
    old.run(3_000)
    new.run(2_000)
    new.open(replaced=("programme",))
    new.run(1_000)
    faces = {tick.tick: tick.face for tick in old.ticks()}
    assert all(faces[tick.tick]["blink"] == tick.face["blink"] for tick in new.ticks())
    assert all(abs(faces[tick.tick]["yaw"] - tick.face["yaw"]) < 1e-6 for tick in new.ticks())


def test_a_new_lipsync_is_asked_again_for_what_its_predecessor_owed() -> None:
    play = Play(delay_ms=1_000)
    play.watch()
    play.run(100)
    owed = {draw.picture // 16 for draw in play.draws()}
    before = len(play.draws())
    play.open(replaced=("lipsync",))
    play.run(1)
    assert {draw.picture // 16 for draw in play.draws()[before:]} <= owed
    assert len(play.draws()) > before


def test_a_broker_that_starts_anew_is_told_again_what_has_left_lately() -> None:
    play = Play()
    play.say(voice(samples=48_000))
    play.commit()
    play.run(600)
    before = play.emitted()
    play.stage.report("a")
    again = [m for m in play.run(1) if isinstance(m, Emitted)]
    assert again == before
    play.run(600)
    assert play.emitted()[-1].turn_last
