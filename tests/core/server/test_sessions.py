"""Register and Deregister, silence, and who takes whose place."""

from typing import Any

import pytest

from tests.core.server.world import LETTER, Client, World, snapshot
from udpchat_core.errors import Reason
from udpchat_core.events import UserLapsed, UserLeft, UserRegistered
from udpchat_core.messages import (
    Collected,
    CollectedEntry,
    Deregister,
    Deregistered,
    Found,
    Lookup,
    Message,
    Noted,
    Outcome,
    Padding,
    Ping,
    Pong,
    Refusal,
    Refused,
    Register,
    Registered,
    Scope,
    Store,
    Superseded,
    Watch,
)
from udpchat_core.requests import BindUser

HOUR_S = 3_600


def refusal(answer: Message) -> tuple[Refusal, int]:
    assert isinstance(answer, Refused)
    return answer.refusal, answer.card_seq


def is_online(world: World, name: str) -> bool:
    user = world.server._directory._by_name.get(name)
    return user is not None and user.online is not None


def binds(world: World) -> int:
    return sum(isinstance(request, BindUser) for request in world.store.log)


REQUESTS: list[Any] = [
    Lookup(1, "alice"),
    Watch(1, Scope.ALL, (), None, None),
    Store(1, bytes(32), bytes(16), 0, LETTER),
    Ping(1),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
def test_before_register_everything_is_refused(world: World, request_: Any) -> None:
    """R-8.2-1."""
    alice = world.client("alice").connect()
    assert alice.ask(request_) == Refused(1, Refusal.NOT_REGISTERED, 0, 0)
    assert not world.store.users


def test_a_deregister_before_register_is_refused(world: World) -> None:
    """R-8.2-1."""
    alice = world.client("alice").connect()
    assert alice.ask(Deregister(4)) == Refused(4, Refusal.NOT_REGISTERED, 0, 0)
    assert isinstance(alice.ask(Register(5)), Registered)


def test_what_is_collected_or_noted_outside_of_a_session_is_passed_over(world: World) -> None:
    """R-8.2-1."""
    alice = world.client("alice").connect()
    before = len(world.store.log)
    alice.say(Collected((CollectedEntry(1, Outcome.UNWANTED, None),)), Noted((bytes(16),)))
    assert alice.hear() == []
    assert len(world.store.log) == before


def test_registered_says_where_the_client_is_what_waits_and_what_is_allowed(sealed_world: World) -> None:
    world = sealed_world
    alice = world.client("alice").online()
    bob = Client(world, "bob").online()
    bob.ask(Deregister(1))
    for slot in (b"1" * 16, b"2" * 16):
        alice.ask(Store(9, bob.identity, slot, 0, LETTER))
    back = Client(world, "bob", seq=6).connect()
    back.say(Register(77))
    registered = back.heard(Registered)[0]
    assert (registered.id, registered.observed, registered.waiting) == (77, back.address, 2)
    assert (registered.limits.mailbox_letters_max, registered.limits.sender_letters_max) == (4_096, 256)
    assert (registered.limits.watched_names_max, registered.limits.watch_all_users_max) == (256, 1_000)
    assert registered.time_ms == world.now // 1_000


def test_nobody_is_registered_before_it_is_durable(world: World) -> None:
    """R-8.2-5: not told, not found, not online."""
    bob = world.client("bob").online()
    world.store.is_slow = True
    alice = world.client("alice").connect()
    alice.say(Register(1))
    world.advance(5)
    assert alice.hear() == []
    assert isinstance(bob.ask(Lookup(1, "alice")), Refused)
    world.settle()
    assert alice.heard(Registered)
    assert isinstance(bob.ask(Lookup(2, "alice")), Found)
    assert world.told(UserRegistered)[-1] == UserRegistered("alice", alice.address, True)


def test_a_failed_bind_is_asked_again_and_answered_once_it_is_durable(world: World) -> None:
    """R-8.2-5 R-8.7-1."""
    alice = world.client("alice").connect()
    world.store.failures = 2
    alice.say(Register(1))
    assert (alice.hear(), is_online(world, "alice")) == ([], False)
    world.advance(1)
    assert alice.heard(Registered)
    assert (binds(world), is_online(world, "alice")) == (3, True)


def test_a_register_that_comes_again_is_answered_again(world: World) -> None:
    """R-8.2-6: and is told as one arrival."""
    alice = world.client("alice").connect()
    for id_ in (1, 1, 2):
        answer = alice.ask(Register(id_))
        assert isinstance(answer, Registered)
        assert answer.id == id_
    assert len(world.told(UserRegistered)) == 1


def test_a_register_never_runs_twice_at_once(world: World) -> None:
    """R-8.2-6: the last id is answered."""
    world.store.is_slow = True
    alice = world.client("alice").connect()
    for id_ in (1, 1, 2):
        alice.say(Register(id_))
    assert binds(world) == 1
    world.settle()
    assert [answer.id for answer in alice.heard(Registered)] == [2]


def test_a_name_belongs_to_whoever_bound_it_first(sealed_world: World) -> None:
    """R-8.2-2: while its owner is online, offline, and after a restart."""
    world = sealed_world
    alice = world.client("alice").online()
    mallory = Client(world, "alice", who="mallory").connect()
    before = snapshot(world)
    assert refusal(mallory.ask(Register(1))) == (Refusal.NAME_TAKEN, 0)
    assert snapshot(world) == before
    alice.ask(Deregister(9))
    assert refusal(mallory.ask(Register(2))) == (Refusal.NAME_TAKEN, 0)
    world.restart()
    mallory.connect()
    assert refusal(mallory.ask(Register(3))) == (Refusal.NAME_TAKEN, 0)
    assert world.store.users[alice.identity].name == "alice"


def test_a_name_that_is_being_bound_is_taken(world: World) -> None:
    """R-8.2-2."""
    world.store.is_slow = True
    alice, mallory = world.client("alice").connect(), Client(world, "alice", who="mallory").connect()
    alice.say(Register(1))
    assert refusal(mallory.ask(Register(1))) == (Refusal.NAME_TAKEN, 0)
    world.settle()
    assert alice.heard(Registered)


@pytest.mark.parametrize(("seq", "expected"), [(4, 5), (1, 5), (5 + 2**32 + 1, 5), (5 + 2**32, None), (5, None)])
def test_a_card_must_succeed_the_newest(world: World, seq: int, expected: int | None) -> None:
    """R-8.2-3 R-2.3-5 R-2.3-6: refused with the highest known, and the older session stays."""
    alice = world.client("alice").online()
    answer = Client(world, "alice", seq=seq).connect().ask(Register(1))
    if expected is None:
        assert isinstance(answer, Registered)
    else:
        assert refusal(answer) == (Refusal.STALE_CARD, expected)
        assert isinstance(alice.ask(Ping(1)), Pong)


def test_the_first_card_of_an_identity_may_have_any_seq(world: World) -> None:
    """A server that lost its directory takes its clients back."""
    assert isinstance(Client(world, "alice", seq=2**47).connect().ask(Register(1)), Registered)


def test_an_identity_has_one_name(world: World) -> None:
    """R-8.2-4: the former one is free, and the mailbox is kept."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    alice.ask(Deregister(1))
    bob.ask(Store(1, alice.identity, bytes(16), 0, LETTER))
    renamed = Client(world, "alicia", who="alice", seq=6).connect()
    renamed.say(Register(1))
    assert renamed.heard(Registered)[0].waiting == 1
    assert world.told(UserRegistered)[-1].new
    assert isinstance(bob.ask(Lookup(2, "alicia")), Found)
    assert isinstance(bob.ask(Lookup(3, "alice")), Refused)
    assert isinstance(Client(world, "alice", who="carol").connect().ask(Register(1)), Registered)


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


def test_users_are_capped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new identity is refused, those under way counted; known ones come and go."""
    monkeypatch.setattr("udpchat_core.server.directory.USERS_MAX", 2)
    world.client("alice").online()
    world.store.is_slow = True
    bob, carol = world.client("bob").connect(), world.client("carol").connect()
    bob.say(Register(1))
    assert refusal(carol.ask(Register(1))) == (Refusal.TOO_MANY, 0)
    world.settle()
    world.store.is_slow = False
    assert refusal(carol.ask(Register(2))) == (Refusal.TOO_MANY, 0)
    assert isinstance(Client(world, "alice", seq=6).connect().ask(Register(1)), Registered)


def test_a_server_that_restarted_knows_its_users_and_nobody_is_online(sealed_world: World) -> None:
    world = sealed_world
    alice, bob = world.client("alice").online(), world.client("bob").online()
    world.restart()
    bob.online()
    found = bob.ask(Lookup(1, "alice"))
    assert isinstance(found, Found)
    assert (found.card, found.address) == (alice.card, None)
