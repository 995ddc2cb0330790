"""A small world with one letter in it, in which tests break promises by hand, and see that the oracle says which."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from udpchat_core.actions import Action, SendDatagram
from udpchat_core.address import Address
from udpchat_core.bodies import LetterBody
from udpchat_core.client_events import LetterReceived
from udpchat_core.client_requests import EnterLetter, SaveOutgoing
from udpchat_core.datagrams import Record
from udpchat_core.fields import CollectedEntry, Outcome
from udpchat_core.messages import Message
from udpchat_core.secure.letter import seal_letter_untrusted
from udpchat_core.server_requests import CollectLetters, KeepLetter, Quota
from udpchat_core.wire import encode, header, pack
from udpchat_net.simulation.faults import SERVER
from udpchat_net.simulation.invariants import Invariant, Violation
from udpchat_net.simulation.node import START_US
from udpchat_net.simulation.oracle import Oracle
from udpchat_net.simulation.seam import Seam
from udpchat_net.simulation.world import SECOND, World
from udpchat_net.stores.memory_client import ClientMemory
from udpchat_net.stores.memory_server import ServerMemory

SECRET, OTHER = b"s" * 16, b"t" * 16
QUOTA = Quota(100, 100, 100)
SENT_MS = START_US // 1_000
SOMEWHERE = Address(b"\x7f\0\0\1", 9)


class Stage:
    """Ann, bob and cyd are registered; ann's disk holds a letter to bob, of which no core knows."""

    def __init__(self) -> None:
        self.world = World(3, ("ann", "bob", "cyd"))
        self.oracle = Oracle(self.world)
        for name in ("ann", "bob", "cyd"):
            self.world.register(name)
        self.world.run(SECOND)
        self.ledger, self.nodes = self.oracle.ledger, self.world.nodes
        self.seam.announced[self.identity("bob")][b"b" * 32] = None
        self.save(SECRET, 100)
        self.letter = self.ledger.by_secret[SECRET]

    @property
    def seam(self) -> Seam:
        [seam] = [each for each in self.world.observers if isinstance(each, Seam)]
        return seam

    def identity(self, name: str) -> bytes:
        return self.ledger.identities[name]

    def save(self, secret: bytes, message: int, text: str = "hello") -> None:
        for observer in self.world.observers:
            observer.used(self.nodes["ann"], "send", message, "bob", text)
        self.commit("ann", SaveOutgoing(secret, message, 1, 1, "bob", SENT_MS, text, self.identity("bob")))

    def commit(self, name: str, *requests: Any) -> None:
        self.world._make_durable(self.nodes[name], list(requests))

    def does(self, name: str, *actions: Action) -> None:
        self.world._carry_out(self.nodes[name], actions)

    def sends(self, name: str, payload: bytes, to: str = "bob") -> None:
        self.does(name, SendDatagram(self.world.network.address(to), payload))

    def says(self, name: str, message: Message, to: str = "ann") -> None:
        """In a RECORD; the server's to `to`."""
        index = next(index for index, (owner, _) in self.seam._links.items() if owner == to)
        clear = header(Record) + index + bytes(8)
        sealed = self.nodes[name].suite.aead_seal(b"k" * 32, bytes(12), pack([encode(message)]), clear)
        self.sends(name, clear + sealed, SERVER if name != SERVER else to)

    def body(self, **changed: Any) -> LetterBody:
        values: dict[str, Any] = {"sender": self.identity("ann"), "name": "ann", "epoch": 5, "seq": 1, "floor": 1}
        values |= {"secret": SECRET, "sent_ms": SENT_MS, "part": 1, "parts": 1, "text": "hello"}
        return LetterBody(**values | changed)

    def sealed(self, **changed: Any) -> bytes:
        store = self.nodes["ann"].store
        assert isinstance(store, ClientMemory)
        suite, private = self.nodes["ann"].suite, store.load().identity
        return seal_letter_untrusted(suite, private, self.identity("bob"), b"b" * 32, self.body(**changed))

    def entry(self, **changed: Any) -> EnterLetter:
        values: dict[str, Any] = {"sender": self.identity("ann"), "ack": self.letter.ack, "epoch": 5, "seq": 1}
        values |= {"name": "ann", "sent_ms": SENT_MS, "received_ms": SENT_MS, "part": 1, "parts": 1, "text": "hello"}
        return EnterLetter(**values | changed)

    def keep(self, **changed: Any) -> KeepLetter:
        values: dict[str, Any] = {"owner": self.identity("bob"), "sender": self.identity("ann")}
        values |= {"slot": self.letter.slot, "attempt": 1, "letter": self.sealed(), "kept_ms": SENT_MS, "quota": QUOTA}
        return KeepLetter(**values | changed)

    def kept(self) -> int:
        """The letter is in the mailbox, under this entry."""
        self.commit(SERVER, self.keep())
        [entry] = self.mailboxes[self.identity("bob")].letters
        return int(entry)

    @property
    def mailboxes(self) -> dict[bytes, Any]:
        store = self.nodes[SERVER].store
        assert isinstance(store, ServerMemory)
        return store.mailboxes

    def collect(self, outcome: Outcome) -> None:
        ack = self.letter.ack if outcome is Outcome.ACKNOWLEDGED else None
        entry = CollectedEntry(self.kept(), outcome, ack)
        self.commit(SERVER, CollectLetters(self.identity("bob"), (entry,), 9))

    def received(self) -> LetterReceived:
        return LetterReceived(self.identity("ann"), "ann", True, SENT_MS, 1, 1, "hello", False, False, bytes(16))


@contextmanager
def violates(invariant: Invariant, what: str = "but") -> Iterator[None]:
    with pytest.raises(Violation, match=what) as caught:
        yield
    assert caught.value.invariant is invariant
