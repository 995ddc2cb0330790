"""A server, or a client, with honest work to do and a flood to stand; and the floods, by kind.

The core under test is whole, with the real primitives, and a store in memory whose time does not count. Those who do
honest work are as bare as can be: keys, a link, and a count of what was answered.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from itertools import count, cycle
from random import Random
from time import process_time_ns
from typing import Any, Final

from udpchat_core.actions import Actions, Received, SendDatagram, Store
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.client import Client, new_client_state
from udpchat_core.datagrams import Acks, Init, Letter, Record, Resp, Retry
from udpchat_core.instant import MS, SECOND, Instant
from udpchat_core.limits import CARD_BYTES_MAX, CARD_LIFE_S, LETTER_BYTES_MIN
from udpchat_core.messages import Deregister, Found, Lookup, Message, Ping, Pong, Register, Stored
from udpchat_core.messages import Store as StoreMessage
from udpchat_core.secure.card import make_card, open_card_untrusted
from udpchat_core.secure.keys import key_id
from udpchat_core.secure.letter import ack_of, seal_letter_untrusted
from udpchat_core.secure.link import Link, hello, initiate_untrusted
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.server import Server, new_server_state
from udpchat_core.wire import RECORD_PLAINTEXT_BYTES_MIN, encode, pack, parse_untrusted, serialize, unpack_untrusted
from udpchat_net.stores.memory_client import ClientMemory
from udpchat_net.stores.memory_server import ServerMemory

START: Final = Instant(1_790_000_000 * SECOND)
HONEST: Final = 200
"""Users with honest work: so many that none asks more than a session may."""
_LETTER: Final = os.urandom(LETTER_BYTES_MIN)
SUITE: Final = StandardSuite(os.urandom)
"""Of everybody but the core under test."""


class CountingSuite(StandardSuite):
    """The real primitives; `asymmetric` counts the calls that work on a curve."""

    def __init__(self) -> None:
        super().__init__(os.urandom)
        self.asymmetric = 0

    def sign(self, private: bytes, data: bytes) -> bytes:
        self.asymmetric += 1
        return super().sign(private, data)

    def verify_untrusted(self, public: bytes, signature: bytes, data: bytes) -> None:
        self.asymmetric += 1
        super().verify_untrusted(public, signature, data)

    def dh_public(self, private: bytes) -> bytes:
        self.asymmetric += 1
        return super().dh_public(private)

    def dh_untrusted(self, private: bytes, public: bytes) -> bytes:
        self.asymmetric += 1
        return super().dh_untrusted(private, public)

    def hpke_seal_untrusted(self, public: bytes, info: bytes, data: bytes) -> bytes:
        self.asymmetric += 1
        return super().hpke_seal_untrusted(public, info, data)

    def hpke_open_untrusted(self, private: bytes, info: bytes, sealed: bytes) -> bytes:
        self.asymmetric += 1
        return super().hpke_open_untrusted(private, info, sealed)


class Bare:
    """A user of a server: keys, a card, and a link once it is registered."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.address = name, Address(b"\x0a" + number.to_bytes(3), 4_000)
        self.private, self.live, mail = (os.urandom(32) for _ in range(3))
        publics = SUITE.sign_public(self.private), SUITE.dh_public(self.live), SUITE.dh_public(mail)
        self.body = CardBody(1, 1, START // SECOND + CARD_LIFE_S, *publics, name)
        self.link: Link | None = None

    def init(self, retry: Retry) -> Any:  # noqa: ANN401 - what `initiate_untrusted` gives
        """A handshake begun."""
        card = make_card(SUITE, self.private, self.body)
        return initiate_untrusted(SUITE, retry.server_key, retry.token, os.urandom(4), self.live, card)

    def sealed(self, message: Message) -> bytes:
        """A RECORD."""
        assert self.link is not None
        return self.link.seal(SUITE, pack([encode(message)], RECORD_PLAINTEXT_BYTES_MIN))


class Scene(ABC):
    """A core under test in virtual time.

    Attributes:
        suite: of the core; counts.
        now: virtual time.
        answered: how much honest work was.
    """

    def __init__(self, core: Any, suite: CountingSuite, store: ServerMemory | ClientMemory) -> None:  # noqa: ANN401
        self.suite, self.now, self.answered = suite, START, 0
        self._core, self._store = core, store
        self._random = Random(1)

    def receive(self, batch: Sequence[Received]) -> int:
        """Hand these to the core, with all that is due and what the store answers; nanoseconds of the core."""
        return self._carry_out(self._timed(self._core.receive_datagrams, batch)) + self._tick()

    @abstractmethod
    def honest(self) -> Received:
        """The next honest datagram."""

    @abstractmethod
    def _sent(self, to: Address, payload: bytes) -> None:
        """The core sent this."""

    def _tick(self) -> int:
        taken_ns = 0
        while (due := self._core.next_timeout()) is not None and due <= self.now:
            taken_ns += self._carry_out(self._timed(self._core.handle_timeout))
        return taken_ns

    def _timed(self, call: Callable[..., Actions], *arguments: object) -> tuple[Actions, int]:
        begun = process_time_ns()
        actions = call(*arguments, self.now)
        return actions, process_time_ns() - begun

    def _carry_out(self, done: tuple[Actions, int]) -> int:
        actions, taken_ns = done
        requests: list[Any] = [action.request for action in actions if isinstance(action, Store)]
        for action in actions:
            if isinstance(action, SendDatagram):
                self._sent(action.to, action.payload)
        if requests:
            taken_ns += self._carry_out(self._timed(self._core.handle_stored, self._store.apply(requests)))
        return taken_ns

    def stranger(self) -> Address:
        """An address that nobody has."""
        return Address(b"\xc6" + self._random.randbytes(3), 1_024 + self._random.randrange(60_000))


class ServerScene(Scene):
    """A server whose users look each other up, store letters for somebody who is away, and ping, in turns.

    Attributes:
        got: what it sent since this was cleared.
        users: who are online.
    """

    def __init__(self) -> None:
        suite = CountingSuite()
        self.got: list[bytes] = []
        self._asking: dict[Address, Bare] = {}
        state = new_server_state(suite)
        super().__init__(Server(suite, state, START), suite, ServerMemory(state))
        away = self.registered("away", 1)
        self._away = away.body.identity
        self._say(away, Deregister(2))
        self.users = [self.registered(f"user{number:03}", 2 + number) for number in range(HONEST)]
        self._honest = self._work()

    def honest(self) -> Received:
        return next(self._honest)

    def registered(self, name: str, number: int) -> Bare:
        """A user who is online."""
        user = Bare(name, number)
        begun = user.init(self.greeted(user.address))
        user.link = begun.finish_untrusted(SUITE, self._say_raw(user.address, begun.init, Resp))
        self._say(user, Register(1))
        self.now = Instant(self.now + 20 * MS)  # so that the buckets have tokens for all
        return user

    def greeted(self, address: Address) -> Retry:
        """What a HELLO from there is answered by."""
        retry: Retry = self._say_raw(address, hello(SUITE), Retry)
        return retry

    def card(self, name: str) -> CardBody:
        """What the directory has of somebody."""
        found = self._say(self.users[0], Lookup(1, name))
        assert isinstance(found, Found)
        return open_card_untrusted(SUITE, found.card)

    def _say(self, user: Bare, message: Message) -> Message:
        record = self._say_raw(user.address, user.sealed(message), Record)
        assert user.link is not None
        return unpack_untrusted(user.link.open_untrusted(SUITE, record))[0]

    def _say_raw(self, address: Address, payload: bytes, kind: type) -> Any:  # noqa: ANN401 - of that kind
        self.got.clear()
        self.receive([Received(address, payload)])
        answer = parse_untrusted(self.got[0])
        assert isinstance(answer, kind)
        return answer

    def _work(self) -> Iterator[Received]:
        for number in count(10):
            for at, user in enumerate(self.users):
                asked: tuple[Message, ...] = (
                    Lookup(number, self.users[(at + 7) % HONEST].name),
                    StoreMessage(number, self._away, bytes(14) + at.to_bytes(2), 1, _LETTER),
                    Ping(number),
                )
                self._asking[user.address] = user
                yield Received(user.address, user.sealed(asked[number % len(asked)]))

    def _sent(self, to: Address, payload: bytes) -> None:
        self.got.append(payload)
        user, record = self._asking.get(to), parse_untrusted(payload)
        if user is None or user.link is None or not isinstance(record, Record):
            return
        said = unpack_untrusted(user.link.open_untrusted(SUITE, record))
        self.answered += sum(isinstance(each, Found | Stored | Pong) for each in said)


class ClientScene(Scene):
    """A client to whom contacts write, each its next letter once the last was acknowledged."""

    def __init__(self) -> None:
        suite, memory = CountingSuite(), new_client_state(SUITE, "victim", START // MS)
        self._server, self._home = ServerScene(), Address(b"\x0a\xff\0\1", 4_000)
        self._at_server = Address(b"\x0a\xff\0\2", 10_000)
        self._friends = [Bare(f"friend{number:03}", 1_000 + number) for number in range(HONEST)]
        self._seqs = dict.fromkeys((friend.address for friend in self._friends), 1)
        self._acks: dict[Address, bytes] = {}
        self._turns = cycle(self._friends)
        super().__init__(Client(suite, memory, self._at_server, START), suite, ClientMemory(memory))
        self._carry_out(self._timed(self._core.register))
        self.card = self._server.card("victim")
        for _ in range(HONEST):
            self.receive([self.honest()])
            self.now = Instant(self.now + 20 * MS)

    def honest(self) -> Received:
        friend = next(self._turns)
        seq = self._seqs[friend.address]
        secret = friend.private[:8] + seq.to_bytes(8)
        body = LetterBody(friend.body.identity, friend.name, 1, seq, 1, secret, START // MS, 1, 1, "hello")
        self._acks[friend.address] = ack_of(SUITE, secret)
        sealed = seal_letter_untrusted(SUITE, friend.private, self.card.identity, self.card.live, body)
        return Received(friend.address, sealed)

    def _sent(self, to: Address, payload: bytes) -> None:
        if to == self._at_server:
            server = self._server
            server.got.clear()
            server.now = max(server.now, self.now)
            server.receive([Received(self._home, payload)])
            for answer in list(server.got):
                self._carry_out(self._timed(self._core.receive_datagrams, [Received(self._at_server, answer)]))
            return
        datagram = parse_untrusted(payload)
        if isinstance(datagram, Acks) and self._acks.get(to) in datagram.acks:
            self.answered += 1
            self._seqs[to] += 1


# --- floods ---

Flood = Callable[[], Received]


def garbage(scene: ServerScene) -> Flood:
    """Bytes that are no datagram."""
    return lambda: Received(scene.stranger(), os.urandom(100))


def hellos(scene: ServerScene) -> Flood:
    """HELLO, each from another address."""
    return lambda: Received(scene.stranger(), hello(SUITE))


def inits_without_token(scene: ServerScene) -> Flood:
    """INIT with a token of nobody, each from another address."""
    return lambda: Received(scene.stranger(), _init(os.urandom(16)))


def inits_under_one_token(scene: ServerScene) -> Flood:
    """INIT, each another one, from an address that has a token: the server has to compute to see that it is none."""
    token, home = b"", Address(b"\xc6\x33\x64\x01", 5_000)
    until = scene.now

    def flood() -> Received:
        nonlocal token, until
        if scene.now >= until:
            token, until = scene.greeted(home).token, Instant(scene.now + 30 * SECOND)
        return Received(home, _init(token))

    return flood


def replayed_inits(scene: ServerScene) -> Flood:
    """One good INIT, again and again."""
    user = Bare("replayed", 70_000)
    init: bytes = user.init(scene.greeted(user.address)).init
    return lambda: Received(user.address, init)


def forged_records(scene: ServerScene) -> Flood:
    """RECORD under the index of a user who is online, not sealed by it."""
    datagram = parse_untrusted(scene.users[0].sealed(Ping(1)))
    assert isinstance(datagram, Record)
    index = datagram.index
    return lambda: Received(scene.stranger(), serialize(Record(index, 2**40, os.urandom(60))))


def records_of_nobody(scene: ServerScene) -> Flood:
    """RECORD under an index that nobody has, as after a restart of the server."""
    return lambda: Received(scene.stranger(), serialize(Record(os.urandom(4), 1, os.urandom(60))))


def letters_of_strangers(scene: ClientScene) -> Flood:
    """LETTER to the client's own key, which the client has to try to open, each from another address."""
    id_ = key_id(SUITE, scene.card.live)
    return lambda: Received(scene.stranger(), serialize(Letter(id_, os.urandom(LETTER_BYTES_MIN))))


def _init(token: bytes) -> bytes:
    return serialize(Init(token, os.urandom(4), os.urandom(96 + CARD_BYTES_MAX)))
