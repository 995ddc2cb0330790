"""How long a direct path takes, and how much may be under way on it (RFC 9002, with changes for letters).

An acknowledgement does not say which copy it answers, and a recipient withholds it while an earlier letter is missing.
So one measures the path only if nothing was sent again since its letter was first sent (Karn's rule, RFC 6298 section
3, for the whole path); else a loss would look like a slow path, and every later loss would be waited for as long. But
a path slower than the first retry would never be measured by that rule: so the first acknowledgement counts whatever
it answers, measured from the first copy, and so does one after a row of others that did not.

The window doubles each round trip until the first loss, then grows by one, and is halved at most once a round trip.

A window that leaves at once fills a queue at once. So letters are spread over the round trip: each has its time,
`interval_us` after the one before, or now if that is past. One may leave ahead of its time by a burst (the generic
cell rate algorithm of ITU-T I.371, which is a leaky bucket with one number to remember). Retries are sent when they
are due, and move the time of what follows.
"""

from dataclasses import dataclass

from ..instant import Instant, after
from ..limits import (
    AMBIGUOUS_ACKS_MAX,
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
        ambiguous: acknowledgements since the last that measured the path.
        heard: when the last acknowledgement came.
        retried: when a letter was last sent again.
        window: letters that may be under way.
        grown: acknowledgements since the window last grew by one, once there was a loss.
        slow_start: whether there was no loss yet.
        halved_until: before this, another loss belongs to the same event.
        next_send: the time of the next letter, which may leave a burst ahead of it.
    """

    srtt_us: int = 0
    rttvar_us: int = 0
    ambiguous: int = 0
    heard: Instant = _START
    retried: Instant = _START
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

    def sent(self, now: Instant, is_retry: bool) -> None:
        """A letter left. However many retries leave, the next letter waits a round trip at most."""
        self.next_send = min(after(max(self.next_send, now), self.interval_us), after(now, self.srtt_us))
        if is_retry:
            self.retried = now

    def is_answering(self, now: Instant) -> bool:
        """Whether an acknowledgement came within the wait after a last try."""
        return now < after(self.heard, max(self.pto_us, DIRECT_RETRY_US[-1]))

    def wait_us(self, now: Instant) -> int:
        """How long the next letter has to wait; 0: it may leave now."""
        # R-9.3-14
        burst_us = max((PACED_BURST_LETTERS_MAX - 1) * self.interval_us, PACED_BURST_US)
        early_us = self.next_send - now - burst_us
        return max(early_us, PACED_BURST_US) if early_us > 0 else 0

    def acknowledged(self, first_sent: Instant, now: Instant, in_flight: int) -> None:
        """One of `in_flight` letters, first sent at `first_sent`, was acknowledged (RFC 9002 sections 5.3 and 7.3)."""
        self.heard = now
        self.ambiguous += 1
        if self.retried < first_sent or self.srtt_us == 0 or self.ambiguous > AMBIGUOUS_ACKS_MAX:
            self.ambiguous = 0
            self._measured(max(now - first_sent, 1))
        if 2 * in_flight >= self.window:  # R-9.3-13: one that is not used shows nothing: RFC 9002 section 7.8
            self._grow()

    def _grow(self) -> None:
        if self.slow_start:
            self.window += 1
        else:
            self.grown += 1
            if self.grown >= self.window:
                self.window, self.grown = self.window + 1, 0
        self.window = min(self.window, CONGESTION_WINDOW_MAX)

    def _measured(self, sample_us: int) -> None:
        if self.srtt_us == 0:
            self.srtt_us, self.rttvar_us = sample_us, sample_us // 2
        else:
            self.rttvar_us = (3 * self.rttvar_us + abs(self.srtt_us - sample_us)) // 4
            self.srtt_us = (7 * self.srtt_us + sample_us) // 8

    def lost(self, now: Instant) -> None:
        """A try of the lowest letter in flight went unanswered."""
        self.slow_start = False
        if now >= self.halved_until:
            self.window = max(self.window // 2, CONGESTION_WINDOW_MIN)
            self.grown = 0
            self.halved_until = after(now, max(self.pto_us, DIRECT_RETRY_US[0]))
