"""Which step the caller's pictures take: down when its browser reports trouble, up slowly, and no to and fro."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from broker.clock import NS_PER_S
from broker.picture_steps import LOWEST, kbps, sent_kbps
from webrtc.picture_rate import REGRET_NS, UP_AFTER_NS, PictureRate

STEP_NS = NS_PER_S // 2


@dataclass
class Line:
    """A line of so many kb/s with a browser at its end, half a second at a time. What does not fit is lost."""

    rate: PictureRate
    kbps: Callable[[float], float]
    loss: Callable[[float], float] = lambda s: 0.0
    wanted: float = 1.0
    """How much of what it may the encoder uses: a face at rest takes less."""
    remb: bool = True
    now_ns: int = NS_PER_S
    lost: float = 0.0
    sequence: float = 0.0

    def run(self, seconds: float) -> list[int]:
        """The step after each half second."""
        steps = []
        for _ in range(round(2 * seconds)):
            sending = self.wanted * sent_kbps(self.rate.step, 900)
            carried = self.kbps(self.now_ns / NS_PER_S)
            share = max(self.loss(self.now_ns / NS_PER_S), 1 - carried / sending if sending > carried else 0.0)
            packets = max(1, round(sending / 16))
            for n in range(packets):
                self.rate.sent(round(sending * 125 / 2 / packets), self.now_ns + n * STEP_NS // packets)
            self.now_ns += STEP_NS
            self.sequence += packets
            self.lost += share * packets
            self.rate.report(round(self.lost), round(self.sequence), self.now_ns)
            if self.remb:
                self.rate.estimate(round(1000 * min(carried, 1.5 * sending * (1 - share))), self.now_ns)
            self.rate.judge(self.now_ns)
            steps.append(self.rate.step)
        return steps


def test_the_steps_are_900_600_400_250_and_then_half_the_pictures() -> None:
    assert [kbps(step, 900) for step in range(LOWEST + 1)] == [900, 600, 400, 250, 250]
    assert sent_kbps(LOWEST, 900) == 125


def test_a_good_line_stays_at_the_whole_rate() -> None:
    assert set(Line(PictureRate(900), lambda s: 5000).run(120)) == {0}


def test_a_face_at_rest_is_not_taken_for_a_narrow_line() -> None:
    """The browser's estimate never goes far beyond what it gets."""
    assert set(Line(PictureRate(900), lambda s: 5000, wanted=0.2).run(120)) == {0}


def test_a_browser_that_begins_with_a_careful_guess_is_not_taken_for_a_narrow_line() -> None:
    rate = PictureRate(900)
    for n in range(60):
        at_ns = NS_PER_S + n * STEP_NS
        for packet in range(50):
            rate.sent(1125, at_ns + packet * STEP_NS // 50)
        rate.report(0, 50 * n, at_ns + STEP_NS)
        rate.estimate(round(280_000 * 1.04**n), at_ns + STEP_NS)
        assert not rate.judge(at_ns + STEP_NS)
    assert rate.step == 0


def test_a_line_that_becomes_narrow_without_losing_anything_is_seen_by_the_falling_estimate() -> None:
    """A deep queue before it: everything comes, ever later."""
    rate = PictureRate(900)
    for n in range(9):
        at_ns = NS_PER_S + n * STEP_NS
        for packet in range(50):
            rate.sent(1125, at_ns + packet * STEP_NS // 50)
        rate.report(0, 50 * n, at_ns + STEP_NS)
        rate.estimate(1_200_000 if n < 6 else 500_000, at_ns + STEP_NS)
        rate.judge(at_ns + STEP_NS)
    assert rate.step == 2, "400 kb/s fit"
    assert rate.reason == "your connection carries 500 kb/s"


def test_a_narrow_line_gets_what_it_carries_and_is_not_tried_again_and_again() -> None:
    rate = PictureRate(900)
    steps = Line(rate, lambda s: 450).run(200)
    assert steps[20] == 2, "400 kb/s fit"
    assert max(steps) == 2
    raised = sum(b < a for a, b in itertools.pairwise(steps))
    assert raised <= 5, "each time one waits longer"
    assert sum(step == 2 for step in steps) > 0.9 * len(steps)
    assert "450 kb/s" in rate.reason or "%" in rate.reason or "more again" in rate.reason


def test_loss_takes_it_down_step_by_step_to_the_lowest_and_no_further() -> None:
    rate = PictureRate(900)
    line = Line(rate, lambda s: 5000, loss=lambda s: 0.2, remb=False)
    steps = line.run(30)
    assert steps[-1] == LOWEST
    assert [b - a for a, b in itertools.pairwise(steps) if b != a] == [1] * LOWEST
    assert rate.reason in {f"your connection loses {percent} % of the packets" for percent in (19, 20, 21)}


def test_a_little_loss_is_left_to_what_is_sent_again() -> None:
    assert set(Line(PictureRate(900), lambda s: 5000, loss=lambda s: 0.05).run(60)) == {0}


def test_it_comes_back_slowly_one_step_at_a_time() -> None:
    rate = PictureRate(900)
    line = Line(rate, lambda s: 5000, loss=lambda s: 0.3 if s < 10 else 0.0)
    down = line.run(10)[-1]
    assert down >= 3
    steps = line.run(80)
    assert steps[-1] == 0
    first = next(n for n, step in enumerate(steps) if step < down)
    assert first * STEP_NS >= UP_AFTER_NS - 3 * NS_PER_S
    assert all(a - b in (0, 1) for a, b in itertools.pairwise(steps) if a >= b)
    assert rate.reason == "your connection carries more again"


def test_a_step_up_that_had_to_be_taken_back_makes_the_next_wait_longer() -> None:
    rate = PictureRate(900)
    line = Line(rate, lambda s: 700)
    steps = line.run(400)
    ups = [n for n, (a, b) in enumerate(itertools.pairwise(steps)) if b < a]
    waits = [b - a for a, b in itertools.pairwise(ups)]
    assert waits == sorted(waits)
    assert not waits or waits[-1] * STEP_NS > 2 * UP_AFTER_NS
    assert REGRET_NS > UP_AFTER_NS


def test_what_is_asked_for_again_counts_where_no_reports_come() -> None:
    rate = PictureRate(900)
    for n in range(200):
        rate.sent(1000, n * 20_000_000)
        if n % 5 == 0:
            rate.asked_again(1, n * 20_000_000)
        rate.judge(n * 20_000_000)
    assert rate.step >= 1


def test_a_new_connection_keeps_the_step_and_forgets_the_counts() -> None:
    rate = PictureRate(900)
    line = Line(rate, lambda s: 5000, loss=lambda s: 0.3)
    line.run(6)
    step = rate.step
    assert step
    rate.renew()
    rate.report(0, 10, line.now_ns)
    assert not rate.judge(line.now_ns + STEP_NS)
    assert rate.step == step
