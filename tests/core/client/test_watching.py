"""Whom a client watches: the names that the application wants, and its contacts."""

import pytest

from tests.core.client.directory import PING_S, Directory, asked, numbered, watch, with_contacts
from tests.core.client.scenery import BOB
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.errors import LocalProtocolError
from udpchat_core.fields import Refusal, Scope, ServerLimits
from udpchat_core.limits import WATCH_NAMES_MAX, WATCHED_NAMES_MAX
from udpchat_net.simulation.transparent import TransparentSuite

# --- names ---


def test_the_names_that_the_application_wants_are_watched(world: World) -> None:
    directory = Directory(world)
    directory.set("bob", "carol", "dave")
    watch(world, "carol", "bob", "nobody", "carol")
    world.register()
    assert world.client.roster == {"bob": True, "carol": True}
    assert world.told(e.PeersChanged) == [e.PeersChanged((("bob", True), ("carol", True)))]
    world.forget()
    directory.set("bob", online=False)
    directory.set("dave", online=False)
    directory.set("nobody")
    directory.hint()
    assert world.told(e.PeersChanged) == [e.PeersChanged((("bob", False), ("nobody", True)))]
    assert asked(world) == [(Scope.WATCHED, ())]


def test_other_names_take_the_place_of_those_before(world: World) -> None:
    directory = Directory(world)
    directory.set("bob", "carol", "dave")
    world.register()
    watch(world, "bob", "carol")
    world.forget()
    watch(world, "carol", "dave")
    assert list(directory.watched) == ["carol", "dave"]
    assert world.client.roster == {"carol": True, "dave": True}
    assert world.told(e.PeersChanged) == [e.PeersChanged((("dave", True),))]
    watch(world)
    assert (directory.watched, world.client.roster) == ({}, {})
    world.forget()
    directory.hint()
    world.advance(2 * PING_S)
    assert asked(world) == []


def test_names_that_are_wanted_while_pages_come_are_asked_after_them(world: World) -> None:
    directory = Directory(world)
    directory.set("bob", "carol")
    answer = world.server.answers.pop(m.Watch)
    world.server.answers[m.Watch] = lambda _: ()
    world.register()
    watch(world, "bob")
    watch(world, "carol")
    world.server.answers[m.Watch] = answer
    world.advance(1)
    assert list(directory.watched) == ["carol"]
    assert world.client.roster == {"carol": True}


def test_256_names_are_watched_and_a_further_one_is_refused_in_one_sentence(world: World) -> None:
    directory = Directory(world)
    names = numbered(WATCHED_NAMES_MAX + 1)
    directory.set(*names)
    world.register()
    watch(world, *names[1:])
    assert len(world.client.roster) == WATCHED_NAMES_MAX
    assert max(len(each.names) for each in world.server.all(m.Watch)) == WATCH_NAMES_MAX
    with pytest.raises(LocalProtocolError, match="at most 256 names can be watched: these are 257"):
        watch(world, *names)
    with pytest.raises(LocalProtocolError, match="'No' is no name"):
        watch(world, "bob", "No")
    assert list(directory.watched) == names[1:]


def test_a_server_that_allows_fewer_names_is_told_fewer(world: World) -> None:
    directory = Directory(world)
    directory.set("bob", "carol", "dave")
    limits = ServerLimits(4_096, 256, 2, 1_000, 50)
    world.server.answers[m.Register] = lambda asked: (m.Registered(asked.id, BOB, 0, limits, 0),)
    watch(world, "bob", "carol", "dave")
    world.register()
    assert list(directory.watched) == ["bob", "carol"]


# --- contacts ---


def test_contacts_are_watched_by_themselves_the_most_recently_used_first() -> None:
    contacts = numbered(WATCHED_NAMES_MAX + 2)
    world = with_contacts(*contacts)
    directory = Directory(world)
    world.register()
    assert sorted(directory.watched) == contacts[2:]
    world.send(contacts[1])
    assert sorted(directory.watched) == [contacts[1], *contacts[3:]]
    watch(world, "stranger")
    assert sorted(directory.watched) == ["stranger", contacts[1], *contacts[4:]]
    world.forget()
    world.send(contacts[1])
    assert asked(world) == []


def test_a_new_contact_is_watched(online: World) -> None:
    directory = Directory(online)
    online.know("bob", BOB)
    directory.set("bob")
    online.send("nobody")
    assert directory.watched == {}
    online.send("bob")
    assert list(directory.watched) == ["bob"]
    assert online.client.roster == {"bob": True}


def test_who_watches_all_names_nobody() -> None:
    world = World(TransparentSuite(1), watch_all=True)
    Directory(world).set("bob")
    world.know("bob", BOB)
    watch(world, "carol")
    world.register()
    world.send("bob")
    assert {scope for scope, _ in asked(world)} == {Scope.ALL}


def test_where_all_may_not_be_watched_contacts_are() -> None:
    """R-9.6-5: the application is told once, and keeps what is known of those."""
    world = World(TransparentSuite(1), watch_all=True)
    directory = Directory(world)
    directory.set("alice", "bob", "carol")
    world.know("bob", BOB)
    world.register()
    world.send("bob")
    answer = world.server.answers[m.Watch]
    world.server.answers[m.Watch] = lambda asked: (
        (m.Refused(asked.id, Refusal.TOO_MANY, 0, 0),) if asked.scope is Scope.ALL else answer(asked)
    )
    world.forget()
    directory.set("bob", online=False)
    directory.hint()
    assert world.told(e.WatchRefused) == [e.WatchRefused(Refusal.TOO_MANY)]
    assert world.client.roster == {"bob": False}
    assert world.told(e.PeersChanged) == [e.PeersChanged((("bob", False),))]
    world.advance(3_700)
    assert world.server.count(m.Register) > 0
    assert len(world.told(e.WatchRefused)) == 1


def test_a_watch_that_is_refused_otherwise_is_said_to_be_and_asked_again_at_the_next_hint(world: World) -> None:
    directory = Directory(world)
    directory.set("bob")
    answer = world.server.answers[m.Watch]
    world.server.answers[m.Watch] = lambda asked: (m.Refused(asked.id, Refusal.BANNED, 0, 0),)
    watch(world, "bob")
    world.register()
    assert world.told(e.WatchRefused) == [e.WatchRefused(Refusal.BANNED)]
    world.server.answers[m.Watch] = answer
    directory.hint()
    assert world.client.roster == {"bob": True}


def test_a_watch_that_came_after_the_client_left_is_nothing_to_tell(world: World) -> None:
    directory = Directory(world)
    directory.set("bob")
    world.server.answers[m.Watch] = lambda asked: (m.Refused(asked.id, Refusal.NOT_REGISTERED, 0, 0),)
    watch(world, "bob")
    world.register()
    assert world.told(e.WatchRefused) == []
