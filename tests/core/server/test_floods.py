"""Floods: what one source asks too much of is shed and counted, and costs the others nothing."""

from itertools import count

import pytest

from tests.core.server.letters import box, collected, entries, pair, slot, stay, store
from tests.core.server.world import Client, World
from udpchat_core import limits
from udpchat_core.address import Address
from udpchat_core.datagrams import Resp, Retry
from udpchat_core.errors import Reason
from udpchat_core.fields import Refusal, Scope
from udpchat_core.messages import (
    Deregister,
    Deregistered,
    Found,
    Lookup,
    Message,
    Noted,
    Ping,
    Pong,
    Refused,
    Register,
    Registered,
    Watch,
)
from udpchat_core.messages import Store as StoreMessage
from udpchat_core.server.session import prefix
from udpchat_core.wire import parse_untrusted

OF_PREFIX, OF_SESSION = limits.INITS_PER_PREFIX_PER_S_MAX, limits.SESSION_REQUESTS_PER_S_MAX
SUBSCRIBER = bytes.fromhex("20010db8aabbcc")  # a /56
_ports = count(5_000)


def inits(world: World, *hosts: bytes) -> list[tuple[Client, bytes]]:
    """Clients at these hosts, each at a port of its own, with an INIT that has a good token."""
    made = []
    for host in hosts:
        port = next(_ports)
        client = world.client(f"c{port}")
        client.address = Address(host, port)
        made.append((client, client.begin().init))
    return made


def answered(world: World, asked: list[tuple[Client, bytes]]) -> int:
    """How many of these INITs are answered, when they come at once."""
    for client, init in asked:
        world.send(client.address, init)
    payloads = [payload for client, _ in asked for payload in world.take(client.address)]
    return sum(isinstance(parse_untrusted(payload), Resp) for payload in payloads)


def v6(subnet: int, host: int, of: bytes = SUBSCRIBER) -> bytes:
    return of + bytes((subnet,)) + host.to_bytes(8)


# --- INITs ---


def test_a_flood_of_inits_from_one_address_leaves_others_served(sealed_world: World) -> None:
    """R-8.8-1 R-8.8-4: nothing is computed for what is shed, and it takes nothing of the total."""
    world = sealed_world
    flood = inits(world, *[bytes((192, 0, 2, 1))] * (OF_PREFIX + 20))
    neighbour = inits(world, bytes((192, 0, 2, 2)))
    total = world.server._links._inits._full_at
    assert answered(world, flood[:OF_PREFIX]) == OF_PREFIX
    spent = world.server._links._inits._full_at
    compute, world.suite.dh_untrusted = world.suite.dh_untrusted, None  # type: ignore[method-assign, assignment]
    assert answered(world, flood[OF_PREFIX:]) == 0
    world.suite.dh_untrusted = compute  # type: ignore[method-assign]
    assert world.dropped == [Reason.PREFIX_RATE] * 20
    assert total < spent == world.server._links._inits._full_at
    assert answered(world, neighbour) == 1


def test_an_address_that_was_shed_is_answered_as_its_bucket_refills(world: World) -> None:
    """R-8.8-1: five a second."""
    asked = inits(world, *[bytes((192, 0, 2, 1))] * (OF_PREFIX + 3))
    assert answered(world, asked) == OF_PREFIX
    world.advance(0.2)
    assert answered(world, asked[OF_PREFIX:]) == 1


def test_an_ipv6_subscriber_is_one_prefix_whatever_its_addresses(world: World) -> None:
    """R-8.8-1: a /56; the next one is another."""
    asked = inits(world, *(v6(number, 7 * number) for number in range(1, OF_PREFIX + 3)))
    assert answered(world, asked) == OF_PREFIX
    assert answered(world, inits(world, v6(0, 1, bytes.fromhex("20010db8aabbcd")))) == 1


@pytest.mark.parametrize("host", [bytes((127, 0, 0, 1)), bytes((127, 9, 9, 9)), bytes(15) + b"\1"])
def test_loopback_addresses_have_no_prefix(world: World, host: bytes) -> None:
    """R-8.8-1: whoever has one is on the server's machine."""
    assert prefix(Address(host, 1)) is None
    assert answered(world, inits(world, *[host] * (OF_PREFIX + 2))) == OF_PREFIX + 2


def test_a_repeated_init_does_not_count(world: World) -> None:
    """R-8.8-1 R-8.1-2."""
    (first, *others) = inits(world, *[bytes((192, 0, 2, 1))] * OF_PREFIX)
    assert answered(world, [first] * 30) == 30
    assert answered(world, others) == OF_PREFIX - 1


def test_an_init_without_a_good_token_takes_no_token_of_a_bucket(world: World) -> None:
    """R-8.1-1 R-8.8-1: else anybody could use up those of an address that it does not have."""
    (_, init), *others = inits(world, *[bytes((192, 0, 2, 1))] * (OF_PREFIX + 1))
    for port in range(20):
        world.send(Address(bytes((192, 0, 2, 1)), 9_000 + port), init)
    assert set(world.dropped) == {Reason.TOKEN}
    assert answered(world, others) == OF_PREFIX


def test_inits_are_bounded_in_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-8.8-2: from however many prefixes they come, and more than are remembered; and it refills."""
    monkeypatch.setattr("udpchat_core.server.links.INITS_PER_S_MAX", 20)
    monkeypatch.setattr("udpchat_core.server.links.INIT_PREFIXES_MAX", 4)
    world = World()
    asked = inits(world, *(bytes((192, 0, 2, number)) for number in range(30)))
    assert answered(world, asked) == 20
    assert world.dropped == [Reason.TOTAL_RATE] * 10
    assert world.server.sizes()["init prefixes"] == 4
    world.advance(0.1)
    assert answered(world, asked[20:]) == 2


def test_a_hello_is_answered_in_any_flood(world: World) -> None:
    asked = inits(world, *[bytes((192, 0, 2, 1))] * (OF_PREFIX + 9))
    answered(world, asked)
    assert isinstance(asked[-1][0].greet(), Retry)


# --- requests ---


def test_a_session_that_floods_is_told_to_wait_and_slows_no_other(sealed_world: World) -> None:
    """R-8.8-3 R-8.8-4."""
    world = sealed_world
    alice, bob = pair(world)
    world.advance(1)
    alice.say(*(Ping(number) for number in range(40)))
    alice.say(*(Lookup(number, "bob") for number in range(40, 80)))
    answers = alice.hear()
    assert [type(answer) for answer in answers] == [Pong] * 40 + [Found] * (OF_SESSION - 40) + [Refused] * 30
    assert {(each.refusal, each.wait_s) for each in answers if isinstance(each, Refused)} == {(Refusal.BUSY, 1)}
    assert world.dropped == [Reason.SESSION_RATE] * 30
    assert isinstance(bob.ask(Ping(1)), Pong)


def test_a_session_is_answered_again_as_its_bucket_refills(world: World) -> None:
    """R-8.8-3: after the second that it was told to wait for, all of it."""
    alice, _ = pair(world)
    alice.say(*(Ping(number) for number in range(60)))
    alice.hear()
    world.advance(1)
    alice.say(*(Ping(number) for number in range(60)))
    assert len(alice.heard(Pong)) == OF_SESSION


@pytest.mark.parametrize(
    "message",
    [
        Register(9),
        Deregister(9),
        Lookup(9, "bob"),
        Watch(9, Scope.ALL, (), None, None),
        StoreMessage(9, bytes(32), bytes(16), 0, b"a letter".ljust(200)),
        Ping(9),
    ],
)
def test_every_request_counts_and_is_refused_with_busy(world: World, message: Message) -> None:
    """R-8.8-3: and nothing of it is done."""
    alice, _ = pair(world)
    alice.say(*(Ping(number) for number in range(60)))
    before = world.store.picture()
    assert alice.ask(message) == Refused(9, Refusal.BUSY, 1, 0)
    assert world.store.picture() == before
    world.advance(1)
    assert not isinstance(alice.ask(Deregister(10)), Refused)


def test_a_session_that_is_not_online_is_limited_as_well(world: World) -> None:
    """R-8.8-3 R-8.2-1."""
    alice = world.client("alice").connect()
    alice.say(*(Ping(number) for number in range(60)))
    refusals = [refused.refusal for refused in alice.heard(Refused)]
    assert refusals == [Refusal.NOT_REGISTERED] * OF_SESSION + [Refusal.BUSY] * 10
    world.advance(1)
    assert isinstance(alice.ask(Register(1)), Registered)
    assert isinstance(alice.ask(Deregister(2)), Deregistered)


def test_a_collected_that_is_passed_over_comes_again(world: World) -> None:
    """R-8.8-3: the letter is pushed again, as if its answer had been lost."""
    alice, bob = pair(world)
    store(alice, bob, [1])
    assert entries(bob) == [1]
    bob.say(*(Ping(number) for number in range(60)))
    bob.hear()
    bob.say(collected(1), Noted((slot(5),)))
    assert (box(bob), bob.hear()) == ([1], [])
    assert world.dropped == [Reason.SESSION_RATE] * 12
    stay(world, 1, bob)
    assert entries(bob) == [1]
    bob.say(collected(1))
    assert box(bob) == []


def test_the_bucket_of_a_session_is_forgotten_when_it_is_full(world: World) -> None:
    """No memory for those who are idle."""
    clients = [world.client(f"c{number}").online() for number in range(20)]
    assert world.server.sizes()["session buckets"] == 20
    world.advance(1)
    clients[0].say(Ping(1))
    assert world.server.sizes()["session buckets"] == 1


def test_a_link_has_a_bucket_of_its_own(world: World) -> None:
    """R-8.8-3: whoever renews a link begins anew, as often as its prefix lets it (R-8.8-1)."""
    alice = world.client("alice").online()
    alice.say(*(Ping(number) for number in range(60)))
    again = Client(world, "alice", seq=6).connect()
    assert isinstance(again.ask(Register(1)), Registered)
