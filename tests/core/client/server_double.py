"""The server of a client under test, which does what a test says, and answers at once."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tests.core.client.scenery import HOME, LIMITS, START, TOKEN, private_key
from udpchat_core import messages as m
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody
from udpchat_core.datagrams import Hello, Init, Record
from udpchat_core.fields import Refusal, RosterEntry, Version
from udpchat_core.instant import MS, SECOND
from udpchat_core.secure.link import Link, respond_untrusted, retry
from udpchat_core.secure.suite import Suite
from udpchat_core.wire import encode, pack, parse_untrusted, unpack_untrusted

M = TypeVar("M")
Answer = Callable[[Any], Sequence[m.Message]]


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
        self.cards: list[CardBody] = []
        self.waiting = 0
        self.version = Version(b"boot one", 1)
        self.roster: tuple[RosterEntry, ...] = ()
        self.links: list[Link] = []
        self.now = START

    @property
    def public(self) -> bytes:
        """S."""
        return self._suite.dh_public(self.private)

    @property
    def card(self) -> CardBody:
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
                return (m.Found(id_, *known, 60),) if known else (m.Refused(id_, Refusal.UNKNOWN, 10, 0),)
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


def nothing(_: m.Message) -> Sequence[m.Message]:
    """No answer to a message."""
    return ()


def refusing(refusal: Refusal, card_seq: int = 0) -> Answer:
    """A server that refuses with this reason."""
    return lambda asked: (m.Refused(asked.id, refusal, 0, card_seq),)
