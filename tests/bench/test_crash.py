"""What the crash bench makes of its moments, and that runs in pieces come together in one table."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from bench.crash import merged, report
from bench.crash_call import MOMENT, Answered, Caption, Killed, without_moment
from bench.crash_outcome import Outcome, compared

WORDS = ("we", "open", "at", "nine")


def answered(heard: str = "we open at nine", asked: str = "when", **more: float) -> Answered:
    captions = tuple(
        Caption(sentence=0, index=WORDS.index(text), text=text, start_sample=48_000 * n, end_sample=48_000 * (n + 1))
        for n, text in enumerate(heard.split())
    )
    times = {"late_ms": 300.0, "sound_ms": 4_000.0, "silence_ms": 100.0, "longest_ms": 50.0} | more
    return Answered(asked=asked, heard=heard, interrupted=False, captions=captions, shown=(asked, heard), **times)


def moment(kind: str = "tts", what: str = "answer") -> Outcome:
    return Outcome(kind=kind, moment=what, question="when", into_s=1.0)


KILLED = Killed(name="tts-1", sample=96_000, heard_through=96_000)


def test_an_undisturbed_answer_is_good() -> None:
    outcome = compared(moment(), answered(), answered(), KILLED)
    assert outcome.good
    assert (outcome.gap_ms, outcome.lost, outcome.repeated, outcome.same) == (0.0, 0, 0, True)


def test_one_moment_before_an_answer_is_no_part_of_it() -> None:
    answer = answered().captions
    moment = tuple(
        Caption(sentence=0, index=n, text=text, start_sample=0, end_sample=0) for n, text in enumerate(MOMENT.split())
    )
    assert without_moment((*moment, *answer)) == without_moment(answer) == answer


def test_a_lost_word_a_repeated_one_a_gap_and_another_question_are_each_seen() -> None:
    assert compared(moment(), answered(), answered("we open nine"), KILLED).lost == 1
    assert compared(moment(), answered(), answered("we open at at nine"), KILLED).repeated == 1
    assert compared(moment(), answered(), answered(silence_ms=1_200.0), KILLED).gap_ms == pytest.approx(1_100)
    another = compared(moment(what="sentence"), answered(), answered(asked="wen"), KILLED)
    assert not another.same
    assert not another.good


def test_pieces_are_merged_whole_and_make_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths, whole = [], []
    for number, kind in enumerate(("programme", "tts", "tts")):
        outcome = compared(moment(kind), answered(), answered(silence_ms=400.0), KILLED)
        whole.append(outcome)
        paths.append(tmp_path / f"{number}.json")
        run = {"load_before": number, "moments": [asdict(outcome), asdict(moment(kind))]}
        paths[-1].write_text(json.dumps(run), encoding="utf-8")
    outcomes, load_before = merged(paths)
    assert load_before == 2.0
    assert [outcome.kind for outcome in outcomes] == ["tts"] * 4 + ["programme"] * 2
    assert [outcome for outcome in outcomes if outcome.answered] == [whole[1], whole[2], whole[0]]
    report(outcomes, load_before)
    table = capsys.readouterr().out
    assert "tts          4" in table
    assert "programme    2" in table
