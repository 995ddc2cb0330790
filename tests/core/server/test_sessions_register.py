"""Register: refused, answered once it is durable, and whose name and card it may bring."""

from typing import Any

import pytest

from tests.core.server.sessions import is_online, refusal
from tests.core.server.world import LETTER, Client, World, snapshot
from udpchat_core.fields import CollectedEntry, Outcome, Refusal, Scope
from udpchat_core.messages import (
    Collected,
    Deregister,
    Found,
    Lookup,
    Noted,
    Ping,
    Pong,
    Refused,
    Register,
    Registered,
    Store,
    Watch,
)
from udpchat_core.server_events import UserRegistered
from udpchat_core.server_requests import BindUser


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
