"""The shell around a stage: who gets what, what is stale, what waits, what is counted."""

from __future__ import annotations

import threading

import pytest

from broker.clock import now_ns
from broker.errors import VisavisError
from broker.memory_bus import MemoryBus, MemoryHub
from broker.messages import (
    Alive,
    Cancel,
    Close,
    Emitted,
    Hold,
    Holding,
    Message,
    Open,
    Peer,
    Programme,
    Report,
    Sentence,
    Speak,
    Voice,
)
from workers import shell as shell_module
from workers.shell import Shell


class Recorder:
    """A stage that keeps what it is given and says what it is told to."""

    engine_name = "humming"
    engine_why = "humming: nothing else is here"

    def __init__(self) -> None:
        self.counters = {"seen": 3.0}
        self.accepted: list[Message] = []
        self.to_say: list[Message] = []
        self.angry = False

    def accept(self, message: Message) -> None:
        if self.angry:
            raise RuntimeError("boom")
        self.accepted.append(message)

    def step(self, now_ns: int) -> list[Message]:
        if self.angry:
            raise RuntimeError("boom")
        said, self.to_say = self.to_say, []
        return said

    @property
    def due_ns(self) -> int | None:
        return 0 if self.to_say or self.angry else None

    def report(self, session: str) -> dict[str, object]:
        return {"holds": session}


class Rig:
    """A shell for one kind among peers on a memory hub."""

    def __init__(self, kind: str) -> None:
        self.hub = MemoryHub()
        self.broker = MemoryBus("broker", "broker", self.hub)
        self.others = {
            k: MemoryBus(k, f"{k}-0", self.hub) for k in ("vad", "asr", "llm", "tts", "programme") if k != kind
        }
        self.bus = MemoryBus(kind, f"{kind}-0", self.hub)
        self.shell = Shell(kind, self.bus)
        self.stage = Recorder()
        self.shell.stage = self.stage

    def peers(self) -> dict[str, Peer]:
        return {kind: bus.peer for kind, bus in self.others.items()} | {self.bus.peer.kind: self.bus.peer}

    def open(self, route: int, replaced: tuple[str, ...] = (), cancelled_through: int = 0) -> None:
        self.broker.send(
            self.bus.peer,
            Open(
                session="s",
                route=route,
                persona={},
                language="en",
                origin_ns=0,
                peers=self.peers(),
                replaced=replaced,
                cancelled_through=cancelled_through,
            ),
        )
        self.turn()

    def give(self, message: Message, route: int, sender: str = "broker") -> None:
        bus = self.broker if sender == "broker" else self.others[sender]
        bus.send(self.bus.peer, message, route)
        self.turn()

    def turn(self) -> None:
        self.shell.turn(now_ns())

    def got(self, kind: type[Message]) -> list[Message]:
        return [m for m in self.stage.accepted if isinstance(m, kind)]


def speak(turn: int = 1, n: int = 0) -> Speak:
    return Speak(session="s", turn=turn, n=n, text="hello", language="en", last=True)


def test_a_ready_stage_tells_which_engine_it_has_and_why() -> None:
    rig = Rig("tts")
    rig.turn()
    (alive,) = [m for m in rig.broker.receive(0) if isinstance(m, Alive)]
    assert (alive.state, alive.engine, alive.detail) == ("ready", "humming", "humming: nothing else is here")
    rig.shell.stage = None
    rig.shell._next_alive_ns = 0
    rig.turn()
    (alive,) = [m for m in rig.broker.receive(0) if isinstance(m, Alive)]
    assert (alive.state, alive.detail) == ("starting", "starting")


def test_a_message_before_its_open_waits_for_it() -> None:
    rig = Rig("tts")
    rig.give(speak(), route=5)
    assert rig.stage.accepted == []
    rig.open(5)
    assert [type(m) for m in rig.stage.accepted] == [Open, Speak]


def test_a_message_that_nothing_explains_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig("tts")
    monkeypatch.setattr(shell_module, "EARLY_FOR_NS", -1)
    rig.give(speak(), route=9)
    rig.open(5)
    rig.shell._next_alive_ns = 0
    rig.turn()
    assert rig.got(Speak) == []
    assert rig.shell.counters["dropped_unknown"] == 1


def test_a_cancelled_turn_is_dropped_in_one_place() -> None:
    rig = Rig("tts")
    rig.open(5)
    rig.give(Cancel(session="s", through_turn=3), route=5)
    rig.give(speak(turn=3), route=5)
    rig.give(speak(turn=4), route=5)
    assert [m.turn for m in rig.got(Speak) if isinstance(m, Speak)] == [4]
    assert rig.got(Cancel)
    assert rig.shell.counters["dropped_stale"] == 1


def test_an_older_cancel_does_not_bring_turns_back() -> None:
    rig = Rig("tts")
    rig.open(5)
    rig.give(Cancel(session="s", through_turn=3), route=5)
    rig.give(Cancel(session="s", through_turn=1), route=5)
    rig.give(speak(turn=2), route=5)
    assert rig.got(Speak) == []


def test_after_a_replacement_only_what_the_dead_sent_is_cut() -> None:
    rig = Rig("tts")
    rig.open(5)
    rig.open(6, replaced=("llm",))
    late = Sentence(session="s", turn=1, n=0, text="from the dead", language="en", last=True)
    rig.give(late, route=5, sender="llm")
    rig.give(speak(), route=5)
    rig.give(late, route=6, sender="llm")
    assert [type(m) for m in rig.stage.accepted[2:]] == [Speak, Sentence]
    assert rig.shell.counters["dropped_old_route"] == 1


def test_answers_go_to_everyone_the_flow_names_on_the_newest_route() -> None:
    rig = Rig("llm")
    rig.open(5)
    rig.open(6, replaced=("tts",))
    rig.stage.to_say = [Sentence(session="s", turn=1, n=0, text="hi", language="en", last=True)]
    rig.turn()
    at_tts = [m for m in rig.others["tts"].receive(0) if isinstance(m, Sentence)]
    at_broker = [m for m in rig.broker.receive(0) if isinstance(m, Sentence)]
    assert [m.route for m in at_tts + at_broker] == [6, 6]


def test_the_programme_is_published_under_its_session() -> None:
    rig = Rig("programme")
    edge = MemoryBus("webrtc", "webrtc-0", rig.hub)
    edge.subscribe(rig.bus.peer.pub, "s")
    rig.open(5)
    rig.stage.to_say = [
        Programme(session="s", tick=1, programme_sample=960, opus=b"o", mouth=b"m"),
        Emitted(session="s", turn=1, sentence=0, start_sample=0, programme_sample=960, samples=960),
    ]
    rig.turn()
    assert [type(m) for m in edge.receive(0)] == [Programme]
    assert [m for m in rig.broker.receive(0) if isinstance(m, Emitted)]


def test_nothing_is_sent_for_a_closed_session() -> None:
    rig = Rig("tts")
    rig.open(5)
    rig.give(Close(session="s", reason="bye"), route=5)
    rig.stage.to_say = [Voice(session="s", turn=1, sentence=0, start_sample=0, pcm=b"")]
    rig.turn()
    assert rig.others["programme"].receive(0) == []
    assert rig.shell.counters["dropped_closed"] == 1


def test_a_report_is_answered_with_life_and_holdings() -> None:
    rig = Rig("programme")
    rig.open(5)
    rig.broker.receive(0)
    rig.give(Report(), route=0)
    answers = rig.broker.receive(0)
    assert [m.facts for m in answers if isinstance(m, Holding)] == [{"holds": "s"}]
    alive = [m for m in answers if isinstance(m, Alive)]
    assert alive[0].state == "ready"
    assert alive[0].counters["seen"] == 3.0


def test_one_bad_message_is_counted_and_the_next_is_served() -> None:
    rig = Rig("tts")
    rig.open(5)
    rig.stage.angry = True
    rig.shell._accept(speak())
    rig.stage.angry = False
    rig.give(Hold(session="s"), route=5)
    assert rig.shell.counters["faults"] == 1
    assert rig.got(Hold)


def test_a_stage_that_cannot_say_when_it_is_due_is_a_fault_and_no_haste() -> None:
    class Undecided(Recorder):
        lost = True

        @property
        def due_ns(self) -> int | None:
            if self.lost:
                raise RuntimeError("boom")
            return super().due_ns

    rig = Rig("tts")
    stage = rig.stage = rig.shell.stage = Undecided()
    assert rig.shell._wait_ms(now_ns()) == shell_module.IDLE_POLL_MS
    assert rig.shell.counters["faults"] == 1
    stage.lost = False
    rig.open(5)
    rig.give(Hold(session="s"), route=5)
    assert rig.got(Hold)
    stage.lost = True
    rig.turn()
    with pytest.raises(VisavisError, match="starting afresh"):
        rig.turn()


def test_what_cannot_be_sent_is_a_fault_and_the_rest_is_sent() -> None:
    rig = Rig("tts")
    rig.open(5)
    unheard_of = Voice(session="s", turn=1, sentence=0, start_sample=object(), pcm=b"")  # type: ignore[arg-type]
    rig.stage.to_say = [unheard_of, Voice(session="s", turn=1, sentence=0, start_sample=0, pcm=b"")]
    rig.turn()
    assert len(rig.others["programme"].receive(0)) == 1
    assert rig.shell.counters["faults"] == 1


def test_a_stage_that_cannot_pause_or_report_is_a_fault() -> None:
    class Flustered(Recorder):
        def pause(self, sessions: frozenset[str]) -> None:
            raise RuntimeError("boom")

        def report(self, session: str) -> dict[str, object]:
            raise RuntimeError("boom")

    rig = Rig("tts")
    rig.stage = rig.shell.stage = Flustered()
    rig.open(5)
    rig.bus.full = {"s"}
    rig.turn()
    rig.give(Report(), route=0)
    assert rig.shell.counters["faults"] == 2


def test_faults_that_come_thick_end_the_process() -> None:
    rig = Rig("tts")
    rig.open(5)
    rig.stage.angry = True
    for _ in range(3):
        rig.turn()
    with pytest.raises(VisavisError, match="starting afresh"):
        rig.turn()


def test_a_stage_that_cannot_be_built_ends_with_its_reason() -> None:
    rig = Rig("tts")
    rig.shell.stage = None

    def build() -> Recorder:
        raise VisavisError("no voice here")

    with pytest.raises(VisavisError, match="no voice here"):
        rig.shell.run(build)
    states = [(m.state, m.detail) for m in rig.broker.receive(0) if isinstance(m, Alive)]
    assert states[-1] == ("stopping", "no voice here")


def test_life_signs_say_starting_until_the_stage_is_built() -> None:
    rig = Rig("tts")
    rig.shell.stage = None
    gate = threading.Event()

    def build() -> Recorder:
        assert gate.wait(5)
        return rig.stage

    thread = threading.Thread(target=rig.shell.run, args=(build,))
    thread.start()
    seen: list[str] = []
    for _ in range(500):
        seen += [m.state for m in rig.broker.receive(0) if isinstance(m, Alive)]
        if "starting" in seen:
            gate.set()
        if "ready" in seen:
            break
        threading.Event().wait(0.01)
    rig.shell.stop()
    thread.join(5)
    assert seen.index("starting") < seen.index("ready")
    assert not thread.is_alive()


def test_a_session_whose_outbox_waits_is_paused_and_let_go_and_counted() -> None:
    rig = Rig("tts")
    paused: list[frozenset[str]] = []
    rig.stage.pause = paused.append  # type: ignore[attr-defined]
    rig.bus.full = {"s"}
    rig.turn()
    rig.turn()
    rig.bus.full = set()
    rig.turn()
    assert paused == [{"s"}, frozenset()]
    assert rig.shell.counters["sessions_paused"] == 1
