from __future__ import annotations

from workers.programme.gate import FINISHED_KEPT, Gate


def test_nothing_sounds_before_its_commit() -> None:
    assert Gate().sounding == 0
    assert Gate().commit(3).sounding == 3


def test_a_later_turn_waits_until_the_earlier_one_is_finished_or_cancelled() -> None:
    gate = Gate().commit(2).commit(1)
    assert gate.sounding == 1
    assert gate.finish(1).sounding == 2
    assert gate.cancel(1).sounding == 2


def test_a_cancel_is_for_ever_and_ends_a_hold() -> None:
    gate = Gate().commit(1).hold().cancel(1)
    assert not gate.held
    assert gate.commit(1).sounding == 0
    assert gate.cancel(0).cancelled_through == 1


def test_a_finished_turn_cannot_be_committed_again() -> None:
    gate = Gate().commit(1).finish(1)
    assert gate.commit(1).sounding == 0
    assert gate.stale(1)


def test_a_hold_silences_and_keeps() -> None:
    gate = Gate().commit(1).hold().hold()
    assert (gate.sounding, gate.turn) == (0, 1)
    assert gate.resume().resume().sounding == 1


def test_what_an_open_says_can_add_but_never_take_back_a_cancel() -> None:
    gate = Gate().commit(1).finish(1).cancel(2)
    again = gate.reopen(committed=(1, 2, 3), cancelled_through=1, held=True)
    assert again.committed == {3}
    assert again.cancelled_through == 2
    assert again.held


def test_finished_turns_are_remembered_in_bounds() -> None:
    gate = Gate()
    for turn in range(1, 500):
        gate = gate.commit(turn).finish(turn)
    assert len(gate.finished) == FINISHED_KEPT


def test_gates_are_values() -> None:
    assert Gate().commit(1).commit(2) == Gate().commit(2).commit(1)
    assert len({Gate().commit(1), Gate().commit(1).commit(1)}) == 1
