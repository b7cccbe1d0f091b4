"""When a simpler engine stands in for a better one, and when the better one is tried again."""

from __future__ import annotations

from broker.clock import NS_PER_S
from workers.fallback import AGAIN_AT_MOST_NS, AGAIN_NS, PROVEN_NS, Change, Fallback

WINDOW = 4


def fallback(*names: str) -> Fallback:
    return Fallback(names or ("best", "simple"), window=WINDOW, too_much=0.5)


def work(engines: Fallback, *bad: bool, now_ns: int = 0, name: str = "best") -> list[Change]:
    return [change for each in bad if (change := engines.note(name, each, now_ns, "best is slow"))]


def test_lasting_trouble_leads_down_and_says_why() -> None:
    engines = fallback()
    assert work(engines, False, True, False) == [], "three pieces are no whole window"
    assert work(engines, True) == [Change("simple", "best is slow; simple stands in")]
    assert (engines.name, engines.reduced) == ("simple", True)
    event = Change("simple", "why").event("s", "tts")
    assert (event.kind, event.session) == ("degraded", "s")
    assert event.data == {"kind": "tts", "step": "simple", "reason": "why"}


def test_trouble_that_passes_changes_nothing() -> None:
    engines = fallback()
    assert work(engines, *[True, False, False, False] * 20) == []
    assert engines.name == "best"


def test_a_failure_leads_down_at_once_and_the_last_engine_has_nobody_behind_it() -> None:
    engines = fallback()
    assert engines.fail("best", 0, "best broke") == Change("simple", "best broke; simple stands in")
    assert engines.fail("best", 0, "best broke") is None, "its other work fails too; that is no news"
    assert engines.fail("simple", 0, "simple broke") is None
    assert engines.name == "simple"
    assert fallback("only").fail("only", 0, "it broke") is None


def test_work_of_an_engine_that_does_not_serve_any_more_does_not_count() -> None:
    engines = fallback("best", "simple", "simplest")
    engines.fail("best", 0, "")
    assert work(engines, *[True] * 20) == []
    assert engines.name == "simple"


def test_after_a_while_the_better_one_is_tried_again() -> None:
    engines = fallback()
    engines.fail("best", 5, "")
    assert engines.poll(5 + AGAIN_NS - 1) is None
    assert engines.poll(5 + AGAIN_NS) == Change("full", "best is tried again")
    assert not engines.reduced
    assert engines.poll(10**15) is None


def test_with_several_engines_the_way_up_is_one_step_at_a_time() -> None:
    engines = fallback("best", "simple", "simplest")
    engines.fail("best", 0, "")
    engines.fail("simple", 0, "")
    up = [engines.poll(n * AGAIN_NS) for n in (1, 2)]
    assert [change.step for change in up if change] == ["simple", "full"]


def test_an_engine_that_never_does_well_is_tried_ever_less_often() -> None:
    engines, waits, now_ns = fallback(), list[int](), 0
    for _ in range(8):
        engines.fail("best", now_ns, "")
        down_ns = now_ns
        while engines.poll(now_ns) is None:
            now_ns += NS_PER_S
        waits.append(now_ns - down_ns)
        now_ns += NS_PER_S
    doubling = [AGAIN_NS * 2**n for n in range(8)]
    assert waits == [min(wait, AGAIN_AT_MOST_NS) for wait in doubling]
    assert waits[-1] == waits[-2] == AGAIN_AT_MOST_NS


def test_an_engine_that_did_well_for_long_is_soon_tried_again() -> None:
    engines = fallback()
    engines.fail("best", 0, "")
    engines.poll(AGAIN_NS)
    engines.fail("best", AGAIN_NS + 1, "")
    engines.poll(AGAIN_NS + 1 + 2 * AGAIN_NS)
    failed_ns = AGAIN_NS + 1 + 2 * AGAIN_NS + PROVEN_NS
    engines.fail("best", failed_ns, "")
    assert engines.poll(failed_ns + AGAIN_NS) is not None


def test_while_the_stand_in_has_trouble_too_the_better_one_is_not_tried() -> None:
    engines = fallback()
    engines.fail("best", 0, "")
    work(engines, *[True] * WINDOW, name="simple")
    assert engines.poll(AGAIN_NS) is None
    work(engines, *[False] * WINDOW, name="simple")
    assert engines.poll(2 * AGAIN_NS - 1) is None, "the calm is counted from there"
    assert engines.poll(2 * AGAIN_NS) is not None
