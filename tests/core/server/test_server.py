"""The facade: what comes from the network never raises, what comes from the caller may; time, and memory of nothing."""

from random import Random

import pytest

from tests.core.server.world import LETTER, World, snapshot
from udpchat_core import limits
from udpchat_core.address import Address
from udpchat_core.datagrams import Acks, Hello, Letter, Resp, Retry
from udpchat_core.errors import Reason
from udpchat_core.fields import Refusal, Scope
from udpchat_core.messages import (
    Deregistered,
    Found,
    Lookup,
    Message,
    Padding,
    Ping,
    Pong,
    Refused,
    Register,
    Registered,
    Store,
    Stored,
    Superseded,
    Watch,
)
from udpchat_core.server import new_server_state
from udpchat_core.wire import encode, pack, parse_untrusted, serialize

STRANGER = Address(bytes((203, 0, 113, 9)), 53)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.SIZE),
        (b"\x75\x01", Reason.SIZE),
        (bytes(1_201), Reason.SIZE),
        (b"GET / HTTP/1.1\r\n\r\n", Reason.MAGIC),
        (b"\x75\x02\x01" + bytes(64), Reason.VERSION),
        (b"\x75\x01\x08" + bytes(64), Reason.TYPE),
        (b"\x75\x01\x01" + bytes(63), Reason.SIZE),
        (b"\x75\x01\x01" + bytes(63) + b"\1", Reason.PADDING),
        (b"\x75\x01\x05" + bytes(100), Reason.LINK),
        (serialize(Retry(bytes(16), bytes(16), bytes(32))), Reason.TYPE),
        (serialize(Resp(bytes(4), bytes(52))), Reason.TYPE),
        (serialize(Letter(bytes(4), bytes(300))), Reason.TYPE),
        (serialize(Acks((bytes(16),))), Reason.TYPE),
    ],
)
def test_garbage_is_counted_and_changes_nothing(world: World, payload: bytes, reason: Reason) -> None:
    """R-3.1-6 R-3.1-7."""
    world.client("alice").online()
    before = snapshot(world)
    world.send(STRANGER, payload)
    assert world.dropped == [reason]
    assert snapshot(world) == before


def test_a_batch_with_garbage_in_it_is_processed(sealed_world: World) -> None:
    world = sealed_world
    alice = world.client("alice").online()
    world.send(alice.address, b"", alice.record(Ping(1)), b"\x75\x01\x05" + bytes(80), alice.record(Ping(2)))
    assert [pong.id for pong in alice.heard(Pong)] == [1, 2]


def test_two_requests_with_one_id_are_two_requests(world: World) -> None:
    """R-5.1-7: on one link, and on two of one identity, as a client that was restarted makes them."""
    alice = world.client("alice").online()
    world.client("bob").online()
    assert isinstance(alice.ask(Lookup(7, "bob")), Found)
    assert alice.ask(Lookup(7, "nobody")) == Refused(7, Refusal.UNKNOWN, 10, 0)
    again = world.client("alice", seq=200).online()
    assert isinstance(again.ask(Ping(7)), Pong)


def test_what_is_said_in_a_turn_shares_a_record(world: World) -> None:
    alice = world.client("alice").online()
    world.send(alice.address, *(alice.record(Ping(number)) for number in range(10)))
    assert len(world.take(alice.address)) == 1


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        b"\x80",
        b"not cbor at all, and long enough to be a record",
        pack([encode(Ping(1)), b"\x82\x18\x63\x01"]),
        pack([encode(Ping(1)), encode(Deregistered(1))]),
        pack([encode(Superseded()), encode(Ping(1))]),
        encode(Ping(1)),
    ],
)
@pytest.mark.parametrize("registered", [True, False])
def test_a_record_with_anything_wrong_in_it_is_refused_whole(
    sealed_world: World, plaintext: bytes, registered: bool
) -> None:
    """R-3.1-6 R-5.1-1 R-8.1-4 R-5.1-6: however authentic it is; it confirms nothing."""
    world = sealed_world
    bob = world.client("bob")
    alice = world.client("alice").online() if registered else world.client("alice").connect()
    before, sessions = snapshot(world), world.server._links.sizes()["links"]
    world.send(alice.address, alice.sealed(plaintext.ljust(3, b"\0")))
    assert len(world.dropped) == 1
    assert (snapshot(world), world.server._links.sizes()["links"]) == (before, sessions)
    assert alice.hear() == []
    assert isinstance(alice.ask(Register(1)), Registered)
    assert isinstance(bob.connect().ask(Register(1)), Registered)


def test_noise_and_mutations_never_raise_and_amplify_nothing(sealed_world: World) -> None:
    """R-3.1-6 R-3.3-1: the world checks every byte that leaves."""
    world, random = sealed_world, Random(7)
    alice, bob = world.client("alice").online(), world.client("bob")
    seeds = [bob.begin().init, alice.record(Ping(1)), alice.record(Lookup(1, "bob")), alice.record(Padding(bytes(9)))]
    before = snapshot(world)
    for number in range(600):
        payload = bytearray(random.choice(seeds))
        for _ in range(random.randint(1, 4)):
            payload[random.randrange(3, len(payload))] ^= 1 << random.randrange(8)
        cut = bytes(payload[: random.choice((len(payload), random.randrange(len(payload))))])
        junk = random.randbytes(random.randrange(1_300))
        source = Address(bytes((198, 51, 100, number % 256)), 1 + number)
        world.send(source, cut, junk, b"\x75\x01" + junk[:1_190])
    assert len(world.dropped) >= 1_790
    assert snapshot(world) == before
    assert isinstance(alice.ask(Ping(9)), Pong)


def test_every_message_of_a_client_is_answered_over_both_suites(sealed_world: World) -> None:
    world = sealed_world
    alice, bob = world.client("alice").online(), world.client("bob").online()
    asked: list[tuple[Message, type]] = [
        (Register(1), Registered),
        (Lookup(2, "bob"), Found),
        (Store(3, bob.identity, bytes(16), 0, LETTER), Stored),
        (Ping(4), Pong),
    ]
    for message, answer in asked:
        assert isinstance(alice.ask(message), answer)


def test_the_same_inputs_give_the_same_actions() -> None:
    """Nothing in the core is drawn or read from anywhere but what it is handed."""

    def run() -> list[bytes]:
        world = World()
        alice, bob = world.client("alice").online(), world.client("bob").online()
        world.send(alice.address, alice.record(Store(1, bob.identity, bytes(16), 0, LETTER)))
        world.advance(30)
        return [payload for address in (alice.address, bob.address) for payload in world.take(address)]

    assert run() == run()


def test_a_new_server_has_a_key_of_its_own_and_nobody(world: World) -> None:
    one, other = new_server_state(world.suite), new_server_state(world.suite)
    assert len(one.private) == len(other.private) == 32
    assert one.private != other.private
    assert (tuple(one.users), tuple(other.users)) == ((), ())


def test_a_server_that_nobody_uses_waits_for_the_next_expiry_only(world: World) -> None:
    assert world.server.next_timeout() == world.now + limits.EXPIRY_US
    world.client("alice").online()
    world.advance(2 * 3_600)
    assert len(world.server._context.timers) == 1


def test_sizes_tell_of_everything_that_users_can_make_grow(world: World) -> None:
    alice, bob = world.client("alice").online(), world.client("bob").online()
    world.client("carol").connect()
    world.store.is_slow = True
    alice.say(Watch(1, Scope.ADD, ("bob", "dora"), None, None), Store(2, bob.identity, bytes(16), 0, LETTER))
    sizes = world.server.sizes()
    grown = {"users": 2, "links": 2, "pending links": 1, "store requests": 1, "watched names": 2}
    assert {name: sizes[name] for name in grown} == grown
    world.settle()
    assert world.server.sizes()["mail rounds"] == 1


def test_whoever_runs_the_server_sees_the_key_that_its_clients_see(world: World) -> None:
    world.send(STRANGER, serialize(Hello(bytes(16))))
    (payload,) = world.take(STRANGER)
    retry = parse_untrusted(payload)
    assert isinstance(retry, Retry)
    assert world.server.public_key == retry.server_key
