"""Doubles around a client under test: a server and peers that do what a test says, a disk, and virtual time.

Nothing takes time but `World.advance`: what the client sends arrives at once, and so do the answers. A test
withholds what it wants withheld.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, TypeVar

from udpchat_core import messages as m
from udpchat_core.actions import Actions, Dropped, Emit, Received, SendDatagram, Store
from udpchat_core.address import Address
from udpchat_core.client import Client, new_client_state
from udpchat_core.datagrams import Acks, Hello, Init, Letter, Record
from udpchat_core.errors import Reason
from udpchat_core.events import ClientEvent
from udpchat_core.instant import MS, SECOND, Instant
from udpchat_core.limits import COLLECTED_ENTRIES_MAX
from udpchat_core.requests import ClientRequest, ClientState, StoreReply
from udpchat_core.secure.card import make_card
from udpchat_core.secure.letter import OpeningKey, ack_of, open_letter_untrusted, seal_letter_untrusted, slot_of
from udpchat_core.secure.link import Link, respond_untrusted, retry
from udpchat_core.secure.suite import Suite
from udpchat_core.wire import encode, pack, parse_untrusted, serialize, unpack_untrusted
from udpchat_net.stores.memory import ClientMemory

START = Instant(1_700_000_000 * SECOND)
SERVER = Address(b"\x0a\0\0\x01", 9_000)
HOME = Address(b"\x0a\0\0\x02", 4_000)
BOB, CAROL, STRANGER = (Address(b"\x0a\0\0" + bytes((last,)), 4_000) for last in (3, 4, 99))
DAY = 86_400
TOKEN = b"token of 16 byte"
LIMITS = m.ServerLimits(4_096, 256, 256, 1_000, 50)
E = TypeVar("E")
M = TypeVar("M")
Answer = Callable[[Any], Sequence[m.Message]]


def private_key(purpose: str) -> bytes:
    """A private key that follows from what it is for."""
    return sha256(purpose.encode()).digest()


class ServerDouble:
    """A server that answers as the real one would, but for what the test says otherwise.

    Attributes:
        answers: what to answer to a message of a class, in the place of the usual.
        heard: every message that came, in order.
        datagrams: every datagram that came, in order.
        silent: while set, nothing is answered, though it is heard.
        forgotten: so many links are not known any more, as after a restart: their RECORDs are answered by a RETRY.
        users: the directory: card and address of each name.
        card: of the client's newest INIT.
        waiting: letters that Registered tells of.
        version: of the directory.
        roster: its entries.
    """

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self.private = private_key("server")
        self.answers: dict[type[m.Message], Answer] = {}
        self.heard: list[m.Message] = []
        self.datagrams: list[bytes] = []
        self.silent = False
        self.forgotten = 0
        self.users: dict[str, tuple[bytes, Address | None]] = {}
        self.cards: list[m.CardBody] = []
        self.waiting = 0
        self.version = m.Version(b"boot one", 1)
        self.roster: tuple[m.RosterEntry, ...] = ()
        self.links: list[Link] = []
        self.now = START

    @property
    def public(self) -> bytes:
        """S."""
        return self._suite.dh_public(self.private)

    @property
    def card(self) -> m.CardBody:
        """The client's newest card."""
        return self.cards[-1]

    @property
    def link(self) -> Link:
        """The newest link."""
        return self.links[-1]

    def receive(self, payload: bytes) -> list[bytes]:
        """The datagrams that answer one."""
        self.datagrams.append(payload)
        answers = self._receive(payload)
        return [] if self.silent else answers

    def _receive(self, payload: bytes) -> list[bytes]:
        match parse_untrusted(payload):
            case Hello():
                return [retry(payload, TOKEN, self.public)]
            case Init() as init:
                index = len(self.links).to_bytes(4)
                responded = respond_untrusted(self._suite, self.private, init, index, self.now // SECOND)
                self.links.append(responded.link)
                self.cards.append(responded.card)
                return [responded.resp]
            case Record() as record if int.from_bytes(record.index) < self.forgotten:
                return [retry(payload, TOKEN, self.public)]
            case Record() as record:
                link = self.links[int.from_bytes(record.index)]
                messages = unpack_untrusted(link.open_untrusted(self._suite, record))
                self.heard += messages
                answers = [answer for message in messages for answer in self._answer(message)]
                return [self.record(answer, link=link) for answer in answers]
            case other:
                raise AssertionError(f"a client does not send {other} to a server")

    def record(self, *messages: m.Message, link: Link | None = None) -> bytes:
        """A RECORD with these messages, on the newest link if not told otherwise."""
        return (link or self.link).seal(self._suite, pack([encode(message) for message in messages]))

    def _answer(self, message: m.Message) -> Sequence[m.Message]:
        said = self.answers.get(type(message))
        if said is not None:
            return said(message)
        match message:
            case m.Register(id_):
                return (m.Registered(id_, HOME, self.waiting, LIMITS, self.now // MS),)
            case m.Deregister(id_):
                return (m.Deregistered(id_),)
            case m.Lookup(id_, name):
                known = self.users.get(name)
                return (m.Found(id_, *known, 60),) if known else (m.Refused(id_, m.Refusal.UNKNOWN, 10, 0),)
            case m.Store():
                return (m.Stored(message.id, False, message.attempt),)
            case m.Ping(id_):
                return (m.Pong(id_, self.version),)
            case m.Watch(id_, _, names, since):
                entries = tuple(entry for entry in self.roster if not names or entry.name in names)
                return (m.Roster(id_, self.version, entries, False, since is None or since.boot != self.version.boot),)
            case _:
                return ()

    def count(self, kind: type[m.Message]) -> int:
        """How many messages of a class came."""
        return len(self.all(kind))

    def all(self, kind: type[M]) -> list[M]:
        """The messages of a class that came."""
        return [message for message in self.heard if isinstance(message, kind)]

    def last(self, kind: type[M]) -> M:
        """The last message of a class that came."""
        return self.all(kind)[-1]


class Peer:
    """Another user: an identity, keys and a card, and letters written by hand.

    Attributes:
        answers: whether direct letters are acknowledged.
        letters: those that came directly and could be opened.
    """

    def __init__(self, suite: Suite, name: str, seq: int = 5, person: str | None = None) -> None:
        self._suite = suite
        self.name = name
        self.private, self.live, self.mail = (private_key(f"{person or name} {what}") for what in ("i", "l", "m"))
        self.answers = True
        self.letters: list[m.LetterBody] = []
        self.renew(seq)

    def renew(self, seq: int) -> None:
        """A card with this seq, and new keys in it."""
        self.live, self.mail = private_key(f"{self.live!r} {seq}"), private_key(f"{self.mail!r} {seq}")
        self.card = self.carded(seq=seq)

    def carded(self, **changed: Any) -> bytes:
        """The card, with fields changed."""
        values: dict[str, Any] = {"version": 1, "seq": 5, "expires_s": START // SECOND + 90 * DAY}
        values |= {"identity": self.identity, "name": self.name}
        values |= {"live": self._suite.dh_public(self.live), "mail": self._suite.dh_public(self.mail)}
        return make_card(self._suite, self.private, m.CardBody(**values | changed))

    @property
    def identity(self) -> bytes:
        """I."""
        return self._suite.sign_public(self.private)

    def body(self, seq: int = 1, text: str = "hello", **changed: Any) -> m.LetterBody:
        """A letter of this peer; its secret follows from epoch, seq and text."""
        values: dict[str, Any] = {"sender": self.identity, "name": self.name, "epoch": 7, "seq": seq, "floor": 1}
        values |= {"sent_ms": START // MS, "part": 1, "parts": 1, "text": text}
        values |= changed
        values.setdefault("secret", sha256(f"{self.name} {text} {values['part']}".encode()).digest()[:16])
        return m.LetterBody(**values)

    def letter(self, to: m.CardBody, body: m.LetterBody, key: bytes | None = None) -> bytes:
        """The LETTER, sealed to the live key of a card, or to another key."""
        return seal_letter_untrusted(self._suite, self.private, to.identity, key or to.live, body)

    def pushed(self, to: m.CardBody, body: m.LetterBody, entry: int, **changed: Any) -> m.Mail:
        """The same as it comes out of a mailbox, sealed to the mail key."""
        values: dict[str, Any] = {
            "entry": entry,
            "slot": slot_of(self._suite, body.secret),
            "letter": self.letter(to, body, to.mail),
        }
        return m.Mail(**values | changed)

    def open(self, payload: bytes) -> m.LetterBody:
        """What a LETTER to this peer says."""
        letter = parse_untrusted(payload)
        assert isinstance(letter, Letter)
        keys = [OpeningKey.of(self._suite, private) for private in (self.live, self.mail)]
        return open_letter_untrusted(self._suite, self.identity, keys, letter)

    def receive(self, payload: bytes) -> list[bytes]:
        """The datagrams that answer one."""
        if isinstance(parse_untrusted(payload), Acks):
            return []
        self.letters.append(self.open(payload))
        return [self.ack(self.letters[-1])] if self.answers else []

    def ack(self, *bodies: m.LetterBody) -> bytes:
        """The ACK datagram for these letters."""
        return serialize(Acks(tuple(ack_of(self._suite, body.secret) for body in bodies)))


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

    def collected(self) -> list[m.CollectedEntry]:
        """The entries of the mailbox that were collected, in order."""
        said = self.server.all(m.Collected)
        assert all(len(each.entries) <= COLLECTED_ENTRIES_MAX for each in said)
        return [entry for each in said for entry in each.entries]
