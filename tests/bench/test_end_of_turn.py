"""What the end-of-turn bench makes of pauses whose lengths and signs are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.end_of_turn import adaptive, decided_ms, fixed, judge, judge_in_a_call, patience, shipped
from bench.overheard import Heard, Known, Pause
from bench.pausing import Utterance, _with_pauses


def known(at_ms: float, text: str = "where is the library", p_end: float = 0.5, hit: float | None = None) -> Known:
    return Known(at_ms, p_end, text, hit, None)


def heard(*pauses: Pause) -> Heard:
    return Heard("where is the library", "slt", "", len(pauses) > 1, pauses)


def test_a_decision_waits_until_something_is_known() -> None:
    assert decided_ms(Pause((known(120),), math.inf, 0), fixed(50)) == 120


def test_what_is_known_later_counts_from_then_on_and_not_before() -> None:
    knowns = (known(100, "where is the"), known(150))
    waits = {"where is the": 900.0, "where is the library": 200.0}
    assert decided_ms(Pause(knowns, math.inf, 0), lambda sign: waits[sign.text]) == 200
    waits = {"where is the": 120.0, "where is the library": 900.0}
    assert decided_ms(Pause(knowns, math.inf, 0), lambda sign: waits[sign.text]) == 120


def test_a_pause_longer_than_the_wait_is_a_false_cut_and_heard_only_when_the_answer_began_in_it() -> None:
    end = Pause((known(100),), math.inf, 10)
    result = judge([heard(Pause((known(100),), 350, 0), end), heard(Pause((known(100),), 600, 0), end)], fixed(300))
    assert (result.cut, result.cut_heard) == (1.0, 0.5)
    assert result.delays == (310, 310)


def test_utterances_that_were_not_heard_do_not_count() -> None:
    assert judge([heard(), heard(Pause((known(100),), math.inf, 0))], fixed(300)).cut == 0


def test_more_patience_never_cuts_more() -> None:
    pauses = [heard(Pause((known(100, "how do i get", p),), 500, 0)) for p in np.linspace(0.05, 0.95, 10)]
    cuts = [judge(pauses, adaptive(doubt)).cut for doubt in (-2.0, 0.0, 2.0, 4.0)]
    assert cuts == sorted(cuts, reverse=True)
    assert cuts[0] > cuts[-1]
    assert judge(pauses, adaptive(patience(pauses))).cut <= 0.05


def test_in_a_call_only_who_makes_no_pauses_is_waited_for_less() -> None:
    trailing = "where is the library and the"
    fluently = heard(Pause((known(100, trailing, 0.05),), math.inf, 0))
    paused = heard(Pause((known(100, trailing, 0.05),), 300, 0), Pause((known(100, trailing, 0.05),), math.inf, 0))
    (usual,), (short,) = (judge([fluently], shipped(n)).delays for n in (0, 4))
    assert short < usual
    assert judge_in_a_call([fluently] * 6).delays == (usual,) * 4 + (short,) * 2
    assert judge_in_a_call([fluently, paused] * 5).delays == (usual,) * 10


def test_every_second_clip_gets_a_pause_between_two_of_its_words() -> None:
    speak = pytest.importorskip("bench.spoken").speak
    try:
        clips = [(text, "slt", "", speak(text)) for text in ("where can i park my car", "when is the library open")]
    except OSError:
        pytest.skip("flite is not installed")
    plain, paused = _with_pauses(clips)
    assert isinstance(plain, Utterance)
    assert (plain.pause_ms, plain.pause_after) == (0, "")
    assert 300 <= paused.pause_ms <= 700
    assert paused.text.startswith(paused.pause_after)
    assert len(paused.sound) > len(clips[1][3]) + 300 * 16
