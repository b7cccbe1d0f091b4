"""The tts stage: what it sends for what it is told. Messages in, messages out, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from broker.messages import Cancel, Close, Credit, Failed, Hold, Message, Open, Resume, Sentence, Speak, Voice
from tests.tts.test_voices import Humming
from tests.tts.test_words import HOSTILE
from tests.tts.voiced import VOICES
from workers.tts import stand_ins
from workers.tts.engine import Sound, SynthesisFailed, Utterance
from workers.tts.stage import CHUNK_SAMPLES, TtsStage
from workers.tts.voices import Voices
from workers.tts.words import Token

LONG = "one two three four five six, seven eight nine ten eleven twelve. thirteen fourteen fifteen sixteen."


def opened(*sessions: str, voices: Voices | None = None, **more: Any) -> TtsStage:
    stage = TtsStage(voices or Voices(engines={"humming": Humming()}))
    for session in sessions or ("s",):
        stage.accept(
            Open(session=session, route=7, persona={"voices": {}}, language="en", origin_ns=0, peers={}, **more)
        )
    run(stage)
    return stage


def sentence(text: str, turn: int = 1, n: int = 0, session: str = "s", **more: Any) -> Sentence:
    fields: dict[str, Any] = {"language": "en", "last": True} | more
    return Sentence(session=session, route=7, turn=turn, n=n, text=text, **fields)


def run(stage: TtsStage, steps: int = 5000) -> list[Message]:
    """Step until nothing is due, as the shell does."""
    sent: list[Message] = []
    for now_ns in range(0, steps * 10_000_000, 10_000_000):
        if stage.due_ns is None:
            return sent
        sent += stage.step(now_ns)
    raise AssertionError("the stage never comes to rest")


def voices_of(messages: Sequence[Message]) -> list[Voice]:
    return [message for message in messages if isinstance(message, Voice)]


def samples(messages: Sequence[Message]) -> int:
    return sum(len(voice.pcm) // 2 for voice in voices_of(messages))


def grant(stage: TtsStage, sentence_n: int, through: int, turn: int = 1, session: str = "s", buffered: int = 0) -> None:
    stage.accept(
        Credit(session=session, turn=turn, sentence=sentence_n, through_sample=through, buffered_samples=buffered)
    )


def test_a_sentence_comes_out_contiguous_with_its_words_first() -> None:
    stage = opened()
    stage.accept(sentence("Hello there, dear friends.", tags={"emotion": "happy"}))
    sent = voices_of(run(stage))
    assert sent[0].text == "Hello there, dear friends."
    assert sent[0].tags == {"emotion": "happy"}
    assert [word.text for voice in sent for word in voice.words] == ["Hello", "there,", "dear", "friends."]
    at = 0
    for voice in sent:
        assert (voice.turn, voice.sentence, voice.route, voice.start_sample) == (1, 0, 7, at)
        assert len(voice.pcm) <= 2 * CHUNK_SAMPLES
        at += len(voice.pcm) // 2
    assert [voice.last for voice in sent] == [False] * (len(sent) - 1) + [True]
    assert sent[-1].turn_last


def test_marks_of_a_clause_arrive_before_its_sound() -> None:
    stage = opened()
    stage.accept(sentence(LONG))
    grant(stage, 1, 0)
    mouth = 0
    for voice in voices_of(run(stage)):
        if voice.mouth:
            assert voice.mouth_from == mouth == voice.start_sample // 480
            mouth += len(voice.mouth) // 15
        assert voice.start_sample + len(voice.pcm) // 2 <= mouth * 480
        assert all(word.start_sample >= voice.start_sample for word in voice.words)


def test_without_credit_a_turns_first_sentence_gets_one_second() -> None:
    stage = opened()
    stage.accept(sentence(LONG, last=False))
    stage.accept(sentence(LONG, n=1))
    assert samples(run(stage)) == 48_000
    assert stage.due_ns is None


@pytest.mark.parametrize("through", [60_000, 60_001, 72_345])
def test_credit_is_met_to_the_sample_and_not_passed(through: int) -> None:
    stage = opened()
    stage.accept(sentence(LONG))
    grant(stage, 0, through)
    grant(stage, 0, through)
    assert samples(run(stage)) == through


def test_sentences_before_the_credited_one_are_granted_whole() -> None:
    stage = opened()
    for n in range(3):
        stage.accept(sentence(LONG, n=n, last=n == 2))
    grant(stage, 1, 10_000)
    sent = voices_of(run(stage))
    assert [voice.sentence for voice in sent if voice.last] == [0]
    assert samples([voice for voice in sent if voice.sentence == 1]) == 10_000
    assert not any(voice.sentence == 2 for voice in sent)
    grant(stage, 3, 0)
    assert [voice.sentence for voice in voices_of(run(stage)) if voice.last] == [1, 2]


def test_a_sentence_is_finished_when_its_credit_comes_in_crumbs() -> None:
    stage = opened()
    stage.accept(sentence("one two three."))
    got = 0
    for through in range(0, 48_000, 777):
        grant(stage, 0, through)
        sent = voices_of(run(stage))
        got += samples(sent)
        if sent and sent[-1].last:
            break
    assert sent[-1].turn_last
    assert got <= through


def test_cancel_stops_at_once_and_for_ever() -> None:
    stage = opened()
    stage.accept(sentence(LONG))
    grant(stage, 0, 480_000)
    stage.step(0)
    stage.accept(Cancel(session="s", through_turn=1))
    assert stage.due_ns is None
    stage.accept(sentence("late", n=1))
    stage.accept(Speak(session="s", turn=1, n=2, text="later", language="en", last=True))
    grant(stage, 5, 0)
    assert run(stage) == []
    stage.accept(sentence("new", turn=2))
    assert samples(run(stage)) > 0


def test_cancelled_turns_are_known_from_open() -> None:
    stage = opened(cancelled_through=4)
    stage.accept(sentence("stale", turn=4))
    assert run(stage) == []


def test_a_newer_turn_does_not_wait_for_an_older_ones_credit() -> None:
    stage = opened()
    stage.accept(sentence(LONG, turn=1))
    run(stage)
    stage.accept(sentence("hello", turn=2))
    assert {voice.turn for voice in voices_of(run(stage))} == {2}


def test_the_session_with_the_least_sound_is_served_first() -> None:
    stage = opened("rich", "poor")
    for session, buffered in (("rich", 96_000), ("poor", 100)):
        stage.accept(sentence(LONG, session=session))
        grant(stage, 0, 20_000, session=session, buffered=buffered)
    assert {voice.session for voice in voices_of(stage.step(0))} == {"poor"}


def test_sessions_take_turns_as_they_fill_up() -> None:
    stage = opened("a", "b", "c")
    for session in "abc":
        stage.accept(sentence(LONG, session=session))
        grant(stage, 1, 0, session=session)
    order = [voices_of(stage.step(0))[0].session for _ in range(6)]
    assert sorted(order[:3]) == ["a", "b", "c"]
    assert sorted(order[3:]) == ["a", "b", "c"]


def test_a_consumer_without_credit_costs_the_others_nothing() -> None:
    stage = opened("stuck", "live")
    stage.accept(sentence(LONG, session="stuck"))
    run(stage)
    stage.accept(sentence("fine.", session="live"))
    assert voices_of(run(stage))[-1].turn_last


def test_speak_from_a_word_keeps_its_index_and_counts_samples_from_there() -> None:
    stage = opened()
    stage.accept(Speak(session="s", turn=1, n=0, text="one two three four", language="en", last=True, from_word=2))
    words = [word for voice in voices_of(run(stage)) for word in voice.words]
    assert [(word.index, word.text) for word in words] == [(2, "three"), (3, "four")]
    assert words[0].start_sample == 960


def test_a_sentence_heard_of_twice_is_spoken_once_but_speak_always_speaks() -> None:
    stage = opened()
    stage.accept(sentence("hello"))
    stage.accept(sentence("hello"))
    assert sum(voice.last for voice in voices_of(run(stage))) == 1
    stage.accept(sentence("hello"))
    assert run(stage) == []
    assert stage.counters["duplicates"] == 2
    stage.accept(Speak(session="s", turn=1, n=0, text="hello", language="en", last=True))
    assert sum(voice.last for voice in voices_of(run(stage))) == 1


def test_after_the_programme_was_replaced_nothing_is_sent_until_the_broker_asks_again() -> None:
    stage = opened()
    stage.accept(sentence(LONG, last=False))
    stage.accept(sentence("the end", n=1))
    run(stage)
    stage.accept(
        Open(session="s", route=8, persona={}, language="en", origin_ns=0, peers={}, replaced=("programme",), turn=1)
    )
    run(stage)
    assert run(stage) == []
    stage.accept(Speak(session="s", route=8, turn=1, n=0, text=LONG, language="en", last=False, from_word=3))
    grant(stage, 2, 0)
    sent = voices_of(run(stage))
    assert [(voice.sentence, voice.route) for voice in sent if voice.last] == [(0, 8), (1, 7)]
    assert sent[0].start_sample == 0
    assert sent[0].words[0].index == 3


def test_what_the_old_programme_had_nothing_of_need_not_be_asked_for_again() -> None:
    stage = opened()
    stage.accept(sentence("the old answer"))
    run(stage)
    stage.accept(
        Open(session="s", route=8, persona={}, language="en", origin_ns=0, peers={}, replaced=("programme",), turn=1)
    )
    stage.accept(sentence("a new answer", turn=2))
    sent = voices_of(run(stage))
    assert {voice.turn for voice in sent} == {2}
    assert sent[-1].last


def test_an_answer_of_which_the_old_programme_had_something_waits_though_others_are_spoken() -> None:
    stage = opened()
    stage.accept(sentence("it had this", last=False))
    run(stage)
    stage.accept(
        Open(session="s", route=8, persona={}, language="en", origin_ns=0, peers={}, replaced=("programme",), turn=1)
    )
    stage.accept(Speak(session="s", route=8, turn=2, n=0, text="one moment", language="en", last=True))
    stage.accept(sentence("and this is still to come", n=1))
    assert {voice.turn for voice in voices_of(run(stage))} == {2}
    stage.accept(Speak(session="s", route=8, turn=1, n=0, text="it had this", language="en", last=False, from_word=1))
    grant(stage, 2, 0)
    sent = voices_of(run(stage))
    assert [(voice.turn, voice.sentence) for voice in sent if voice.last] == [(1, 0), (1, 1)]


def test_another_persona_in_a_repeated_open_speaks_with_her_own_voice() -> None:
    heard: list[str] = []

    class Noting(Humming):
        def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> Utterance:
            heard.append(voice)
            return super().start(clause, language, voice, rate)

    stage = opened(voices=Voices(engines={"humming": Noting()}))
    stage.accept(sentence("one two three"))
    run(stage)
    before = heard[-1]
    persona = {"voices": {"en": {"engine": "humming", "voice": "high"}}}
    stage.accept(Open(session="s", route=7, persona=persona, language="en", origin_ns=0, peers={}, cancelled_through=1))
    run(stage)
    stage.accept(sentence("one two three", turn=2))
    sent = run(stage)
    assert (before, heard[-1]) == ("low", "high")
    assert {voice.turn for voice in voices_of(sent)} == {2}


def test_hold_and_resume_change_nothing_here() -> None:
    stage = opened()
    stage.accept(sentence("hello"))
    stage.accept(Hold(session="s"))
    stage.accept(Resume(session="s"))
    assert voices_of(run(stage))[-1].last


def test_a_closed_session_is_forgotten() -> None:
    stage = opened()
    stage.accept(sentence(LONG))
    stage.accept(Close(session="s", reason="bye"))
    assert stage.due_ns is None
    assert stage.sessions == 0
    stage.accept(sentence("hello"))
    stage.accept(Close(session="s", reason="bye"))
    assert run(stage) == []
    assert stage.counters["unknown_session"] == 2


def test_the_end_of_an_answer_without_text_is_one_empty_piece() -> None:
    stage = opened()
    stage.accept(sentence("hello", last=False))
    stage.accept(sentence("", n=1))
    sent = voices_of(run(stage))
    assert (sent[-1].sentence, sent[-1].pcm, sent[-1].last, sent[-1].turn_last) == (1, b"", True, True)


def test_a_sentence_of_pictures_keeps_its_words_and_ends() -> None:
    stage = opened()
    stage.accept(sentence("😀 🎉"))
    (only,) = voices_of(run(stage))
    assert (only.pcm, only.last) == (b"", True)
    assert [word.text for word in only.words] == ["😀", "🎉"]


def test_a_language_without_a_voice_fails_the_turn_in_words() -> None:
    stage = opened()
    stage.accept(sentence("Qapla", language="tlh-x-none", last=False))
    stage.accept(sentence("more", n=1, language="en"))
    (failed,) = run(stage)
    assert isinstance(failed, Failed)
    assert (failed.turn, failed.code, failed.kind, failed.session) == (1, "tts_language", "tts", "s")
    assert "tlh-x-none" in failed.text
    stage.accept(sentence("again", turn=2))
    assert samples(run(stage)) > 0


class Refusing(Humming):
    def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> Any:
        if any("bad" in token.text for token in clause):
            raise SynthesisFailed("refused")
        return super().start(clause, language, voice, rate)


def test_an_engine_that_refuses_and_has_no_stand_in_fails_its_turn_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_ins, "STAND_INS", ())
    stage = opened(voices=Voices(engines={"refusing": Refusing()}))
    stage.accept(sentence("good, then bad things happen"))
    grant(stage, 1, 0)
    sent = run(stage)
    assert isinstance(sent[-1], Failed)
    assert sent[-1].code == "tts_failed"
    stage.accept(sentence("good", turn=2))
    assert voices_of(run(stage))[-1].last


class Slow(Humming):
    """An engine that runs on its own time: ready at the third look, and told when nobody waits any more."""

    cancelled = 0

    def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> Any:
        slow, ready = self, super().start(clause, language, voice, rate)

        class Pending:
            looks = 0

            def read(self) -> Sound | None:
                self.looks += 1
                return ready.read() if self.looks >= 3 else None

            def cancel(self) -> None:
                slow.cancelled += 1

        pending: Utterance = Pending()
        return pending


def test_an_engine_that_takes_its_time_is_asked_again_and_blocks_nobody() -> None:
    stage = opened("s", "t", voices=Voices(engines={"slow": Slow()}))
    stage.accept(sentence("hello", session="s"))
    assert stage.step(1_000) == []
    assert stage.due_ns is not None
    assert stage.due_ns > 1_000
    stage.accept(sentence("hello", session="t"))
    assert stage.due_ns == 0
    assert {voice.session for voice in voices_of(run(stage))} == {"s", "t"}


def test_cancelling_tells_an_engine_that_is_still_at_it() -> None:
    engine = Slow()
    stage = opened(voices=Voices(engines={"slow": engine}))
    stage.accept(sentence("hello"))
    stage.step(0)
    stage.accept(Cancel(session="s", through_turn=1))
    assert engine.cancelled == 1
    assert stage.due_ns is None


@pytest.mark.parametrize("tags", [{"rate": "fast"}, {"rate": None}, {"rate": float("inf")}, {"rate": -3}, {"rate": []}])
def test_a_tag_that_makes_no_sense_is_ignored(tags: dict[str, Any]) -> None:
    stage = opened()
    stage.accept(sentence("hello", tags=tags))
    assert voices_of(run(stage))[-1].last


@pytest.mark.parametrize("persona", [{}, {"voices": None}, {"voices": {"en": {}}}, {"voices": {"xx": {"engine": "?"}}}])
def test_a_persona_without_usable_voices_still_speaks(persona: dict[str, Any]) -> None:
    stage = TtsStage(Voices(engines={"humming": Humming()}))
    stage.accept(Open(session="s", persona=persona, language="en", origin_ns=0, peers={}))
    run(stage)
    stage.accept(sentence("hello"))
    assert voices_of(run(stage))[-1].last


@pytest.mark.parametrize("language", ["en", "es", "zh"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_spoken_or_passed_over_by_the_real_engines(text: str, language: str) -> None:
    stage = opened(voices=VOICES)
    stage.accept(sentence(text, language=language))
    grant(stage, 0, 96_000)
    run(stage)
    grant(stage, 1, 0)
    for _ in range(40):
        for message in stage.step(0):
            assert isinstance(message, Voice)
    stage.accept(Cancel(session="s", through_turn=1))
    assert stage.due_ns is None


def test_of_fifty_thousand_characters_only_what_was_asked_for_is_spoken() -> None:
    stage = opened(voices=VOICES)
    stage.accept(sentence("This is a rather long story about many things that 42 people did. " * 770))
    sent = voices_of(run(stage))
    assert sent[0].words[0].text == "This"
    assert max(word.index for voice in sent for word in voice.words) < 40  # no more was looked at than was asked for
    assert samples(sent) == 48_000


def test_languages_change_from_sentence_to_sentence() -> None:
    stage = opened(voices=VOICES)
    for n, (language, text) in enumerate((("en", "Hello."), ("es", "Hola."), ("zh", "你好。"))):
        stage.accept(sentence(text, n=n, language=language, last=n == 2))
    grant(stage, 3, 0)
    sent = voices_of(run(stage))
    assert [voice.language for voice in sent if voice.last] == ["en", "es", "zh"]
    assert all(voice.phones for voice in sent if voice.start_sample == 0)


def test_a_paused_session_gets_no_voice_until_it_is_let_go_and_the_others_do() -> None:
    stage = opened("s", "t")
    stage.pause(frozenset({"s"}))
    for session in ("s", "t"):
        stage.accept(sentence("Hello there.", session=session))
    meanwhile = run(stage)
    assert {voice.session for voice in voices_of(meanwhile)} == {"t"}
    stage.pause(frozenset())
    assert samples(run(stage)) == samples(meanwhile) > 0
