"""A new broker after a killed one: it goes on where that stopped, gives nothing twice and decides nothing unread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from broker.control import Control, ControlSettings
from broker.messages import (
    WORKER_KINDS,
    Ask,
    Cancel,
    Commit,
    Emitted,
    EndUtterance,
    Hold,
    Holding,
    Message,
    Open,
    Played,
    Report,
    Resume,
    Sentence,
    Speak,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
    Transcript,
    Typed,
    Word,
)
from broker.store import Store
from tests.broker.test_control import House, S, peer, personas, speaking, to


def test_a_successor_goes_on_where_the_killed_broker_stopped(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    house = House(Store(path))
    speaking(house)
    route, state = house.route(), house.control.sessions["s1"].state
    after = House(Store(path), instances=0)
    after.run(lambda: after.control.restore(after.now_ns))
    assert after.control.sessions["s1"].state.dialogue == state.dialogue
    assert after.control.sessions["s1"].state.answer is not None
    after.up(2)
    assert to(after.sent, Report)
    sent = after(
        Emitted(
            session="s1",
            route=route,
            turn=1,
            sentence=0,
            start_sample=28800,
            programme_sample=76800,
            samples=9600,
            words=(Word(index=3, text="nine", start_sample=28800, end_sample=38400),),
        )
    )
    answer = after.control.sessions["s1"].state.answer
    assert answer
    assert [word.text for word in answer.hearing.words] == ["We", "open", "at", "nine"]
    after(Holding(session="s1", route=route, kind="llm", facts={"turns": [1]}))
    sent = after.wait(2.0)
    assert to(sent, Open)[0][1].committed == (1,)
    assert not to(sent, Ask), "the brain is still at it"
    assert after.route() == route


def test_a_question_that_never_left_the_killed_broker_is_asked_by_its_successor(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    house = House(Store(path))
    house.present()
    house.from_(Typed(text="when do you open"))
    after = House(Store(path), instances=0)
    after.control.restore(after.now_ns)
    after.up(2)
    (ask,) = [ask for _, ask in to(after.wait(2.0), Ask)]
    assert (ask.turn, ask.text) == (1, "when do you open")


def restarted(path: Path, now_ns: int = 100 * S) -> House:
    """A successor of a killed broker, everybody still there."""
    after = House(Store(path), instances=0)
    after.now_ns = now_ns
    after.control.restore(after.now_ns)
    after.up(2)
    return after


def test_an_utterance_of_which_a_killed_broker_took_the_news_along_is_answered(tmp_path: Path) -> None:
    """vad and asr say again how it stands, in any order."""
    path = tmp_path / "v.sqlite"
    house = House(Store(path))
    house.present()
    house.from_(Played(programme_sample=0))
    after = restarted(path)
    final = Transcript(utterance=0, n=9, text="when do you open", final=True, language="en", through_sample=30_000)
    assert not to(after.from_(final), Ask)
    sent = after.from_(SpeechStarted(utterance=0, mic_sample=8_000))
    sent += after.from_(SpeechEnded(utterance=0, mic_sample=30_000))
    ((_, ask),) = to(sent, Ask)
    assert ask.text == "when do you open"
    again = after.from_(SpeechStarted(utterance=0, mic_sample=8_000)) + after.from_(final) + after.wait(3.0)
    assert {each.turn for _, each in to(again, Ask)} <= {ask.turn}, "told again it is not answered again"


def test_final_words_that_a_killed_broker_had_not_asked_for_yet_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    house = House(Store(path))
    house.present()
    house.from_(Played(programme_sample=0))
    house.from_(SpeechStarted(utterance=0, mic_sample=8_000))
    house.from_(
        Transcript(utterance=0, n=1, text="when do you open", final=False, language="en", through_sample=30_000)
    )
    house.from_(SpeechEnded(utterance=0, mic_sample=30_000))
    after = restarted(path)
    assert [(name, m.utterance) for name, m in to(after.wait(2.0), EndUtterance)] == [("vad-1", 0), ("asr-1", 0)]


@pytest.mark.parametrize(("stopped", "end"), [(False, Cancel), (True, Resume)])
def test_a_hold_that_a_killed_broker_began_is_ended_by_its_successor(
    tmp_path: Path, stopped: bool, end: type[Message]
) -> None:
    """Who went on speaking has the floor; who had stopped, and of whom no words came, gives it back."""
    path = tmp_path / "v.sqlite"
    house = House(Store(path))
    speaking(house)
    sent = house.from_(SpeechStarted(utterance=0, mic_sample=8_000))
    assert "programme-1" in {name for name, _ in to(sent, Hold)}
    after = restarted(path)
    marks = [SpeechPaused(utterance=0, mic_sample=11_000, silence_ms=100, p_end=0.5)] if stopped else []
    sent = [each for mark in marks for each in after.from_(mark)] + after.wait(2.0)  # a vad says its marks again
    ends = [type(message) for name, message in (*to(sent, Cancel), *to(sent, Resume)) if name == "programme-1"]
    assert ends == [end]
    assert [opened.held for name, opened in to(sent, Open) if name == "programme-1"] == [False]


def heard_but_for_the_last_word(house: House) -> None:
    """An answer has left the programme; the person speaks before the page has said that it played its end."""
    house.present()
    house.from_(Typed(text="when do you open"))
    house.from_(Played(programme_sample=0))
    house.from_(Sentence(turn=1, n=0, text="At nine.", language="en", last=True))
    words = (
        Word(index=0, text="At", start_sample=0, end_sample=4800),
        Word(index=1, text="nine.", start_sample=4800, end_sample=9600),
    )
    house.now_ns += S
    house.from_(
        Emitted(
            turn=1,
            sentence=0,
            start_sample=0,
            programme_sample=4800,
            samples=9600,
            words=words,
            last=True,
            turn_last=True,
        )
    )
    house.from_(Played(programme_sample=9600))
    house.from_(SpeechStarted(utterance=0, mic_sample=8_000))


def in_a_pause(house: House) -> None:
    house.present()
    house.from_(Played(programme_sample=0))
    house.from_(SpeechStarted(utterance=0, mic_sample=8_000))
    words = Transcript(utterance=0, n=1, text="when do you open", final=False, language="en", through_sample=30_000)
    house.from_(words)
    house.from_(SpeechPaused(utterance=0, mic_sample=30_000, silence_ms=100, p_end=0.1))


def before_the_final_words(house: House) -> None:
    in_a_pause(house)
    house.from_(SpeechEnded(utterance=0, mic_sample=30_000))


def over_the_voice(house: House) -> None:
    speaking(house)
    house.from_(SpeechStarted(utterance=0, mic_sample=8_000))


def before_the_programme_says_what_it_has(house: House) -> None:
    speaking(house)
    house.lose(peer("tts"))


def in_thought(house: House) -> None:
    house.present()
    house.from_(Played(programme_sample=0))
    house.from_(Typed(text="when do you open"))


@pytest.mark.parametrize(
    "situation",
    [
        heard_but_for_the_last_word,
        in_a_pause,
        before_the_final_words,
        over_the_voice,
        before_the_programme_says_what_it_has,
        in_thought,
    ],
)
def test_a_killed_brokers_successor_decides_nothing_before_it_has_read_what_came_meanwhile(
    tmp_path: Path, situation: Callable[[House], None]
) -> None:
    path = tmp_path / "v.sqlite"
    house = House(Store(path))
    situation(house)
    before = house.control.sessions["s1"].state
    after = restarted(path, house.now_ns + 20 * S)
    sent = after.wait(0.02)
    decided = [m for _, m in sent if isinstance(m, Ask | Cancel | Commit | EndUtterance | Hold | Resume | Speak)]
    assert decided == []
    assert after.control.sessions["s1"].state.dialogue == before.dialogue


def test_what_the_page_played_while_there_was_no_broker_was_heard(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    house = House(Store(path))
    heard_but_for_the_last_word(house)
    after = restarted(path, house.now_ns + 2 * S)
    after.wait(0.1)
    after.from_(Played(programme_sample=14_400))
    (line,) = [line for line in after.control.sessions["s1"].state.dialogue if line.role == "avatar"]
    assert (line.text, line.interrupted) == ("At nine.", False)


def test_what_was_typed_is_answered_once_however_often_a_new_broker_is_told(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    house = House(Store(path))
    house.present()
    read = Typed(text="when do you open", id="a")
    house.from_(read)
    after = restarted(path)
    assert not to(after.from_(read), Ask), "the one before had read it"
    lost = Typed(text="and on sundays", id="b")
    assert [ask.text for _, ask in to(after.from_(lost) + after.from_(lost), Ask)] == ["and on sundays"]


def test_a_process_that_did_not_outlive_the_broker_is_replaced_after_the_grace(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    house = House(Store(path))
    speaking(house)
    after = House(Store(path), instances=0)
    after.control.restore(after.now_ns)
    for kind in WORKER_KINDS:
        after.alive(peer(kind, 2))
        if kind != "programme":
            after.alive(peer(kind, 1))
    after.alive(peer("webrtc"))
    sent = after.wait(2.0)
    assert to(sent, Open)[0][1].replaced == ("programme",)
    assert [(s.n, s.from_word) for _, s in to(sent, Speak)] == [(0, 3)]


def test_no_turn_is_ever_given_twice_across_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    house = House(Store(path))
    house.present()
    turns = [ask.turn for text in ("one", "two") for _, ask in to(house.from_(Typed(text=text)), Ask)]
    after = House(Store(path), instances=0)
    after.control.restore(after.now_ns)
    after.up(2)
    turns += [ask.turn for _, ask in to(after(Typed(session="s1", route=0, text="three")), Ask)]
    assert turns == sorted(set(turns))
    assert len(turns) == 3


def test_after_a_restart_of_the_machine_old_sessions_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    speaking(House(Store(path)))
    after = Control(ControlSettings(), personas, Store(path), "boot-2")
    after.restore(0)
    after.write_down(0)
    assert not after.sessions
    assert Store(path).load() == []
