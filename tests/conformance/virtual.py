"""A world in virtual time for the independent client: a network that loses, doubles and reorders, and a small server.

The server does what the client needs of one, as section 8 says, and no more: no admission, limits, watching or disk.
It is there to be scripted: `deaf` makes it answer nothing, `refuse` makes it refuse a kind of request.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from .independent import datagrams, keys, link
from .independent.cbor import Refused
from .independent.client import Client
from .independent.grammar import Message, message
from .independent.store import Store
from .independent.world import Address, Event

SERVER: Address = (bytes((192, 0, 2, 1)), 10001)
UNIX_S = 1_790_000_000.0
LIMITS = {
    "mailbox_letters_max": 4096,
    "sender_letters_max": 256,
    "watched_names_max": 256,
    "watch_all_users_max": 1000,
    "requests_per_s_max": 50,
}


@dataclass
class Seat:
    """A link of a client at the server."""

    end: link.RecordEnd
    address: Address
    card: dict[str, Any]
    raw_card: bytes
    online: bool = False


@dataclass
class Server:
    """See the module."""

    world: "VirtualWorld"
    private: bytes
    seats: dict[bytes, Seat] = field(default_factory=dict)
    cards: dict[str, Seat] = field(default_factory=dict)  # the newest registered link of a name
    mailboxes: dict[bytes, dict[bytes, tuple[int, int, bytes, bytes]]] = field(default_factory=dict)  # I, slot: ...
    receipts: dict[bytes, dict[bytes, bytes | None]] = field(default_factory=dict)  # I, slot: ack, or None: Returned
    heard: list[tuple[float, Message]] = field(default_factory=list)
    inits: list[float] = field(default_factory=list)
    hellos: list[float] = field(default_factory=list)
    deaf: bool = False
    refuse: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # kind: refusal, wait_s, card_seq
    entries: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def public(self) -> bytes:
        return keys.exchange_public(self.private)

    def receive(self, source: Address, data: bytes) -> None:
        datagram = datagrams.cut(data)
        if datagram.type == datagrams.HELLO:
            self.hellos.append(self.world.now_s)
        elif datagram.type == datagrams.INIT:
            self.inits.append(self.world.now_s)
        if self.deaf:
            return
        if datagram.type == datagrams.HELLO:
            self.hint(source, data)
        elif datagram.type == datagrams.INIT:
            self._init(source, datagram)
        elif datagram.type == datagrams.RECORD and (seat := self.seats.get(datagram["index"])):
            for said in seat.end.read(data):
                self.heard.append((self.world.now_s, said))
                self._hear(seat, said)
        elif datagram.type == datagrams.RECORD:
            self.hint(source, data)

    def hint(self, to: Address, answered: bytes, token: bytes = bytes(16)) -> None:
        echo = datagrams.echo_of(answered)
        self.world.send(SERVER, to, datagrams.make(datagrams.RETRY, echo, token, self.public))

    def _init(self, source: Address, datagram: datagrams.Datagram) -> None:
        if datagram["token"] != bytes(16):  # the token of this server
            self.hint(source, datagram.data)
            return
        answer = link.Answer(self.private, datagram.data, int(UNIX_S + self.world.now_s))
        index = self.world.random.randbytes(4)
        resp, end = answer.resp(self.world.random.randbytes(32), index)
        self.seats[index] = Seat(end, source, answer.card, answer.noise.payload)
        self.world.send(SERVER, source, resp)

    def say(self, seat: Seat, *said: Message) -> None:
        for _, plaintext in link.pack(list(said)):
            self.world.send(SERVER, seat.address, seat.end.seal(plaintext))

    def _hear(self, seat: Seat, said: Message) -> None:
        if said.kind in self.refuse:
            refusal, wait_s, card_seq = self.refuse[said.kind]
            self.say(seat, message("Refused", id=said["id"], refusal=refusal, wait_s=wait_s, card_seq=card_seq))
        elif said.kind == "Register":
            self._register(seat, said)
        elif said.kind == "Deregister":
            seat.online = False
            self.say(seat, message("Deregistered", id=said["id"]))
        elif said.kind == "Ping":
            self.say(seat, message("Pong", id=said["id"], version={"boot": bytes(8), "counter": 0}))
        elif said.kind == "Lookup":
            self._look_up(seat, said)
        elif said.kind == "Store":
            self._store(seat, said)
        elif said.kind == "Collected":
            self._collect(seat, said)
        elif said.kind == "Noted":
            for slot in said["slots"]:
                self.receipts.get(seat.card["identity"], {}).pop(slot, None)

    def _register(self, seat: Seat, said: Message) -> None:
        former = self.cards.get(seat.card["name"])
        if former and former is not seat and former.end.index in self.seats:
            del self.seats[former.end.index]
            if former.online:
                self.say(former, message("Superseded"))
        self.cards[seat.card["name"]] = seat
        seat.online = True
        host, port = seat.address
        waiting = len(self.mailboxes.get(seat.card["identity"], {}))
        about = {"observed": {"host": host, "port": port}, "waiting": waiting, "limits": LIMITS}
        time_ms = int((UNIX_S + self.world.now_s) * 1000)
        self.say(seat, message("Registered", id=said["id"], **about, time_ms=time_ms))

    def _look_up(self, seat: Seat, said: Message) -> None:
        found = self.cards.get(said["name"])
        if not found:
            self.say(seat, message("Refused", id=said["id"], refusal=3, wait_s=10, card_seq=0))
            return
        address = {"host": found.address[0], "port": found.address[1]} if found.online else None
        about = {"card": found.raw_card, "address": address, "ttl_s": 60, "rotation": None}
        self.say(seat, message("Found", id=said["id"], **about))

    def _store(self, seat: Seat, said: Message) -> None:
        box = self.mailboxes.setdefault(said["recipient"], {})
        if said["slot"] not in box or box[said["slot"]][0] < said["attempt"]:
            box[said["slot"]] = (said["attempt"], next(self.entries), said["letter"], seat.card["identity"])
        online = any(other.online for other in self._seats_of(said["recipient"]))
        self.say(seat, message("Stored", id=said["id"], online=online, attempt=box[said["slot"]][0]))
        self.push()

    def _seats_of(self, identity: bytes) -> list[Seat]:
        return [seat for seat in self.cards.values() if seat.card["identity"] == identity and seat.online]

    def _collect(self, seat: Seat, said: Message) -> None:
        box = self.mailboxes.get(seat.card["identity"], {})
        for collected in said["entries"]:
            for slot, (_, entry, _, sender) in list(box.items()):
                if entry == collected["entry"]:
                    del box[slot]
                    if collected["outcome"] != 3:
                        self.receipts.setdefault(sender, {})[slot] = collected["ack"]

    def has_to_push(self) -> bool:
        there = [seat.card["identity"] for seat in self.cards.values() if seat.online]
        return any(self.mailboxes.get(identity) or self.receipts.get(identity) for identity in there)

    def push(self) -> None:
        """Push what is in mailboxes, and receipts, to who is there; called again every second."""
        for seat in self.cards.values():
            if not seat.online or self.deaf:
                continue
            for slot, (_, entry, letter, _) in list(self.mailboxes.get(seat.card["identity"], {}).items())[:32]:
                self.say(seat, message("Mail", entry=entry, slot=slot, letter=letter))
            for slot, ack in self.receipts.get(seat.card["identity"], {}).items():
                said = message("Returned", slot=slot) if ack is None else message("Receipt", slot=slot, ack=ack)
                self.say(seat, said)


class VirtualWorld:
    """Clients and a server; the same seed gives the same run, but for the ephemeral keys of HPKE."""

    def __init__(
        self, *names: str, seed: int = 0, loss: float = 0.0, doubled: float = 0.0, jitter_s: float = 0.0
    ) -> None:
        self.random = Random(seed)
        self.now_s = 0.0
        self.loss, self.doubled, self.jitter_s = loss, doubled, jitter_s
        self.queue: list[tuple[float, int, Address, Address, bytes]] = []
        self.numbers = count()
        self.server = Server(self, self.random.randbytes(32))
        self.clients: dict[str, Client] = {}
        self.addresses: dict[str, Address] = {}
        self.events: dict[str, list[Event]] = {}
        self.sent: list[tuple[float, Address, Address, bytes]] = []
        self.push_s, self.delay_s = 1.0, 0.005
        self.dropped: Callable[[Address, Address, bytes], bool] = lambda _source, _to, _data: False
        for name in names:
            self.start(name, ":memory:")

    def start(self, name: str, path: str) -> Client:
        """A client, or another life of it, at a new address."""
        self.addresses[name] = (bytes((198, 51, 100, len(self.addresses) + 1)), 20_000 + next(self.numbers))
        self.events.setdefault(name, [])
        store = Store(path, self.random.randbytes)
        self.clients[name] = client = Client(name, SERVER, store, self.random.randbytes, UNIX_S)
        return client

    def register(self, *names: str) -> None:
        for name in names:
            self.clients[name].register(self.now_s)
        self.run(1.0)

    def send(self, source: Address, to: Address, data: bytes) -> None:
        self.sent.append((self.now_s, source, to, data))
        if self.random.random() < self.loss or self.dropped(source, to, data):
            return
        for _ in range(1 + (self.random.random() < self.doubled)):
            at_s = self.now_s + self.delay_s + self.random.random() * self.jitter_s
            heapq.heappush(self.queue, (at_s, next(self.numbers), source, to, data))

    def run(self, for_s: float) -> None:
        """Let the time pass."""
        end_s = self.now_s + for_s
        while True:
            self._turns()
            due_s = min(client.due_s() for client in self.clients.values())
            arrival_s = self.queue[0][0] if self.queue else end_s
            push_s = self.push_s if self.server.has_to_push() else end_s
            self.now_s = max(self.now_s, min(end_s, due_s, arrival_s, push_s))
            if self.now_s >= self.push_s and self.server.has_to_push():
                self.push_s = self.now_s + 1.0
                self.server.push()
            elif self.queue and arrival_s <= self.now_s:
                self._arrive(*heapq.heappop(self.queue)[2:])
            elif self.now_s >= end_s:
                return

    def _turns(self) -> None:
        for name, client in self.clients.items():
            client.tick(self.now_s)
            for out in client.world.out:
                self.send(self.addresses[name], out.to, out.data)
            self.events[name] += client.world.events
            client.world.out, client.world.events = [], []

    def _arrive(self, source: Address, to: Address, data: bytes) -> None:
        if to == SERVER:
            try:
                self.server.receive(source, data)
            except Refused:
                return
        for name, address in self.addresses.items():
            if address == to:
                self.clients[name].receive(self.now_s, source, data)

    # --- what was seen ---

    def happened(self, name: str, kind: str) -> list[Event]:
        return [event for event in self.events[name] if event.kind == kind]

    def shown(self, name: str) -> list[str]:
        return [event["text"] for event in self.happened(name, "message")]

    def times_sent(self, name: str, to: Address, type_: int, since_s: float = 0.0) -> list[float]:
        """When that client sent datagrams of a type to an address."""
        source = self.addresses[name]
        return [at for at, a, b, data in self.sent if (a, b, data[2]) == (source, to, type_) and at >= since_s]

    def asked(self, kind: str) -> list[Message]:
        return [said for _, said in self.server.heard if said.kind == kind]
