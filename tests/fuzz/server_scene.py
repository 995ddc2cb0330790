"""A server with users that are there, away and coming, under dishonest clients that know all their own keys.

What the server does is watched: `World` counts the size of what it sends, and what goes to an address that is not
proven; here its caps are checked, and that it tells nobody of what the store has not said to be durable. The suite
does not hide what it seals, so RECORDs are read as they pass.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from tests.core.server.letters import collected, slot, store
from tests.core.server.world import LETTER, START, Client, World
from tests.fuzz.world import Numbered, Transparent
from udpchat_core import messages as m
from udpchat_core.actions import Action, Actions, SendDatagram, Store
from udpchat_core.address import Address
from udpchat_core.datagrams import Record, Resp
from udpchat_core.errors import BadDatagram
from udpchat_core.fields import Scope
from udpchat_core.instant import SECOND, Instant
from udpchat_core.requests import Result, StoreReply
from udpchat_core.secure.link import Initiated, Link
from udpchat_core.server_requests import BindUser, CollectLetters, KeepLetter, Kept, Receipts, ServerRequest
from udpchat_core.wire import RECORD_PLAINTEXT_BYTES_MAX, parse_untrusted, unpack_untrusted
from udpchat_net.simulation.checks import CAPS

REMEMBERED: Final = 16
NUMBER_MAX: Final = 2**48 - 1
_TIMEOUTS_AT_REST: Final = 4
_TAG_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class End:
    """A client's end of a link, confirmed or not, and whom the server takes it for."""

    link: Link
    identity: bytes
    card: bytes
    address: Address


class ServerScene(World):
    """The server, its store, and the ends of its clients' links.

    Attributes:
        batches: how many requests each commit has that the store has not answered.
        ends: newest last.
        seen: the last datagrams that came.
        clients: alice and bob are there, carol left with mail waiting, dave has a link that is not confirmed,
            erin has none.
    """

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.ends: list[End] = []
        self.seen: list[bytes] = []
        self._asked: dict[tuple[bytes, int], list[tuple[bytes, bytes]]] = defaultdict(list)
        self._bound: set[tuple[bytes, bytes]] = set()
        self._kept: set[tuple[bytes, bytes, bytes, int]] = set()
        self._mail: set[tuple[bytes, bytes, bytes]] = set()
        self._receipts: set[tuple[bytes, bytes, bytes | None]] = set()
        super().__init__(Transparent(Numbered()))
        self.clients = tuple(self.client(name) for name in ("alice", "bob", "carol", "dave", "erin"))
        self._begin_links()
        self._begin_mail()
        self.store.is_slow = True
        for told in (self.dropped, self.events, self.received, self.store.log):
            told.clear()

    def _begin_links(self) -> None:
        for client in self.clients[:-1]:
            client.connect()
            assert client.link is not None
            self.ends.append(End(client.link, client.identity, client.card, client.address))
        for client in self.clients[:-2]:
            client.say(m.Register(1))
        alice, bob, *_ = self.clients
        alice.say(m.Watch(2, Scope.ALL, (), None, None))
        bob.say(m.Watch(2, Scope.ADD, ("alice", "erin"), None, None))

    def _begin_mail(self) -> None:
        """Letters to bob are pushed, and one of them is collected; carol has mail."""
        alice, bob, carol, *_ = self.clients
        store(alice, bob, [1, 2, 3])
        bob.say(collected(1))
        carol.say(m.Deregister(3))
        store(alice, carol, [4])

    @property
    def refused(self) -> int:
        """How many datagrams were refused."""
        return len(self.dropped)

    # --- what goes in ---

    def send(self, source: Address, *payloads: bytes) -> None:
        """Datagrams come, in one turn."""
        for payload in payloads:
            self.seen = [*self.seen, payload][-REMEMBERED:]
            self._note_stores(payload)
        super().send(source, *payloads)

    def seal(self, end: End, plaintext: bytes, source: Address) -> None:
        """An authentic RECORD with this in it comes."""
        self.send(source, end.link.seal(self.suite, plaintext[:RECORD_PLAINTEXT_BYTES_MAX]))

    def finish(self, initiated: Initiated, client: Client, card: bytes, source: Address) -> None:
        """The client takes the RESP to its INIT, if there was one."""
        for payload in self.take(source):
            answer = parse_untrusted(payload)
            if isinstance(answer, Resp) and answer.index == initiated.index:
                link = initiated.finish_untrusted(self.suite, answer)
                self.ends.append(End(link, client.identity, card, source))

    def _note_stores(self, payload: bytes) -> None:
        try:
            record = parse_untrusted(payload)
            messages = unpack_untrusted(record.sealed[:-_TAG_BYTES]) if isinstance(record, Record) else ()
        except BadDatagram:
            return  # the server is to refuse it
        for each in messages:
            if isinstance(record, Record) and isinstance(each, m.Store):
                self._asked[record.index, each.id].append((each.recipient, each.slot))

    # --- the store and time ---

    def settle(self) -> None:
        """The store answers everything, and what follows from that."""
        while self.batches:
            self.commit()

    def commit(self, *, durable: bool = True, applied: bool = True) -> None:
        """The store answers: the oldest commit is durable; or all fail, that one done nevertheless or not."""
        if not self.batches:
            return
        count = self.batches.pop(0)
        results = [self._apply(request) for request in self.store.asked[:count]] if applied else []
        if durable:
            asked, self.store.asked = self.store.asked[:count], self.store.asked[count:]
            replies = [StoreReply(request, True, result) for request, result in zip(asked, results, strict=True)]
            for reply in replies:
                self._note_durable(reply.request, reply.result)
        else:
            replies = [StoreReply(request, False) for request in self.store.asked]
            self.store.asked.clear()
            self.batches.clear()
        self.reply(*replies)

    def _apply(self, request: ServerRequest) -> Result:
        result = self.store.do(request)
        if isinstance(request, KeepLetter):
            self._mail.add((request.owner, request.slot, request.letter))
        elif isinstance(request, CollectLetters) and isinstance(result, Receipts):
            self._receipts.update((each.sender, each.slot, each.ack) for each in result.receipts)
        return result

    def _note_durable(self, request: object, result: Result) -> None:
        if isinstance(request, BindUser):
            self._bound.add((request.identity, request.card))
        elif isinstance(request, KeepLetter) and isinstance(result, Kept):
            self._kept.add((request.owner, request.sender, request.slot, result.attempt))

    def sleep(self, us: int) -> None:
        """So much time passes, in which the server was not called: its machine slept, or nothing was due."""
        self.now = Instant(self.now + us)
        self.carry_out(self.server.handle_timeout(self.now))
        due = self.server.next_timeout()
        assert due is None or due > self.now, "a timeout leaves nothing that is due"

    def sleep_to_timeout(self) -> None:
        """Time passes until something is due."""
        due = self.server.next_timeout()
        if due is not None:
            self.sleep(max(0, due - self.now))

    def restart(self) -> None:
        """The server crashes and starts again."""
        self.batches.clear()
        super().restart()

    def rest(self) -> None:
        """The store answers, and some timeouts come."""
        for _ in range(_TIMEOUTS_AT_REST):
            self.settle()
            self.sleep_to_timeout()

    # --- what comes out ---

    def carry_out(self, actions: Actions) -> None:
        """Carry out, and watch."""
        count = sum(isinstance(action, Store) for action in actions)
        if count:
            self.batches.append(count)
        for what, size in self.server.sizes().items():
            assert size <= CAPS[what], f"{size} in {what}"
        super().carry_out(actions)

    def _carry_out(self, action: Action) -> None:
        super()._carry_out(action)
        if isinstance(action, SendDatagram):
            datagram = parse_untrusted(action.payload)
            assert not isinstance(datagram, Resp) or action.to in self._proven, "a handshake for no token of its own"
            if isinstance(datagram, Record):
                self._told(datagram)

    def _told(self, record: Record) -> None:
        (end,) = [end for end in self.ends if end.link.index == record.index]
        for message in unpack_untrusted(record.sealed[:-_TAG_BYTES]):
            self._check(end, message)

    def _check(self, end: End, message: m.Message) -> None:
        match message:
            case m.Registered():
                assert (end.identity, end.card) in self._bound, "registered before it was durable"
            case m.Stored(id_, _, attempt):
                stores = self._asked[end.link.peer_index, id_]
                kept = [(owner, end.identity, of, attempt) in self._kept for owner, of in stores]
                assert any(kept), "stored before it was durable"
            case m.Mail(_, of, letter):
                assert (end.identity, of, letter) in self._mail, "pushed what was not stored"
            case m.Receipt(of, ack):
                assert (end.identity, of, ack) in self._receipts, "a receipt that nobody gave"
            case m.Returned(of):
                assert (end.identity, of, None) in self._receipts, "returned what nobody refused"

    # --- what a client may know ---

    def known(self) -> dict[str, Any]:
        """Values for the fields of a client's messages, the most sensible first."""
        boot, counter = (version := self.server._directory.version).boot, version.counter
        many = tuple(f"user{number}" for number in range(32))
        return {
            "id": (1, 2, 3, 0, NUMBER_MAX),
            "name": ("bob", "alice", "carol", "erin", "zed"),
            "scope": tuple(map(int, Scope)),
            "names": ((), ("alice",), ("erin", "zed"), ("bob", "bob"), many),
            "since": (None, (boot, counter), (boot, 0), (boot, NUMBER_MAX), (bytes(8), counter)),
            "after": (None, "alice", "bob", "zzz"),
            "recipient": (*(client.identity for client in self.clients[1:]), self.clients[0].identity, bytes(32)),
            "slot": tuple(map(slot, range(1, 8))),
            "attempt": (0, 1, 2, NUMBER_MAX - 1, NUMBER_MAX),
            "letter": (LETTER, LETTER[::-1], LETTER.ljust(1_048, b".")),
            "entries": (
                *(((entry, 1, slot(entry)),) for entry in range(1, 7)),
                *(((entry, outcome, None),) for entry in (1, 2, 3) for outcome in (2, 3)),
                ((2, 1, slot(2)), (2, 1, slot(2)), (2, 2, None), (NUMBER_MAX, 3, None)),
                tuple((entry, 3, None) for entry in range(38)),
            ),
            "slots": ((slot(1),), (slot(1), slot(1)), (slot(2), slot(3)), tuple(map(slot, range(64)))),
            "zeros": (b"", bytes(33)),
        }

    def known_of_card(self, client: Client) -> dict[str, Any]:
        """The same for the fields of a card that this client signs."""
        now_s, body = START // SECOND, client.body
        return {
            "version": (1,),
            "seq": (6, 5, 7, 4, 0, 5 + 2**32, 6 + 2**32, NUMBER_MAX),
            "expires_s": (now_s + 86_400, now_s - 86_400, now_s - 86_401, 0),
            "identity": (body.identity, self.clients[0].identity),
            "live": (body.live, body.mail, bytes(32)),
            "mail": (body.mail, bytes(32)),
            "name": (body.name, "alice", "bob", "zed"),
        }
