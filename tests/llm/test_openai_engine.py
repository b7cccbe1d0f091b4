"""Any OpenAI-compatible server as the brain: streams, and every way a server can fail, over real HTTP."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker import personas
from broker.config import ROOT
from broker.messages import Exchange
from tests.llm.chat_server import ANSWER, ChatServer
from tests.llm.known import avatar, library, persona, user
from workers.llm.engine import Question, Said, Trouble
from workers.llm.event_stream import ChatStream, StreamError
from workers.llm.openai_engine import MOST_ANSWER_CHARACTERS, OpenAiEngine
from workers.llm.phrases import phrase
from workers.llm.prompts import GO_ON, INTERRUPTED, messages

SENTENCES = ["The library opens at eight.", "On weekends it opens at ten!", "Is there anything else?"]
WAIT_S = 30.0


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    yield server
    server.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[OpenAiEngine]:
    engine = OpenAiEngine(library(tmp_path, weights=tmp_path))
    yield engine
    engine.close()


def question(server: ChatServer, session: str = "s", turn: int = 1, **brain: Any) -> Question:
    settings = {"url": server.url, "model": "m", "timeout_s": 5.0, "api_key_env": ""} | brain
    return Question(
        session=session, turn=turn, text="What does parking cost?", language="en", persona=persona(brain=settings)
    )


def gather(engine: OpenAiEngine, until: Any = None) -> list[Said | Trouble]:
    """Polls until nothing is in hand (or `until` holds)."""
    items: list[Said | Trouble] = []
    deadline = time.monotonic() + WAIT_S
    while engine.waiting is not None and not (until and until(items)):
        assert time.monotonic() < deadline, "no end"
        items += engine.poll()
        time.sleep(0.002)
    return items


def spoken(items: list[Said | Trouble]) -> list[str]:
    return [item.text for item in items if isinstance(item, Said) and item.text]


@pytest.mark.parametrize("behaviour", ["stream", "drip", "empty_reasons", "json", "json_in_pieces", "json_large"])
def test_an_answer_comes_sentence_by_sentence_however_it_is_sent(
    engine: OpenAiEngine, server: ChatServer, behaviour: str
) -> None:
    server.behaviour = behaviour
    engine.submit(question(server))
    items = gather(engine)
    assert spoken(items) == SENTENCES
    assert [item.last for item in items if isinstance(item, Said)] == [False, False, False, True]


def test_the_request_carries_prompt_passages_dialogue_and_settings(engine: OpenAiEngine, server: ChatServer) -> None:
    engine.submit(question(server, temperature=0.2, max_tokens=77))
    gather(engine)
    (request,) = server.requests
    assert request["path"] == "/v1/chat/completions"
    assert (request["stream"], request["temperature"], request["max_tokens"]) == (True, 0.2, 77)
    assert "Parking costs two euros a day." in request["messages"][0]["content"]
    assert request["messages"][-1] == {"role": "user", "content": "What does parking cost?"}


@pytest.mark.parametrize("name", ["host", "campus", "helpdesk"])
def test_a_shipped_personas_own_prompt_reaches_the_server(engine: OpenAiEngine, server: ChatServer, name: str) -> None:
    shipped = personas.load(ROOT / "etc" / "personas", name)
    asked = shipped.snapshot() | {"brain": dataclasses.asdict(shipped.brain) | {"url": server.url}}
    asked["knowledge"] = persona()["knowledge"]
    engine.submit(Question(session="s", turn=1, text="What does parking cost?", language="en-GB", persona=asked))
    assert spoken(gather(engine)) == SENTENCES
    told = server.requests[0]["messages"][0]["content"]
    assert told.startswith(f"You are {shipped.name}, the ")
    assert told.splitlines()[0] == shipped.brain.prompt.strip().splitlines()[0].replace("{name}", shipped.name)
    assert 'in the language with the code "en-GB"' in told
    assert "Parking costs two euros a day." in told
    assert "[happy]" in told, "how the face is told what to show"
    assert not {"{name}", "{description}", "{language}", "{passages}", "{tags}"} & set(re.findall(r"\{\w+\}", told))


FAILURES = {
    "busy": "llm_busy",
    "broken": "llm_server_error",
    "forbidden": "llm_forbidden",
    "moved": "llm_refused",
    "garbage": "llm_garbage",
    "page": "llm_garbage",
    "error_event": "llm_garbage",
    "huge": "llm_garbage",
    "empty": "llm_empty",
    "cut": "llm_cut",
    "json_cut": "llm_garbage",
    "json_huge": "llm_garbage",
}


@pytest.mark.parametrize("behaviour", FAILURES)
def test_each_failure_is_an_apology_with_its_code(engine: OpenAiEngine, server: ChatServer, behaviour: str) -> None:
    server.behaviour = behaviour
    engine.submit(question(server))
    *before, trouble = gather(engine)
    assert isinstance(trouble, Trouble)
    assert trouble.code == FAILURES[behaviour]
    assert trouble.text.startswith("I am sorry")
    assert spoken(before) == (["One sentence comes."] if behaviour == "cut" else [])


@pytest.mark.parametrize(
    "text",
    [
        "<think>What may parking cost? The notes say that it is",
        "```python\nprint('two euros')\n```",
        "😀👍",
        "[happy]",
        " \n ",
        "...",
    ],
)
@pytest.mark.parametrize("behaviour", ["stream", "json"])
def test_an_answer_of_which_no_word_can_be_spoken_is_none(
    engine: OpenAiEngine, server: ChatServer, behaviour: str, text: str
) -> None:
    server.behaviour, server.text = behaviour, text
    engine.submit(question(server))
    (trouble,) = gather(engine)
    assert isinstance(trouble, Trouble)
    assert (trouble.code, trouble.text) == ("llm_empty", phrase("broken", "en")[0])


def test_after_a_crash_there_may_be_nothing_left_to_say(engine: OpenAiEngine, server: ChatServer) -> None:
    server.text = "[happy]"
    engine.submit(dataclasses.replace(question(server), said_so_far=("Two euros a day.",)))
    (end,) = gather(engine)
    assert isinstance(end, Said)
    assert (end.text, end.last) == ("", True)


@pytest.mark.parametrize(("language", "told"), [("es", "es"), ("en-GB", "en-GB"), ("zh-CN", "zh-CN"), ("de", "en")])
def test_an_apology_says_which_language_it_is_in(
    engine: OpenAiEngine, server: ChatServer, language: str, told: str
) -> None:
    server.behaviour = "busy"
    engine.submit(dataclasses.replace(question(server), language=language))
    (trouble,) = gather(engine)
    assert isinstance(trouble, Trouble)
    assert (trouble.text, trouble.language) == (phrase("busy", language)[0], told)


@pytest.mark.parametrize("behaviour", ["silent", "stall", "keep_alive", "json_stall"])
def test_a_server_that_says_nothing_for_too_long_is_given_up(
    engine: OpenAiEngine, server: ChatServer, behaviour: str
) -> None:
    server.behaviour = behaviour
    engine.submit(question(server, timeout_s=0.3))
    trouble = gather(engine)[-1]
    assert isinstance(trouble, Trouble)
    assert trouble.code == "llm_timeout"


def test_a_server_that_is_not_there_is_an_apology(engine: OpenAiEngine, server: ChatServer) -> None:
    for url in ("http://127.0.0.1:1", "not an address", "ftp://127.0.0.1/"):
        engine.submit(question(server, url=url))
        (trouble,) = gather(engine)
        assert isinstance(trouble, Trouble)
        assert trouble.code in ("llm_unreachable", "llm_cut")


def test_cancelling_closes_the_stream_and_nothing_more_is_heard_of_it(engine: OpenAiEngine, server: ChatServer) -> None:
    server.behaviour = "endless"
    engine.submit(question(server, turn=1))
    gather(engine, until=len)
    engine.cancel("s", 1)
    assert engine.waiting is None
    assert engine.poll() == []
    assert server.cut_short.wait(WAIT_S)


def test_an_answer_without_end_is_ended_by_us(engine: OpenAiEngine, server: ChatServer) -> None:
    server.behaviour = "endless"
    engine.submit(question(server))
    items = gather(engine)
    assert isinstance(items[-1], Said)
    assert items[-1].last
    assert sum(map(len, spoken(items))) < 2 * MOST_ANSWER_CHARACTERS


def test_a_stalled_session_does_not_hold_up_another(engine: OpenAiEngine, server: ChatServer) -> None:
    other = ChatServer()
    try:
        server.behaviour = "silent"
        engine.submit(question(server, session="stalled"))
        engine.submit(question(other, session="lively"))
        items = gather(engine, until=lambda items: any(item.last for item in items if isinstance(item, Said)))
        assert {item.session for item in items} == {"lively"}
        assert spoken(items) == SENTENCES
    finally:
        other.close()


def test_the_key_comes_from_the_named_variable_only(
    engine: OpenAiEngine, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.submit(question(server, api_key_env="TEST_BRAIN_KEY"))
    (trouble,) = gather(engine)
    assert isinstance(trouble, Trouble)
    assert trouble.code == "llm_forbidden"
    assert not server.requests
    monkeypatch.setenv("TEST_BRAIN_KEY", "sesame")
    engine.submit(question(server, turn=2, api_key_env="TEST_BRAIN_KEY"))
    assert spoken(gather(engine)) == SENTENCES
    assert server.headers[0]["Authorization"] == "Bearer sesame"


# --- what the model is told ---


def contents(*history: Exchange, said: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    told = messages(persona(), "en", history, "And now?", [], said)
    return [(message["role"], message["content"]) for message in told]


def test_an_interrupted_answer_is_marked_as_heard_so_far() -> None:
    told = contents(user("Hi"), avatar("The library opens at", interrupted=True))
    assert told[2] == ("assistant", "The library opens at" + INTERRUPTED)


def test_the_roles_take_turns_strictly_and_the_greeting_goes_into_the_prompt() -> None:
    told = contents(avatar("Welcome!"), user("One."), user("Two."), avatar("A."), avatar("B."))
    assert [role for role, _ in told] == ["system", "user", "assistant", "user"]
    assert told[1][1] == "One.\nTwo."
    assert "Welcome!" in told[0][1]


def test_after_a_crash_the_model_sees_its_own_beginning() -> None:
    assert contents(said=("It opens at eight.",))[-2:] == [("assistant", "It opens at eight."), ("user", GO_ON)]


def test_a_persona_s_own_prompt_is_used_and_gets_the_passages() -> None:
    own = persona(brain={"prompt": "You are {name}. Use {braces} freely."})
    system = messages(own, "en", (), "Hi", [])[0]["content"]
    assert system.startswith("You are Robin. Use {braces} freely.")
    assert "Notes:" in system


def test_a_long_history_keeps_its_newest_lines() -> None:
    told = contents(*(user(f"{n} " + "word " * 300) if n % 2 else avatar(f"{n} " + "word " * 300) for n in range(40)))
    assert sum(len(content) for _, content in told) < 12_000
    assert told[-2][1].startswith("38") or told[-1][1].startswith("39")


# --- the wire ---


def test_events_may_be_cut_anywhere() -> None:
    wire = 'data: {"choices":[{"delta":{"content":"Grüße"}}]}\r\n\r\ndata: {"choices":[]}\n\ndata: [DONE]\n\n'.encode()
    for size in (1, 2, 3, 50, 1000):
        stream = ChatStream()
        assert "".join(t for at in range(0, len(wire), size) for t in stream.feed(wire[at : at + size])) == "Grüße"
        assert stream.done


@pytest.mark.parametrize(("reason", "done"), [(b"null", False), (b'""', False), (b'"stop"', True), (b'"length"', True)])
def test_an_answer_is_over_when_the_server_gives_a_reason(reason: bytes, done: bool) -> None:
    stream = ChatStream()
    event = b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":%s}]}\n\n' % reason
    assert stream.feed(event) == ["Hi"]
    assert stream.done == done


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b'[{"type":"text","text":"Hi"},{"type":"text","text":" there."}]', "Hi there."),
        (b'[{"type":"thinking","thinking":[{"type":"text","text":"A greeting?"}]},{"type":"text","text":"Hi"}]', "Hi"),
        (b'[{"type":"text","text":null}]', ""),
        (b"[]", ""),
        (b"null", ""),
    ],
)
def test_of_a_list_of_parts_the_texts_are_the_answer(content: bytes, text: str) -> None:
    event = b'data: {"choices":[{"delta":{"content":%s}}]}\n\n' % content
    assert "".join(ChatStream().feed(event)) == text


@pytest.mark.parametrize(
    "data",
    [
        b"1",
        b'"x"',
        b"{}",
        b'{"choices":[{"delta":{"content":3}}]}',
        b'{"choices":[{"delta":{"content":[{"type":"text","text":["x"]}]}}]}',
        b"[" * 100_000,
    ],
)
def test_events_that_are_no_completions_are_refused(data: bytes) -> None:
    with pytest.raises(StreamError):
        ChatStream().feed(b"data: " + data + b"\n")


def test_the_answer_of_the_tests_is_what_the_tests_say() -> None:
    assert ANSWER.replace("*", "").count(" ") == " ".join(SENTENCES).count(" ")
