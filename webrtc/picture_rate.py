"""What the caller's line carries of the pictures: one of a few steps, from what the browser reports. Arithmetic only.

Down at once when it is clear, up slowly and by one step: a line that was too narrow a moment ago mostly still is.
Viewers have no say: one poor line would be everybody's. (aiortc knows no transport-wide feedback; it has receiver
reports, NACK, PLI and REMB.)
"""

from __future__ import annotations

from collections import deque

from broker.clock import NS_PER_S
from broker.picture_steps import LOWEST, sent_kbps

WINDOW_NS = 2 * NS_PER_S
"""What a judgement rests on."""

LEAST_PACKETS = 20
"""In the window, sent or expected: of fewer a single loss would be too much."""

TOO_MUCH_LOST = 0.10
LITTLE_LOST = 0.02
"""Between these a step is kept. NACK makes good what is below the first one at the price of some delay."""

OVER = 1.05
"""Sent by so much more than the browser's estimate (REMB): a queue grows before the line. What is sent, not what may
be: a face at rest takes a third, and estimates never go far beyond what is received."""

FALLEN = 0.8
"""An estimate below so much of what it once was is a queue that was seen to grow. Browsers begin at 300 kb/s and take
some seconds to believe in more, whatever the line: what has only not risen yet says nothing."""

COMPLAINTS = 4
"""Lost pictures (PLI) in the window: what is lost is not made good in time."""

ESTIMATE_NS = 5 * NS_PER_S
"""An older estimate holds no more."""

UP_AFTER_NS = 10 * NS_PER_S
LONGEST_UP_AFTER_NS = 80 * NS_PER_S
"""Doubled each time a step up was taken back within `REGRET_NS`."""
REGRET_NS = 15 * NS_PER_S


class PictureRate:
    """One call's step, and why. `whole_kbps` is step 0."""

    def __init__(self, whole_kbps: int) -> None:
        self.step = 0
        self.reason = ""
        self._whole_kbps = whole_kbps
        self._reports: deque[tuple[int, int, int]] = deque()
        """(when, packets lost so far, highest sequence number), as the browser reports them."""
        self._sent: deque[tuple[int, int, int]] = deque()
        """(when, octets, packets)."""
        self._complaints: deque[int] = deque()
        self._again: deque[tuple[int, int]] = deque()
        self._estimate_bps, self._highest_bps, self._estimated_ns = 0, 0, 0
        self._changed_ns = self._bad_ns = self._raised_ns = 0
        self._up_after_ns = UP_AFTER_NS

    def renew(self) -> None:
        """Another connection: the step stays, what was counted does not."""
        for each in (self._reports, self._sent, self._complaints, self._again):
            each.clear()
        self._highest_bps = self._estimated_ns = 0

    # --- what is seen of the line -------------------------------------------------------------------------------------

    def sent(self, octets: int, now_ns: int) -> None:
        """A packet of a picture has left."""
        self._sent.append((now_ns, octets, 1))

    def report(self, lost: int, highest_sequence: int, now_ns: int) -> None:
        """A receiver report (RFC 3550, 6.4.1): packets lost so far, and the highest sequence number with its cycles."""
        if self._reports and highest_sequence < self._reports[-1][2]:
            self._reports.clear()
        self._reports.append((now_ns, lost, highest_sequence))

    def asked_again(self, packets: int, now_ns: int) -> None:
        """So many packets were reported lost (NACK)."""
        self._again.append((now_ns, packets))

    def complaint(self, now_ns: int) -> None:
        """A picture was lost (PLI)."""
        self._complaints.append(now_ns)

    def estimate(self, bits_per_s: int, now_ns: int) -> None:
        """The browser's estimate of what the line carries (REMB)."""
        self._estimate_bps, self._estimated_ns = bits_per_s, now_ns
        self._highest_bps = max(self._highest_bps, bits_per_s)

    # --- what follows -------------------------------------------------------------------------------------------------

    def judge(self, now_ns: int) -> bool:
        """Twice a second or so. Whether the step has changed."""
        self._forget(now_ns)
        too_much = self._too_much(now_ns)
        if too_much:
            self._bad_ns = now_ns
            return now_ns - self._changed_ns >= WINDOW_NS and self._down(too_much, now_ns)
        if self._lost() > LITTLE_LOST or not self._room(now_ns):
            self._bad_ns = now_ns
        return self._up(now_ns)

    def _too_much(self, now_ns: int) -> str:
        """Why the line is too narrow for what is sent; empty: it is not, as far as can be seen."""
        lost = self._lost()
        if lost > TOO_MUCH_LOST:
            return f"your connection loses {round(100 * lost)} % of the packets"
        fallen = self._estimate(now_ns) and self._estimate_bps < FALLEN * self._highest_bps
        if fallen and self._sent_bps(now_ns) > OVER * self._estimate_bps:
            return f"your connection carries {self._estimate_bps // 1000} kb/s"
        if len(self._complaints) >= COMPLAINTS and lost > LITTLE_LOST:
            return "your connection loses whole pictures"
        return ""

    def _down(self, reason: str, now_ns: int) -> bool:
        if self.step == LOWEST:
            return False
        if self._raised_ns and now_ns - self._raised_ns < REGRET_NS:
            self._up_after_ns = min(2 * self._up_after_ns, LONGEST_UP_AFTER_NS)
        step = self.step + 1
        while step < LOWEST and self._estimate(now_ns) and self._bps(step) > self._estimate_bps:
            step += 1
        self._set(step, reason, now_ns)
        return True

    def _up(self, now_ns: int) -> bool:
        """One step, when nothing was wrong for long enough."""
        if self.step == 0 or now_ns - max(self._bad_ns, self._changed_ns) < self._up_after_ns:
            return False
        self._set(self.step - 1, "your connection carries more again", now_ns)
        self._raised_ns = now_ns
        if self.step == 0 and self._up_after_ns > UP_AFTER_NS:
            self._up_after_ns //= 2
        return True

    def _set(self, step: int, reason: str, now_ns: int) -> None:
        self.step, self.reason, self._changed_ns = step, reason, now_ns
        self._reports.clear()
        self._complaints.clear()
        self._again.clear()

    def _room(self, now_ns: int) -> bool:
        """Whether the estimate leaves the next step room: it is above that, or what is sent does not come near it."""
        if self.step == 0 or not self._estimate(now_ns):
            return True
        return self._estimate_bps > min(self._bps(self.step - 1), round(1.3 * self._sent_bps(now_ns)))

    def _lost(self) -> float:
        """The share of packets lost in the window; by what was asked for again where reports are few."""
        lost = expected = 0
        if self._reports:
            (_, lost_first, first), (_, lost_last, last) = self._reports[0], self._reports[-1]
            lost, expected = max(0, lost_last - lost_first), last - first
        sent = sum(packets for _, _, packets in self._sent)
        again = sum(packets for _, packets in self._again)
        shares = [lost / expected if expected >= LEAST_PACKETS else 0.0, again / sent if sent >= LEAST_PACKETS else 0.0]
        return min(1.0, max(shares))

    def _sent_bps(self, now_ns: int) -> int:
        octets = sum(size for _, size, _ in self._sent)
        seconds = (now_ns - self._sent[0][0]) / NS_PER_S if self._sent else 0.0
        return round(8 * octets / seconds) if seconds > 0.8 * WINDOW_NS / NS_PER_S else 0

    def _estimate(self, now_ns: int) -> bool:
        return bool(self._estimated_ns) and now_ns - self._estimated_ns < ESTIMATE_NS

    def _bps(self, step: int) -> int:
        return 1000 * sent_kbps(step, self._whole_kbps)

    def _forget(self, now_ns: int) -> None:
        since_ns = now_ns - WINDOW_NS
        for waiting in (self._sent, self._again):
            while waiting and waiting[0][0] < since_ns:
                waiting.popleft()
        while self._complaints and self._complaints[0] < since_ns:
            self._complaints.popleft()
        while len(self._reports) > 1 and self._reports[1][0] < since_ns:
            self._reports.popleft()
