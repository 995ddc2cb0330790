"""One node of a world: a process that may die, its disk, its clocks and its socket."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from udpchat_core.actions import Received
from udpchat_core.address import Address
from udpchat_core.client_events import ClientEvent
from udpchat_core.client_requests import ClientRequest
from udpchat_core.errors import Reason
from udpchat_core.instant import Instant
from udpchat_core.requests import StoreReply
from udpchat_core.server_events import ServerEvent
from udpchat_core.server_requests import ServerRequest

from ..core import Core
from ..stores.memory_client import ClientMemory
from ..stores.memory_server import ServerMemory
from .faults import CrashAt, FullDisk, SlowDisk
from .network import Arrival
from .tap import TappedSuite

START_US: Final = 1_790_000_000_000_000
"""Unix time at which every world begins, in September 2026."""
CLOCK_SLACK_MS: Final = 1_000
"""How far the wall clock may be from what the core thinks before the driver says so."""
SOCKET_DATAGRAMS_MAX: Final = 256
"""Datagrams that wait in a socket; further ones are lost, as they would be in 208 KiB of an operating system's."""
BATCH_DATAGRAMS_MAX: Final = 64
"""Datagrams that a driver hands to its core at once."""

Request = ClientRequest | ServerRequest
Event = ClientEvent | ServerEvent


class Boundary(StrEnum):
    """Where a process can die and it matters."""

    BEFORE_COMMIT = "before a commit"
    AFTER_COMMIT = "after a commit"
    AFTER_SEND = "after a send"


@dataclass(slots=True)
class Clock:
    """The two clocks of a node, and what its core was told of them.

    Attributes:
        ahead_us: how far the wall clock is ahead of the truth.
        base_us: how far the instants of this life are ahead of the truth.
        told_ms: the offset between the two that the core knows.
    """

    ahead_us: int = 0
    base_us: int = 0
    told_ms: int = 0

    def start(self) -> None:
        """A process begins: its instants are the wall time now, and what has passed since."""
        self.base_us, self.told_ms = self.ahead_us, 0

    def instant(self, now_us: int) -> Instant:
        """The core's time at `now_us` of virtual time."""
        return Instant(START_US + now_us + self.base_us)

    def now_us(self, instant: Instant) -> int:
        """The inverse."""
        return instant - START_US - self.base_us

    def wall_ms(self, now_us: int) -> int:
        """The wall clock, in milliseconds of Unix time."""
        return (START_US + now_us + self.ahead_us) // 1_000

    def is_off(self, now_us: int) -> bool:
        """Whether the core is to be told."""
        thought_ms = self.instant(now_us) // 1_000 + self.told_ms
        return abs(self.wall_ms(now_us) - thought_ms) > CLOCK_SLACK_MS


@dataclass(slots=True)
class Node:
    """What there is of a node.

    Attributes:
        name: of the node.
        store: its disk.
        suite: its sealing in this life.
        core: of this life, or None while the process is not there.
        life: how often the process died; what was meant for an earlier life never happens.
        online: whether the user wants it to be registered.
        leaving: whether the process ends once it is deregistered.
        events: what the application was told, in all lives, with the virtual time of it.
        dropped: refused datagrams by reason.
        asked: requests that the next commit will hold.
        committing: requests of the commit under way.
        answered: replies that the core has not got.
        failing: whether one of them says that a commit failed.
        arrived: datagrams in the socket.
        turn_at_us: when the driver will look again, if it will.
        paused_until_us: until when the process stands still.
        asleep: whether its monotonic clock stands still meanwhile.
        boundaries: boundaries passed, in all lives.
        commits: commits begun, in all lives.
    """

    name: str
    store: ClientMemory | ServerMemory
    suite: TappedSuite
    core: Core | None = None
    life: int = 0
    online: bool = False
    leaving: bool = False
    clock: Clock = field(default_factory=Clock)
    events: list[tuple[int, Event]] = field(default_factory=list)
    dropped: Counter[Reason] = field(default_factory=Counter)
    asked: list[Request] = field(default_factory=list)
    committing: list[Request] = field(default_factory=list)
    answered: list[StoreReply] = field(default_factory=list)
    arrived: list[Received] = field(default_factory=list)
    failing: bool = False
    turn_at_us: int | None = None
    paused_until_us: int = 0
    asleep: bool = False
    boundaries: int = 0
    commits: int = 0
    crash_at: dict[int, CrashAt] = field(default_factory=dict)
    disk_faults: tuple[FullDisk | SlowDisk, ...] = ()

    def stop(self) -> None:
        """The process is gone, and with it everything that is not on the disk."""
        self.core, self.life, self.turn_at_us, self.paused_until_us = None, self.life + 1, None, 0
        self.failing = False
        self.asked, self.committing, self.answered, self.arrived = [], [], [], []


class Observer:
    """Sees everything that happens at the seams of a world, when it happens. Override what you care about."""

    def started(self, node: Node) -> None:
        """A process begins; nothing of it has run yet."""

    def arrived(self, node: Node, received: list[Received]) -> None:
        """The core is about to get these datagrams."""

    def sent(self, node: Node, to: Address, payload: bytes) -> None:
        """The datagram leaves; `node.suite` knows what was sealed in it."""

    def carried(self, node: Node, to: Address, payload: bytes, arrivals: list[Arrival]) -> None:
        """The datagram left, and will arrive there and then: nowhere if it is lost, twice if it is duplicated."""

    def committing(self, node: Node, requests: list[Request]) -> None:
        """These are about to become durable."""

    def committed(self, node: Node, replies: tuple[StoreReply, ...]) -> None:
        """These are durable; the core may yet be told that they are not, or die before it is told."""

    def emitted(self, node: Node, event: Event) -> None:
        """The application is told."""

    def turned(self, node: Node) -> None:
        """A call into the core is over and its actions are carried out."""

    def used(self, node: Node, what: str, *about: object) -> None:
        """The node's user does something: `what` and `about` are a call of `World`; a `send` has the number besides."""

    def joined(self, identity: bytes, name: str | None, address: Address) -> None:
        """Somebody takes part who is no node: with this identity, at this address, and a name if it is its own."""

    def wrote(self, identity: bytes, recipient: bytes, secret: bytes, text: str) -> None:
        """An outsider wrote a letter to an identity, and signed it."""

    def opened(self, identity: bytes, secret: bytes) -> None:
        """An outsider opened a letter that was sealed for it."""

    def restored(self, node: Node, backup: ClientMemory) -> None:
        """The process is dead, and `backup` is about to take the place of its state file."""
