"""When a process that was given up is tried again."""

from __future__ import annotations

from broker.revive import FIRST_S, LONGEST_S, Revival, parse


def test_a_process_given_up_is_due_once_after_the_first_delay() -> None:
    revival = Revival()
    assert revival.fatal("tts:tts-0", 100.0) == FIRST_S
    assert revival.due(100.0 + FIRST_S - 0.1) == []
    assert revival.due(100.0 + FIRST_S) == ["tts:tts-0"]
    assert revival.due(100.0 + FIRST_S) == []


def test_each_delay_is_twice_the_last_up_to_the_longest() -> None:
    revival, now_s, delays = Revival(), 0.0, []
    for _ in range(8):
        delays.append(revival.fatal("tts:tts-0", now_s))
        now_s += delays[-1]
        assert revival.due(now_s) == ["tts:tts-0"]
        now_s += 6.0  # its own attempts
    assert delays == [30.0, 60.0, 120.0, 240.0, 480.0, LONGEST_S, LONGEST_S, LONGEST_S]


def test_processes_wait_each_for_itself() -> None:
    revival = Revival()
    revival.fatal("tts:tts-0", 0.0)
    assert revival.fatal("asr:asr-1", 10.0) == FIRST_S
    assert revival.due(FIRST_S) == ["tts:tts-0"]
    assert revival.due(10.0 + FIRST_S) == ["asr:asr-1"]


def test_one_that_has_run_long_since_begins_anew() -> None:
    revival = Revival()
    revival.fatal("tts:tts-0", 0.0)
    assert revival.fatal("tts:tts-0", 36.0) == 2 * FIRST_S
    started_s = 36.0 + 2 * FIRST_S
    assert revival.due(started_s) == ["tts:tts-0"]
    assert revival.fatal("tts:tts-0", started_s + LONGEST_S + 1.0) == FIRST_S


def test_supervisords_lines_become_words() -> None:
    header = parse("ver:3.0 server:supervisor eventname:PROCESS_STATE_FATAL len:62\n")
    assert (header["eventname"], header["len"]) == ("PROCESS_STATE_FATAL", "62")
    assert parse("processname:tts-0 groupname:tts from_state:BACKOFF")["groupname"] == "tts"
