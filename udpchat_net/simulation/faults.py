"""What can go wrong, one class a fault, each with all that it needs to happen again.

Faults of datagrams name a link, (source, destination) of nodes, and the ordinals on it, from 0: the fate of the
n-th datagram of a link follows from (seed, link, n) and the faults that name it, and from nothing else. So one
fault taken away leaves all others as they were. `"*"` stands for any node; the server is `"server"`. A draw is a
number from 0 to below 1; one kind of fault always looks at the same draw, so a lower probability strikes a part of
what a higher one strikes.

All times are microseconds of virtual time since the start.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

SERVER: Final = "server"
"""The server's name as a node. Clients must have others."""

LAST: Final = 2**48
"""The ordinal of no datagram, and the time of none: to the end."""

HEADERS_BYTES: Final = 28
"""Of IPv4 and UDP, which a line carries with each datagram."""


class Lane(IntEnum):
    """Which of a datagram's draws decides what."""

    LOSS = 0
    DUPLICATION = 1
    DUPLICATION_DELAY = 2
    DELAY = 3
    DELAY_LENGTH = 4
    REORDER = 5
    CORRUPTION = 6
    CORRUPTION_PLACE = 7
    TRUNCATION = 8
    TRUNCATION_LENGTH = 9
    MISDELIVERY = 10
    MISDELIVERY_PLACE = 11


Draws = tuple[float, ...]


@dataclass(slots=True)
class Flight:
    """A datagram under way, as the faults leave it.

    Attributes:
        payload: its bytes.
        destination: the node that it reaches.
        others: the nodes that it could reach instead.
        delay_us: how long it takes.
        echoes_us: how much later each further copy comes.
        lost: whether it comes at all.
    """

    payload: bytes
    destination: str
    others: tuple[str, ...]
    delay_us: int
    echoes_us: list[int] = field(default_factory=list)
    lost: bool = False


# --- of datagrams ---


@dataclass(frozen=True, slots=True)
class LinkFault(ABC):
    """Strikes the datagrams `first` to `last` of a link, each with `probability`."""

    source: str = "*"
    destination: str = "*"
    first: int = 0
    last: int = LAST
    probability: float = 1.0

    @abstractmethod
    def strike(self, flight: Flight, draws: Draws) -> bool:
        """Do it to `flight` if the draws say so, and say whether it was done."""


@dataclass(frozen=True, slots=True)
class Loss(LinkFault):
    """It never arrives."""

    def strike(self, flight: Flight, draws: Draws) -> bool:  # noqa: D102 - said in LinkFault
        if draws[Lane.LOSS] >= self.probability:
            return False
        flight.lost = True
        return True


@dataclass(frozen=True, slots=True)
class Duplication(LinkFault):
    """It arrives twice, the second time up to `delay_us` later."""

    delay_us: int = 50_000

    def strike(self, flight: Flight, draws: Draws) -> bool:  # noqa: D102
        if draws[Lane.DUPLICATION] >= self.probability:
            return False
        flight.echoes_us.append(int(draws[Lane.DUPLICATION_DELAY] * self.delay_us))
        return True


@dataclass(frozen=True, slots=True)
class Delay(LinkFault):
    """It takes up to `delay_us` longer."""

    delay_us: int = 100_000

    def strike(self, flight: Flight, draws: Draws) -> bool:  # noqa: D102
        if draws[Lane.DELAY] >= self.probability:
            return False
        flight.delay_us += int(draws[Lane.DELAY_LENGTH] * self.delay_us)
        return True


@dataclass(frozen=True, slots=True)
class Reorder(LinkFault):
    """It takes exactly `delay_us` longer, and is overtaken by what is sent meanwhile."""

    delay_us: int = 20_000

    def strike(self, flight: Flight, draws: Draws) -> bool:  # noqa: D102
        if draws[Lane.REORDER] >= self.probability:
            return False
        flight.delay_us += self.delay_us
        return True


@dataclass(frozen=True, slots=True)
class Corruption(LinkFault):
    """One of its bits is flipped."""

    def strike(self, flight: Flight, draws: Draws) -> bool:  # noqa: D102
        if draws[Lane.CORRUPTION] >= self.probability or not flight.payload:
            return False
        place = int(draws[Lane.CORRUPTION_PLACE] * 8 * len(flight.payload))
        changed = bytearray(flight.payload)
        changed[place // 8] ^= 1 << place % 8
        flight.payload = bytes(changed)
        return True


@dataclass(frozen=True, slots=True)
class Truncation(LinkFault):
    """Its end is cut off; nothing may be left."""

    def strike(self, flight: Flight, draws: Draws) -> bool:  # noqa: D102
        if draws[Lane.TRUNCATION] >= self.probability:
            return False
        flight.payload = flight.payload[: int(draws[Lane.TRUNCATION_LENGTH] * len(flight.payload))]
        return True


@dataclass(frozen=True, slots=True)
class Misdelivery(LinkFault):
    """It reaches somebody else: addresses are used again."""

    def strike(self, flight: Flight, draws: Draws) -> bool:  # noqa: D102
        if draws[Lane.MISDELIVERY] >= self.probability or not flight.others:
            return False
        flight.destination = flight.others[int(draws[Lane.MISDELIVERY_PLACE] * len(flight.others))]
        return True


@dataclass(frozen=True, slots=True)
class Partition:
    """Nothing that is sent between `from_us` and `until_us` comes from `source` to `destination`.

    With `both` (as is usual) nothing comes the other way either.
    """

    source: str
    destination: str
    from_us: int
    until_us: int
    both: bool = True


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """What is sent on `links` between `from_us` and `until_us` passes one thin line, in the order of sending.

    The line takes `bytes_per_s`, with `HEADERS_BYTES` for each datagram besides what is in it. What waits for it may
    have `queue_bytes_max` bytes, what is being sent included; a datagram that does not fit is lost (tail drop).
    `links` are (source, destination) pairs, and all of them share the line: a line that both ends send on at once, as
    radio is, names both ways. Other faults strike behind the line, so what they lose has used it. A link that several
    lines name passes one after the other.

    Unlike other faults this one has a memory, how long the line is busy: which datagrams fit follows from all that
    were sent before on its links.
    """

    links: tuple[tuple[str, str], ...]
    bytes_per_s: int
    queue_bytes_max: int
    from_us: int = 0
    until_us: int = LAST


@dataclass(frozen=True, slots=True)
class Rebind:
    """A NAT gives the node another address; what is sent to the old one reaches nobody."""

    node: str
    at_us: int


# --- of nodes ---


@dataclass(frozen=True, slots=True)
class CrashAt:
    """The node dies at this boundary, and starts again `down_us` later.

    A node counts its boundaries from 0, over all its lives: before each commit (nothing of it is durable), after
    each commit and before its replies, and after each datagram sent (what follows in that turn never happens).
    """

    node: str
    boundary: int
    down_us: int = 0


@dataclass(frozen=True, slots=True)
class Crash:
    """The node dies at this time, and starts again `down_us` later; what was being committed may be durable."""

    node: str
    at_us: int
    down_us: int = 0


@dataclass(frozen=True, slots=True)
class Pause:
    """The process stands still for `for_us`: datagrams wait in the socket, as many as fit, and timers are late."""

    node: str
    at_us: int
    for_us: int


@dataclass(frozen=True, slots=True)
class Suspend:
    """The machine sleeps for `for_us`: as `Pause`, and its monotonic clock stands still as well."""

    node: str
    at_us: int
    for_us: int


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The node's wall clock is set `by_ms` further; its monotonic clock does not notice."""

    node: str
    at_us: int
    by_ms: int


@dataclass(frozen=True, slots=True)
class FullDisk:
    """The node's commits that end between the times are reported as failed.

    What failed is durable all the same with probability `durable`, drawn for each commit.
    """

    node: str
    from_us: int
    until_us: int
    durable: float = 0.0


@dataclass(frozen=True, slots=True)
class SlowDisk:
    """The node's commits that begin between the times take `commit_us`."""

    node: str
    from_us: int
    until_us: int
    commit_us: int


@dataclass(frozen=True, slots=True)
class RestoreBackup:
    """At `at_us` the client dies, and starts again from its state file as it was at `saved_us`."""

    node: str
    saved_us: int
    at_us: int


DatagramFault = Loss | Duplication | Delay | Reorder | Corruption | Truncation | Misdelivery
NodeFault = CrashAt | Crash | Pause | Suspend | ClockStep | FullDisk | SlowDisk | RestoreBackup
Fault = DatagramFault | Partition | Bottleneck | Rebind | NodeFault
