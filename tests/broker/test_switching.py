"""Acts and switches: what the broker makes of them, for a caller who may and for one who asks for the impossible."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from broker.acting import lasting, problem
from broker.errors import ConfigError
from broker.messages import (
    Act,
    Ask,
    Attend,
    Cancel,
    Emitted,
    Event,
    Message,
    Open,
    Played,
    Refused,
    Sentence,
    Speak,
    SpeechEnded,
    SpeechStarted,
    Switch,
    Transcript,
    Typed,
    Word,
)
from broker.store import Store
from tests.broker.test_control import House, one, peer, to

PEOPLE: dict[str, dict[str, Any]] = {
    "host": {"languages": ("en",), "greeting": "Hello, I am Vera."},
    "campus": {"languages": ("es", "en"), "greeting": "Welcome! I am Robin.", "turns": {"away_ms": 5000}},
    "broken": {"languages": ("en",), "turns": {"away": 1}},
    "mute": {"languages": ("zh",), "greeting": ""},
    "oxford": {"languages": ("es-MX", "en-GB"), "greeting": "Good day."},
}


def personas(name: str) -> dict[str, Any]:
    if name not in PEOPLE:
        raise ConfigError(f"There is no persona {name!r}. Known personas: {', '.join(sorted(PEOPLE))}.")
    return {"id": name, "name": name.title(), "turns": {}, "face": {"portrait": name, "motion": 1.0}} | PEOPLE[name]


def house(store: Store | None = None) -> House:
    made = House(store)
    made.control._personas = personas
    made.control._portraits = lambda: ("campus", "host", "sam")
    made.present()
    made.from_(Played(programme_sample=0))
    return made


def greeted() -> House:
    """Vera has said hello and was heard."""
    made = house()
    made.now_ns += 1_000_000_000
    made.from_(Emitted(turn=1, sentence=0, start_sample=0, programme_sample=0, samples=960, last=True, turn_last=True))
    made.from_(Played(programme_sample=960))
    return made


def in_answer() -> House:
    """Vera has greeted and is in the middle of an answer: two of its words have left and were heard."""
    made = greeted()
    turn = one(made.from_(Typed(text="When do you open?")), Ask).turn
    made.from_(Sentence(turn=turn, n=0, text="We open at nine.", language="en", last=True))
    words = tuple(
        Word(index=n, text=w, start_sample=9600 * n, end_sample=9600 * n + 9600) for n, w in enumerate(("We", "open"))
    )
    made.now_ns += 1_000_000_000
    made.from_(Emitted(turn=turn, sentence=0, start_sample=0, programme_sample=24_000, samples=19_200, words=words))
    made.from_(Played(programme_sample=43_200))
    return made


def state(of: House) -> Any:
    return of.control.sessions["s1"].state


def opens(sent: list[tuple[str, Message]]) -> dict[str, Open]:
    return dict(to(sent, Open))


def test_an_act_goes_to_the_programme_and_listeners_hear_of_it() -> None:
    made = house()
    sent = made.from_(Act(emotion="happy", gaze="left"))
    [(name, act)] = to(sent, Act)
    assert name.startswith("programme")
    assert (act.emotion, act.gaze, act.session) == ("happy", "left", "s1")
    assert [e.data["emotion"] for e in made.published if e.kind == "act"] == ["happy"]


def test_an_act_of_nobody_or_over_a_stranger_s_route_is_counted_and_dropped() -> None:
    made = house()
    assert made(Act(session="nobody", emotion="happy")) == []
    assert made(Act(session="s1", route=12345, emotion="happy")) == []
    assert made(Switch(session="s1", route=12345, persona="campus")) == []
    assert made.control.counters["unknown_session"] == 1
    assert made.control.counters["stale_route"] == 2


def test_a_new_programme_is_told_how_the_face_behaves_and_what_it_attends_to() -> None:
    made = house()
    made.from_(Act(emotion="happy", strength=0.5))
    made.from_(Act(gesture="nod", motion=0.0))
    made.from_(Act(emotion="surprised", for_ms=500))
    served = made.control.sessions["s1"].route.peers["programme"]
    sent = made.lose(served)
    [(name, act)] = to(sent, Act)
    assert name.startswith("programme")
    assert name != served.name
    assert (act.emotion, act.strength, act.gesture, act.motion, act.for_ms) == ("happy", 0.5, "", 0.0, 0)
    assert to(sent, Attend)
    kinds = [type(message) for to_, message in sent if to_ == name]
    assert kinds.index(Open) < kinds.index(Act)


def test_another_persona_ends_the_answer_is_told_to_all_and_greets() -> None:
    made = in_answer()
    turn = state(made).turn
    sent = made.from_(Switch(persona="campus"))
    assert {message.persona["id"] for message in opens(sent).values()} == {"campus"}
    assert {name.rsplit("-", 1)[0] for name in opens(sent)} == {
        "vad",
        "asr",
        "llm",
        "tts",
        "programme",
        "lipsync",
        "webrtc",
    }
    for name in ("tts", "programme", "llm"):
        kinds = [type(m) for to_, m in sent if to_.startswith(name)]
        assert kinds.index(Cancel) < kinds.index(Open), "what is stale is stale before anything of the new one"
    assert to(sent, Cancel)[0][1].through_turn >= turn
    said = sent + made.wait(0.5)
    greeting = one(said, Speak)
    assert (greeting.text, greeting.language, greeting.tags) == ("Welcome! I am Robin.", "en", {"emotion": "happy"})
    assert greeting.turn > turn
    kinds = [type(m) for to_, m in said if to_.startswith("tts")]
    assert kinds.index(Open) < kinds.index(Speak)
    lines = [(line.role, line.text, line.interrupted) for line in state(made).dialogue]
    assert lines[-2:] == [("user", "When do you open?", False), ("avatar", "We open", True)]
    [event] = [e for e in made.published if e.kind == "switch"]
    assert event.data == {"persona": "campus", "portrait": "campus", "language": "en"}
    assert state(made).settings.away_ms == 5000


def test_the_next_question_carries_the_dialogue_to_the_new_persona() -> None:
    made = in_answer()
    made.from_(Switch(persona="campus"))
    made.wait(0.5)
    ask = one(made.from_(Typed(text="And on Sundays?")), Ask)
    assert [line.text for line in ask.history][-2:] == ["When do you open?", "We open"]


@pytest.mark.parametrize(
    ("switch", "says"),
    [
        (Switch(persona="nobody"), "Known personas: broken, campus"),
        (Switch(persona="broken"), "has no key 'away'"),
        (Switch(portrait="ghost"), "Known faces: campus, host, sam"),
        (Switch(language="fr"), "Host does not speak 'fr', only en"),
        (Switch(persona="campus", language="zh"), "only es, en"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_and_changes_nothing(switch: Switch, says: str) -> None:
    made = in_answer()
    before = made.control.sessions["s1"].record
    sent = made.from_(switch)
    [(name, refused)] = to(sent, Refused)
    assert name.startswith("webrtc")
    assert refused.code == "switch"
    assert says in refused.text
    assert len(sent) == 1
    assert made.control.sessions["s1"].record == before


def test_another_face_lets_the_answer_go_on_and_nobody_greets() -> None:
    made = in_answer()
    sent = made.from_(Switch(portrait="sam"))
    assert {message.persona["face"]["portrait"] for message in opens(sent).values()} == {"sam"}
    assert {message.persona["id"] for message in opens(sent).values()} == {"host"}
    assert not to(sent, Cancel)
    assert opens(sent)["webrtc-1"].committed == (state(made).answer.turn,)
    assert not to(made.wait(1.0), Speak)


def test_another_language_of_the_same_persona_holds_from_the_next_question_on() -> None:
    made = house()
    made.from_(Switch(persona="campus"))
    sent = made.from_(Switch(language="es"))
    assert {message.language for message in opens(sent).values()} == {"es"}
    assert one(made.from_(Typed(text="Hola")), Ask).language == "es"


def test_a_persona_that_does_not_speak_the_language_of_the_call_uses_her_own() -> None:
    made = house()
    sent = made.from_(Switch(persona="mute"))
    assert {message.language for message in opens(sent).values()} == {"zh"}
    assert not to(made.wait(1.0), Speak), "without a greeting there is none"


def test_a_persona_that_speaks_the_language_of_the_call_as_elsewhere_keeps_it() -> None:
    sent = house().from_(Switch(persona="oxford"))
    assert {message.language for message in opens(sent).values()} == {"en-GB"}


def test_an_utterance_under_way_is_answered_by_whom_it_switched_to() -> None:
    made = greeted()
    made.from_(SpeechStarted(utterance=0, mic_sample=16_000))
    made.from_(Switch(persona="campus"))
    made.from_(SpeechEnded(utterance=0, mic_sample=32_000))
    sent = made.from_(
        Transcript(utterance=0, n=1, text="when do you open", final=True, language="en", through_sample=32_000)
    )
    assert one(sent, Ask).text == "when do you open"
    assert not to(sent + made.wait(1.0), Speak), "who was asked something answers instead of greeting"


def test_a_broker_that_starts_anew_knows_the_persona_and_the_act(tmp_path: Path) -> None:
    first = house(Store(tmp_path / "store.sqlite"))
    first.from_(Switch(persona="campus", portrait="sam"))
    first.from_(Act(gaze="down"))
    second = House(Store(tmp_path / "store.sqlite"), instances=0)
    second.run(lambda: second.control.restore(second.now_ns))
    record = second.control.sessions["s1"].record
    assert (record.persona["id"], record.persona["face"]["portrait"], record.act.gaze) == ("campus", "sam", "down")


def test_what_lasts_of_acts() -> None:
    act = lasting(Act(emotion="happy", motion=0.3), Act(emotion="surprised", for_ms=500, gesture="nod", gaze="up"))
    assert act == Act(emotion="happy", gaze="up", motion=0.3)
    assert lasting(act, Act(emotion="neutral")).emotion == "neutral"


def test_an_act_that_says_nothing_or_nonsense_is_a_problem_in_words() -> None:
    assert problem(Act(emotion="happy", strength=0.2, for_ms=10)) == ""
    assert problem(Act(background="garden-2")) == ""
    assert "names an emotion" in problem(Act())
    assert "known: nod, shake, tilt" in problem(Act(gesture="wave"))


def test_the_machine_tells_no_more_than_it_did() -> None:
    """An act reaches no other process than the programme."""
    made = house()
    sent = made.from_(Act(gesture="nod"))
    assert {name.rsplit("-", 1)[0] for name, message in sent if not isinstance(message, Event)} == {"programme"}
    assert peer("programme").kind == "programme"
