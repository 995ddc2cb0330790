"""What the parts of a client share: the time, randomness, the disk; what they send, and tell the user."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .store import Store

Address = tuple[bytes, int]
KNOWN_SOURCES_MAX = 4096
NEVER = float("inf")


@dataclass(frozen=True)
class Outgoing:
    """A datagram to be sent, and a note of what is in it for whoever draws a ladder."""

    to: Address
    data: bytes
    note: str


@dataclass(frozen=True)
class Event:
    """What the user is told."""

    kind: str
    about: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.about[key]


@dataclass
class World:
    """Time in seconds since anything, moved by whoever drives the client; `unix_s_at_zero` makes it a date."""

    store: Store
    random: Callable[[int], bytes]
    unix_s_at_zero: float
    now_s: float = 0.0
    out: list[Outgoing] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # of the datagram that is being received
    known: dict[Address, None] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def unix_ms(self) -> int:
        return int((self.unix_s_at_zero + self.now_s) * 1000)

    @property
    def unix_s(self) -> int:
        return self.unix_ms // 1000

    def send(self, to: Address, data: bytes, note: str) -> None:
        self.out.append(Outgoing(to, data, note))

    def tell(self, kind: str, **about: Any) -> None:
        self.events.append(Event(kind, about))

    def know(self, address: Address) -> None:
        """An address of the directory, or that a letter came from which was opened (R-9.4-8)."""
        self.known.pop(address, None)
        self.known[address] = None
        if len(self.known) > KNOWN_SOURCES_MAX:
            del self.known[next(iter(self.known))]

    def count_refused(self, why: object) -> None:
        """The only thing that a refused datagram changes (R-3.1-6)."""
        self.refused[str(why)] = self.refused.get(str(why), 0) + 1
        self.notes.append(f"refused: {why}")
