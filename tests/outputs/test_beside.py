"""An output in its thread: what stands still or breaks there is nobody else's trouble."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from broker.messages import Event
from tests.outputs.tape import Tape, tick, until
from workers.outputs import beside
from workers.outputs.beside import Beside
from workers.outputs.sink import Order, RefusedError, Sink


@pytest.fixture(autouse=True)
def tapes() -> Iterator[None]:
    Tape.made = []
    yield
    for each in Tape.made:
        each.free.set()


def running(order: Order, build: Callable[[], Sink] | None = None) -> Beside:
    output = Beside("tape", build or (lambda: Tape(order)), lambda: None)
    until(lambda: output.state != "starting", "it did not start")
    return output


def test_one_that_stands_still_loses_ticks_and_holds_up_nobody(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "MOST_WAITING", 10)
    slow, quick = running(order), running(order)
    Tape.made[0].free.clear()
    for n in range(30):
        for output in (slow, quick):
            output.put(tick(n))
        until(lambda n=n: Tape.made[1].ticks[-1:] == [n], "the other one waits")
    assert slow.dropped >= 19
    assert quick.dropped == 0
    Tape.made[0].free.set()
    until(lambda: len(Tape.made[0].ticks) == 30 - slow.dropped, "it does not go on")
    assert slow.counters["output_ticks_dropped"] == slow.dropped
    slow.close("bye")
    quick.close("bye")


def test_what_was_given_before_the_end_is_taken_and_then_it_is_closed_once(order: Order) -> None:
    output = running(order)
    Tape.made[0].free.clear()
    for n in range(5):
        output.put(tick(n))
    output.put(Event(kind="state"))
    output.close("bye")
    output.put(tick(5))
    Tape.made[0].free.set()
    output.join(20)
    assert (output.state, output.text) == ("over", "")
    assert (Tape.made[0].ticks, Tape.made[0].events, Tape.made[0].closed) == ([0, 1, 2, 3, 4], ["state"], "bye")


@pytest.mark.parametrize(
    ("trouble", "state", "text"),
    [
        (RefusedError("There is no room."), "refused", "There is no room."),
        (OSError(5, "Input/output error"), "failed", "Input/output error"),
        (AssertionError("a fault of ours"), "failed", "the log"),
    ],
)
def test_one_that_breaks_says_why_and_is_finished(order: Order, trouble: Exception, state: str, text: str) -> None:
    output = running(order)
    Tape.made[0].trouble = trouble
    output.put(tick(0))
    until(lambda: output.ended, "it goes on")
    assert output.state == state
    assert text in output.text
    assert Tape.made[0].closed == "error"
    assert output.wants == frozenset(), "it needs no pictures any more"
    output.put(tick(1))


def test_one_that_cannot_be_made_is_refused(order: Order) -> None:
    def build() -> Sink:
        raise RefusedError("The disk is nearly full.")

    output = running(order, build)
    assert (output.state, output.text) == ("refused", "The disk is nearly full.")


def test_it_is_made_in_its_own_thread(order: Order) -> None:
    made: list[str] = []

    def build() -> Sink:
        made.append(threading.current_thread().name)
        return Tape(order)

    running(order, build).close("bye")
    assert made == ["tape"]
