"""How sessions end: a newer link takes the place, Deregister, a minute of silence; and what is left of them."""

import pytest

from tests.core.server.sessions import is_online, refusal
from tests.core.server.world import Client, World
from udpchat_core.errors import Reason
from udpchat_core.fields import Refusal
from udpchat_core.messages import Deregister, Deregistered, Padding, Ping, Pong, Register, Registered, Superseded
from udpchat_core.server_events import UserLapsed, UserLeft, UserRegistered
from udpchat_core.server_requests import BindUser

HOUR_S = 3_600


def test_the_newest_registered_link_wins(sealed_world: World) -> None:
    """R-8.2-8: the older one is told, and its index is forgotten."""
    world = sealed_world
    older = world.client("alice").online()
    newer = Client(world, "alice", seq=6).connect()
    newer.say(Padding(bytes(40)))
    assert isinstance(older.ask(Ping(1)), Pong)
    assert isinstance(newer.ask(Register(1)), Registered)
    assert older.hear() == [Superseded()]
    older.say(Ping(2))
    assert older.hear() == []
    assert world.dropped == [Reason.LINK]
    assert is_online(world, "alice")
    assert not world.told(UserLeft)


def test_of_two_links_that_are_not_registered_the_newer_one_stays(world: World) -> None:
    """R-8.2-8."""
    older, newer = world.client("alice").connect(), world.client("alice")
    older.ask(Ping(1))
    newer.connect()
    newer.ask(Ping(1))
    assert older.hear() == [Superseded()]
    assert isinstance(newer.ask(Register(1)), Registered)


def test_a_link_that_ended_while_its_bind_was_under_way_is_not_registered(world: World) -> None:
    """R-8.2-8: the newer one is, with the same card or with another, and after the other."""
    for number, seq in enumerate((5, 6)):
        world.store.is_slow = True
        older = Client(world, f"alice{number}").connect()
        older.say(Register(1))
        newer = Client(world, f"alice{number}", seq=seq).connect()
        newer.say(Register(2))
        world.settle()
        assert older.hear() == [Superseded()]
        assert [answer.id for answer in newer.heard(Registered)] == [2]
        assert world.store.users[newer.identity].card == newer.card
        world.store.is_slow = False


def test_a_newer_link_waits_for_the_bind_of_an_older_one(world: World) -> None:
    """R-8.2-6: a store that fails cannot end up with the older card."""
    older = world.client("alice").online()
    world.store.is_slow = True
    older.say(Register(8))
    newer = Client(world, "alice", seq=6).connect()
    newer.say(Register(9))
    assert [request.card for request in world.store.asked if isinstance(request, BindUser)] == [older.card]
    world.settle()
    assert [type(message) for message in older.hear()] == [Registered, Superseded]
    assert newer.heard(Registered)
    assert world.store.users[newer.identity].card == newer.card


def test_a_late_register_or_deregister_is_ignored(sealed_world: World) -> None:
    """R-8.2-7: reordered on the way, the last word counts."""
    world = sealed_world
    alice = world.client("alice").connect()
    first, leave, back = (alice.record(message) for message in (Register(1), Deregister(2), Register(3)))
    world.send(alice.address, first)
    world.send(alice.address, back)
    world.send(alice.address, leave)
    assert [answer.id for answer in alice.heard(Registered)] == [1, 3]
    assert is_online(world, "alice")
    late, leave = alice.record(Register(4)), alice.record(Deregister(5))
    world.send(alice.address, leave)
    world.send(alice.address, late)
    assert alice.hear() == [Deregistered(5)]
    assert not is_online(world, "alice")


def test_leaving_takes_back_a_register_under_way(world: World) -> None:
    """R-8.2-7: the name is bound, and nobody is online."""
    world.store.is_slow = True
    alice = world.client("alice").connect()
    alice.say(Register(1))
    assert alice.ask(Deregister(2)) == Deregistered(2)
    world.settle()
    assert alice.hear() == []
    assert not is_online(world, "alice")
    assert alice.identity in world.store.users
    world.store.is_slow = False
    assert isinstance(alice.ask(Register(3)), Registered)


def test_whoever_left_is_offline_until_it_registers_again(world: World) -> None:
    """R-8.2-10."""
    alice = world.client("alice").online()
    assert alice.ask(Deregister(1)) == Deregistered(1)
    assert world.told(UserLeft) == [UserLeft("alice")]
    assert refusal(alice.ask(Ping(2))) == (Refusal.NOT_REGISTERED, 0)
    assert alice.ask(Deregister(1)) == Deregistered(1)
    assert not is_online(world, "alice")
    world.advance(1_800)
    assert isinstance(alice.ask(Register(3)), Registered)
    assert is_online(world, "alice")
    world.advance(59)
    assert is_online(world, "alice")
    assert world.told(UserLeft) == [UserLeft("alice")]


def test_whoever_left_is_not_told_about_a_newer_link(world: World) -> None:
    """R-8.2-8."""
    alice = world.client("alice").online()
    alice.ask(Deregister(1))
    Client(world, "alice", seq=6).online()
    assert alice.hear() == []
    alice.say(Ping(1))
    assert world.dropped == [Reason.LINK]


def test_a_session_lapses_after_a_minute_of_silence(sealed_world: World) -> None:
    """R-8.2-9: not before, at most a second or two later; and the next record restores it."""
    world = sealed_world
    world.advance(0.4)
    alice = world.client("alice").online()
    world.advance(40.3)
    alice.ask(Ping(1))
    world.advance(59.999)
    assert is_online(world, "alice")
    world.advance(1.001)
    assert not is_online(world, "alice")
    assert world.told(UserLapsed) == [UserLapsed("alice")]
    assert isinstance(alice.ask(Ping(2)), Pong)
    assert world.told(UserRegistered)[-1] == UserRegistered("alice", alice.address, False)
    world.advance(59.9)
    assert is_online(world, "alice")


def test_what_is_not_authentic_keeps_nobody_online(world: World) -> None:
    """R-8.2-9."""
    alice = world.client("alice").online()
    old = alice.record(Ping(1))
    world.send(alice.address, old)
    for _ in range(7):
        world.advance(9)
        world.send(alice.address, old, old[:-1] + b"\0")
    assert not is_online(world, "alice")


@pytest.mark.parametrize("leaves", [False, True])
def test_a_lapsed_or_left_link_is_forgotten_after_an_hour(world: World, leaves: bool) -> None:
    alice = world.client("alice").online()
    if leaves:
        alice.ask(Deregister(1))
    world.advance(HOUR_S - 1)
    assert world.server._links.sizes()["links"] == 1
    world.advance(62)
    assert world.server._links.sizes()["links"] == 0
    assert world.server._directory.user(alice.identity).session is None  # type: ignore[union-attr]
    alice.say(Ping(1))
    assert world.dropped == [Reason.LINK]
    assert isinstance(Client(world, "alice", seq=6).connect().ask(Register(1)), Registered)


def test_a_link_that_never_registers_is_forgotten_after_a_minute(world: World) -> None:
    alice = world.client("alice").connect()
    alice.ask(Ping(1))
    world.advance(59)
    assert world.server._sessions._confirming
    world.advance(2)
    assert not world.server._sessions._confirming
    assert not world.server._links.sizes()["links"]


def test_a_link_that_was_given_up_while_the_store_was_down_is_bound_and_offline(world: World) -> None:
    """R-8.2-5."""
    world.store.is_slow = True
    alice = world.client("alice").connect()
    alice.say(Register(1))
    world.advance(62)
    world.settle()
    assert alice.hear() == []
    assert not is_online(world, "alice")
    assert alice.identity in world.store.users


def test_a_session_that_lapsed_while_the_store_was_down_is_answered_and_stays_lapsed(world: World) -> None:
    """R-8.2-9: until it is heard."""
    alice = world.client("alice").online()
    world.store.is_slow = True
    alice.say(Register(5))
    world.advance(62)
    world.settle()
    assert alice.heard(Registered)
    assert not is_online(world, "alice")


def test_links_that_are_not_registered_are_capped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the cap the RECORD is refused, and the link stays pending; a newer link of one of them may come."""
    monkeypatch.setattr("udpchat_core.server.sessions.CONFIRMING_SESSIONS_MAX", 1)
    alice, bob = world.client("alice").connect(), world.client("bob").connect()
    alice.ask(Ping(1))
    bob.say(Ping(1))
    assert (bob.hear(), world.dropped) == ([], [Reason.BUSY])
    again = world.client("alice").connect()
    assert isinstance(again.ask(Register(1)), Registered)
    assert isinstance(bob.ask(Register(2)), Registered)
