"""Every datagram with a bit flipped, cut short or made longer: refused or without effect, and nothing changes."""

from collections.abc import Callable, Iterator
from typing import Final

import pytest

from tests.core.secure.people import EXPIRES_S, SERVER, letter, letter_body, parsed, person, private_key
from udpchat_core.address import Address
from udpchat_core.datagrams import Acks, Datagram, Hello, Init, Letter, Record, Resp, Retry
from udpchat_core.errors import BadDatagram
from udpchat_core.instant import Instant
from udpchat_core.messages import Ping
from udpchat_core.secure.letter import ack_of, open_letter_untrusted
from udpchat_core.secure.link import Initiated, hello, initiate_untrusted, respond_untrusted, retry
from udpchat_core.secure.suite import Suite
from udpchat_core.secure.token import check_token_untrusted, make_token
from udpchat_core.wire import RECORD_PLAINTEXT_BYTES_MIN, encode, pack, parse_untrusted, serialize, unpack_untrusted

SOURCE = Address(b"\xc0\x00\x02\x01", 4_000)
SECRET, NOW = private_key("token secret"), Instant(1_000_000_000)
KINDS: Final[list[type[Datagram]]] = [Hello, Retry, Init, Resp, Record, Letter, Acks]
SECRETS = (b"1" * 16, b"2" * 16, b"3" * 16)
WHOLE_BYTES = 24


class World:
    """A client and a server in the middle of everything: each datagram below is one that one of them awaits."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self.alice, self.bob = person(suite, "alice"), person(suite, "bob")
        self.expected = {ack_of(suite, secret) for secret in SECRETS}
        self.hello = hello(suite)
        token = make_token(suite, SECRET, SOURCE, NOW)
        self.begun = self._begin(token, suite.dh_public(SERVER))
        responded = respond_untrusted(suite, SERVER, parsed(Init, self.begun.init), b"srvr", EXPIRES_S)
        self.server = responded.link
        client = self.begun.finish_untrusted(suite, parsed(Resp, responded.resp))
        self.sent: dict[type[Datagram], bytes] = {
            Hello: self.hello,
            Retry: retry(self.hello, token, suite.dh_public(SERVER)),
            Init: self.begun.init,
            Resp: responded.resp,
            Record: client.seal(suite, pack([encode(Ping(1))], RECORD_PLAINTEXT_BYTES_MIN)),
            Letter: letter(suite, self.bob, self.alice),
            Acks: serialize(Acks(tuple(sorted(self.expected)))),
        }

    def state(self) -> object:
        """All that a datagram could change."""
        return self.server._sent, self.server._highest, self.server._missed, self.begun, frozenset(self.expected)

    def receive_untrusted(self, payload: bytes) -> object:
        """What its receiver makes of a datagram: something, nothing (None), or `BadDatagram`."""
        datagram = parse_untrusted(payload)
        return self._receivers[type(datagram)](self, datagram)

    def _begin(self, token: bytes, server_key: bytes) -> Initiated:
        return initiate_untrusted(self.suite, server_key, token, b"clnt", self.alice.live, self.alice.card)

    def _hello(self, got: Hello) -> object:
        return retry(serialize(got), make_token(self.suite, SECRET, SOURCE, NOW), self.suite.dh_public(SERVER))

    def _retry(self, got: Retry) -> object:
        """A client cannot see that token or key are wrong, but the INIT that it makes of them is refused."""
        if got.echo != self.hello[3:19]:
            return None
        return self._init(parsed(Init, self._begin(got.token, got.server_key).init))

    def _init(self, got: Init) -> object:
        check_token_untrusted(self.suite, SECRET, SOURCE, NOW, got.token)
        return respond_untrusted(self.suite, SERVER, got, b"srvr", EXPIRES_S).card

    def _resp(self, got: Resp) -> object:
        return self.begun.finish_untrusted(self.suite, got).peer_index

    def _record(self, got: Record) -> object:
        return unpack_untrusted(self.server.open_untrusted(self.suite, got))

    def _letter(self, got: Letter) -> object:
        return open_letter_untrusted(self.suite, self.alice.public, self.alice.keys(self.suite), got)

    def _acks(self, got: Acks) -> object:
        return self.expected.intersection(got.acks) or None

    _receivers: Final[dict[type[Datagram], Callable[..., object]]] = {
        Hello: _hello,
        Retry: _retry,
        Init: _init,
        Resp: _resp,
        Record: _record,
        Letter: _letter,
        Acks: _acks,
    }

    def effects(self) -> dict[type[Datagram], object]:
        """What the untouched datagrams do."""
        effects: dict[type[Datagram], object] = dict.fromkeys((Retry, Init), self.alice.body)
        effects |= {Resp: b"srvr", Record: (Ping(1),), Letter: letter_body(self.bob), Acks: self.expected}
        return effects | {Hello: self.sent[Retry]}


def flipped(payload: bytes) -> Iterator[bytes]:
    """All bits of the first bytes, then one bit of each."""
    bits = [(at, bit) for at in range(min(WHOLE_BYTES, len(payload))) for bit in range(8)]
    for at, bit in bits + [(at, at % 8) for at in range(WHOLE_BYTES, len(payload))]:
        changed = bytearray(payload)
        changed[at] ^= 1 << bit
        yield bytes(changed)


def outcome(world: World, payload: bytes) -> object:
    """What was received, or None: anything else than `BadDatagram` comes out, and so does a change of state."""
    before = world.state()
    try:
        return world.receive_untrusted(payload)
    except BadDatagram:
        return None
    finally:
        assert world.state() == before


def check_still_accepted(world: World, kind: type[Datagram]) -> None:
    assert world.receive_untrusted(world.sent[kind]) == world.effects()[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_untouched_datagram_is_accepted(suite: Suite, kind: type[Datagram]) -> None:
    check_still_accepted(World(suite), kind)


@pytest.mark.parametrize("kind", [Retry, Init, Resp, Record, Letter])
def test_a_datagram_with_a_bit_flipped_does_nothing(suite: Suite, kind: type[Datagram]) -> None:
    """R-3.1-6 R-4.2-2 R-4.4-1 R-4.4-5."""
    world = World(suite)
    for payload in flipped(world.sent[kind]):
        assert outcome(world, payload) is None
    check_still_accepted(world, kind)


def test_a_hello_with_a_bit_flipped_is_refused_or_another_hello(suite: Suite) -> None:
    """R-3.1-6: the nonce is the sender's to choose, and whoever changed it gets no RETRY that the client takes."""
    world = World(suite)
    others = 0
    for payload in flipped(world.hello):
        got = outcome(world, payload)
        if got is not None:
            assert parsed(Hello, payload).nonce != world.hello[3:19]
            assert isinstance(got, bytes)
            assert outcome(world, got) is None
            others += 1
    assert others == 16 * 8
    check_still_accepted(world, Hello)


def test_a_bit_flipped_in_acknowledgements_costs_the_one_that_it_is_in(suite: Suite) -> None:
    """R-3.1-6."""
    world = World(suite)
    acks = parsed(Acks, world.sent[Acks]).acks
    for payload in flipped(world.sent[Acks]):
        at = next(at for at, byte in enumerate(payload) if byte != world.sent[Acks][at])
        left = None if at < 3 else world.expected - {acks[(at - 3) // 16]}
        assert outcome(world, payload) == left
    check_still_accepted(world, Acks)


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_datagram_does_nothing(suite: Suite, kind: type[Datagram]) -> None:
    """R-3.1-6: but for acknowledgements, which are good one by one."""
    world = World(suite)
    whole = world.sent[kind]
    for size in range(len(whole)):
        left = set(parsed(Acks, whole).acks[: size // 16]) if kind is Acks and size > 16 and size % 16 == 3 else None
        assert outcome(world, whole[:size]) == left
    check_still_accepted(world, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [b"\0", b"\xff", b"\x80"])
def test_a_datagram_with_a_byte_more_does_nothing(suite: Suite, kind: type[Datagram], more: bytes) -> None:
    """R-3.1-6."""
    world = World(suite)
    assert outcome(world, world.sent[kind] + more) is None
    check_still_accepted(world, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_datagram_under_another_type_does_nothing(suite: Suite, kind: type[Datagram]) -> None:
    """R-3.1-6."""
    world = World(suite)
    whole = world.sent[kind]
    for other in range(256):
        if other != kind.type:
            assert outcome(world, whole[:2] + bytes((other,)) + whole[3:]) is None
    check_still_accepted(world, kind)
