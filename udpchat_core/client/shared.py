"""What the parts of a client share: primitives, deadlines and the wall clock."""

from dataclasses import dataclass, field

from ..instant import MS, Instant
from ..limits import TIME_S_LIMIT
from ..secure.suite import Suite
from ..timers import Deadlines

Timer = tuple[str, object]
"""A kind, and what it is about: ("letter", secret), ("request", key), ("session", None) ..."""


@dataclass(slots=True)
class Shared:
    """Handed to every part of one client.

    Attributes:
        suite: keys, sealing and randomness.
        offset_ms: wall clock less instant, in milliseconds.
        server_offset_ms: the same of the server's wall clock, as of the last Registered; None before the first.
        deadlines: all of the client's.
    """

    suite: Suite
    offset_ms: int = 0
    server_offset_ms: int | None = None
    deadlines: Deadlines[Timer] = field(default_factory=Deadlines)

    def wall_ms(self, now: Instant) -> int:
        """Milliseconds of Unix time, for sent times and card expiry only; within what the wire can say."""
        return min(max(0, now // MS + self.offset_ms), TIME_S_LIMIT * 1_000 - 1)

    def set_timer(self, timer: Timer, due: Instant | None) -> None:
        """Fire `timer` at `due`, or never."""
        if due is None:
            self.deadlines.cancel(timer)
        else:
            self.deadlines.set(timer, due)
