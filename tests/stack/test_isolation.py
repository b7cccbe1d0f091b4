"""Eight conversations at once. One caller reads nothing any more, then one brain says nothing: seven lose nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from broker.backchannel import words_of
from broker.config import ROOT
from tests.llm.chat_server import ChatServer
from tests.stack.running import Stack
from tests.stack.wire_callers import Media, WireCaller

CALLERS = 8
WITH_MEDIA = (2, 3)
"""Who of the seven has sound and pictures by WebRTC as well: as many as two cores draw and decrypt beside the rest."""
QUESTION = "When is the library open?"
AGAIN = "How do I borrow books?"
STALLS = "Please think about this for ever."
LOST = ("outbox_dropped", "publish_dropped", "forgotten_messages")
SKIPPED = "ticks_skipped"
"""Left out by the programme's clock itself, because the machine was late: of these nothing was lost on the way."""


class Sulking(ChatServer):
    """Answers, except the question that it never does."""

    def __init__(self) -> None:
        super().__init__()
        self.behaviour = "by_question"

    def _by_question(self, request: BaseHTTPRequestHandler) -> None:
        if STALLS in json.dumps(self.requests[-1]):
            self._silent(request)
        else:
            self._stream(request)


@pytest.fixture(scope="module")
def server() -> Iterator[Sulking]:
    server = Sulking()
    yield server
    server.close()


@pytest.fixture(scope="module")
def stack(server: Sulking, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """With a persona more: campus, whose brain is the server."""
    folder = tmp_path_factory.mktemp("personas") / "personas"
    shutil.copytree(ROOT / "etc" / "personas", folder)
    wired = (folder / "campus.toml").read_text(encoding="utf-8")
    wired = re.sub(r'^url = ""', f'url = "{server.url}/v1"', wired, count=1, flags=re.MULTILINE)
    wired = re.sub(r'^model = ""', 'model = "test"', wired, count=1, flags=re.MULTILINE)
    (folder / "wired.toml").write_text(wired, encoding="utf-8")
    running = Stack(VISAVIS_PATHS_PERSONAS=str(folder), VISAVIS_SESSIONS_CAPACITY="16")  # a second try finds room
    try:
        yield running.start()
    finally:
        running.stop()


def totals(stack: Stack, *names: str) -> dict[str, float]:
    """Counters of /metrics, summed over the processes; KeyError for one that nobody has, but for SKIPPED."""
    text, found = stack.metrics(), {}
    for name in names:
        values = re.findall(rf"^visavis_{name}(?:_total)?\{{[^}}]*\}} (\S+)$", text, re.MULTILINE)
        if not values and name != SKIPPED:
            raise KeyError(f"{name} is not in /metrics")
        found[name] = sum(map(float, values))
    return found


async def all_answered(callers: list[WireCaller], question: str) -> None:
    """They ask at once; each hears its whole answer, word by word, and loses no tick of it."""
    await asyncio.gather(*(caller.ask(question) for caller in callers))
    for caller in callers:
        answer = await caller.answer(question)
        assert answer["what"] == "finished"
        assert answer["heard"] == answer["text"], "no word is lost"
        assert len(words_of(answer["text"])) > 5
        assert words_of(caller.said(answer["turn"])) == words_of(answer["text"]), "each was told once"
        assert not caller.errors


async def greeted(caller: WireCaller) -> None:
    await caller.until(lambda: any(turn["what"] == "finished" for turn in caller.turns), "no greeting")


async def given_up(stack: Stack, slow_before: float) -> None:
    """Until the edge has closed one page more because it is too far behind."""
    while totals(stack, "pages_too_slow")["pages_too_slow"] != slow_before + 1:
        await asyncio.sleep(0.5)


@pytest.mark.timeout(250)
def test_seven_lose_nothing_while_one_reads_nothing_and_while_one_is_never_answered(stack: Stack) -> None:
    async def story() -> None:
        async with contextlib.AsyncExitStack() as calls:
            callers = []
            for number in range(CALLERS):
                persona, media = "wired" if number % 2 else "campus", Media() if number in WITH_MEDIA else None
                caller = WireCaller(stack.url, persona, 0 if number else 4_096, media=media)
                callers.append(await calls.enter_async_context(caller))
            for caller in callers:
                await greeted(caller)
            before, slow = totals(stack, *LOST), totals(stack, "pages_too_slow")["pages_too_slow"]
            first, second, *_ = callers

            first.stop_reading()
            await first.ask(QUESTION)
            await all_answered(callers[1:], QUESTION)
            async with asyncio.timeout(90):
                await given_up(stack, slow)
            back = await calls.enter_async_context(WireCaller(stack.url, "campus", resumes=first))
            assert (back.session["session"], back.session["resumed"]) == (first.session["session"], True)

            await second.ask(STALLS)
            await all_answered([back, *callers[2:]], AGAIN)
            assert not [t for t in second.turns if t["what"] == "finished" and t["text"] == STALLS]

            missing = sum(caller.missing_ticks() for caller in callers[1:])
            at_the_edge = totals(stack, "ticks_missing")["ticks_missing"]
            assert missing <= at_the_edge, "every tick that came to the edge has come to its caller"
            # The programmes tell their counters each second, through the broker.
            await back.until(lambda: totals(stack, SKIPPED)[SKIPPED] >= at_the_edge, "a tick was lost before the edge")
            assert totals(stack, *LOST) == before, "nothing was dropped anywhere"
            assert all(len(caller.ticks) > 500 for caller in callers[1:])
            for caller in (callers[number] for number in WITH_MEDIA):
                assert caller.media
                assert caller.media.lost("video") == 0, "nor a packet"
                assert caller.media.lost("audio") <= caller.missing_ticks(), "but for the ticks that were left out"
                assert len(caller.media.sequences["audio"]) > 500
                assert len(caller.media.pictures) > 100

    asyncio.run(story())


def test_queues_and_drops_are_in_the_metrics_from_the_start(stack: Stack) -> None:
    text = stack.metrics()
    for name in ("outbox_waiting", "outbox_dropped_total", "publish_dropped_total", "dropped_stale_total"):
        for kind in ("vad", "asr", "llm", "tts", "programme", "lipsync"):
            assert re.search(rf'^visavis_{name}\{{process="{kind}-0",kind="{kind}"\}} \d+$', text, re.MULTILINE), name
    assert re.search(r'^visavis_outbox_waiting\{process="broker"', text, re.MULTILINE)
    assert re.search(r'^visavis_ticks_missing_total\{process="webrtc-0"', text, re.MULTILINE)
