"""kill -9 of whatever serves a call, in a real browser: not a word is lost or said twice, and the dialogue is kept.

How long it takes is measured by bench/crash.py, not here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.crash import SPOKEN
from bench.crash_call import Answered, Call, Killed
from bench.crash_outcome import in_order, missing_and_more, said_twice, words
from broker.messages import WORKER_KINDS
from tests.stack.caller import Caller
from tests.stack.running import Stack

pytestmark = pytest.mark.browser

QUESTION = "How do I apply for a place?"
INTO_VOICE_S = 1.2
INTO_QUESTION_S = 0.9
SLOW = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def call() -> Iterator[Call]:
    stack = Stack()
    try:
        stack.start()
        with Caller(stack.url) as caller:
            caller.open("?persona=campus").start()
            with Call(stack, caller) as under_way:
                caller.until(under_way.dialogue, "no greeting")
                under_way.calm()
                yield under_way
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def undisturbed(call: Call) -> Answered:
    answered, _ = call.typed(QUESTION)
    assert len(words(answered.heard)) > 15
    return answered


def survive(call: Call, *kinds: str) -> tuple[Answered, Killed]:
    """An answer in the middle of which the processes that serve the call as these kinds are killed."""
    call.whole()
    before, serving = call.dialogue(), {kind: call.serving(kind) for kind in kinds}
    pids = {kind: call.pid(name) for kind, name in serving.items()}

    def kill() -> Killed:
        killed = [call.kill(serving[kind], pids[kind]) for kind in kinds]
        return killed[0]

    answered, killed = call.typed(QUESTION, call.into_voice(INTO_VOICE_S, kill))
    assert killed
    call.whole()
    assert call.dialogue()[: len(before)] == before, "what was said before stays"
    sessions = {str(message["session"]) for message in call.caller.messages("session")}
    assert sessions == {call.session}, "it is still the same conversation"
    for kind in kinds:
        assert kind not in WORKER_KINDS or call.serving(kind) != serving[kind], f"the other {kind} has taken over"
    return answered, killed


def whole_and_once(answered: Answered, undisturbed: Answered, killed: Killed) -> None:
    """The same words in the dialogue, in the captions and on the page; none whole twice."""
    assert (answered.asked, answered.heard) == (undisturbed.asked, undisturbed.heard)
    assert not answered.interrupted
    assert [words(line) for line in answered.shown] == [words(answered.asked), words(answered.heard)]
    places = [(word.sentence, word.index) for word in answered.captions]
    assert set(places) == {(word.sentence, word.index) for word in undisturbed.captions}
    assert in_order(places)
    assert said_twice(answered.captions, killed.heard_through, killed.sample) == 0


@SLOW
@pytest.mark.parametrize("kinds", [("tts",), ("programme",), ("llm",), ("vad", "asr", "lipsync"), ("broker",)])
def test_an_answer_in_whose_middle_a_process_dies_is_heard_whole_and_once(
    call: Call, undisturbed: Answered, kinds: tuple[str, ...]
) -> None:
    answered, killed = survive(call, *kinds)
    whole_and_once(answered, undisturbed, killed)


@SLOW
@pytest.mark.parametrize("kind", ["vad", "asr"])
def test_a_question_in_whose_middle_a_process_dies_is_understood_as_one(call: Call, kind: str) -> None:
    call.whole()
    text, voice = SPOKEN[-1]
    name = call.serving(kind)
    pid = call.pid(name)
    answered, _ = call.spoken(text, voice, call.into_question(INTO_QUESTION_S, lambda: call.kill(name, pid)))
    lost, more = missing_and_more(words(text), words(answered.asked))
    assert " | " not in answered.asked, "one utterance"
    assert max(lost, more) <= 3, f"heard as {answered.asked!r}"
    assert not answered.interrupted
    assert answered.heard


@SLOW
@pytest.mark.parametrize("into_s", [INTO_QUESTION_S, 0.15])
def test_a_question_in_whose_middle_the_edge_dies_is_understood_whole(call: Call, into_s: float) -> None:
    """Most of it is spoken while there is no edge: the page remembers the sound and sends it to the next one."""
    call.whole()
    text, voice = SPOKEN[-1]
    name = call.serving("webrtc")
    pid = call.pid(name)
    answered, _ = call.spoken(text, voice, call.into_question(into_s, lambda: call.kill(name, pid)))
    lost, more = missing_and_more(words(text), words(answered.asked))
    assert " | " not in answered.asked, "one utterance, and no answer to a fragment"
    assert max(lost, more) <= 3, f"heard as {answered.asked!r}"
    assert answered.heard
    assert not answered.interrupted
    assert call.caller.messages("again", "out"), "the page sent its memory"
    assert call.caller.messages("microphone"), "and then spoke over RTP again"


@SLOW
def test_when_the_edge_dies_the_page_comes_back_and_hears_the_rest_of_the_answer(
    call: Call, undisturbed: Answered
) -> None:
    answered, killed = survive(call, "webrtc")
    whole_and_once(answered, undisturbed, killed)
