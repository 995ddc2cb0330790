"""What is known of whom a client watches: pages, full lists, sessions and versions, without a gap."""

from collections.abc import Sequence

import pytest

from tests.core.client.directory import PING_S, Directory, asked, numbered, watch
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.fields import RosterEntry, Scope, Version
from udpchat_core.limits import WATCH_NAMES_MAX
from udpchat_net.simulation.transparent import TransparentSuite

# --- who exists no more ---


@pytest.mark.parametrize("page_max", [1, 2, 24])
@pytest.mark.parametrize("how", ["all", "names"])
def test_names_that_a_full_list_does_not_have_exist_no_more(how: str, page_max: int) -> None:
    """R-9.6-3: on every page, whatever is before and after; the server forgot some, and remembers a new one."""
    world = World(TransparentSuite(1), watch_all=how == "all")
    directory = Directory(world, page_max)
    names = ["a", "b", "c", "d", "e", "f"]
    directory.set("a", "b", "d", "e", "f")
    watch(world, *names)
    world.register()
    world.forget()
    directory.restart()
    directory.set("a", "b", "e", "f", seq=0)
    directory.set("b", "c", "d")
    directory.counter, directory.changed = 0, {}
    world.until(lambda: world.server.count(m.Register), 1)
    world.advance()
    assert world.client.roster == {"b": True, "c": True, "d": True}
    (event,) = world.told(e.PeersChanged)
    assert dict(event.changes) == {"a": False, "e": False, "f": False, "c": True}


def test_a_list_of_changes_leaves_the_others_as_they_are(world: World) -> None:
    directory = Directory(world)
    directory.set("bob", "carol", "dave")
    watch(world, "bob", "carol", "dave")
    world.register()
    directory.set("carol", seq=0)
    directory.hint()
    assert world.client.roster == {"bob": True, "dave": True}
    assert world.told(e.PeersChanged)[-1] == e.PeersChanged((("carol", False),))


def test_a_server_that_forgot_what_changed_tells_of_everybody(world: World) -> None:
    directory = Directory(world)
    directory.set("bob", "carol", "dave")
    watch(world, "bob", "carol", "dave")
    world.register()
    directory.set("carol", seq=0)
    directory.remembered_from, directory.changed = directory.counter, {}
    directory.hint()
    assert world.client.roster == {"bob": True, "dave": True}


def test_what_is_shown_of_others_means_nothing(world: World) -> None:
    directory = Directory(world)
    directory.set("bob")
    watch(world, "bob")
    world.register()
    world.server.answers[m.Watch] = lambda asked: (
        m.Roster(asked.id, Version(b"boot one", 9), (RosterEntry("mallory", True, 1),), True, False),
    )
    directory.set("bob")
    directory.hint()
    assert world.client.roster == {"bob": True}


def test_pages_that_lead_nowhere_are_not_followed(world: World) -> None:
    directory = Directory(world)
    watch(world, "bob", "carol")
    world.server.answers[m.Watch] = lambda asked: (
        m.Roster(asked.id, directory.version, (RosterEntry("carol", True, 1), RosterEntry("bob", True, 1)), True, True),
    )
    world.register()
    assert world.server.count(m.Watch) == 2  # after "bob" comes "carol" again, and then "bob" is no way on
    assert world.client.roster == {"bob": True, "carol": True}


# --- sessions and versions ---


def test_a_new_session_is_told_the_names_with_the_version_that_is_known(world: World) -> None:
    """R-9.6-1, R-9.6-2: what was missed between the two comes, and nothing else."""
    directory = Directory(world)
    names = numbered(40)
    directory.set(*names)
    watch(world, *names)
    world.register()
    known = directory.version
    world.forget()
    directory.set(names[7], online=False)
    world.server.forgotten = len(world.server.links)
    world.until(lambda: world.server.count(m.Register), 1)
    world.advance()
    assert [each.since for each in world.server.all(m.Watch)[:2]] == [known] * 2
    assert sorted(directory.watched) == names
    assert world.told(e.PeersChanged) == [e.PeersChanged(((names[7], False),))]


def test_a_name_that_is_new_is_asked_about_without_a_version(world: World) -> None:
    """R-9.6-2: it did not change since, but nothing is known of it; what changed of the others comes as well."""
    directory = Directory(world)
    directory.set("bob", "carol")
    world.register()
    watch(world, "bob")
    directory.set("bob", online=False)
    world.forget()
    watch(world, "bob", "carol")
    assert [(each.scope, each.since is None) for each in world.server.all(m.Watch)] == [
        (Scope.ADD, True),
        (Scope.WATCHED, False),
    ]
    assert world.client.roster == {"bob": False, "carol": True}


def test_a_session_that_ends_while_pages_come_leaves_no_gap(world: World) -> None:
    """R-9.6-1: what the old session was asked means nothing to the new one, which watches nothing yet."""
    directory = Directory(world, 2)
    names = numbered(WATCH_NAMES_MAX + 3)
    directory.set(*names)
    watch(world, *names)
    answer, left = world.server.answers[m.Watch], [9]

    def some(asked: m.Watch) -> Sequence[m.Message]:
        left[0] -= 1
        return answer(asked) if left[0] > 0 else ()

    world.server.answers[m.Watch] = some
    world.register()
    assert world.client.roster != dict.fromkeys(names, True)
    world.server.answers[m.Watch] = answer
    directory.set(names[0], names[-1], online=False)
    world.server.forgotten = len(world.server.links)
    world.until(lambda: len(directory.watched) == len(names), 1)
    world.advance(PING_S)
    assert world.client.roster == dict.fromkeys(names, True) | {names[0]: False, names[-1]: False}


def test_a_restarted_server_is_pulled_afresh(world: World) -> None:
    """R-9.6-2: its counter may be the same, its boot is not."""
    directory = Directory(world)
    directory.set("bob", "carol")
    watch(world, "bob", "carol")
    world.register()
    world.forget()
    directory.restart()
    directory.set("bob", "carol", online=False)
    directory.set("carol")
    directory.counter = 2
    world.until(lambda: world.server.count(m.Register), 1)
    world.advance()
    assert world.client.roster == {"bob": False, "carol": True}
    assert world.told(e.PeersChanged) == [e.PeersChanged((("bob", False),))]


def test_an_older_version_is_no_news(world: World) -> None:
    directory = Directory(world)
    directory.set("bob")
    watch(world, "bob")
    world.register()
    world.forget()
    world.push(m.RosterChanged(Version(b"boot one", 0)))
    assert asked(world) == []
