"""What all parts of the server share: primitives, deadlines, the wall clock, and a line in front of a table."""

from collections.abc import Hashable
from enum import StrEnum
from typing import Generic, TypeVar

from ..fields import Refusal
from ..instant import SECOND, Instant
from ..messages import Message, Refused
from ..secure.suite import Suite
from ..timers import Deadlines
from ..turn import Turn
from .session import Outlet, Session

K = TypeVar("K", bound=Hashable)
_MS_US = 1_000


class Timer(StrEnum):
    """What the server waits for."""

    PENDING = "pending"  # the oldest link that nobody confirmed is dropped
    SILENCE = "silence"  # the sessions that may have been silent for too long are looked at
    STORAGE = "storage"  # what the store could not do is asked again
    EXPIRY = "expiry"  # letters past their days are deleted
    ROSTER = "roster"  # a session may be told again that what it watches changed
    MAIL = "mail"  # letters under way to a user are pushed again, or the mailbox is gone through again
    RECEIPTS = "receipts"  # receipts under way to a user are pushed again


class Context:
    """What is shared.

    Attributes:
        suite: the primitives.
        timers: deadlines of (timer, what it is about).
        second: this second, rounded up; one object for all that happens in it, so that records share it.
        refused: how many requests were refused, by reason.
    """

    __slots__ = ("_ahead_ms", "refused", "second", "suite", "timers")

    def __init__(self, suite: Suite, now: Instant) -> None:
        self.suite = suite
        self.timers: Deadlines[tuple[Timer, Hashable]] = Deadlines()
        self.second = 0
        self.refused: dict[Refusal, int] = {}
        self._ahead_ms = 0
        self.begin(now)

    def begin(self, now: Instant) -> None:
        """A turn begins."""
        second = -(-now // SECOND)
        if second != self.second:
            self.second = second

    def set_clock(self, wall_ms: int, now: Instant) -> None:
        """It is `wall_ms`, milliseconds of Unix time."""
        self._ahead_ms = wall_ms - now // _MS_US

    def wall_ms(self, now: Instant) -> int:
        """Milliseconds of Unix time."""
        return now // _MS_US + self._ahead_ms

    def say(self, turn: Turn, session: Session, message: Message) -> None:
        """Say `message` to the client of `session`."""
        turn.say(Outlet(self.suite, session), message)

    def refuse(self, turn: Turn, session: Session, id_: int, refusal: Refusal, wait_s: int = 0, seq: int = 0) -> None:
        """Refuse the request `id_`, and count it."""  # R-8.8-4
        self.refused[refusal] = self.refused.get(refusal, 0) + 1
        self.say(turn, session, Refused(id_, refusal, wait_s, seq))


class Line(Generic[K]):
    """At most `places` at once; who finds none free waits in line."""

    __slots__ = ("_in", "_places", "_waiting")

    def __init__(self, places: int) -> None:
        self._places = places
        self._in: dict[K, None] = {}
        self._waiting: dict[K, None] = {}

    def enter(self, who: K) -> bool:
        """Whether `who` has a place now; who has not waits for one."""
        if who in self._in or len(self._in) < self._places:
            self._waiting.pop(who, None)
            self._in[who] = None
            return True
        self._waiting[who] = None
        return False

    def pause(self, who: K) -> K | None:
        """Give up the place, if `who` has one. Whoever is first in line now, and may enter."""
        if who in self._in:
            del self._in[who]
            for first in self._waiting:
                del self._waiting[first]
                return first
        return None

    def leave(self, who: K) -> K | None:
        """Give up the place, or the place in line, for good. Whoever is first in line now, and may enter."""
        self._waiting.pop(who, None)
        return self.pause(who)

    @property
    def is_long(self) -> bool:
        """Whether anybody waits."""
        return bool(self._waiting)
