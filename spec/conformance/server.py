"""A server by script: what a client under test needs of one, and everything that a network or a server may do to it."""

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from udpchat_core import messages as m
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody
from udpchat_core.datagrams import Hello, Init, Record
from udpchat_core.errors import BadDatagram
from udpchat_core.fields import Refusal, Rotation, ServerLimits, Version
from udpchat_core.messages import Message
from udpchat_core.secure.link import Link, respond_untrusted, retry
from udpchat_core.wire import encode, pack, unpack_untrusted

from .door import CheckFailed
from .network import Came, Network
from .suite import SUITE

LIMITS: Final = ServerLimits(4_096, 256, 256, 1_000, 50)
M = TypeVar("M")
RETRY_BYTES: Final = 67


@dataclass
class Seat:
    """A link of the client: whose card it came with, and whether it is registered."""

    link: Link
    card: CardBody
    card_bytes: bytes
    source: tuple[str, int]
    registered: bool = False
    gone: bool = False
    counters: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Heard:
    """A message of the client."""

    at_s: float
    seat: Seat
    message: Message
    record: bytes


class Server:
    """See the module.

    Attributes:
        lose: how many more of a kind are lost: datagrams and messages of the client by name, and answers.
        mute: kinds of the client that are lost, all of them.
        refuse: what is refused, next: by kind, in order; each is used up.
        directory: what Lookup finds: card, address, rotation.
        stored_answer: what a Store is answered with, or None for silence.
        other_keys: whether an INIT may be for another key, which a forged RETRY named.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.port = network.port(self._take)
        self.private, self.token = os.urandom(32), os.urandom(16)
        self.seats: list[Seat] = []
        self.inits: list[Came] = []
        self.hellos: list[Came] = []
        self.records: list[Came] = []
        self.heard: list[Heard] = []
        self.lose: Counter[str] = Counter()
        self.mute: set[str] = set()
        self.refuse: dict[str, list[tuple[Refusal, int, int]]] = {}
        self.directory: dict[str, tuple[bytes, Address | None, Rotation | None]] = {}
        self.other_keys = False
        self.ttl_s = 60
        self.waiting = 0
        self.stored_answer: Callable[[m.Store], Message | None] = lambda store: m.Stored(store.id, False, store.attempt)
        self._resps: dict[bytes, bytes] = {}

    @property
    def public(self) -> bytes:
        """S."""
        return SUITE.dh_public(self.private)

    @property
    def seat(self) -> Seat:
        """The newest registered link."""
        registered = [seat for seat in self.seats if seat.registered and not seat.gone]
        if not registered:
            raise CheckFailed("no link is registered")
        return registered[-1]

    def all_heard(self, kind: type[M]) -> list[tuple[Heard, M]]:
        """What was heard of this kind, lost ones included."""
        return [(heard, heard.message) for heard in self.heard if isinstance(heard.message, kind)]

    def said(self, kind: type[M]) -> list[M]:
        """The messages of this kind."""
        return [message for _, message in self.all_heard(kind)]

    def forget_links(self) -> None:
        """As a server that was started again."""
        for seat in self.seats:
            seat.gone = True

    # --- what comes ---

    def _is_lost(self, kind: str) -> bool:
        if self.lose[kind] > 0:
            self.lose[kind] -= 1
            return True
        return kind in self.mute

    def _take(self, came: Came) -> None:
        datagram = came.datagram
        if isinstance(datagram, Hello):
            self.hellos.append(came)
            if not self._is_lost("HELLO") and not self._is_lost("RETRY"):
                self.hint(came.data, came.source)
        elif isinstance(datagram, Init):
            self.inits.append(came)
            if not self._is_lost("INIT"):
                self._init(came, datagram)
        elif isinstance(datagram, Record):
            self.records.append(came)
            self._record(came, datagram)
        else:
            self.network.malformed.append(f"a {type(datagram).__name__} to the server")

    def hint(self, answered: bytes, to: tuple[str, int], token: bytes | None = None, key: bytes | None = None) -> None:
        """A RETRY that answers this datagram."""
        self.port.send(retry(answered, token or self.token, key or self.public), to)

    def _init(self, came: Came, init: Init) -> None:
        if init.token != self.token:
            self.hint(came.data, came.source)
            return
        if came.data not in self._resps:
            try:
                answer = respond_untrusted(SUITE, self.private, init, os.urandom(4), int(time.time()))
            except BadDatagram as refused:
                if self.other_keys:
                    return
                self.network.malformed.append(f"an INIT that does not hold ({refused.reason.value})")
                return
            self.seats.append(Seat(answer.link, answer.card, answer.card_bytes, came.source))
            self._resps[came.data] = answer.resp
        if not self._is_lost("RESP"):
            self.port.send(self._resps[came.data], came.source)

    def _record(self, came: Came, record: Record) -> None:
        seat = next((seat for seat in self.seats if seat.link.index == record.index and not seat.gone), None)
        if seat is None:
            if not self._is_lost("RECORD"):
                self.hint(came.data, came.source)
            return
        try:
            messages = unpack_untrusted(seat.link.open_untrusted(SUITE, record))
        except BadDatagram as refused:
            self.network.malformed.append(f"a RECORD that is refused ({refused.reason.value})")
            return
        seat.counters.append(record.counter)
        if len(came.data) < RETRY_BYTES:
            self.network.malformed.append(f"a RECORD of {len(came.data)} bytes: 67 are the least (R-5.1-5)")
        for message in messages:
            self.heard.append(Heard(came.at_s, seat, message, came.data))
            if not self._is_lost(type(message).__name__):
                self._answer(seat, message)

    # --- what is said ---

    def say(self, message: Message, seat: Seat | None = None) -> bytes:
        """Say it on a link, else the newest registered one; the RECORD."""
        to = seat or self.seat
        record = to.link.seal(SUITE, pack([encode(message)]))
        self.port.send(record, to.source)
        return record

    def _answer(self, seat: Seat, message: Message) -> None:
        answer = self._refusal(message) or self._answer_to(seat, message)
        if answer is not None and not self._is_lost(type(answer).__name__):
            self.say(answer, seat)

    def _refusal(self, message: Message) -> Message | None:
        refusals = self.refuse.get(type(message).__name__)
        if not refusals or not isinstance(message, m.Register | m.Lookup | m.Store | m.Ping | m.Watch):
            return None
        return m.Refused(message.id, *refusals.pop(0))

    def _answer_to(self, seat: Seat, message: Message) -> Message | None:  # noqa: PLR0911 - one a message
        match message:
            case m.Register(id_):
                seat.registered = True
                return m.Registered(id_, _address(seat.source), self.waiting, LIMITS, int(time.time() * 1_000))
            case m.Deregister(id_):
                return m.Deregistered(id_)
            case m.Ping(id_):
                return m.Pong(id_, Version(bytes(8), 0))
            case m.Watch(id_):
                return m.Roster(id_, Version(bytes(8), 0), (), False, True)
            case m.Lookup(id_, name) if name in self.directory:
                card, address, rotation = self.directory[name]
                return m.Found(id_, card, address, self.ttl_s, rotation)
            case m.Lookup(id_):
                return m.Refused(id_, Refusal.UNKNOWN, 10, 0)
            case m.Store():
                return self.stored_answer(message)
        return None


def _address(source: tuple[str, int]) -> Address:
    return Address(bytes(map(int, source[0].split("."))), source[1])
