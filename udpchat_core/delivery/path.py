"""How long a direct path takes, and how much may be under way on it (RFC 9002, with changes for letters).

An acknowledgement does not say which copy it answers, so it is measured from the first: by Karn's rule a path
slower than the first retry would never be measured at all. The window doubles each round trip until the first
loss, then grows by one, and is halved at most once a round trip.

A window that leaves at once fills a queue at once. So letters are spread over the round trip: each has its time,
`interval_us` after the one before, or now if that is past. One may leave ahead of its time by a burst (the generic
cell rate algorithm of ITU-T I.371, which is a leaky bucket with one number to remember). Retries are sent when they
are due, and move the time of what follows.
"""

from dataclasses import dataclass

from ..instant import Instant, after
from ..limits import (
    CONGESTION_WINDOW_MAX,
    CONGESTION_WINDOW_MIN,
    CONGESTION_WINDOW_START,
    DIRECT_RETRY_US,
    PACED_BURST_LETTERS_MAX,
    PACED_BURST_US,
    PACING_PERCENT,
    PTO_DURABLE_US,
    PTO_GRANULARITY_US,
)

_START = Instant(0)


@dataclass(slots=True)
class Path:
    """One direct path.

    Attributes:
        srtt_us: smoothed round-trip time; 0 before the first sample.
        rttvar_us: its variation.
        window: letters that may be under way.
        grown: acknowledgements since the window last grew by one, once there was a loss.
        slow_start: whether there was no loss yet.
        halved_until: before this, another loss belongs to the same event.
        next_send: the time of the next letter, which may leave a burst ahead of it.
    """

    srtt_us: int = 0
    rttvar_us: int = 0
    window: int = CONGESTION_WINDOW_START
    grown: int = 0
    slow_start: bool = True
    halved_until: Instant = _START
    next_send: Instant = _START

    @property
    def pto_us(self) -> int:
        """How long an acknowledgement may take: the recipient's disk included; 0 before the first sample."""
        if self.srtt_us == 0:
            return 0
        return self.srtt_us + max(4 * self.rttvar_us, PTO_GRANULARITY_US) + PTO_DURABLE_US

    @property
    def interval_us(self) -> int:
        """From the time of one letter to that of the next: 0 before the first sample, and on the fastest of paths."""
        return self.srtt_us * 100 // (self.window * PACING_PERCENT)

    def sent(self, now: Instant) -> None:
        """A letter left, for the first time or again. However many retries leave, the next waits a round trip at most."""
        self.next_send = min(after(max(self.next_send, now), self.interval_us), after(now, self.srtt_us))

    def wait_us(self, now: Instant) -> int:
        """How long the next letter has to wait; 0: it may leave now."""
        # R-9.3-13
        burst_us = max((PACED_BURST_LETTERS_MAX - 1) * self.interval_us, PACED_BURST_US)
        early_us = self.next_send - now - burst_us
        return max(early_us, PACED_BURST_US) if early_us > 0 else 0

    def acknowledged(self, elapsed_us: int) -> None:
        """An acknowledgement came `elapsed_us` after the first copy (RFC 9002 sections 5.3 and 7.3)."""
        sample = max(elapsed_us, 1)
        if self.srtt_us == 0:
            self.srtt_us, self.rttvar_us = sample, sample // 2
        else:
            self.rttvar_us = (3 * self.rttvar_us + abs(self.srtt_us - sample)) // 4
            self.srtt_us = (7 * self.srtt_us + sample) // 8
        if self.slow_start:
            self.window += 1
        else:
            self.grown += 1
            if self.grown >= self.window:
                self.window, self.grown = self.window + 1, 0
        self.window = min(self.window, CONGESTION_WINDOW_MAX)

    def lost(self, now: Instant) -> None:
        """A try went unanswered."""
        self.slow_start = False
        if now >= self.halved_until:
            self.window = max(self.window // 2, CONGESTION_WINDOW_MIN)
            self.grown = 0
            self.halved_until = after(now, max(self.pto_us, DIRECT_RETRY_US[0]))
