"""The path to one identity: its timeout, and how many letters may be under way on it (section 9.3)."""

GRANULARITY_S, DURABLE_S = 0.001, 0.025
WINDOW_MIN, WINDOW_START, WINDOW_MAX = 2.0, 16.0, 256.0
WAITS_S, WAIT_S_MAX = (0.1, 0.15, 0.25), 1.0


class Path:
    """Round-trip times as in RFC 9002 section 5.3, from the first copy: an ACK does not say which it answers."""

    def __init__(self) -> None:
        self.srtt_s: float | None = None
        self.rttvar_s = 0.0
        self.window, self.starting = WINDOW_START, True
        self.halved_s = -1.0

    def wait_s(self, tries: int) -> float:
        """How long to wait after that many tries (R-9.3-3)."""
        if self.srtt_s is None:
            return WAITS_S[tries - 1]
        timeout_s = self.srtt_s + max(4 * self.rttvar_s, GRANULARITY_S) + DURABLE_S
        return min(WAIT_S_MAX, max(WAITS_S[tries - 1], timeout_s))

    def measured(self, rtt_s: float) -> None:
        if self.srtt_s is None:
            self.srtt_s, self.rttvar_s = rtt_s, rtt_s / 2
        else:
            self.rttvar_s += (abs(self.srtt_s - rtt_s) - self.rttvar_s) / 4
            self.srtt_s += (rtt_s - self.srtt_s) / 8
        grown = self.window + (1 if self.starting else 1 / self.window)  # doubling, or one more, each round trip
        self.window = min(WINDOW_MAX, grown)

    def unanswered(self, now_s: float) -> None:
        """A try went unanswered: halve the window, at most once a round trip."""
        self.starting = False
        if now_s - self.halved_s > (self.srtt_s or WAITS_S[0]):
            self.halved_s = now_s
            self.window = max(WINDOW_MIN, self.window / 2)
