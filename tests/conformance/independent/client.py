"""The client: what a datagram, a moment or the user's word makes it do, one turn each. No I/O.

Whoever drives it calls `receive` and `tick` with the time, and `due_s` for the next time; takes `world.out` and
sends it, and takes `world.events` and shows them. All that is in `out` may be sent as it is: what had to be on
disk before is there.
"""

from collections.abc import Callable

from . import datagrams, keys
from .cbor import Refused
from .contacts import Contacts
from .grammar import Message
from .grammar import name as checked_name
from .inbox import Inbox
from .letters import split
from .outbox import OUTBOX_LETTERS_MAX, Outbox
from .screen import Screen
from .session import Session
from .store import Store
from .world import Address, World


class Client:
    """A client called `name` of the server at `server`, with the state in `store`."""

    def __init__(
        self, name: str, server: Address, store: Store, random: Callable[[int], bytes], unix_s_at_zero: float
    ) -> None:
        checked_name(name)
        if store.get("name") not in (None, name):
            raise Refused("this state is of another name")
        store.put("name", name)
        self.name, self.server = name, server
        self.world = World(store, random, unix_s_at_zero)
        self.identity = keys.sign_public(store.get("identity"))
        self.session = Session(self.world, server, name)
        self.contacts = Contacts(self.world, self.session)
        self.screen = Screen(self.world, self.contacts)
        self.inbox = Inbox(self.world, self.session, self.contacts, self.identity)
        self.outbox = Outbox(self.world, self.session, self.contacts, name)
        self.session.pushed, self.session.online = self._pushed, self.outbox.online
        self.contacts.changed = self.outbox.pump
        self.inbox.shown = self.screen.take
        for row, body in store.untold():
            self.screen.take(row, body)

    # --- the user ---

    def register(self, now_s: float) -> None:
        self.world.now_s = now_s
        self.session.register()

    def deregister(self, now_s: float) -> None:
        self.world.now_s = now_s
        self.session.deregister()

    def send(self, now_s: float, name: str, text: str) -> int:
        """The number of the message, which is on disk; Refused if it is none, or the outbox is full."""
        self.world.now_s = now_s
        texts = split(text)
        if len(self.outbox.by_ack) + len(texts) > OUTBOX_LETTERS_MAX:
            raise Refused("the outbox is full")
        rows = self.world.store.add_message(checked_name(name), texts, self.world.unix_ms)
        for row in rows:
            self.outbox.add(row)
        return rows[0].message

    def outstanding(self, message: int) -> int:
        """How many letters of that message are neither delivered nor refused nor given up."""
        return sum(letter.row.message == message for letter in self.outbox.by_ack.values())

    def accept(self, now_s: float, name: str) -> None:
        """Take the identity that `name` has now."""
        self.world.now_s = now_s
        if other := self.contacts.of(name).other:
            self.outbox.decided(name, other["identity"])
            self.contacts.accept(name)

    # --- turns ---

    def receive(self, now_s: float, source: Address, data: bytes) -> str:
        """Take a datagram; the answer is a note of what was in it. Nothing that comes raises."""
        self.world.now_s, self.world.notes = now_s, []
        kind = "?"
        try:
            datagram = datagrams.cut(data)
            kind = datagram.kind
            self._take(source, datagram)
        except Refused as refused:
            self.world.count_refused(refused)
        return ": ".join([kind, *filter(None, ["; ".join(self.world.notes)])])

    def _take(self, source: Address, datagram: datagrams.Datagram) -> None:
        if datagram.type == datagrams.LETTER:
            if not self.session.listening:  # R-9.1-7
                raise Refused("not here")
            self.inbox.direct(source, datagram)
        elif datagram.type == datagrams.ACK:
            for ack in datagram.acks:
                self.outbox.acknowledged(ack)
        elif source != self.server:
            raise Refused("not from the server")
        elif datagram.type == datagrams.RETRY:
            self.session.retry(datagram)
        elif datagram.type == datagrams.RESP:
            self.session.resp(datagram)
        elif datagram.type == datagrams.RECORD:
            self.session.record(datagram)
        else:
            raise Refused("a type that is not for clients")

    def _pushed(self, said: Message) -> None:
        if said.kind == "Mail" and self.session.listening:
            self.inbox.mail(said)
        elif said.kind == "Receipt":
            self.outbox.receipt(said)
        elif said.kind == "Returned":
            self.outbox.returned(said)

    def due_s(self) -> float:
        """When `tick` has something to do."""
        return min(self.session.due_s(), self.outbox.due_s(), self.screen.due_s())

    def tick(self, now_s: float) -> None:
        """What follows from what came, and from the time."""
        self.world.now_s = now_s
        self.outbox.tick()
        self.screen.tick()
        self.session.tick()
        self.inbox.flush()
        self.outbox.flush()
        self.session.flush()
