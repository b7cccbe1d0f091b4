"""Sessions and processes: who is let in, who serves whom, what happens when somebody dies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from broker.control import Control, ControlSettings
from broker.errors import ConfigError
from broker.messages import (
    WORKER_KINDS,
    Alive,
    Ask,
    Buffered,
    Cancel,
    Close,
    Commit,
    Emitted,
    Event,
    Fleet,
    Gone,
    Holding,
    Message,
    Open,
    Peer,
    Played,
    Present,
    Refused,
    Report,
    Sentence,
    Speak,
    SpeechPaused,
    SpeechStarted,
    Transcript,
    Typed,
    Word,
)
from broker.sessions import Outgoing, Session
from broker.store import Store
from broker.turns import Timer

S = 1_000_000_000
TOKEN = hashlib.sha256(b"secret").hexdigest()
LONG = "We open at nine in the morning and we close at six in the evening."
M = TypeVar("M", bound=Message)


def personas(name: str) -> dict[str, Any]:
    if name not in ("host", "campus"):
        raise ConfigError(f"There is no persona {name!r}. Known personas: campus, host.")
    return {"id": name, "languages": ("en",), "greeting": "Hello.", "turns": {}}


def peer(kind: str, number: int = 1, incarnation: str = "a") -> Peer:
    name = f"{kind}-{number}"
    return Peer(
        kind=kind, name=name, incarnation=incarnation, data=f"{name}.{incarnation}.d", control=f"{name}.{incarnation}.c"
    )


class House:
    """A `Control` with processes around it that only take notes."""

    def __init__(self, store: Store | None = None, instances: int = 2, **settings: Any) -> None:
        self.now_ns = 100 * S
        self.control = Control(ControlSettings(**settings), personas, store, "boot-1")
        self.sent: list[tuple[str, Message]] = []
        self.published: list[Event] = []
        self.ended: list[str] = []
        self.up(instances)

    def up(self, instances: int) -> None:
        for kind in WORKER_KINDS:
            for number in range(1, instances + 1):
                self.alive(peer(kind, number))
        self.alive(peer("webrtc"))

    def alive(self, of: Peer, state: str = "ready", **more: Any) -> None:
        self(Alive(peer=of, state=state, **more))

    def __call__(self, message: Message) -> list[tuple[str, Message]]:
        return self.run(lambda: self.control.accept(message, self.now_ns))

    def run(self, action: Callable[[], object]) -> list[tuple[str, Message]]:
        action()
        self.control.write_down(self.now_ns)
        outbox = self.control.drain()
        sent = [(to.name, message) for to, message in outbox.send]
        self.sent += sent
        self.published += outbox.publish
        self.ended += outbox.ended
        return sent

    def wait(self, seconds: float) -> list[tuple[str, Message]]:
        end, sent = self.now_ns + int(seconds * S), []
        while (due := self.control.due_ns(self.now_ns)) <= end:
            self.now_ns = max(self.now_ns, due)
            for process in self.control.registry.of(*WORKER_KINDS, "webrtc"):
                self.control.accept(process.alive, self.now_ns)
            sent += self.run(lambda: self.control.tick(self.now_ns))
        self.now_ns = end
        return sent

    def lose(self, of: Peer) -> list[tuple[str, Message]]:
        return self.run(lambda: self.control.lost(of, self.now_ns))

    def present(self, session: str = "s1", **more: Any) -> list[tuple[str, Message]]:
        values: dict[str, Any] = {"persona": "host", "token_hash": TOKEN, "edge": peer("webrtc")} | more
        return self(Present(session=session, **values))

    def route(self, session: str = "s1") -> int:
        return self.control.sessions[session].route.id

    def from_(self, message: Message, session: str = "s1") -> list[tuple[str, Message]]:
        """A message over the session's current route."""
        values = {**vars(message), "session": session, "route": self.route(session)}
        return self(type(message)(**values))


def to(sent: list[tuple[str, Message]], kind: type[M]) -> list[tuple[str, M]]:
    return [(name, message) for name, message in sent if isinstance(message, kind)]


def one(sent: list[tuple[str, Message]], kind: type[M]) -> M:
    (found,) = [message for _, message in sent if isinstance(message, kind)]
    return found


def speaking(house: House) -> None:
    """A session in mid-answer: three words of turn 1 have left the programme."""
    house.present()
    house.from_(Typed(text="when do you open"))
    house.from_(Played(programme_sample=0))
    house.from_(Sentence(turn=1, n=0, text=LONG, language="en", last=False))
    for index, text in enumerate(LONG.split()[:3]):
        start = index * 9600
        word = Word(index=index, text=text, start_sample=start, end_sample=start + 9600)
        house.from_(
            Emitted(turn=1, sentence=0, start_sample=start, programme_sample=48000 + start, samples=9600, words=(word,))
        )


def test_a_caller_gets_a_route_with_one_process_of_each_kind() -> None:
    house = House()
    opens = to(house.present(), Open)
    assert [name for name, _ in opens] == [*(f"{kind}-1" for kind in WORKER_KINDS), "webrtc-1"]
    opened = opens[0][1]
    assert set(opened.peers) == {*WORKER_KINDS, "webrtc"}
    assert opened.route
    assert len({message.route for _, message in opens}) == 1
    assert opened.persona["id"] == "host"


def test_sessions_are_spread_and_their_ticks_staggered() -> None:
    house = House()
    first, second = (to(house.present(name), Open)[0][1] for name in ("s1", "s2"))
    assert first.peers["tts"].name != second.peers["tts"].name
    assert first.origin_ns % 20_000_000 != second.origin_ns % 20_000_000
    assert first.route != second.route


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"persona": "nobody"}, "persona"),
        ({"token_hash": ""}, "forbidden"),
        ({"session": ""}, "forbidden"),
        ({"session": "x" * 1000}, "forbidden"),
    ],
)
def test_a_caller_who_asks_for_the_impossible_is_told_why(what: dict[str, Any], code: str) -> None:
    house = House()
    refused = one(house.present(**what), Refused)
    assert refused.code == code
    assert refused.text.endswith(".")
    assert not house.control.sessions


def test_an_unknown_persona_is_answered_with_the_known_ones() -> None:
    assert "campus, host" in one(House().present(persona="nobody"), Refused).text


def test_callers_beyond_the_capacity_are_refused_and_let_in_when_one_leaves() -> None:
    house = House(capacity=2)
    house.present("s1")
    house.present("s2")
    assert one(house.present("s3"), Refused).code == "capacity"
    house.from_(Gone(final=True), "s1")
    assert to(house.present("s3"), Open)


def test_nobody_is_let_in_before_the_set_is_complete() -> None:
    house = House(instances=0)
    assert one(house.present(), Refused).code == "not_ready"
    for kind in WORKER_KINDS:
        house.alive(peer(kind), "starting", detail="loading weights")
    fleet = one(house.wait(1.0), Fleet)
    assert fleet.missing[0] == "vad: loading weights"
    for kind in WORKER_KINDS:
        house.alive(peer(kind))
    assert one(house.wait(1.0), Fleet).missing == ()
    assert to(house.present(), Open)


def test_only_the_owner_of_the_token_comes_back() -> None:
    house = House()
    house.present()
    assert one(house.present(token_hash=hashlib.sha256(b"guess").hexdigest()), Refused).code == "forbidden"
    opened = one(house.present(), Open)
    assert opened.replaced == ()
    assert opened.route == house.route()


def test_a_session_lives_sixty_seconds_without_its_caller() -> None:
    house = House()
    house.present()
    house.from_(Gone())
    assert not to(house.wait(59.0), Close)
    closes = to(house.wait(3.0), Close)
    assert len(closes) == 7
    assert closes[0][1].reason == "away"
    assert not house.control.sessions


def test_a_caller_who_comes_back_in_time_keeps_the_conversation() -> None:
    house = House()
    speaking(house)
    house.from_(Gone())
    house.wait(30.0)
    house.present()
    house.wait(40.0)
    assert "s1" in house.control.sessions
    dialogue = [event for event in house.published if event.kind == "dialogue"][-1]
    assert dialogue.data["lines"][0]["text"] == "when do you open"


def test_typed_text_becomes_a_question_to_the_brain() -> None:
    house = House()
    house.present()
    ((name, ask),) = to(house.from_(Typed(text="when do you open")), Ask)
    assert name == "llm-1"
    assert (ask.session, ask.route, ask.turn) == ("s1", house.route(), 1)


def test_accepted_turns_are_told_to_brain_and_voice_and_sound_only_with_words() -> None:
    house = House()
    house.present()
    accepted = to(house.from_(Typed(text="when do you open")), Commit)
    house.from_(Played(programme_sample=0))
    assert sorted(name for name, _ in accepted) == ["llm-1", "tts-1"]
    committed = to(house.from_(Sentence(turn=1, n=0, text=LONG, language="en", last=True)), Commit)
    assert "programme-1" in [name for name, _ in committed]


def test_messages_of_unknown_sessions_and_routes_are_counted() -> None:
    house = House()
    house(Typed(session="nobody", text="hello"))
    house.present()
    house(Sentence(session="s1", route=12345, turn=1, n=0, text="x", language="en", last=True))
    house(Sentence(session="s1", route=0, turn=1, n=0, text="x", language="en", last=True))
    assert house.control.counters == {"unknown_session": 1, "stale_route": 2}


# --- deaths -----------------------------------------------------------------------------------------------------------


def test_a_dead_brain_is_asked_again_with_what_it_had_said() -> None:
    house = House()
    speaking(house)
    old = house.route()
    sent = house.lose(peer("llm"))
    opened = to(sent, Open)[0][1]
    assert opened.replaced == ("llm",)
    assert opened.peers["llm"] == peer("llm", 2)
    assert opened.committed == (1,)
    assert opened.route == house.route() != old
    ((name, ask),) = to(sent, Ask)
    assert (name, ask.turn, ask.said_so_far, ask.history) == ("llm-2", 1, (LONG,), ())
    assert not to(sent, Cancel)
    house(Sentence(session="s1", route=old, turn=1, n=1, text="From the dead.", language="en", last=True))
    assert house.control.counters["stale_route"] == 1


def test_after_the_voice_died_the_rest_is_spoken_again_from_the_word_the_programme_lacks() -> None:
    house = House()
    speaking(house)
    old = house.route()
    sent = house.lose(peer("tts"))
    assert not to(sent, Speak), "first the programme says what it has"
    late = house(Sentence(session="s1", route=old, turn=1, n=1, text="On Sundays too.", language="en", last=True))
    assert not to(late, Speak)
    sent = house.from_(Buffered(turn=1, sentence=0, next_word=5, complete=False))
    speaks = to(sent, Speak)
    assert [(name, s.n, s.from_word, s.last) for name, s in speaks] == [("tts-2", 0, 5, False), ("tts-2", 1, 0, True)]


def test_a_sentence_sent_to_the_dead_voice_is_spoken_when_it_comes_too_late_for_the_rest() -> None:
    house = House()
    speaking(house)
    old = house.route()
    house.lose(peer("tts"))
    house.from_(Buffered(turn=1, sentence=0, next_word=5, complete=False))
    late = house(Sentence(session="s1", route=old, turn=1, n=1, text="On Sundays too.", language="en", last=True))
    assert [(s.n, s.text) for _, s in to(late, Speak)] == [(1, "On Sundays too.")]
    fresh = house.from_(Sentence(turn=1, n=2, text="Bye.", language="en", last=True))
    assert not to(fresh, Speak), "the brain sent this one to the new voice itself"


def test_a_programme_that_holds_nothing_or_does_not_answer_gets_all_that_was_not_heard() -> None:
    for answers in (True, False):
        house = House()
        speaking(house)
        house.lose(peer("tts"))
        nothing = Buffered(turn=0, sentence=0, next_word=0, complete=False)
        sent = house.from_(nothing) if answers else house.wait(1.0)
        assert [(s.n, s.from_word) for _, s in to(sent, Speak)] == [(0, 3)]


def test_after_the_programme_died_speech_goes_on_from_the_first_word_that_did_not_leave_it() -> None:
    house = House()
    speaking(house)
    sent = house.lose(peer("programme"))
    opened = to(sent, Open)[0][1]
    assert (opened.replaced, opened.committed, opened.turn) == (("programme",), (1,), 1)
    assert [(s.turn, s.n, s.from_word) for _, s in to(sent, Speak)] == [(1, 0, 3)]


def test_a_sentence_is_spoken_again_whose_voice_may_have_died_with_the_programme() -> None:
    house = House()
    speaking(house)
    old = house.route()
    house.lose(peer("programme"))
    late = house(Sentence(session="s1", route=old, turn=1, n=1, text="On Sundays too.", language="en", last=True))
    assert [(s.n, s.text) for _, s in to(late, Speak)] == [(1, "On Sundays too.")]
    fresh = house.from_(Sentence(turn=1, n=2, text="Bye.", language="en", last=True))
    assert not to(fresh, Speak)


def test_nothing_is_sent_to_a_dead_edge_until_the_caller_comes_back_at_another() -> None:
    house = House()
    speaking(house)
    sent = house.lose(peer("webrtc")) + house.wait(10.0)
    assert not [message for name, message in sent if name == "webrtc-1"]
    assert "away" in [event.data.get("state") for event in house.published], "listeners are still told"
    edge = peer("webrtc", incarnation="b")
    house.alive(edge)
    back = house.present(edge=edge)
    opened = next(message for name, message in to(back, Open) if name == "webrtc-1")
    assert opened.peers["webrtc"] == edge
    assert set(opened.replaced) == {"vad", "asr", "webrtc"}
    assert to(house.from_(Played(programme_sample=0)), Speak), "the answer goes on"


def test_what_was_meant_for_a_process_that_has_just_died_is_not_sent() -> None:
    house = House()
    house.present()

    def asked_and_died() -> None:
        typed = Typed(session="s1", route=house.route(), text="when do you open")
        house.control.accept(typed, house.now_ns)
        house.control.lost(peer("llm"), house.now_ns)

    sent = house.run(asked_and_died)
    assert "llm-1" not in [name for name, _ in sent]
    assert [name for name, _ in to(sent, Ask)] == ["llm-2"]


@pytest.mark.parametrize("kind", ["vad", "asr"])
def test_the_open_utterance_is_heard_again_under_its_number(kind: str) -> None:
    house = House()
    house.present()
    house.from_(SpeechStarted(utterance=0, mic_sample=80_000))
    house.from_(Transcript(utterance=0, n=0, text="when do", final=False, language="en", through_sample=90_000))
    opened = to(house.lose(peer(kind)), Open)[0][1]
    assert (opened.replaced, opened.mic_from, opened.utterance) == ((kind,), 80_000 - 4800, 0)
    house.from_(SpeechStarted(utterance=0, mic_sample=80_000))
    house.from_(
        Transcript(utterance=0, n=0, text="when do you open", final=False, language="en", through_sample=99_000)
    )
    sent = house.from_(SpeechPaused(utterance=0, mic_sample=98_000, silence_ms=120, p_end=0.9))
    assert [ask.text for _, ask in to(sent, Ask)] == ["when do you open"]


def test_without_a_successor_the_session_waits_for_one() -> None:
    house = House(instances=1)
    speaking(house)
    sent = house.lose(peer("llm"))
    assert not to(sent, Open)
    degraded = [event for event in house.published if event.kind == "degraded"]
    assert degraded[-1].data["step"] == "missing"
    house.alive(peer("llm", incarnation="b"), "starting")
    assert not to(house.sent[-3:], Ask)
    sent = house(Alive(peer=peer("llm", incarnation="b"), state="ready"))
    assert [ask.said_so_far for _, ask in to(sent, Ask)] == [(LONG,)]


def test_a_new_incarnation_of_the_same_name_replaces_the_old_one() -> None:
    house = House(instances=1)
    speaking(house)
    sent = house(Alive(peer=peer("llm", incarnation="b"), state="ready"))
    assert to(sent, Open)[0][1].replaced == ("llm",)
    assert to(sent, Report)
    assert not house.lose(peer("llm")), "the late news of the old one's death changes nothing"


def test_a_process_that_hangs_is_replaced_after_five_seconds() -> None:
    house = House()
    speaking(house)
    house.now_ns += int(5.1 * S)
    for process in house.control.registry.of(*WORKER_KINDS, "webrtc"):
        if process.peer.name != "llm-1":
            house.control.accept(process.alive, house.now_ns)
    sent = house.run(lambda: house.control.tick(house.now_ns))
    assert to(sent, Open)[0][1].replaced == ("llm",)


def test_only_sessions_on_the_dead_process_are_touched() -> None:
    house = House()
    house.present("s1")
    house.present("s2")
    before = house.route("s2")
    used = house.control.sessions["s1"].route.peers["tts"]
    house.lose(used)
    assert house.route("s2") == before


def test_a_lost_edge_is_an_absence_and_another_edge_takes_over_from_the_first_unheard_word() -> None:
    house = House()
    speaking(house)
    sent = house.lose(peer("webrtc"))
    assert [event for event in house.published if event.kind == "state"][-1].data == {"state": "away"}
    assert not to(sent, Open)
    house.alive(peer("webrtc", 2))
    sent = house.present(edge=peer("webrtc", 2))
    opened = to(sent, Open)[0][1]
    assert opened.peers["webrtc"] == peer("webrtc", 2)
    assert set(opened.replaced) == {"webrtc", "vad", "asr"}
    assert opened.mic_from == 0
    sent = house.from_(Played(programme_sample=10_000_000))
    assert [(s.turn, s.n, s.from_word) for _, s in to(sent, Speak)] == [(2, 0, 0)], "nothing had been acknowledged"


# --- the database -----------------------------------------------------------------------------------------------------


def test_what_a_process_holds_of_an_unknown_session_is_closed() -> None:
    house = House()
    sent = house(Holding(session="ghost", route=7, kind="tts", facts={}))
    assert [(name, m.session) for name, m in to(sent, Close)] == [("tts-1", "ghost"), ("tts-2", "ghost")]


def test_a_finished_session_leaves_nothing_in_the_database(tmp_path: Path) -> None:
    store = Store(tmp_path / "v.sqlite")
    house = House(store)
    speaking(house)
    assert store.dialogue("s1")
    house.from_(Gone(final=True))
    assert store.load() == []
    assert store.dialogue("s1") == ()
    assert store.turns("s1") == []


def test_a_failing_database_is_told_and_does_not_stop_the_conversation(tmp_path: Path) -> None:
    store = Store(tmp_path / "v.sqlite")
    house = House(store)
    house.present()
    store.close()
    assert to(house.from_(Typed(text="when do you open")), Ask)
    house.wait(1.0)
    degraded = [event for event in house.published if event.kind == "degraded"]
    assert degraded[-1].data["step"] == "store"


# --- events -----------------------------------------------------------------------------------------------------------


def test_events_are_numbered_without_gaps_and_those_of_workers_reach_the_page() -> None:
    house = House()
    house.present()
    sent = house.from_(Event(kind="visemes", turn=1, data={"sentence": 0}))
    ((name, shown),) = to(sent, Event)
    assert name == "webrtc-1"
    assert shown.seq == house.published[-1].seq
    house.from_(Event(kind="latency", turn=1, data={"total_ms": 300}))
    assert house.published[-1].kind == "latency"
    assert [event.seq for event in house.published] == list(range(1, len(house.published) + 1))


def test_an_event_of_the_edge_is_not_sent_back_to_it() -> None:
    house = House()
    house.present()
    assert not to(house.from_(Event(kind="latency", data={})), Event)


def test_an_unexpected_message_is_counted_and_harms_nothing() -> None:
    house = House()
    house.present()
    house(Open(session="s1", route=house.route(), persona={}, language="en", origin_ns=0, peers={}))
    assert house.control.counters["stale_route"] + house.control.counters["unexpected"] == 1


def test_a_session_whose_turn_machine_fails_ends_alone_and_its_page_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    house, step = House(), Session.step
    house.present()
    house.present("s2")
    for session in ("s1", "s2"):
        house.from_(Typed(text="when do you open"), session)

    def fails_in_one(session: Session, event: object, now_ns: int) -> list[Outgoing]:
        if session.id == "s1" and isinstance(event, Timer):
            raise RuntimeError("boom")
        return step(session, event, now_ns)

    monkeypatch.setattr(Session, "step", fails_in_one)
    sent = house.wait(60)
    assert {(close.session, close.reason) for _, close in to(sent, Close)} == {("s1", "fault")}
    assert "webrtc-1" in [name for name, _ in to(sent, Close)]
    assert house.control.counters["broken_session"] == 1, "once, not at each look"
    assert list(house.control.sessions) == ["s2"]
    assert house.ended == ["s1"]


@pytest.mark.parametrize("way", ["bye", "away", "operator"])
def test_of_a_session_that_has_ended_nothing_is_kept_however_it_ended(way: str) -> None:
    house = House(away_s=5.0)
    house.present()
    house.present("s2")
    assert not house.ended
    if way == "bye":
        house.from_(Gone(final=True))
    elif way == "away":
        house.from_(Gone())
        house.wait(6)
    else:
        house.run(lambda: house.control.end(house.control.sessions["s1"], house.now_ns))
    assert house.ended == ["s1"]
