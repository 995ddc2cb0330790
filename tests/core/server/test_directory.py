"""Lookup, and the pages of the directory."""

import pytest

from tests.core.server.world import Client, World
from udpchat_core import limits
from udpchat_core.fields import Refusal, RosterEntry, Scope, Version
from udpchat_core.messages import Deregister, Found, Lookup, Ping, Pong, Refused, Roster, Watch


def roster(
    client: Client, since: Version | None = None, after: str | None = None, names: tuple[str, ...] = ()
) -> Roster:
    answer = client.ask(Watch(client.next_id(), Scope.ADD if names else Scope.ALL, names, since, after))
    assert isinstance(answer, Roster)
    return answer


def all_pages(client: Client, since: Version | None = None, names: tuple[str, ...] = ()) -> list[RosterEntry]:
    page = roster(client, since, names=names)
    entries = list(page.entries)
    while page.more:
        page = roster(client, since, entries[-1].name, names)
        entries += page.entries
    return entries


def crowd(world: World, count: int) -> list[Client]:
    return [world.client(f"user{number:03}").online() for number in range(count)]


def test_a_user_is_found_with_the_newest_card_and_the_address_while_online(sealed_world: World) -> None:
    """R-8.3-1."""
    world = sealed_world
    alice, bob = world.client("alice").online(), world.client("bob").online()
    assert alice.ask(Lookup(7, "bob")) == Found(7, bob.card, bob.address, 60)
    newer = Client(world, "bob", seq=6).online()
    assert alice.ask(Lookup(8, "bob")) == Found(8, newer.card, newer.address, 60)
    newer.ask(Deregister(1))
    assert alice.ask(Lookup(9, "bob")) == Found(9, newer.card, None, 60)


def test_a_user_that_lapsed_is_found_without_address(world: World) -> None:
    """R-8.3-1."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    world.advance(40)
    alice.ask(Ping(1))
    world.advance(22)
    assert alice.ask(Lookup(1, "bob")) == Found(1, bob.card, None, 60)


def test_an_ipv6_address_is_told_as_it_is(world: World) -> None:
    """R-8.3-1."""
    alice, bob = world.client("alice").online(), world.client("bob")
    bob.address = type(bob.address)(b"\xfd" + bytes(14) + b"\1", 65_535)
    bob.online()
    assert alice.ask(Lookup(7, "bob")) == Found(7, bob.card, bob.address, 60)


def test_an_unknown_name_is_refused_with_how_long_that_holds(world: World) -> None:
    """R-8.3-2."""
    assert world.client("alice").online().ask(Lookup(3, "nobody")) == Refused(3, Refusal.UNKNOWN, 10, 0)


@pytest.mark.parametrize("count", [1, 23, 24, 25, 49])
def test_the_pages_hold_everybody_once_in_order(world: World, count: int) -> None:
    """R-8.4-3 R-8.4-4."""
    clients = crowd(world, count)
    clients[0].ask(Deregister(1))
    clients[0].online()
    if count > 1:
        clients[1].ask(Deregister(1))
    expected = [RosterEntry(client.name, number != 1, 5) for number, client in enumerate(clients)]
    assert all_pages(clients[0]) == expected
    assert roster(clients[0]).more is (count > limits.ROSTER_ENTRIES_MAX)


def test_what_changed_since_a_version_is_all_that_is_told(world: World) -> None:
    """R-8.4-3: a new user, one that left, one that returned, and one with another card."""
    clients = crowd(world, 40)
    clients[4].ask(Deregister(1))
    since = roster(clients[0]).version
    assert all_pages(clients[0], since) == []
    Client(world, "zoe").online()
    clients[2].ask(Deregister(1))
    clients[4].online()
    Client(world, "user007", seq=9).online()
    changed = all_pages(clients[0], since)
    assert [(entry.name, entry.online, entry.card_seq) for entry in changed] == [
        ("user002", False, 5),
        ("user004", True, 5),
        ("user007", True, 9),
        ("zoe", True, 5),
    ]


def test_nothing_is_missed_that_changes_while_pages_are_read(world: World) -> None:
    """R-8.4-3: the version of the first page is the one to go on from."""
    clients = crowd(world, 30)
    first = roster(clients[0])
    clients[1].ask(Deregister(1))
    roster(clients[0], after=first.entries[-1].name)
    assert [entry.name for entry in all_pages(clients[0], first.version)] == ["user001"]


def test_a_version_of_another_boot_or_of_the_future_gets_everything(world: World) -> None:
    """R-8.4-3."""
    clients = crowd(world, 3)
    version = roster(clients[0]).version
    for since in (Version(b"other   ", version.counter), Version(version.boot, version.counter + 1), None):
        assert len(all_pages(clients[0], since)) == 3
        assert roster(clients[0], since).full
    assert not roster(clients[0], version).full


def test_a_server_that_restarted_has_another_boot(world: World) -> None:
    """R-8.4-3."""
    clients = crowd(world, 3)
    since = roster(clients[0]).version
    world.restart()
    clients[0].online()
    entries = all_pages(clients[0], since)
    assert [entry.online for entry in entries] == [True, False, False]


def test_changes_are_remembered_up_to_a_cap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-8.4-3: who asks for what was before gets everything, who asks for what is known gets that."""
    monkeypatch.setattr("udpchat_core.server.directory.DIRECTORY_CHANGES_MAX", 3)
    clients = crowd(world, 6)
    versions = []
    for client in clients[2:]:
        versions.append(roster(clients[0]).version)
        client.ask(Deregister(1))
    assert [len(all_pages(clients[0], since)) for since in versions] == [6, 3, 2, 1]
    assert [roster(clients[0], since).full for since in versions] == [True, False, False, False]


def test_names_that_are_asked_for_are_told_if_they_exist(world: World) -> None:
    """R-8.4-3: in order, each once."""
    clients = crowd(world, 3)
    page = roster(clients[0], names=("user002", "nobody", "user000", "user002"))
    assert [entry.name for entry in page.entries] == ["user000", "user002"]
    clients[2].ask(Deregister(1))
    changed = roster(clients[0], page.version, names=("user000", "user002", "nobody"))
    assert changed.entries == (RosterEntry("user002", False, 5),)


def test_many_names_come_in_pages(world: World) -> None:
    """R-8.4-4."""
    clients = crowd(world, 30)
    names = tuple(client.name for client in clients)
    assert [entry.name for entry in all_pages(clients[0], names=names)] == list(names)


def test_a_name_that_was_given_up_is_told_as_gone(world: World) -> None:
    """R-8.4-3: to whoever knew it; a full roster has it no more."""
    bob = world.client("bob").online()
    world.client("alice").online()
    since = roster(bob).version
    Client(world, "alicia", who="alice", seq=6).online()
    assert roster(bob, since).entries == (RosterEntry("alice", False, 0), RosterEntry("alicia", True, 6))
    assert roster(bob, since, names=("alice",)).entries == (RosterEntry("alice", False, 0),)
    assert [entry.name for entry in all_pages(bob)] == ["alicia", "bob"]


def test_a_pong_has_the_version_of_what_the_session_watches(world: World) -> None:
    """R-8.4-6: so that a hint that was lost costs a Ping's time, and a change of others costs nothing."""
    alice = world.client("alice").online()
    version = roster(alice, names=("bob", "carol")).version
    assert alice.ask(Ping(4)) == Pong(4, Version(version.boot, 0))
    world.client("dave").online()
    assert alice.ask(Ping(5)) == Pong(5, Version(version.boot, 0))
    world.client("bob").online()
    changed = roster(alice).version
    assert changed.counter > version.counter
    world.client("erin").online()
    assert alice.ask(Ping(6)) == Pong(6, roster(alice).version)
    assert world.client("frank").online().ask(Ping(1)) == Pong(1, Version(version.boot, 0))
