"""Tiny cores for tests of what drives a core: an echo that keeps before it answers, and one that keeps time."""

from collections.abc import Sequence
from typing import Any

from udpchat_core.actions import Action, Actions, Dropped, Emit, Received, SendDatagram, Store
from udpchat_core.address import Address
from udpchat_core.client_events import MessageQueued
from udpchat_core.client_requests import FindLetter
from udpchat_core.errors import Reason
from udpchat_core.instant import Instant, after
from udpchat_core.limits import DATAGRAM_BYTES_MAX
from udpchat_core.requests import StoreReply
from udpchat_core.server_events import MailKept


class Echo:
    """Sends back what begins with "echo"; keeps what begins with "keep" first; refuses the rest.

    Attributes:
        calls: what was called, with what it was about and when.
        due: what `next_timeout` says.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, Instant]] = []
        self.due: Instant | None = None
        self._asked: dict[FindLetter, list[Received]] = {}

    def start(self, now: Instant) -> Actions:
        self.calls.append(("start", None, now))
        return (Emit(MailKept(0)),)

    def receive_datagrams(self, received: Sequence[Received], now: Instant) -> Actions:
        self.calls.append(("received", len(received), now))
        actions: list[Action] = []
        for each in received:
            if len(each.payload) > DATAGRAM_BYTES_MAX:
                actions.append(Dropped(each.source, Reason.SIZE))
            elif each.payload.startswith(b"echo"):
                actions.append(SendDatagram(each.source, each.payload))
            elif each.payload.startswith(b"keep"):
                request = FindLetter(each.payload, b"")
                self._asked.setdefault(request, []).append(each)
                actions.append(Store(request))
            else:
                actions.append(Dropped(each.source, Reason.MAGIC))
        return tuple(actions)

    def handle_stored(self, replies: Sequence[StoreReply], now: Instant) -> Actions:
        self.calls.append(("stored", len(replies), now))
        actions: list[Action] = []
        for reply in replies:
            assert isinstance(reply.request, FindLetter)
            if reply.durable:
                each = self._asked[reply.request].pop(0)
                actions.append(SendDatagram(each.source, each.payload))
            else:
                actions.append(Store(reply.request))
        return tuple(actions)

    def handle_timeout(self, now: Instant) -> Actions:
        self.calls.append(("timeout", self.due, now))
        self.due = None
        return (Emit(MailKept(1)),)

    def next_timeout(self) -> Instant | None:
        return self.due

    def handle_clock(self, wall_ms: int, now: Instant) -> Actions:
        self.calls.append(("clock", wall_ms, now))
        return ()

    def send(self, to: Address, payload: bytes, now: Instant) -> Actions:
        """A command."""
        return (SendDatagram(to, payload), Emit(MessageQueued(1, "bob")))

    def wake(self, us: int, now: Instant) -> Actions:
        """Another: let the time that is due be in so many microseconds."""
        self.due = after(now, us)
        return ()

    def of(self, name: str) -> list[Any]:
        """What the calls of one kind were about."""
        return [about for call, about, _ in self.calls if call == name]
