"""The person makes a sound while the avatar speaks: what stops it, what does not, and what becomes of its words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from bench.barge_in import WATCH_VOLUME, now_ms, over, settle, since, volume_at
from bench.interjections import noise, said
from bench.spoken import RATE_HZ, silence
from broker.backchannel import words_of
from tests.stack.caller import AUDIBLE_RMS, Caller, wav_bytes
from tests.stack.caller import RATE_HZ as EAR_HZ

pytestmark = pytest.mark.browser

QUESTION = "When is the library open?"


@pytest.fixture(autouse=True)
def in_peace(caller: Caller) -> Iterator[None]:
    yield
    settle(caller)


class Answer:
    """An answer that is being spoken, from when its first words were heard of."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.asked_ms = now_ms(caller)
        caller.type(QUESTION)
        caller.until(self._fourth_word_played, "no answer was heard")
        assert caller.state() == "speaking"
        self.said_ms = now_ms(caller)

    def _fourth_word_played(self) -> bool:
        """Whether the page has said that it played so far: on a busy machine that is long after it left."""
        words = [word for m in since(self.caller, "words", self.asked_ms) for word in m["words"]]
        played = since_out(self.caller, "played", self.asked_ms)
        if len(words) < 4 or not played:
            return False
        fourth_ends = words[3][4] + words[3][5]
        return bool((played[-1]["rtp"] - fourth_ends) % 2**32 < 2**31)

    def end(self) -> dict[str, Any]:
        """The message that it is over."""
        return over(self.caller, QUESTION, self.asked_ms)

    def states(self) -> list[str]:
        """What the page was told since it was disturbed."""
        return [m["state"] for m in since(self.caller, "state", self.said_ms)]

    def story(self) -> str:
        """What happened since it was asked for, for whoever reads a failure."""
        told = [m for kind in ("state", "turn", "heard") for m in since(self.caller, kind, self.asked_ms)]
        told.sort(key=lambda m: m["at"])
        parts = ("state", "what", "turn", "text", "heard")
        return "; ".join(f"{m['at']:.0f} " + " ".join(str(m[p])[:30] for p in parts if p in m) for m in told)

    def captions(self, turn: int) -> list[str]:
        entered = [word for m in since(self.caller, "words", self.asked_ms) for word in m["words"]]
        return [word[3] for word in entered if word[0] == turn]


def since_out(caller: Caller, kind: str, page_time_ms: float) -> list[dict[str, Any]]:
    """What the page has said of one kind after an instant."""
    return [m for m in caller.messages(kind, "out") if m["at"] > page_time_ms]


def assert_whole(answer: Answer, last: dict[str, Any]) -> None:
    assert last["what"] == "finished", answer.story()
    assert last["heard"] == last["text"], "no word of the answer is lost"
    captions = " ".join(answer.captions(last["turn"]))
    assert words_of(captions) == words_of(last["text"]), "each word is shown once, in order"


def test_the_answer_goes_on_after_a_backchannel(caller: Caller) -> None:
    answer = Answer(caller)
    caller.say(wav_bytes(said("okay", "slt", "backchannel").sound, RATE_HZ), "okay")
    last = answer.end()
    assert answer.states()[:2] == ["held", "speaking"], answer.story()
    assert_whole(answer, last)
    assert not [m for m in since(caller, "turn", answer.said_ms) if m["what"] == "committed"], "okay is not answered"


def test_the_page_says_at_once_how_far_it_had_played_and_nothing_more_while_it_is_held(caller: Caller) -> None:
    answer = Answer(caller)
    caller.say(wav_bytes(said("okay", "slt", "backchannel").sound, RATE_HZ), "okay")
    answer.end()
    held, speaking = (m["at"] for m in since(caller, "state", answer.said_ms)[:2])
    played = [m for m in caller.messages("played", "out") if held <= m["at"] < speaking]
    assert played, answer.story()
    assert len({m["rtp"] for m in played}) == 1, "what is on its way is not heard"


def test_a_cough_costs_no_word(caller: Caller) -> None:
    answer = Answer(caller)
    cough = noise("cough")
    caller.say(wav_bytes(np.concatenate([cough, silence(150), cough]), RATE_HZ), "cough")
    assert_whole(answer, answer.end())


def test_an_interruption_cuts_the_answer_and_is_answered(caller: Caller) -> None:
    answer = Answer(caller)
    caller.say(wav_bytes(said("what about the weekend", "slt", "interruption").sound, RATE_HZ), "interruption")
    last = answer.end()
    assert last["what"] == "interrupted"
    assert answer.states()[0] == "held", "it fell silent before it was known what the person says"
    heard, text = words_of(last["heard"]), words_of(last["text"])
    assert 0 < len(heard) < len(text)
    assert heard == text[: len(heard)], "what stays in the dialogue is how the answer began"
    committed = caller.until(lambda: _committed(caller, "weekend", answer.said_ms), "it was not answered")
    assert committed["turn"] > last["turn"]
    caller.until(lambda: _words_of_turn(caller, committed["turn"]), "the new answer was not voiced")
    later = [word for m in since(caller, "words", last["at"]) for word in m["words"]]
    assert not [word for word in later if word[0] == last["turn"]], "no word of the old answer after its end"


def test_the_button_cuts_the_answer_at_once(caller: Caller) -> None:
    answer = Answer(caller)
    caller.page.click("#interrupt")
    last = answer.end()
    assert last["what"] == "interrupted"
    assert 0 < len(words_of(last["heard"])) < len(words_of(last["text"]))
    assert "held" not in answer.states()
    caller.until(lambda: caller.state() == "listening", "the avatar does not listen again")
    caller.wait(0.5)
    later = [word for m in since(caller, "words", last["at"]) for word in m["words"]]
    assert later == [], answer.story()


def test_what_is_typed_over_the_voice_is_answered_aloud_from_the_first_word_on(caller: Caller) -> None:
    caller.renew_ear()
    answer = Answer(caller)
    caller.page.evaluate(WATCH_VOLUME)
    typed_ms = now_ms(caller)
    caller.type("How do I borrow books?")
    turn = caller.until(lambda: _committed(caller, "borrow", typed_ms), "it was not answered")["turn"]
    rtp = caller.until(lambda: _words_of_turn(caller, turn), "the new answer was not voiced")[0][4]
    played = caller.until(lambda: _played_after(caller, rtp), "the new answer was not played")
    word_ms = played["t"] - (played["rtp"] - rtp) % 2**32 / (EAR_HZ / 1000)
    half_a_second = EAR_HZ / 2
    # In frames: on a busy machine the audio clock stands still now and then.
    caller.until(
        lambda: caller.collect().levels()[0][-1] > caller.recording.frame_of(word_ms) + half_a_second,
        "the sound does not come to the first word",
    )
    volumes = [(float(at), float(volume)) for at, volume in caller.page.evaluate("window.volumes")]
    assert 0 in [volume for _, volume in volumes], "the old answer was not silenced"
    frames, _, voice = caller.recording.levels()
    begins, audible = caller.recording.frame_of(word_ms), voice * volume_at(caller.recording, volumes, frames)
    loudest = max(audible[(frames > begins) & (frames < begins + half_a_second)])
    told = f"typed at {typed_ms:.0f}, first word at {word_ms:.0f}: {volumes}; {answer.story()}"
    assert loudest > AUDIBLE_RMS, told


def _played_after(caller: Caller, rtp: int) -> dict[str, Any] | None:
    return next((m for m in caller.messages("played", "out") if (m["rtp"] - rtp) % 2**32 < 2**31), None)


def _committed(caller: Caller, word: str, since_ms: float) -> dict[str, Any] | None:
    """The answer to what has this word in it: who is cut at a pause is heard as one when they go on."""
    told = [m for m in since(caller, "turn", since_ms) if m["what"] == "committed"]
    return next((m for m in told if word in words_of(m["text"])), None)


def _words_of_turn(caller: Caller, turn: int) -> list[Any]:
    return [word for m in caller.messages("words") for word in m["words"] if word[0] == turn]
