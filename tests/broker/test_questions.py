"""Questions from the audience: who may ask, whose turn it is, and that a restart forgets none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from broker.messages import Command, Done, Emitted, Message, Played, Sentence, Speak, SpeechStarted, Typed, Word
from broker.questions import Question, QuestionError, Questions, Stand
from broker.store import Store
from tests.broker.test_control import House, one, peer, to


def command(house: House, what: str, **data: Any) -> Done:
    sent = house(Command(session="s1", id="1", edge=peer("webrtc"), what=what, operator=what != "ask", data=data))
    return one(sent, Done)


def heard(house: House, turn: int, text: str) -> list[tuple[str, Message]]:
    """Everything of a turn goes out and is played."""
    now = house.now_ns - house.control.sessions["s1"].state.origin_ns
    start = now * 48 // 1_000_000 // 960 * 960
    word = Word(index=0, text=text, start_sample=0, end_sample=960)
    sent = house.from_(
        Emitted(
            turn=turn, sentence=0, start_sample=0, programme_sample=start, samples=960, words=(word,), last=True,
            turn_last=True,
        )
    )  # fmt: skip
    sent += house.wait(0.2)
    sent += house.from_(Played(programme_sample=start + 960))
    return sent + house.wait(0.2)


def here(mode: str, store: Store | None = None) -> House:
    """A conversation whose caller is there; the greeting is over."""
    house = House(store)
    house.present()
    house.from_(Played(programme_sample=0))
    heard(house, 1, "Hello.")
    command(house, "audience", questions=mode)
    return house


def stands(house: House) -> list[str]:
    return [str(each.stand) for each in house.control.sessions["s1"].record.questions.asked]


def test_a_question_is_read_out_with_its_name_and_then_answered() -> None:
    house = here("open")
    assert command(house, "ask", name="Ana", text="When do you open?").code == ""
    (said,) = [message for _, message in to(house.wait(0.2), Speak)]
    assert said.text == "Ana asks: When do you open?"
    assert stands(house) == ["read_out"]
    heard(house, said.turn, "Ana")
    assert stands(house) == ["asked"]
    turn = house.control.sessions["s1"].state.turn
    house.from_(Sentence(turn=turn, n=0, text="At nine.", language="en", last=True))
    heard(house, turn, "nine")
    assert stands(house) == ["answered"]
    lines = [line.text for line in house.control.sessions["s1"].state.dialogue]
    assert "When do you open?" in lines


def test_a_moderated_question_waits_for_the_host() -> None:
    house = here("moderated")
    command(house, "ask", name="Ana", text="One?")
    command(house, "ask", name="Bo", text="Two?")
    assert not to(house.wait(1.0), Speak)
    assert command(house, "approve", n=2).code == ""
    assert command(house, "dismiss", n=1).code == ""
    assert [message.text for _, message in to(house.wait(0.2), Speak)] == ["Bo asks: Two?"]
    assert stands(house) == ["dismissed", "read_out"]
    assert command(house, "approve", n=1).code == "conflict"
    assert command(house, "approve", n=7).code == "unknown"


def test_nobody_is_asked_while_the_caller_speaks() -> None:
    house = here("open")
    house.from_(SpeechStarted(utterance=0, mic_sample=16_000))
    command(house, "ask", name="Ana", text="When?")
    assert not [message for _, message in to(house.wait(1.0), Speak) if "Ana" in message.text]
    assert stands(house) == ["approved"]


def test_questions_survive_a_restart_of_the_broker(tmp_path: Path) -> None:
    house = here("moderated", Store(tmp_path / "store.sqlite"))
    command(house, "ask", name="Ana", text="When?")
    house.wait(0.1)
    successor = House(Store(tmp_path / "store.sqlite"))
    successor.run(lambda: successor.control.restore(successor.now_ns))
    kept = successor.control.sessions["s1"].record.questions
    assert kept == Questions(mode="moderated", asked=(Question(n=1, name="Ana", text="When?"),), next_n=2)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_request"),
        (" ?!", "bad_request"),
        ("a" * 301, "too_large"),
        ("look at https://spam.example", "bad_request"),
        ("what a DARN thing", "bad_request"),
        ("da\u200brn", "bad_request"),
    ],
)
def test_what_is_not_taken(text: str, code: str) -> None:
    with pytest.raises(QuestionError) as refused:
        Questions(mode="open").ask("Ana", text, ("darn",))
    assert refused.value.code == code


def test_there_is_an_end_to_what_may_wait() -> None:
    questions = Questions(mode="moderated")
    for _ in range(50):
        questions, _question = questions.ask("Ana", "When?", ())
    with pytest.raises(QuestionError, match="later"):
        questions.ask("Bo", "When?", ())
    assert Questions().mode == "off"
    with pytest.raises(QuestionError, match="not taken"):
        Questions().ask("Ana", "When?", ())


def test_a_name_is_one_line_and_nobody_is_somebody() -> None:
    _, question = Questions(mode="open").ask("A\nn\u202ea  x" + "y" * 100, "Why {text}?", ())
    assert question.name.startswith("A na x")
    assert len(question.name) == 40
    assert Questions(mode="open").ask("", "Why?", ())[1].name == "Somebody"
    assert question.stand is Stand.APPROVED
    assert isinstance(Typed(text=question.text), Message)


def test_one_address_asks_three_questions_and_then_waits_at_whichever_edge_it_asks() -> None:
    house = here("open")

    def asks(edge: int, asker: str) -> str:
        data = {"name": "Ana", "text": "When do you open?", "asker": asker}
        wish = Command(session="s1", id="1", edge=peer("webrtc", edge), what="ask", data=data)
        return one(house(wish), Done).code

    assert [asks(edge, "10.0.0.1") for edge in (1, 2, 3, 1, 2)] == ["", "", "", "rate", "rate"]
    assert asks(1, "10.0.0.2") == ""
    house.wait(16)
    assert [asks(edge, "10.0.0.1") for edge in (2, 1)] == ["", "rate"]
