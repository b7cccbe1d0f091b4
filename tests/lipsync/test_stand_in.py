"""A face engine that is late again and again, or breaks, gives way to a simpler one, and comes back by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.messages import Event, Failed, Message
from tests.lipsync.test_stage import MS, PaintedFaces, opened, pictures, settle, wish
from workers.fallback import AGAIN_NS
from workers.lipsync.engine import Wanted
from workers.lipsync.stage import JUDGED, LipsyncStage

FRAME_MS = 40


class Neural(PaintedFaces):
    """`took_ms` passes on the test's own clock while it draws a picture."""

    took_ms = 5
    breaks = ""
    clock_ms = 0

    def prepare(self, portrait_path: Path, size: int) -> str:
        if self.breaks == "prepare":
            raise MemoryError("none left on the card")
        return f"neural {super().prepare(portrait_path, size)}"

    def draw(self, wanted: list[Wanted]) -> list[bytes]:
        if self.breaks == "draw":
            raise RuntimeError("no kernel image is available")
        self.clock_ms += self.took_ms * len(wanted)
        return super().draw(wanted)


class Call:
    """A stage whose sessions ask for a picture every 40 ms, each due 60 ms later."""

    def __init__(self, neural: Neural, simple: PaintedFaces | None, *sessions: str) -> None:
        self.neural = neural
        self.stage = LipsyncStage(neural, 512, lambda: neural.clock_ms * MS, simpler=[simple] if simple else [])
        self.sessions = sessions
        self.now_ms = 1000
        for session in sessions:
            self.stage.accept(opened(session))
        self.said = settle(self.stage)

    def goes_on(self, seconds: float) -> list[Message]:
        said: list[Message] = []
        for _ in range(round(seconds * 1000 / FRAME_MS)):
            for session in self.sessions:
                self.stage.accept(wish(session, self.now_ms, self.now_ms + 60))
            while self.stage.due_ns == 0:
                before = self.neural.clock_ms
                said += self.stage.step(self.now_ms * MS)
                self.now_ms += self.neural.clock_ms - before
            said += settle_faces(self.stage, self.now_ms)
            self.now_ms += FRAME_MS
        self.said += said
        return said


def settle_faces(stage: LipsyncStage, now_ms: int) -> list[Message]:
    """Wait, in real time, for the faces that are being made ready."""
    said: list[Message] = []
    while any(painter.faces.busy for painter in stage._painters.values()):
        said += stage.step(now_ms * MS)
    return said


def steps(messages: list[Message], session: str = "a") -> list[str]:
    return [each.data["step"] for each in messages if isinstance(each, Event) and each.session == session]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("ann", "bob", "bad"):
        (tmp_path / name).write_text("")
    return tmp_path


def engines(folder: Path) -> tuple[Neural, PaintedFaces]:
    neural, simple = Neural(folder, name="neural"), PaintedFaces(folder, name="simple")
    neural.gate.set()
    simple.gate.set()
    return neural, simple


@pytest.fixture
def call(folder: Path) -> Iterator[Call]:
    call = Call(*engines(folder), "a", "b")
    yield call
    call.stage.close()


def test_an_engine_in_time_keeps_the_face(call: Call) -> None:
    said = call.goes_on(20)
    assert len(pictures(said)) == 2 * 20 * 1000 // FRAME_MS
    assert steps(said) == []
    assert call.stage.engine_name == "neural"


def test_who_is_late_again_and_again_gives_way_in_every_session_and_says_why(call: Call) -> None:
    call.neural.took_ms = 50  # 100 for the two, every 40: half of all pictures can never be in time
    said = call.goes_on(10)
    assert (steps(said, "a"), steps(said, "b")) == (["simple"], ["simple"])
    event = next(each for each in said if isinstance(each, Event))
    assert event.kind == "degraded"
    assert event.data == {
        "kind": "lipsync",
        "step": "simple",
        "reason": "neural is too slow here: its pictures come late; simple stands in",
    }
    assert call.stage.engine_name == "simple"
    assert len(pictures(call.goes_on(1))) == 2 * 1000 // FRAME_MS, "all in time"


def test_lateness_that_passes_is_left_to_the_programme(call: Call) -> None:
    call.neural.took_ms = 50
    call.goes_on(JUDGED * FRAME_MS / 1000 / 8)
    call.neural.took_ms = 5
    assert steps(call.goes_on(20)) == []


def test_an_engine_that_breaks_gives_way_at_once_and_is_tried_again_ever_less_often(call: Call) -> None:
    call.neural.breaks = "draw"
    said = call.goes_on(0.2)
    assert steps(said) == ["simple"]
    assert "neural broke (RuntimeError); simple stands in" in [
        each.data["reason"] for each in said if isinstance(each, Event)
    ]
    assert len(pictures(call.goes_on(2))) == 2 * 2000 // FRAME_MS
    said = call.goes_on(150)
    assert steps(said) == ["full", "simple"] * 3, "after 20, 40 and 80 seconds"
    assert len(pictures(said)) > 2 * 150_000 // FRAME_MS - 20, "hardly a picture is lost by trying"


def test_an_engine_that_is_well_again_comes_back_and_stays(call: Call) -> None:
    call.neural.breaks = "draw"
    call.goes_on(1)
    call.neural.breaks = ""
    assert steps(call.goes_on(200)) == ["full"]
    drawn = call.neural.drawn
    drawn.clear()
    call.goes_on(1)
    assert drawn[0] == ["neural ann@512"]


def test_an_engine_that_cannot_make_a_face_ready_gives_way(folder: Path) -> None:
    neural, simple = engines(folder)
    neural.breaks = "prepare"
    call = Call(neural, simple, "a")
    assert steps(call.said) == ["simple"]
    assert not any(isinstance(each, Failed) for each in call.said), "the picture is not to blame"
    assert len(pictures(call.goes_on(1))) == 1000 // FRAME_MS
    neural.breaks = ""
    assert steps(call.goes_on(AGAIN_NS / 1e9 + 1)) == ["full"]
    call.stage.close()


def test_a_session_that_begins_while_another_engine_draws_is_told(call: Call) -> None:
    call.neural.breaks = "draw"
    call.goes_on(1)
    call.stage.accept(opened("c", "bob"))
    assert steps(settle(call.stage), "c") == ["simple"]


def test_another_face_chosen_while_engines_change_is_the_one_that_comes(call: Call) -> None:
    call.stage.accept(opened("a", "bob"))
    call.neural.breaks = "draw"
    call.goes_on(1)
    assert call.stage._sessions["a"].portrait == "bob"
    assert call.stage._sessions["a"].painter.name == "simple"


def test_without_another_engine_the_process_starts_afresh(folder: Path) -> None:
    neural, _ = engines(folder)
    call = Call(neural, None, "a")
    neural.took_ms = 100
    assert steps(call.goes_on(10)) == []
    neural.breaks = "draw"
    with pytest.raises(RuntimeError):
        call.goes_on(1)
    call.stage.close()
