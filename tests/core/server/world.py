"""A server in virtual time, with a store in memory and scripted clients, for the tests of the server core.

`World` carries out what the server does and watches over it: every datagram that leaves is within its size,
and an address that is not proven never gets more bytes than it sent. Nobody here loses or changes a datagram;
the tests do that by hand.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Any, TypeVar

from tests.core.server.memory import MemoryStore
from udpchat_core.actions import Action, Actions, Dropped, Emit, Received, SendDatagram, Store
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody
from udpchat_core.datagrams import Init, Record, Resp, Retry
from udpchat_core.errors import Reason
from udpchat_core.instant import SECOND, Instant
from udpchat_core.messages import Message, Register
from udpchat_core.requests import StoreReply
from udpchat_core.secure.card import make_card
from udpchat_core.secure.link import Initiated, Link, hello, initiate_untrusted
from udpchat_core.secure.suite import Suite
from udpchat_core.server import Admission, Server, new_server_state
from udpchat_core.server.admission import OPEN
from udpchat_core.server_events import ServerEvent
from udpchat_core.server_requests import ServerState
from udpchat_core.wire import RECORD_PLAINTEXT_BYTES_MIN, encode, pack, parse_untrusted, serialize, unpack_untrusted
from udpchat_net.simulation.transparent import TransparentSuite

START = Instant(1_790_000_000 * SECOND)
LETTER = b"a letter, sealed".ljust(200, b".")
M = TypeVar("M")


class World:
    """A server, its store, and the network around it."""

    def __init__(
        self, suite: Suite | None = None, state: ServerState | None = None, admission: Admission = OPEN
    ) -> None:
        self.suite = suite or TransparentSuite(1)
        self.now = START
        self.state = state or new_server_state(self.suite)
        self.store = MemoryStore()
        self.admission = admission
        self.server = Server(self.suite, self.state, self.now, admission)
        self.received: dict[Address, list[bytes]] = {}
        self.events: list[ServerEvent] = []
        self.dropped: list[Reason] = []
        self._hosts = 0
        self._unproven: Counter[Address] = Counter()  # what an address sent beyond what it got
        self._tokens: set[tuple[Address, bytes]] = set()
        self._proven: set[Address] = set()
        self.carry_out(self.server.start(self.now))

    # --- what goes in ---

    def send(self, source: Address, *payloads: bytes) -> None:
        """Datagrams from `source` reach the server, in one turn."""
        for payload in payloads:
            self._account_in(source, payload)
        self.carry_out(self.server.receive_datagrams([Received(source, each) for each in payloads], self.now))

    def advance(self, seconds: float) -> None:
        """Time passes; the server is called whenever it wants to be."""
        until = Instant(self.now + round(seconds * SECOND))
        while (due := self.server.next_timeout()) is not None and due <= until:
            self.now = max(self.now, due)
            self.carry_out(self.server.handle_timeout(self.now))
            after = self.server.next_timeout()
            assert after is None or after > self.now, "a timeout leaves nothing that is due"
        self.now = until

    def settle(self) -> None:
        """The store answers everything that it was asked, and what follows from that."""
        while replies := self.store.replies():
            self.carry_out(self.server.handle_stored(replies, self.now))

    def reply(self, *replies: StoreReply) -> None:
        """The store answers just this."""
        self.carry_out(self.server.handle_stored(replies, self.now))

    def restart(self) -> None:
        """The server crashes, and starts with what its store holds; what it was asked in between is lost."""
        store = self.store
        users, bans, invites = tuple(store.users.values()), tuple(store.bans), tuple(store.invites.values())
        self.state = replace(self.state, users=users, bans=bans, invites=invites)
        self.store.asked.clear()
        self.server = Server(self.suite, self.state, self.now, self.admission)
        self._tokens.clear()
        self.carry_out(self.server.start(self.now))

    # --- what comes out ---

    def carry_out(self, actions: Actions) -> None:
        for action in actions:
            self._carry_out(action)
        if not self.store.is_slow:
            self.settle()

    def _carry_out(self, action: Action) -> None:
        match action:
            case SendDatagram(to, payload):
                self._account_out(to, payload)
                self.received.setdefault(to, []).append(payload)
            case Store(request):
                self.store.ask(request)
            case Emit(event):
                self.events.append(event)  # type: ignore[arg-type] # a server tells of no others
            case Dropped(_, reason):
                self.dropped.append(reason)

    def _account_in(self, source: Address, payload: bytes) -> None:
        self._unproven[source] += len(payload)
        if payload[:3] == b"\x75\x01\x03" and (source, payload[3:19]) in self._tokens:
            self._proven.add(source)

    def _account_out(self, to: Address, payload: bytes) -> None:
        assert len(payload) <= 1_200
        datagram = parse_untrusted(payload)
        if isinstance(datagram, Retry):
            self._tokens.add((to, datagram.token))
        self._unproven[to] -= len(payload)
        assert to in self._proven or self._unproven[to] >= 0, "more bytes to an unproven address than from it"

    def take(self, address: Address) -> list[bytes]:
        """The datagrams that `address` got since the last time."""
        return self.received.pop(address, [])

    def new_host(self) -> int:
        self._hosts += 1
        return self._hosts

    def told(self, kind: type[M]) -> list[M]:
        """The events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def client(self, name: str, host: int = 0, **card: Any) -> "Client":
        """A client with the identity of this name, at an address of its own."""
        return Client(self, name, host, **card)


class Client:
    """A scripted client: it does what the test says, and nothing by itself.

    `who` names the identity if it is not that of the name.
    """

    def __init__(
        self, world: World, name: str, host: int = 0, who: str = "", seq: int = 5, life_s: int = 86_400
    ) -> None:
        self.world, self.name, self.seq = world, name, seq
        self.address = Address(bytes((10, *(host or world.new_host()).to_bytes(3))), 4000)
        self.private = private_key(f"{who or name} identity")
        self.identity = world.suite.sign_public(self.private)
        self.live = private_key(f"{who or name} live {seq}")
        expires_s = START // SECOND + life_s
        mail = world.suite.dh_public(private_key(f"{who or name} mail"))
        self.body = CardBody(1, seq, expires_s, self.identity, world.suite.dh_public(self.live), mail, name)
        self.card = make_card(world.suite, self.private, self.body)
        self.begun: Initiated | None = None
        self.link: Link | None = None
        self._next_id = 1

    # --- the handshake ---

    def greet(self) -> Retry:
        """HELLO, and the RETRY that answers it."""
        self.world.send(self.address, hello(self.world.suite))
        return parsed(Retry, self.world.take(self.address)[-1])

    def begin(self, token: bytes | None = None) -> Initiated:
        """An INIT, not sent yet, with the right token if none is given."""
        greeted = self.greet()
        index = self.world.suite.random(4)
        self.begun = initiate_untrusted(
            self.world.suite, greeted.server_key, token or greeted.token, index, self.live, self.card
        )
        return self.begun

    def connect(self) -> "Client":
        """A link, not confirmed yet."""
        begun = self.begin()
        self.world.send(self.address, begun.init)
        self.link = begun.finish_untrusted(self.world.suite, parsed(Resp, self.world.take(self.address)[-1]))
        return self

    def online(self) -> "Client":
        """Connected and registered; what was said meanwhile is forgotten."""
        self.connect()
        self.say(Register(self.next_id()))
        self.hear()
        return self

    # --- records ---

    def next_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def record(self, *messages: Message, bytes_min: int = RECORD_PLAINTEXT_BYTES_MIN) -> bytes:
        """A RECORD with these messages."""
        return self.sealed(pack([encode(message) for message in messages], bytes_min))

    def sealed(self, plaintext: bytes) -> bytes:
        assert self.link is not None
        return self.link.seal(self.world.suite, plaintext)

    def say(self, *messages: Message) -> None:
        """Say these messages to the server, in one RECORD."""
        self.world.send(self.address, self.record(*messages))

    def ask(self, message: Message) -> Message:
        """Say `message`; the only thing that is said in answer."""
        self.hear()
        self.say(message)
        (answer,) = self.hear()
        return answer

    def hear(self) -> list[Message]:
        """What the server said on this link since the last time; other datagrams are passed over."""
        return [message for payload in self.world.take(self.address) for message in self.opened(payload)]

    def heard(self, kind: type[M]) -> list[M]:
        """What the server said of one kind since the last time; the rest is forgotten."""
        return [message for message in self.hear() if isinstance(message, kind)]

    def opened(self, payload: bytes) -> Iterable[Message]:
        datagram = parse_untrusted(payload)
        if self.link is None or not isinstance(datagram, Record) or datagram.index != self.link.index:
            return ()
        return unpack_untrusted(self.link.open_untrusted(self.world.suite, datagram))


def private_key(purpose: str) -> bytes:
    return sha256(purpose.encode()).digest()


def parsed(kind: type[M], payload: bytes) -> M:
    datagram = parse_untrusted(payload)
    assert isinstance(datagram, kind)
    return datagram


def with_token(init: bytes, token: bytes) -> bytes:
    return serialize(replace(parsed(Init, init), token=token))


def snapshot(world: World) -> tuple[Any, ...]:
    """All that the directory and the store hold, to see that nothing changed."""
    directory = world.server._directory
    users = tuple((user.name, user.identity, user.card, user.online is not None) for user in directory._by_name)
    return users, directory.version, world.store.picture()
