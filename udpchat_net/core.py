"""What a driver drives, the real one and the simulated one: any core of this shape, client or server."""

from collections.abc import Sequence
from typing import Protocol

from udpchat_core.actions import Actions, Received
from udpchat_core.instant import Instant
from udpchat_core.requests import StoreReply


class Core(Protocol):
    """Bytes, time and replies of a store go in; actions come out, to be carried out in their order."""

    def start(self, now: Instant) -> Actions:
        """The first call."""
        ...

    def receive_datagrams(self, received: Sequence[Received], now: Instant) -> Actions:
        """Datagrams came."""
        ...

    def handle_stored(self, replies: Sequence[StoreReply], now: Instant) -> Actions:
        """A commit ended."""
        ...

    def handle_timeout(self, now: Instant) -> Actions:
        """The time that `next_timeout` named has come."""
        ...

    def next_timeout(self) -> Instant | None:
        """When to call next, if nothing else happens."""
        ...

    def handle_clock(self, wall_ms: int, now: Instant) -> Actions:
        """The wall clock, at the start and whenever it is not where the core thinks."""
        ...
