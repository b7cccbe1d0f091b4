"""The record of a turn: every wait has its place, on the edge's own clock."""

from __future__ import annotations

from typing import Any

from broker.messages import Event, Programme
from webrtc.latency import LatencyBook, LatencyTotals

MS = 1_000_000


def turn(number: int, what: str, **data: Any) -> Event:
    return Event(session="s", kind="turn", turn=number, data={"what": what, **data})


def tick(number: int, turn_number: int) -> Programme:
    return Programme(
        tick=number, programme_sample=960 * number, opus=b"", mouth=b"", speaking=turn_number > 0, turn=turn_number
    )


def step(turn_number: int, name: str, took_ms: int = 0, **data: Any) -> Event:
    return Event(session="s", kind="step", turn=turn_number, data={"name": name, "took_ns": took_ms * MS, **data})


def spoken(book: LatencyBook) -> list[tuple[int, dict[str, Any]]]:
    """Speech stops at microphone sample 16000, which came at 1000 ms."""
    book.event(turn(3, "asked", speculative=True), 1110 * MS)
    book.event(step(3, "first_sentence", 14), 1130 * MS)
    book.event(step(3, "first_pcm", 8), 1160 * MS)
    book.event(step(0, "end_of_turn", utterance=7, end_sample=16_000), 1220 * MS)
    book.event(step(0, "final_words", 9, utterance=7), 1230 * MS)
    committed = {"utterance": 7, "end_sample": 16_000, "saved_ms": 60.5, "wasted": 1}
    book.event(turn(3, "committed", speculative=True, **committed), 1230 * MS)
    book.programme(tick(70, 0), 1240 * MS)
    book.programme(tick(71, 3), 1250 * MS)
    book.programme(tick(72, 3), 1270 * MS)
    assert book.played(960 * 71 - 1, 1290 * MS) == []
    return book.played(960 * 71 + 4800, 1410 * MS)


def test_from_the_end_of_speech_to_the_first_sound_at_the_ear() -> None:
    book = LatencyBook(lambda mic_sample: 1000 * MS if mic_sample == 15_999 else None)
    [(number, record)] = spoken(book)
    assert number == 3
    assert record["total_ms"] == 310.0, "the acknowledgement came 100 ms into the voice"
    assert (record["speculated"], record["saved_ms"], record["wasted"]) == (True, 60.5, 1)
    assert [(step["name"], step["from_ms"], step["ms"]) for step in record["steps"]] == [
        ("end_of_turn", 0.0, 220.0),
        ("final_words", 220.0, 10.0),
        ("first_sentence", 230.0, 0.0),
        ("first_pcm", 230.0, 0.0),
        ("first_tick", 230.0, 20.0),
        ("playout", 250.0, 60.0),
    ]
    assert record["work"] == [
        {"name": "final_words", "from_ms": 221.0, "ms": 9.0},
        {"name": "first_sentence", "from_ms": 116.0, "ms": 14.0},
        {"name": "first_pcm", "from_ms": 152.0, "ms": 8.0},
    ]


def test_the_steps_add_up_to_the_total() -> None:
    [(_, record)] = spoken(LatencyBook(lambda mic_sample: 1000 * MS))
    assert abs(sum(step["ms"] for step in record["steps"]) - record["total_ms"]) < 0.5


def test_a_record_is_made_once() -> None:
    book = LatencyBook(lambda mic_sample: 1000 * MS)
    spoken(book)
    assert book.played(960 * 200, 5000 * MS) == []


def test_a_cancelled_attempt_has_no_record() -> None:
    book = LatencyBook(lambda mic_sample: 0)
    book.event(turn(1, "asked"), 10 * MS)
    book.event(turn(1, "cancelled"), 20 * MS)
    book.programme(tick(5, 1), 30 * MS)
    assert book.played(960 * 100, 60 * MS) == []


def test_a_typed_turn_begins_when_the_line_arrives() -> None:
    book = LatencyBook(lambda mic_sample: None)
    book.typed(100 * MS)
    book.event(turn(1, "asked"), 101 * MS)
    book.event(turn(1, "committed", utterance=-1, end_sample=0), 102 * MS)
    book.event(step(1, "first_sentence"), 120 * MS)
    book.event(step(1, "first_pcm"), 132 * MS)
    book.event(step(1, "first_pcm"), 139 * MS)  # a successor's, after a crash: the first counts
    book.programme(tick(9, 1), 140 * MS)
    [(_, record)] = book.played(960 * 9, 190 * MS)
    assert record["total_ms"] == 90.0
    assert record["typed"]
    assert [(step["name"], step["ms"]) for step in record["steps"]] == [
        ("first_sentence", 20.0),
        ("first_pcm", 12.0),
        ("first_tick", 8.0),
        ("playout", 50.0),
    ]


def test_a_greeting_nobody_waited_for_has_no_record() -> None:
    book = LatencyBook(lambda mic_sample: None)
    book.event(turn(1, "committed"), 102 * MS)
    book.programme(tick(9, 1), 140 * MS)
    assert book.played(960 * 9, 190 * MS) == []


def test_the_totals_are_of_spoken_turns_with_each_stage_and_what_guessing_cost() -> None:
    totals = LatencyTotals()
    [(_, record)] = spoken(LatencyBook(lambda mic_sample: 1000 * MS))
    for each in (record, record, record | {"typed": True}):
        totals.add(each)
    assert (totals.total.count, round(totals.total.sum_s, 3)) == (2, 0.62)
    assert {name: (stage.count, round(stage.sum_s, 3)) for name, stage in totals.stages.items()} == {
        "end_of_turn": (2, 0.44),
        "final_words": (2, 0.02),
        "first_sentence": (2, 0.0),
        "first_pcm": (2, 0.0),
        "first_tick": (2, 0.04),
        "playout": (2, 0.12),
    }
    assert (totals.speculated, totals.wasted, round(totals.saved_s, 3)) == (2, 2, 0.121)
