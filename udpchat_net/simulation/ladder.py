"""The way of one message, datagram by datagram, between its sender, the server and its recipient.

Theory of operation. The message is found by its text as it is saved, which gives its secret; from the secret follow
the acknowledgement and the slot (spec 6.1), and by these its datagrams are known whatever they are sealed in: the
suites of the nodes remember what they sealed (see `tap`). A request to look up its recipient is taken to be for it
until it has left.
"""

from dataclasses import dataclass

from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.address import Address
from udpchat_core.bodies import LetterBody
from udpchat_core.client_requests import SaveOutgoing
from udpchat_core.datagrams import Acks, Record
from udpchat_core.datagrams import Letter as LetterDatagram
from udpchat_core.requests import StoreReply
from udpchat_core.secure.keys import ACK_LABEL, ID_BYTES, SIGNATURE_BYTES, SLOT_LABEL
from udpchat_core.wire import decode_untrusted, parse_untrusted, unpack_untrusted

from .faults import SERVER
from .network import Arrival
from .node import Event, Node, Observer
from .runner import text_of
from .world import World


@dataclass(frozen=True, slots=True)
class Hop:
    """A datagram that carries something of the message.

    Attributes:
        at_us: when it was sent.
        source, destination: the nodes.
        what: what it carries, in words.
        bytes: its length.
        arrivals_us: how long it took, or each of its copies: none if it was lost.
        latency_us: how long it would have taken that nothing delays.
    """

    at_us: int
    source: str
    destination: str
    what: str
    bytes: int
    arrivals_us: tuple[int, ...]
    latency_us: int

    @property
    def fate(self) -> str:
        """What the network did to it, in words; nothing if nothing."""
        if not self.arrivals_us:
            return "lost"
        first_us, *copies = self.arrivals_us
        words = [f"late by {(first_us - self.latency_us) / 1_000:.1f} ms"] if first_us > self.latency_us else []
        return ", ".join(words + ["duplicated"] * len(copies))


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that a node's user is told of the message, in words."""

    at_us: int
    node: str
    what: str


class Ladder(Observer):
    """Watches the `number`th message of a run, from 1 on.

    Attributes:
        sender, recipient: their names, once it was sent.
        rungs: what happened, in its order.
    """

    def __init__(self, world: World, number: int) -> None:
        self.sender = self.recipient = ""
        self.rungs: list[Hop | Mark] = []
        self._world, self._number = world, number
        self._message = 0
        self._secret = self._ack = self._slot = b""
        self._letters: set[bytes] = set()
        self._requests: set[int] = set()
        self._has_left = False

    def committed(self, node: Node, replies: tuple[StoreReply, ...]) -> None:  # noqa: D102 - said in Observer
        for reply in replies:
            saved = reply.request
            if isinstance(saved, SaveOutgoing) and saved.text.startswith(text_of(node.name, self._number)):
                self.sender, self.recipient = node.name, saved.to
                self._message, self._secret = saved.message, saved.secret
                self._ack = node.suite.hash(ACK_LABEL + saved.secret)[:ID_BYTES]
                self._slot = node.suite.hash(SLOT_LABEL + saved.secret)[:ID_BYTES]

    def emitted(self, node: Node, event: Event) -> None:  # noqa: D102
        if not self._secret:
            return
        match event:
            case e.MessageQueued(self._message) if node.name == self.sender:
                self._mark(node, "queued: on disk")
            case e.MessageUnanswered(self._message) if node.name == self.sender:
                self._mark(node, "no answer: to the mailbox")
            case e.MessageStored(self._message) if node.name == self.sender:
                self._mark(node, "stored: the server has it")
            case e.MessageDelivered(self._message) if node.name == self.sender:
                self._mark(node, "delivered: the recipient has it")
            case e.MessageRefused(self._message, _, refusal) if node.name == self.sender:
                self._mark(node, f"refused: {refusal.name.lower()}")
            case e.LetterReceived() if node.name == self.recipient and event.ack == self._ack:
                self._mark(node, "received: on disk, shown")
            case _:
                pass

    def _mark(self, node: Node, what: str) -> None:
        self.rungs.append(Mark(self._world.now_us, node.name, what))

    def carried(self, node: Node, to: Address, payload: bytes, arrivals: list[Arrival]) -> None:  # noqa: D102
        if not self._secret:
            return
        destination = self._world.network.name(to)
        if destination is None:
            return
        words = self._words(node, destination if node.name == SERVER else node.name, payload)
        if words:
            now_us = self._world.now_us
            times_us = tuple(arrival.at_us - now_us for arrival in arrivals)
            usual_us = self._world.network.latency_us(node.name, destination)
            what = " + ".join(words)
            self.rungs.append(Hop(now_us, node.name, destination, what, len(payload), times_us, usual_us))

    def _words(self, node: Node, client: str, payload: bytes) -> list[str]:
        """What of it belongs to the message; `client` is the end of it that is not the server."""
        match parse_untrusted(payload):
            case LetterDatagram(_, sealed) if self._is_own(node, sealed):
                self._has_left = True
                return ["LETTER"]
            case Acks(acks) if self._ack in acks and node.name == self.recipient:
                return ["ACK"]
            case Record(_, _, sealed):
                messages = unpack_untrusted(node.suite.records[sealed])
                return [word for message in messages if (word := self._word(client, message))]
        return []

    def _is_own(self, node: Node, sealed: bytes) -> bool:
        """Whether a letter is the message's. What was sealed long ago is known from when it was sent first."""
        if node.name == self.sender and sealed in node.suite.letters:
            body = decode_untrusted(LetterBody, node.suite.letters[sealed][SIGNATURE_BYTES:])
            if body.secret == self._secret:
                self._letters.add(sealed)
        return sealed in self._letters

    def _word(self, client: str, message: m.Message) -> str:
        """What a sealed message is called, if it belongs to the message; each kind goes one way only."""
        name = type(message).__name__
        if client == self.sender:
            return self._sender_word(name, message)
        match message:
            case m.Mail(_, slot) if slot == self._slot:
                return name
            case m.Collected(entries) if any(entry.ack == self._ack for entry in entries):
                return name
        return ""

    def _sender_word(self, name: str, message: m.Message) -> str:
        match message:
            case m.Lookup(id_, self.recipient) if not self._has_left:
                self._requests.add(id_)
                return f"{name} {self.recipient}"
            case m.Store(id_, _, slot) if slot == self._slot:
                self._has_left = True
                self._requests.add(id_)
                return name
            case m.Found(id_) | m.Stored(id_) | m.Refused(id_) if id_ in self._requests:
                return name
            case m.Receipt(slot) | m.Returned(slot) if slot == self._slot:
                return name
            case m.Noted(slots) if self._slot in slots:
                return name
        return ""


def drawn(ladder: Ladder) -> list[str]:
    """The ladder as lines of text, at most 100 columns wide."""
    nodes = (ladder.sender, SERVER, ladder.recipient)
    head = " " * 13 + "".join(name.ljust(_STEP) for name in nodes)
    return [head.rstrip(), *(_rung(nodes, rung) for rung in ladder.rungs)]


_STEP = 22
_LINE = "|".ljust(_STEP) * 2 + "|"


def _rung(nodes: tuple[str, ...], rung: Hop | Mark) -> str:
    time = f"{rung.at_us / 1_000:>11,.1f}  "
    if isinstance(rung, Mark):
        at = nodes.index(rung.node) * _STEP
        return f"{time}{_LINE[:at]}* {rung.what}".rstrip()
    left, right = sorted((nodes.index(rung.source) * _STEP, nodes.index(rung.destination) * _STEP))
    arrow = f"-{rung.what}".ljust(right - left - 2, "-")
    forward = nodes.index(rung.source) * _STEP == left
    arrow = f"{arrow}{'>' if rung.arrivals_us else 'X'}" if forward else f"{'<' if rung.arrivals_us else 'X'}{arrow}"
    line = f"{_LINE[: left + 1]}{arrow}{_LINE[right:]}"
    took = f"{rung.arrivals_us[0] / 1_000:.1f} ms" if rung.arrivals_us else ""
    return f"{time}{line}  {', '.join(filter(None, (took, rung.fate)))}".rstrip()
