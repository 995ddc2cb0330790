"""Links before and after they are confirmed: nothing changes too early, nobody unproven gets more than it sent."""

from dataclasses import replace

import pytest

from tests.core.server.world import Client, World, parsed, snapshot, with_token
from udpchat_core import limits
from udpchat_core.address import Address
from udpchat_core.datagrams import Hello, Record, Resp, Retry
from udpchat_core.errors import Reason
from udpchat_core.messages import Found, Lookup, Padding, Ping, Pong, Register, Registered
from udpchat_core.wire import RETRY_BYTES, parse_untrusted, serialize
from udpchat_net.simulation.transparent import TransparentSuite

ELSEWHERE = Address(bytes((192, 0, 2, 1)), 9)
LOOPBACK = Address(bytes((127, 0, 0, 1)), 9)


def place(asker: Client) -> Address | None:
    """Where the server says that alice is."""
    found = asker.ask(Lookup(asker.next_id(), "alice"))
    assert isinstance(found, Found)
    return found.address


def kinds(payloads: list[bytes]) -> list[type]:
    return [type(parse_untrusted(payload)) for payload in payloads]


def test_a_hello_is_answered_by_a_retry_and_nothing_is_kept(sealed_world: World) -> None:
    alice = sealed_world.client("alice")
    before = sealed_world.server.next_timeout()
    for nonce in (b"n" * 16, b"m" * 16):
        sealed_world.send(alice.address, serialize(Hello(nonce)))
        assert parsed(Retry, sealed_world.take(alice.address)[0]).echo == nonce
    assert sealed_world.server.next_timeout() == before


def test_nothing_changes_before_the_first_record(sealed_world: World) -> None:
    """R-8.1-4: an INIT, again, replayed from elsewhere, and after its time."""
    world = sealed_world
    alice = world.client("alice").online()
    begun, before = alice.begin(), snapshot(world)
    for seconds in (0, 1, 11, 50, 50, 50):
        world.advance(seconds)
        world.send(alice.address, begun.init)
        world.send(ELSEWHERE, begun.init)
        alice.say(Ping(1))
    assert snapshot(world) == before
    assert not [kind for kind in kinds(world.take(ELSEWHERE)) if kind is not Retry]


def test_a_replayed_handshake_cannot_be_confirmed(sealed_world: World) -> None:
    """R-8.1-4: the RECORDs of the first link are no RECORDs of the second."""
    world = sealed_world
    alice = world.client("alice")
    begun = alice.begin()
    world.send(alice.address, begun.init)
    alice.link = begun.finish_untrusted(world.suite, parsed(Resp, world.take(alice.address)[-1]))
    register = alice.record(Register(1))
    world.send(alice.address, register)
    alice.hear()
    world.advance(1)
    before = snapshot(world)
    world.send(alice.address, begun.init)
    (pending,) = world.server._links._pending.values()
    record = parsed(Record, register)
    world.send(alice.address, register, serialize(replace(record, index=pending.link.index)))
    assert world.dropped[-2:] == [Reason.REPLAY, Reason.SEAL]
    assert snapshot(world) == before


def test_a_token_is_asked_for_before_anything_is_computed(sealed_world: World) -> None:
    """R-8.1-1: of another address, of another time, made up."""
    world = sealed_world
    alice, mallory = world.client("alice"), world.client("mallory")
    token = mallory.greet().token
    init = alice.begin(token=token).init
    world.suite.dh_untrusted = None  # type: ignore[method-assign, assignment] # would be called in vain
    for bad in (init, with_token(init, bytes(16))):
        world.send(alice.address, bad)
        assert kinds(world.take(alice.address)) == [Retry]
    world.advance(121)
    world.send(mallory.address, init)
    assert kinds(world.take(mallory.address)) == [Retry]
    assert world.dropped == [Reason.TOKEN] * 3
    assert not world.server._links._pending


def test_a_hint_has_a_token_that_is_good(world: World) -> None:
    """R-8.1-5."""
    alice = world.client("alice")
    init = alice.begin(token=bytes(16)).init
    world.send(alice.address, init)
    hint = parsed(Retry, world.take(alice.address)[0])
    assert hint.echo == init[3:19]
    world.send(alice.address, alice.begin(token=hint.token).init)
    assert kinds(world.take(alice.address)) == [Resp]


def test_an_init_that_comes_again_gets_the_same_resp(sealed_world: World) -> None:
    """R-8.1-2: and from elsewhere a hint."""
    world = sealed_world
    alice = world.client("alice")
    init = alice.begin().init
    world.send(alice.address, init, init)
    world.advance(9)
    world.send(alice.address, init)
    resps = world.take(alice.address)
    assert len(resps) == 3
    assert len(set(resps)) == 1
    assert len(world.server._links._pending) == 1


@pytest.mark.parametrize(("life_s", "reason"), [(0, None), (-86_400, None), (-86_401, Reason.EXPIRED)])
def test_a_card_past_its_day_begins_no_link(world: World, life_s: int, reason: Reason | None) -> None:
    """R-2.3-3: by the wall clock."""
    alice = Client(world, "alice", life_s=life_s)
    world.send(alice.address, alice.begin().init)
    assert world.dropped == ([reason] if reason else [])


def test_the_wall_clock_decides_about_cards(world: World) -> None:
    """R-2.3-3: however the server's own time runs."""
    alice = world.client("alice")
    ahead_ms = world.now // 1_000 + 2 * 86_400_000
    world.carry_out(world.server.handle_clock(ahead_ms + 1_000, world.now))
    world.send(alice.address, alice.begin().init)
    assert world.dropped == [Reason.EXPIRED]
    world.carry_out(world.server.handle_clock(ahead_ms - 1_000, world.now))
    world.send(alice.address, alice.begin().init)
    assert world.dropped == [Reason.EXPIRED]


def test_an_address_has_eight_pending_links_for_ten_seconds(world: World) -> None:
    """R-8.1-3: none is dropped for another."""
    clients = [world.client(f"c{number}", host=77) for number in range(9)]
    for client in clients:
        client.address = LOOPBACK  # elsewhere they come five a second
    inits = [client.begin().init for client in clients]
    world.send(clients[0].address, *inits)
    assert world.dropped == [Reason.BUSY]
    world.take(clients[0].address)
    world.send(clients[0].address, inits[0])
    assert kinds(world.take(clients[0].address)) == [Resp]
    world.advance(9.999)
    world.send(clients[0].address, inits[8])
    assert world.dropped == [Reason.BUSY] * 2
    world.advance(0.001)
    world.send(clients[0].address, inits[8])
    assert kinds(world.take(clients[0].address)) == [Resp]
    assert len(world.server._links._pending) == 1


def test_pending_links_are_capped_in_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-8.1-3: and go one by one, each after its own ten seconds."""
    monkeypatch.setattr("udpchat_core.server.links.PENDING_LINKS_MAX", 2)
    for number in range(3):
        client = world.client(f"c{number}")
        world.send(client.address, client.begin().init)
        world.advance(2)
    assert world.dropped == [Reason.BUSY]
    for left, seconds in ((2, 3.9), (1, 0.1), (1, 1.9), (0, 0.1)):
        world.advance(seconds)
        assert len(world.server._links._pending) == left
    assert not world.server._links._of_address


def test_a_pending_link_that_was_dropped_is_confirmed_no_more(world: World) -> None:
    """R-8.1-3."""
    alice = world.client("alice").connect()
    world.advance(10)
    alice.say(Register(1))
    assert world.dropped == [Reason.LINK]
    assert not world.store.users


def test_every_index_is_new() -> None:
    class Repeating(TransparentSuite):
        """Draws the same four bytes many times."""

        count = 0

        def random(self, size: int) -> bytes:
            if size != 4:
                return super().random(size)
            self.count += 1
            return (self.count // 8).to_bytes(4)

    world = World(Repeating(1))
    clients = [world.client(f"c{number}").online() for number in range(4)] + [world.client("last").connect()]
    indexes = [client.link.peer_index for client in clients if client.link]
    assert len(set(indexes)) == 5


def test_an_unknown_index_gets_a_hint_no_longer_than_the_record(sealed_world: World) -> None:
    """R-8.1-5 R-3.3-1: after a restart, for instance; what is shorter than a RETRY gets nothing."""
    world = sealed_world
    alice = world.client("alice").online()
    world.restart()
    for messages, bytes_min, hinted in (((Ping(1),), 36, 1), ((Ping(1),), 33, 0), ((Lookup(1, "b" * 32),), 0, 1)):
        payload = alice.record(*messages, bytes_min=bytes_min)
        world.send(alice.address, payload)
        answers = world.take(alice.address)
        assert kinds(answers) == [Retry] * hinted
        assert all(len(answer) == RETRY_BYTES <= len(payload) for answer in answers)
    assert world.dropped == [Reason.LINK] * 3
    alice.online()
    assert isinstance(alice.ask(Ping(5)), Pong)


def test_hints_are_capped(world: World) -> None:
    """R-8.1-5: in all, in a second; a HELLO is always answered."""
    alice = world.client("alice").online()
    world.restart()
    records = [alice.record(Ping(1)) for _ in range(limits.HINTS_PER_S_MAX + 5)]
    world.send(alice.address, *records)
    assert len(world.take(alice.address)) == limits.HINTS_PER_S_MAX
    alice.greet()
    world.advance(1)
    world.send(alice.address, alice.record(Ping(1)))
    assert kinds(world.take(alice.address)) == [Retry]


def test_a_record_from_elsewhere_is_processed_and_answered_at_the_proven_address(sealed_world: World) -> None:
    """R-8.1-6: the new address gets a hint and no more."""
    world = sealed_world
    alice = world.client("alice").online()
    world.send(ELSEWHERE, alice.record(Ping(7)))
    assert kinds(world.take(ELSEWHERE)) == [Retry]
    assert [message.id for message in alice.heard(Pong)] == [7]
    bob = world.client("bob").online()
    assert place(bob) == alice.address


def test_whoever_moved_is_reached_at_the_new_address_once_it_registered_there(sealed_world: World) -> None:
    """R-8.1-6: one recovery path for roaming and restarts."""
    world = sealed_world
    alice, bob = world.client("alice").online(), world.client("bob").online()
    moved = Client(world, "alice", seq=6).connect()
    assert place(bob) == alice.address
    assert isinstance(moved.ask(Register(1)), Registered)
    assert place(bob) == moved.address


def test_the_first_record_may_come_from_elsewhere_too(sealed_world: World) -> None:
    """R-8.1-6."""
    world = sealed_world
    alice = world.client("alice").connect()
    world.send(ELSEWHERE, alice.record(Register(3)))
    assert kinds(world.take(ELSEWHERE)) == [Retry]
    (registered,) = alice.heard(Registered)
    assert registered.observed == alice.address


def test_a_record_held_back_makes_no_older_link_the_newest(world: World) -> None:
    """R-8.1-4: confirming a link drops the pending ones before it of the same identity, and no others."""
    older, other = world.client("alice").connect(), world.client("bob").connect()
    newer = world.client("alice").connect()
    newest = world.client("alice").connect()
    assert isinstance(newer.ask(Register(1)), Registered)
    older.say(Register(1))
    assert world.dropped == [Reason.LINK]
    assert isinstance(other.ask(Register(1)), Registered)
    assert isinstance(newest.ask(Register(1)), Registered)


def test_a_record_of_padding_confirms_a_link(world: World) -> None:
    alice = world.client("alice").connect()
    alice.say(Padding(bytes(40)))
    assert (len(world.server._links._pending), world.server._links.sizes()["links"]) == (0, 1)
    assert alice.hear() == []
