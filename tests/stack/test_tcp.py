"""The processes meet over TCP instead of Unix sockets, as containers without a shared folder do."""

from __future__ import annotations

import socket

import pytest

from bench.barge_in import ended, now_ms, over
from tests.stack.caller import Caller
from tests.stack.listener import Listener
from tests.stack.running import Stack

pytestmark = pytest.mark.browser


def test_a_typed_question_is_answered_over_tcp() -> None:
    stack = Stack(VISAVIS_BUS_TRANSPORT="tcp", VISAVIS_BUS_PORT=str(four_free_ports()))
    try:
        stack.start()
        with Listener(stack.settings) as listener, Caller(stack.url) as caller:
            caller.open("?persona=campus").start()
            caller.until(lambda: ended(caller), "the greeting did not end")
            asked_ms = now_ms(caller)
            caller.type("When is the library open?")
            turn = over(caller, "When is the library open?", asked_ms)
            assert turn["heard"] == turn["text"]
            assert listener.of("phonemes", turn["turn"]), "events are published over TCP as well"
    finally:
        stack.stop()


def four_free_ports() -> int:
    """The first of four ports in a row that nobody listens on."""
    for first in range(21_570, 30_000, 4):
        try:
            for port in range(first, first + 4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no four free ports in a row")
