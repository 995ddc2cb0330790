"""Who is online: pulled in pages, told of changes once, pulled again when a hint tells of another version."""

from collections.abc import Callable, Sequence

import pytest

from tests.core.client.scenery import BOB
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.client import roster
from udpchat_core.errors import Reason
from udpchat_core.fields import Refusal, RosterEntry, Scope, Version
from udpchat_core.limits import ROSTER_USERS_MAX
from udpchat_net.simulation.transparent import TransparentSuite


def entry(name: str, online: bool = True) -> RosterEntry:
    """One user of the directory."""
    return RosterEntry(name, online, 1)


def version(counter: int) -> Version:
    """A version of the directory."""
    return Version(b"boot one", counter)


def pages(*sent: m.Roster | tuple[int, Sequence[RosterEntry], bool]) -> Callable[[m.Watch], Sequence[m.Message]]:
    """A server that sends these pages, one for each Watch, and then the last one again and again, empty."""
    left = [page for page in sent if isinstance(page, tuple)]

    def answer(asked: m.Watch) -> Sequence[m.Message]:
        if len(left) > 1:
            counter, entries, more = left.pop(0)
        else:
            counter, entries, more = left[0]
            left[0] = (counter, (), False)
        return (m.Roster(asked.id, version(counter), tuple(entries), more, asked.since is None),)

    return answer


@pytest.fixture
def watcher() -> World:
    """A client that watches all users."""
    world = World(TransparentSuite(1), watch_all=True)
    world.server.roster = (entry("alice"), entry("bob", False))
    return world


def test_a_watcher_knows_who_is_online(watcher: World) -> None:
    watcher.register()
    assert watcher.client.roster == {"alice": True, "bob": False}
    assert watcher.told(e.PeersChanged) == [e.PeersChanged((("alice", True), ("bob", False)))]
    assert watcher.server.all(m.Watch) == [m.Watch(2, Scope.ALL, (), None, None)]


def test_who_does_not_watch_asks_nothing(online: World) -> None:
    online.push(m.RosterChanged(version(9)))
    online.advance(60)
    assert online.server.count(m.Watch) == 0
    assert online.client.roster == {}
    assert online.drops == []


def test_pages_are_pulled_one_after_the_other_and_told_of_once(watcher: World) -> None:
    watcher.server.answers[m.Watch] = pages((1, [entry("alice")], True), (1, [entry("bob")], True), (1, [], False))
    watcher.register()
    assert [asked.after for asked in watcher.server.all(m.Watch)] == [None, "alice", "bob"]
    assert [asked.since for asked in watcher.server.all(m.Watch)] == [None, None, None]
    assert len(watcher.told(e.PeersChanged)) == 1


def test_what_changed_while_pages_came_is_pulled_from_the_version_of_the_first(watcher: World) -> None:
    watcher.server.answers[m.Watch] = pages(
        (1, [entry("alice")], True), (3, [entry("bob")], False), (3, [entry("alice", False)], False)
    )
    watcher.register()
    assert [asked.since for asked in watcher.server.all(m.Watch)] == [None, None, version(1)]
    assert watcher.client.roster == {"alice": False, "bob": True}
    assert [event.changes for event in watcher.told(e.PeersChanged)] == [
        (("alice", True), ("bob", True)),
        (("alice", False),),
    ]


@pytest.mark.parametrize("how", ["pushed", "pong"])
def test_another_version_is_pulled(watcher: World, how: str) -> None:
    watcher.register()
    watcher.forget()
    watcher.server.version, watcher.server.roster = version(2), (entry("bob"),)
    if how == "pushed":
        watcher.push(m.RosterChanged(version(2)))
    else:
        watcher.advance(20)
    assert [asked.since for asked in watcher.server.all(m.Watch)] == [version(1)]
    assert watcher.told(e.PeersChanged) == [e.PeersChanged((("bob", True),))]
    watcher.forget()
    watcher.push(m.RosterChanged(version(2)))
    watcher.advance(60)
    assert watcher.server.count(m.Watch) == 0


def test_a_hint_that_comes_while_pages_come_is_followed_after_them(watcher: World) -> None:
    answers: list[m.Roster] = []
    watcher.server.answers[m.Watch] = lambda asked: answers
    watcher.register()
    first = watcher.server.last(m.Watch)
    watcher.push(m.RosterChanged(version(2)))
    watcher.push(m.Roster(first.id, version(1), (entry("alice"),), False, True))
    second = watcher.server.last(m.Watch)
    assert second.since == version(1)
    watcher.push(m.Roster(second.id, version(2), (), False, False))
    assert watcher.server.last(m.Watch) == second


def test_what_did_not_change_is_not_told(watcher: World) -> None:
    watcher.register()
    watcher.forget()
    watcher.push(m.RosterChanged(version(2)))
    assert watcher.events == []


def test_a_changed_user_is_looked_up_again(watcher: World) -> None:
    watcher.register()
    watcher.know("bob", BOB)
    watcher.send("bob")
    watcher.send("nobody")
    watcher.forget()
    watcher.send("bob")
    assert watcher.server.count(m.Lookup) == 0
    watcher.server.version, watcher.server.roster = version(2), (entry("bob"), entry("nobody"))
    watcher.push(m.RosterChanged(version(2)))
    watcher.know("nobody", None)
    watcher.send("bob")
    watcher.send("nobody")
    assert {asked.name for asked in watcher.server.all(m.Lookup)} == {"bob", "nobody"}


def test_a_directory_that_may_not_be_watched_is_said_to_be(watcher: World) -> None:
    watcher.server.answers[m.Watch] = lambda asked: (m.Refused(asked.id, Refusal.TOO_MANY, 0, 0),)
    watcher.register()
    assert watcher.told(e.WatchRefused) == [e.WatchRefused(Refusal.TOO_MANY)]
    assert watcher.server.count(m.Watch) == 1


def test_the_roster_is_pulled_again_after_a_restart_of_the_server(watcher: World) -> None:
    watcher.register()
    watcher.server.version = Version(b"boot two", 1)
    watcher.server.roster = (entry("alice"), entry("bob"))
    watcher.server.forgotten = 1
    watcher.advance(21)
    assert watcher.client.roster == {"alice": True, "bob": True}


def test_a_directory_without_end_is_not_followed(watcher: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "ROSTER_USERS_MAX", 100)
    names = (f"user{number:05}" for number in range(10_000))
    watcher.server.answers[m.Watch] = lambda asked: (
        m.Roster(asked.id, version(1), tuple(entry(next(names)) for _ in range(24)), True, True),
    )
    watcher.register()
    assert len(watcher.client.roster) == 100
    assert ROSTER_USERS_MAX == 1_000
    assert len(watcher.told(e.PeersChanged)) == 1
    watcher.push(m.RosterChanged(version(2)))
    assert len(watcher.client.roster) == 100


def test_a_page_that_nobody_asked_for_is_refused(watcher: World) -> None:
    watcher.register()
    watcher.push(m.Roster(77, version(1), (entry("mallory"),), False, False))
    assert watcher.drops == [Reason.MESSAGE]
    assert "mallory" not in watcher.client.roster
