"""A client that is online, with everything of its under way, under a dishonest server and dishonest peers.

They know every key and every secret; only their card's signature binds a peer. What the client does is watched:
the size of what it sends, that nothing is acknowledged which the store has not said to be durable, and its caps.
"""

from typing import Any, Final

import cbor2

from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, CAROL, DAY, HOME, LIMITS, SERVER, START, STRANGER, TOKEN, private_key
from tests.fuzz.draw import canonical
from tests.fuzz.world import Numbered, Transparent
from udpchat_core import messages as m
from udpchat_core.actions import Actions, Dropped, Received, SendDatagram, Store
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody
from udpchat_core.client import Client, new_client_state
from udpchat_core.client_requests import ClientRequest, Entered, EnterLetter, FindLetter
from udpchat_core.datagrams import Acks, Hello, Init, Letter, Record
from udpchat_core.errors import BadDatagram
from udpchat_core.fields import Refusal, RosterEntry, Version
from udpchat_core.instant import MS, SECOND, Instant
from udpchat_core.limits import DATAGRAM_BYTES_MAX, ROSTER_USERS_MAX
from udpchat_core.requests import StoreReply
from udpchat_core.secure.letter import ack_of, slot_of
from udpchat_core.secure.link import Link, respond_untrusted, retry
from udpchat_core.wire import RECORD_PLAINTEXT_BYTES_MAX, encode, parse_untrusted, unpack_untrusted
from udpchat_net.simulation.checks import CAPS
from udpchat_net.stores.memory_client import ClientMemory

SERVERS: Final = (private_key("server"), private_key("another server"))
"""The private keys of the server, and of one that takes its place."""
REMEMBERED: Final = 16
NUMBER_MAX: Final = 2**48 - 1
Request = m.Lookup | m.Store | m.Watch | m.Ping | m.Register | m.Deregister
_ANSWERED: Final[dict[type[m.Message], type[Request]]] = {
    m.Found: m.Lookup,
    m.Stored: m.Store,
    m.Roster: m.Watch,
    m.Pong: m.Ping,
    m.Registered: m.Register,
    m.Deregistered: m.Deregister,
}
_TIMEOUTS_AT_REST: Final = 4


def array(value: Any) -> Any:
    """A value of the vocabulary as it is on the wire."""
    return cbor2.loads(encode(value), immutable=True)


class ClientScene:
    """The client, its disk, and what everybody around it knows.

    Attributes:
        refused: how many datagrams, or parts of one, were refused.
        batches: what the store was asked, a commit each, and has not answered.
        links: the server's ends.
        inits: the client's, newest last.
        seen: the last datagrams either way.
        asked: the client's requests, newest first.
        cards: of the client, newest last.
    """

    def __init__(self) -> None:
        self.suite = Transparent(Numbered())
        self.now = START
        state = new_client_state(self.suite, "alice", START // MS)
        self.memory = ClientMemory(state)
        self.client = Client(self.suite, state, SERVER, START, watch_all=True)
        self.refused = 0
        self.batches: list[tuple[ClientRequest, ...]] = []
        self.links: list[Link] = []
        self.inits: list[Init] = []
        self.cards: list[CardBody] = []
        self.seen: list[bytes] = []
        self.asked: list[Request] = []
        self._durable: set[bytes] = set()
        self._returned: set[bytes] = set()
        self.peers = tuple(Peer(self.suite, name) for name in ("bob", "carol", "dave", "mallory"))
        bob, carol, dave, mallory = self.peers
        self.known_cards = (bob.card, carol.card, dave.card, *self._hostile_cards(bob, mallory))
        self._begin()

    def _hostile_cards(self, bob: Peer, mallory: Peer) -> tuple[bytes, ...]:
        expires_s = START // SECOND
        return (
            mallory.carded(name="bob"),
            mallory.carded(name="carol"),
            bob.carded(seq=6, mail=self.suite.dh_public(private_key("newer"))),
            bob.carded(seq=4),
            bob.carded(seq=NUMBER_MAX),
            bob.carded(expires_s=expires_s - 2 * DAY),
            bob.carded(expires_s=expires_s + 1),
            bob.carded(live=bytes(32)),
            mallory.carded(name="alice"),
            mallory.card,
        )

    def _begin(self) -> None:
        """Registered; a letter to bob on its way, two to carol stored and to be stored, dave being looked up."""
        self.do(self.client.register(self.now))
        self.commit_all()
        self.receive(SERVER, retry(self.seen[-1], TOKEN, self.suite.dh_public(SERVERS[0])))
        self.commit_all()
        self.answer()
        self.say((m.Registered(self.id_of(m.Registered), HOME, 1, LIMITS, self.now // MS),))
        self.commit_all()
        version = Version(b"boot one", 1)
        entries = (RosterEntry("bob", True, 5), RosterEntry("carol", False, 5))
        self.say((m.Roster(self.id_of(m.Roster), version, entries, False, True),))
        bob, carol, *_ = self.peers
        self._write("bob", "hello", bob, BOB)
        self._write("carol", "first", carol, None)
        self.say((m.Stored(self.id_of(m.Stored), False, 0),))
        self.do(self.client.send("carol", "second", self.now))
        self.do(self.client.send("dave", "hello", self.now))
        self.commit_all()
        for seq in (1, 3):
            body = bob.body(seq, f"bob's {seq}")
            self.receive(BOB, bob.letter(self.cards[-1], body))
            self.commit_all()
        self.refused = 0

    def _write(self, to: str, text: str, peer: Peer, at: Address | None) -> None:
        self.do(self.client.send(to, text, self.now))
        self.commit_all()
        self.say((m.Found(self.id_of(m.Found), peer.card, at, 60),))
        self.commit_all()

    # --- what goes in ---

    def receive(self, source: Address, payload: bytes) -> None:
        """A datagram comes."""
        self._see(payload)
        self.do(self.client.receive_datagrams([Received(source, payload)], self.now))

    def say(self, messages: tuple[m.Message, ...]) -> None:
        """The server says this on the newest link."""
        self.seal(canonical(tuple(map(array, messages))), len(self.links) - 1, SERVER)

    def seal(self, plaintext: bytes, link: int, source: Address) -> None:
        """An authentic RECORD with this in it comes, on a link by its number."""
        plaintext = plaintext[:RECORD_PLAINTEXT_BYTES_MAX]
        try:
            messages = unpack_untrusted(plaintext)
            self._returned.update(each.slot for each in messages if isinstance(each, m.Returned))
            self._returned.update(
                each.slot for each in messages if isinstance(each, m.Receipt) and self._is_wrong(each)
            )
        except BadDatagram:
            pass  # the client is to refuse it
        self.receive(source, self.links[link].seal(self.suite, plaintext))

    def _is_wrong(self, receipt: m.Receipt) -> bool:
        """Whether it has another acknowledgement than the letter's: it is noted, and nothing else (R-9.3-7)."""
        row = self._outgoing().get(receipt.slot)
        return row is not None and receipt.ack != ack_of(self.suite, row.saved.secret)

    def answer(self) -> None:
        """The RESP to the newest INIT, from whichever server it was to, if it was to one."""
        for private in SERVERS:
            try:
                index = len(self.links).to_bytes(4)
                responded = respond_untrusted(self.suite, private, self.inits[-1], index, self.now // SECOND)
            except BadDatagram:
                continue  # it was for the other
            self.links.append(responded.link)
            self.cards.append(responded.card)
            self.receive(SERVER, responded.resp)
            return

    def commit(self, *, durable: bool = True, applied: bool = True) -> None:
        """The store answers: the oldest commit is durable; or all fail, done nevertheless or not."""
        if not self.batches:
            return
        requests = self.batches.pop(0)
        replies = self.memory.apply(requests) if applied else ()
        if durable:
            self._note_durable(replies)
        else:  # what was asked later fails too, untried
            requests += tuple(each for batch in self.batches for each in batch)
            self.batches.clear()
            replies = tuple(StoreReply(request, False) for request in requests)
        self.do(self.client.handle_stored(replies, self.now))

    def commit_all(self) -> None:
        """The store answers everything, and what follows from that."""
        while self.batches:
            self.commit()

    def _note_durable(self, replies: tuple[StoreReply, ...]) -> None:
        for reply in replies:
            match reply.request, reply.result:
                case EnterLetter(_, ack), _:
                    self._durable.add(ack)
                case FindLetter(_, ack), Entered(fresh=False):
                    self._durable.add(ack)

    def advance(self, us: int) -> None:
        """So much time passes, in which the client was not called: its machine slept, or nothing was due."""
        self.now = Instant(self.now + us)
        self.do(self.client.handle_timeout(self.now))
        due = self.client.next_timeout()
        assert due is None or due > self.now, "a timeout leaves nothing that is due"

    def advance_to_timeout(self) -> None:
        """Time passes until something is due."""
        due = self.client.next_timeout()
        if due is not None:
            self.advance(max(0, due - self.now))

    def rest(self) -> None:
        """The store answers, and some timeouts come."""
        for _ in range(_TIMEOUTS_AT_REST):
            self.commit_all()
            self.advance_to_timeout()

    # --- what comes out ---

    def do(self, actions: Actions) -> None:
        """Carry out, and watch."""
        requests = tuple(action.request for action in actions if isinstance(action, Store))
        if requests:
            self.batches.append(requests)  # type: ignore[arg-type] # a client makes no request of a server
        for action in actions:
            if isinstance(action, SendDatagram):
                self._sent(action.to, action.payload)
            elif isinstance(action, Dropped):
                self.refused += 1
        for what, size in self.client.sizes().items():
            assert size <= CAPS[what], f"{size} in {what}"
        assert len(self.client.roster) <= ROSTER_USERS_MAX

    def _sent(self, to: Address, payload: bytes) -> None:
        assert len(payload) <= DATAGRAM_BYTES_MAX
        self._see(payload)
        match parse_untrusted(payload):
            case Acks(acks):
                assert self._durable.issuperset(acks), "acknowledged before it was durable"
            case Init() as init:
                assert to == SERVER
                self.inits = [*self.inits, init][-REMEMBERED:]
            case Record() as record:
                assert to == SERVER
                link = self.links[int.from_bytes(record.index)]
                for message in unpack_untrusted(link.open_untrusted(self.suite, record)):
                    self._said(message)
            case other:
                assert isinstance(other, Hello | Letter)

    def _said(self, message: m.Message) -> None:
        if isinstance(message, m.Collected):
            acks = [each.ack for each in message.entries if each.ack is not None]
            assert self._durable.issuperset(acks), "collected before it was durable"
        elif isinstance(message, m.Noted):
            open_slots = [slot for slot, row in self._outgoing().items() if row.outcome is None]
            assert self._returned.issuperset(slot for slot in message.slots if slot in open_slots)
        elif isinstance(message, Request):
            self.asked = [message, *self.asked][: 2 * REMEMBERED]

    def _see(self, payload: bytes) -> None:
        self.seen = [*self.seen, payload][-REMEMBERED:]

    # --- what a peer or the server may know ---

    def _outgoing(self) -> dict[bytes, Any]:
        return {slot_of(self.suite, secret): row for secret, row in self.memory.outgoing.items()}

    def id_of(self, answer: type[m.Message]) -> int:
        """The id of the newest request that this would answer."""
        ids: tuple[int, ...] = self.known(answer)["id"]
        return ids[0]

    def known(self, kind: type[m.Message]) -> dict[str, Any]:
        """Values for the fields of a message of this kind, the most sensible first."""
        ids = tuple(each.id for each in self.asked if isinstance(each, _ANSWERED.get(kind, Request)))
        attempts = tuple(each.attempt for each in self.asked if isinstance(each, m.Store))
        seq = self.cards[-1].seq if self.cards else 0
        return {
            "id": (*ids, 0, NUMBER_MAX),
            "card": self.known_cards,
            "address": tuple(None if at is None else array(at) for at in (BOB, None, CAROL, STRANGER, SERVER, HOME)),
            "ttl_s": (60, 0, 1, NUMBER_MAX),
            "refusal": tuple(map(int, Refusal)),
            "wait_s": (0, 1, 10, NUMBER_MAX),
            "card_seq": (0, seq, seq + 1, NUMBER_MAX - 1, NUMBER_MAX),
            "version": tuple((boot, of) for boot in (b"boot one", b"boot two") for of in (1, 2, 0, NUMBER_MAX)),
            "entries": tuple(
                tuple((name, online, 5) for name in names)
                for names in (("bob",), (), ("carol", "dave", "erin"), tuple(f"user{n:02}" for n in range(24)))
                for online in (True, False)
            ),
            "more": (False, True),
            "full": (True, False),
            "online": (False, True),
            "attempt": (*attempts, 0, NUMBER_MAX - 1, NUMBER_MAX),
            "entry": (1, 2, 3, 4, NUMBER_MAX),
            "slot": tuple(self._outgoing()),
            "ack": self.acks(),
            "observed": (array(HOME), array(STRANGER)),
            "waiting": (0, 1, 2, NUMBER_MAX),
            "limits": (array(LIMITS),),
            "time_ms": (self.now // MS, 0, self.now // MS + 15 * DAY * 1_000),
        }

    def acks(self) -> tuple[bytes, ...]:
        """The acknowledgements of all letters ever sent."""
        return tuple(ack_of(self.suite, secret) for secret in self.memory.outgoing)
