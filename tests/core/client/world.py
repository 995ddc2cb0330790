"""A client under test, and all that is around it: a server, peers, a disk, and virtual time.

Nothing takes time but `World.advance`: what the client sends arrives at once, and so do the answers. A test
withholds what it wants withheld.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tests.core.client.peer import Peer
from tests.core.client.scenery import DAY, SERVER, START
from tests.core.client.server_double import ServerDouble
from udpchat_core import messages as m
from udpchat_core.actions import Actions, Dropped, Emit, Received, SendDatagram, Store
from udpchat_core.address import Address
from udpchat_core.client import Client, new_client_state
from udpchat_core.client_events import ClientEvent
from udpchat_core.client_requests import ClientRequest, ClientState
from udpchat_core.datagrams import Acks, Letter
from udpchat_core.errors import Reason
from udpchat_core.fields import CollectedEntry
from udpchat_core.instant import MS, SECOND, Instant
from udpchat_core.limits import COLLECTED_ENTRIES_MAX
from udpchat_core.requests import StoreReply
from udpchat_core.secure.link import Link
from udpchat_core.secure.suite import Suite
from udpchat_core.wire import parse_untrusted
from udpchat_net.stores.memory_client import ClientMemory

E = TypeVar("E")


@dataclass
class Disk:
    """Where the client's requests go.

    Attributes:
        memory: what is durable.
        holding: while set, commits wait until `World.commit`.
        failing: while set, commits fail.
        asked: every request, in order.
    """

    memory: ClientMemory
    holding: bool = False
    failing: bool = False
    asked: list[ClientRequest] = field(default_factory=list)
    waiting: list[tuple[ClientRequest, ...]] = field(default_factory=list)

    def commit(self, requests: tuple[ClientRequest, ...]) -> tuple[StoreReply, ...]:
        """What became of the requests of one turn."""
        if self.failing:
            return tuple(StoreReply(request, False) for request in requests)
        return self.memory.apply(requests)

    def all(self, kind: type[E]) -> list[E]:
        """The requests of a class that were made."""
        return [request for request in self.asked if isinstance(request, kind)]


class World:
    """A client under test, and all that is around it.

    Attributes:
        client: under test.
        events: what the application was told, in order.
        drops: why datagrams were refused, in order.
        sent: every datagram that was sent to anybody but the server.
        peers: who is at which address.
        lost: whether a datagram from the client goes astray.
        astray: those that did.
        first_seq: of the client's first card.
    """

    def __init__(
        self, suite: Suite, *, name: str = "alice", state: ClientState | None = None, watch_all: bool = False
    ) -> None:
        self.suite = suite
        self.now = START
        self.server = ServerDouble(suite)
        state = state or replace(new_client_state(suite, name, START // MS), card_seq=0)
        self.first_seq = state.card_seq + 1
        self.disk = Disk(ClientMemory(state))
        self.watch_all = watch_all
        self.client = Client(suite, state, SERVER, self.now, watch_all=watch_all)
        self.events: list[ClientEvent] = []
        self.drops: list[Reason] = []
        self.sent: list[SendDatagram] = []
        self.peers: dict[Address, Peer] = {}
        self.lost: Callable[[SendDatagram], bool] = lambda _: False
        self.astray: list[SendDatagram] = []
        self._queue: list[Callable[[], Actions]] = []

    # --- running ---

    def do(self, actions: Actions) -> None:
        """Carry out actions, and all that follows at once."""
        self._carry_out(actions)
        turns = 0
        while self._queue:
            turns += 1
            assert turns < 20_000, "the client and its doubles do not come to rest"
            self._carry_out(self._queue.pop(0)())

    def _carry_out(self, actions: Actions) -> None:
        requests = tuple(action.request for action in actions if isinstance(action, Store))
        if requests:
            self.disk.asked += requests  # type: ignore[arg-type] # a client makes no request of a server
            self.disk.waiting.append(requests)  # type: ignore[arg-type]
        for action in actions:
            match action:
                case SendDatagram():
                    self._send(action)
                case Emit(event):
                    self.events.append(event)  # type: ignore[arg-type] # nor does it tell what a server tells
                case Dropped(_, reason):
                    self.drops.append(reason)
                case Store():
                    pass
        if not self.disk.holding:
            self._commit()

    def _commit(self) -> None:
        waiting, self.disk.waiting = self.disk.waiting, []
        replies = [reply for requests in waiting for reply in self.disk.commit(requests)]
        if replies:
            self._queue.append(lambda: self.client.handle_stored(replies, self.now))

    def _send(self, sent: SendDatagram) -> None:
        assert len(sent.payload) <= 1_200
        if sent.to != SERVER:
            self.sent.append(sent)
        if self.lost(sent):
            self.astray.append(sent)
            return
        if sent.to == SERVER:
            answers = self.server.receive(sent.payload)
        else:
            answers = self.peers[sent.to].receive(sent.payload) if sent.to in self.peers else []
        for answer in answers:
            self._queue.append(
                lambda answer=answer: self.client.receive_datagrams([Received(sent.to, answer)], self.now)  # type: ignore[misc]
            )

    def commit(self) -> None:
        """The disk is done with all that waited for it."""
        self._commit()
        self.do(())

    def advance(self, seconds: float = 0) -> None:
        """Let time pass, with all that is due in it."""
        until = Instant(self.now + round(seconds * SECOND))
        while (due := self.client.next_timeout()) is not None and due <= until:
            self._at(max(self.now, due))
            self.do(self.client.handle_timeout(self.now))
        self._at(until)

    def sleep(self, days: float) -> None:
        """The machine is suspended for days: what was due in them is due now, once."""
        self._at(Instant(self.now + round(days * DAY * SECOND)))
        self.advance()

    def until(self, done: Callable[[], object], step: float = 1) -> float:
        """Let time pass in steps until something is so; the seconds that it took."""
        steps = 0
        while not done():
            steps += 1
            assert steps < 2_000, "it does not come to be"
            self.advance(step)
        return steps * step

    def _at(self, now: Instant) -> None:
        self.now = self.server.now = now

    # --- commands, shortly ---

    def register(self) -> "World":
        """Be registered; for chaining."""
        self.do(self.client.register(self.now))
        return self

    def deregister(self) -> None:
        self.do(self.client.deregister(self.now))

    def send(self, to: str, text: str = "hello") -> int:
        """The number of the message."""
        number = self.client.next_message
        self.do(self.client.send(to, text, self.now))
        return number

    def restart(self) -> None:
        """The program ends without a warning, and starts again from the disk."""
        self._queue.clear()
        self.disk.waiting.clear()
        self.client = Client(self.suite, self.disk.memory.load(), SERVER, self.now, watch_all=self.watch_all)
        self.do(self.client.start(self.now))

    def receive(self, payload: bytes, source: Address = SERVER) -> None:
        """A datagram arrives at the client."""
        self.do(self.client.receive_datagrams([Received(source, payload)], self.now))

    def push(self, *messages: m.Message, link: Link | None = None) -> None:
        """The server says something unasked, or late."""
        self.receive(self.server.record(*messages, link=link))

    def know(self, name: str, at: Address | None = None, *, person: str | None = None, seq: int = 5) -> Peer:
        """A user of the directory, online at an address or away."""
        peer = Peer(self.suite, name, seq, person)
        self.publish(peer, at)
        return peer

    def publish(self, peer: Peer, at: Address | None = None) -> None:
        """The directory has this card and address for the peer's name from now on."""
        self.server.users[peer.name] = (peer.card, at)
        if at is not None:
            self.peers[at] = peer

    # --- what happened ---

    def is_online(self) -> bool:
        """What the client says: a call, so that mypy does not take it for constant."""
        return self.client.is_online

    def told(self, kind: type[E]) -> list[E]:
        """The events of a class, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def forget(self) -> None:
        """Forget what happened until now."""
        seen: list[Any]
        for seen in (self.events, self.drops, self.sent, self.server.heard, self.server.datagrams, self.disk.asked):
            seen.clear()

    def acked(self, at: Address) -> list[bytes]:
        """The acknowledgements that were sent to an address, in order."""
        found = [parse_untrusted(sent.payload) for sent in self.sent if sent.to == at]
        return [ack for datagram in found if isinstance(datagram, Acks) for ack in datagram.acks]

    def letters(self, at: Address) -> list[bytes]:
        """The LETTERs that were sent to an address, in order."""
        found = [sent.payload for sent in self.sent if sent.to == at]
        return [payload for payload in found if isinstance(parse_untrusted(payload), Letter)]

    def collected(self) -> list[CollectedEntry]:
        """The entries of the mailbox that were collected, in order."""
        said = self.server.all(m.Collected)
        assert all(len(each.entries) <= COLLECTED_ENTRIES_MAX for each in said)
        return [entry for each in said for entry in each.entries]
