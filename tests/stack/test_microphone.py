"""Chromium's own fake microphone, with its capture and its processing: a spoken turn, and writing and speech in turns.

The other tests put their sound behind getUserMedia; here it comes through the browser's device, which reads a file from
the moment it is opened and begins again at its end.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.spoken import RATE_HZ, silence, speak, trimmed
from tests.stack.caller import Caller, wav_bytes
from tests.stack.running import Stack

pytestmark = pytest.mark.browser

QUESTION, VOICE, PASSAGE = "when is the library open on weekends", "slt", "places#library-opening-hours"
GREETED_MS = 40_000
"""Nobody speaks before the greeting is over."""
AFTER_MS = 300_000
"""Longer than a test: the file does not come to its question again."""


@pytest.fixture
def microphone(tmp_path: Path) -> Callable[[int], Path]:
    """A file with the question after so many ms of a quiet room."""

    def made(before_ms: int) -> Path:
        spoken = trimmed(speak(QUESTION, VOICE))
        sound = np.concatenate((silence(before_ms, 1), spoken, silence(AFTER_MS, 2)))
        path = tmp_path / f"{before_ms}.wav"
        path.write_bytes(wav_bytes(sound, RATE_HZ))
        return path

    return made


def turns(caller: Caller, *what: str) -> list[dict[str, Any]]:
    return [m for m in caller.messages("turn") if m["what"] in what]


def finished(caller: Caller, count: int) -> dict[str, Any]:
    """The last of so many turns that were heard to their end."""
    caller.until(lambda: len(turns(caller, "finished")) >= count, f"{count} turns did not end", within_s=120)
    return turns(caller, "finished")[count - 1]


def committed(caller: Caller, turn: dict[str, Any]) -> str:
    return next(str(m["text"]) for m in turns(caller, "committed") if m["turn"] == turn["turn"])


def passage(caller: Caller, turn: dict[str, Any]) -> str:
    return str(next(m["passage"] for m in caller.messages("sentence") if m["turn"] == turn["turn"]))


def shown(caller: Caller) -> list[tuple[str, str]]:
    """The dialogue on the page: who, and what."""
    lines = caller.page.evaluate(
        "() => [...document.querySelectorAll('#dialogue .line')].map((l) => [l.dataset.role, l.innerText])"
    )
    return [(str(role), str(text)) for role, text in lines]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def test_a_question_through_the_browsers_own_device_is_heard_and_answered(
    stack: Stack, microphone: Callable[[int], Path]
) -> None:
    with Caller(stack.url, microphone_wav=microphone(GREETED_MS)) as caller:
        caller.open("?persona=campus").start()
        greeting = finished(caller, 1)
        assert turns(caller, "interrupted") == [], "a quiet room interrupts nobody"
        device = caller.page.evaluate(
            "navigator.mediaDevices.enumerateDevices().then((all) => all.map((d) => d.label))"
        )
        assert any("Fake" in label for label in device), "it is Chromium's device"
        answer = finished(caller, 2)
        assert answer["turn"] > greeting["turn"]
        assert "library" in words(committed(caller, answer))
        assert passage(caller, answer) == PASSAGE
        assert answer["heard"] == answer["text"]
        caller.wait(2.0)
        assert len(turns(caller, "committed")) == 1, "said once, answered once"
        assert [line for line in caller.console if line.startswith("error")] == []


def test_writing_and_speech_take_turns_in_one_call_and_share_the_dialogue(
    stack: Stack, microphone: Callable[[int], Path]
) -> None:
    with Caller(stack.url, microphone_wav=microphone(4_000)) as caller:
        caller.open("?persona=campus&mode=text").start()
        finished(caller, 1)
        caller.wait(3.0)
        assert len(turns(caller, "finished", "committed")) == 1, (
            "in writing no microphone is open: the file has not begun"
        )

        caller.type("How much is the tuition per term?")
        typed = finished(caller, 2)

        caller.page.click("#mode")
        caller.page.wait_for_selector("html[data-mode=voice]")
        spoken = finished(caller, 3)
        assert "library" in words(committed(caller, spoken))
        assert passage(caller, spoken) == PASSAGE

        caller.page.click("#mode")
        caller.page.wait_for_selector("html[data-mode=text]")
        caller.type("Tell me more.")
        after = finished(caller, 4)
        kind = next(m["kind"] for m in caller.messages("sentence") if m["turn"] == after["turn"])
        assert kind == "follow_up", "the typed line is understood by the spoken one before it"

        dialogue = shown(caller)
        said = [text for role, text in dialogue if role == "user"]
        assert len(said) == 3
        assert said[0] == "How much is the tuition per term?"
        assert "library" in words(said[1])
        assert said[2] == "Tell me more."
        heard = [words(text) for role, text in dialogue if role == "avatar"]
        assert heard[1:] == [words(turn["heard"]) for turn in (typed, spoken, after)]

        assert len(caller.messages("session")) == 1, "it is one conversation"
        assert len(caller.messages("offer", "out")) == 1, "nothing was negotiated again"
        assert [message["mode"] for message in caller.messages("mode", "out")] == ["voice", "text"]
        assert [line for line in caller.console if line.startswith("error")] == []
