"""Any OpenAI-compatible chat server as the brain: streamed, cancelled by closing the stream, apologising on errors.

llama.cpp's server, Ollama, vLLM and others speak it (POST …/chat/completions with "stream": true). All requests live on
one asyncio loop in one thread; the stage sees submit, poll and cancel. The key comes from the environment variable that
the persona names, and from nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any

import aiohttp

from broker.foreign_json import read_json
from workers.llm.engine import Question, Said, Trouble
from workers.llm.event_stream import ChatStream, StreamError, text_of
from workers.llm.library import Library
from workers.llm.phrases import phrase
from workers.llm.prompts import messages
from workers.llm.sentences import SentenceStream, Spoken

logger = logging.getLogger(__name__)

MOST_PASSAGES = 4
MOST_ANSWER_CHARACTERS = 8000
"""Where an answer that never ends is ended, besides `max_tokens`, which a server may ignore."""
MOST_JSON_BYTES = 1_000_000
CONNECT_S = 5.0
POLL_MS = 5
"""How often the stage looks for news; 5 ms is below what can be heard."""
LIBRARY_POLL_MS = 20


class _Refusal(Exception):
    """The answer will not come (or not go on): a code, and the phrase to say."""

    def __init__(self, code: str, phrase_name: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.phrase_name, self.detail = code, phrase_name, detail


@dataclass(frozen=True)
class _Key:
    session: str
    turn: int


class OpenAiEngine:
    """See `engine.Brain`. The passages are looked up in `poll` (some 10 ms), the rest runs beside."""

    name = "openai"

    def __init__(self, library: Library) -> None:
        self._library = library
        self._questions: deque[Question] = deque()
        self._tasks: dict[_Key, asyncio.Task[None]] = {}
        self._live: set[_Key] = set()
        self._news: deque[Said | Trouble] = deque()
        self._client: aiohttp.ClientSession | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="openai", daemon=True)
        self._thread.start()

    def prepare(self, persona: Mapping[str, Any], language: str) -> None:
        self._library.prepare(persona, language)

    def submit(self, question: Question) -> None:
        self._live.add(_Key(question.session, question.turn))
        self._questions.append(question)

    def cancel(self, session: str, through_turn: int) -> None:
        stale = {key for key in self._live if key.session == session and key.turn <= through_turn}
        self._live -= stale
        self._questions = deque(q for q in self._questions if _Key(q.session, q.turn) not in stale)
        if stale:
            self._loop.call_soon_threadsafe(self._stop, stale)

    @property
    def waiting(self) -> int | None:
        if not self._live:
            return None
        if any(self._library.get(q.persona, q.language) for q in self._questions):
            return 0
        return LIBRARY_POLL_MS if self._questions and len(self._live) == len(self._questions) else POLL_MS

    def poll(self) -> list[Said | Trouble]:
        self._ask_one()
        news = []
        while self._news:
            item = self._news.popleft()
            key = _Key(item.session, item.turn)
            if key in self._live:
                news.append(item)
                if isinstance(item, Trouble) or item.last:
                    self._live.discard(key)
        return news

    def close(self) -> None:
        """Close all streams and end the thread."""
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _ask_one(self) -> None:
        for question in self._questions:
            knowledge = self._library.get(question.persona, question.language)
            if knowledge is not None:
                self._questions.remove(question)
                found = knowledge.index.find(question.text, MOST_PASSAGES)
                request = _request(question, [hit.passage for hit in found.hits])
                source = found.hits[0].passage.id if found.hits else ""
                self._loop.call_soon_threadsafe(self._start, question, request, source, found.confidence)
                return

    # --- on the loop ---

    def _start(self, question: Question, request: dict[str, Any], source: str, confidence: float) -> None:
        key = _Key(question.session, question.turn)
        answer = _Answer(question, source, confidence, self._news)
        task = self._loop.create_task(self._answer(answer, request), name=f"turn {question.turn}")
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    def _stop(self, stale: Iterable[_Key]) -> None:
        for key in stale:
            task = self._tasks.pop(key, None)
            if task is not None:
                task.cancel()

    async def _shut(self) -> None:
        self._stop(list(self._tasks))
        if self._client is not None:
            await self._client.close()

    async def _answer(self, answer: _Answer, request: dict[str, Any]) -> None:
        try:
            await self._stream(answer, request)
            answer.end()
        except _Refusal as refusal:
            answer.fail(refusal)
        except Exception as error:  # whatever it was, the person gets an apology instead of silence
            logger.exception("the brain failed", extra={"session": answer.question.session})
            answer.fail(_Refusal("llm_failed", "broken", type(error).__name__))

    async def _stream(self, answer: _Answer, request: dict[str, Any]) -> None:
        brain = answer.question.persona["brain"]
        patience_s = float(brain.get("timeout_s") or 15.0)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=min(CONNECT_S, patience_s), sock_read=patience_s)
        if self._client is None:
            self._client = aiohttp.ClientSession(trust_env=False)
        try:
            async with self._client.post(
                _address(brain), json=request, headers=_headers(brain), timeout=timeout, allow_redirects=False
            ) as response:
                _check_status(response)
                if response.content_type == "application/json":
                    await _whole(answer, response, patience_s)
                else:
                    await _pieces(answer, response, patience_s)
        except TimeoutError as error:  # aiohttp's timeouts are TimeoutErrors too
            raise _Refusal("llm_timeout", "timeout", f"nothing for {patience_s:g} s") from error
        except aiohttp.ClientConnectorError as error:
            raise _Refusal("llm_unreachable", "unreachable", str(error)) from error
        except aiohttp.InvalidURL as error:
            raise _Refusal("llm_unreachable", "refused", f"not an address: {error}") from error
        except aiohttp.ClientError as error:
            raise _Refusal("llm_cut", "cut", f"the stream broke: {error}") from error
        except StreamError as error:
            raise _Refusal("llm_garbage", "broken", str(error)) from error


class _Answer:
    """One answer in the making: text pieces in, sentences into the news, one held back to know which is the last."""

    def __init__(self, question: Question, source: str, confidence: float, news: deque[Said | Trouble]) -> None:
        self.question = question
        self.size = 0
        self._source, self._confidence = source, confidence
        self._news = news
        self._sentences = SentenceStream()
        self._begun = bool(question.said_so_far)
        """A sentence of it was spoken, perhaps before a crash."""
        self._started_ns = perf_counter_ns()

    @property
    def full(self) -> bool:
        """Whether it is long enough for any answer."""
        return self.size > MOST_ANSWER_CHARACTERS

    def add(self, text: str) -> None:
        self.size += len(text)
        for sentence in self._sentences.feed(text):
            self._say(sentence)

    def end(self) -> None:
        """The text is complete: the rest, and an empty last sentence where the last one is already on its way.

        Raises _Refusal if nothing of it can be spoken: it was thoughts without an end, code, an emoji.
        """
        end = Spoken("")
        for sentence in self._sentences.flush():
            if sentence.text:
                self._say(sentence)
            else:
                end = sentence
        if not self._begun:
            raise _Refusal("llm_empty", "broken", f"no word to speak in {self.size} characters")
        self._say(end, last=True)

    def fail(self, refusal: _Refusal) -> None:
        question = self.question
        text, language = phrase(refusal.phrase_name, question.language)
        self._news.append(
            Trouble(
                session=question.session,
                turn=question.turn,
                code=refusal.code,
                text=text,
                language=language,
                detail=refusal.detail,
            )
        )

    def _say(self, sentence: Spoken, *, last: bool = False) -> None:
        question = self.question
        self._begun = True
        took_ns = perf_counter_ns() - self._started_ns
        self._news.append(
            Said(
                session=question.session,
                turn=question.turn,
                text=sentence.text,
                last=last,
                language=question.language,
                tags=sentence.tags,
                passage=self._source,
                confidence=self._confidence,
                took_ns=took_ns,
            )
        )
        self._started_ns += took_ns


async def _pieces(answer: _Answer, response: aiohttp.ClientResponse, patience_s: float) -> None:
    """Text as it streams in; patience ends when no text comes, whatever else the server keeps sending."""
    stream = ChatStream()
    clock = asyncio.get_running_loop()
    deadline = clock.time() + patience_s
    while True:
        async with asyncio.timeout_at(deadline):
            piece = await response.content.readany()
        if not piece:
            break
        for text in stream.feed(piece):
            answer.add(text)
            deadline = clock.time() + patience_s
        if stream.done or answer.full:
            return
    if not stream.events:
        raise StreamError("no event at all")
    raise _Refusal("llm_cut", "cut", "the stream ended in the middle of the answer")


async def _whole(answer: _Answer, response: aiohttp.ClientResponse, patience_s: float) -> None:
    """The answer of a server that does not stream."""
    body = bytearray()
    async with asyncio.timeout(patience_s):
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > MOST_JSON_BYTES:
                raise StreamError(f"more than {MOST_JSON_BYTES} bytes of JSON")
    try:
        text, _ = text_of(read_json(bytes(body)))
    except ValueError as error:
        raise StreamError(f"not JSON: {bytes(body[:80])!r}") from error
    answer.add(text[:MOST_ANSWER_CHARACTERS])


def _check_status(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if status == 200:
        return
    detail = f"HTTP {status} {response.reason}"
    if status == 429:
        raise _Refusal("llm_busy", "busy", detail)
    if status in (401, 403):
        raise _Refusal("llm_forbidden", "refused", detail)
    if status >= 500:
        raise _Refusal("llm_server_error", "broken", detail)
    raise _Refusal("llm_refused", "refused", detail)


def _request(question: Question, passages: list[Any]) -> dict[str, Any]:
    brain = question.persona["brain"]
    return {
        "model": brain.get("model") or "default",
        "messages": messages(
            question.persona, question.language, question.history, question.text, passages, question.said_so_far
        ),
        "temperature": brain.get("temperature", 0.6),
        "max_tokens": brain.get("max_tokens", 300),
        "stream": True,
    }


def _address(brain: Mapping[str, Any]) -> str:
    """The persona's url, completed: a server's root or its …/v1 will do."""
    url = str(brain.get("url", "")).strip().rstrip("/")
    if not url:
        raise _Refusal("llm_unreachable", "refused", "the persona's [brain] has no url")
    if url.endswith("/chat/completions"):
        return url
    return f"{url}/chat/completions" if url.rsplit("/", 1)[-1].startswith("v") else f"{url}/v1/chat/completions"


def _headers(brain: Mapping[str, Any]) -> dict[str, str]:
    variable = str(brain.get("api_key_env", ""))
    if not variable:
        return {}
    key = os.environ.get(variable, "")
    if not key:
        raise _Refusal("llm_forbidden", "refused", f"the environment variable {variable} is not set")
    return {"Authorization": f"Bearer {key}"}
