"""Who is told that something changed, how often, and who may watch what."""

import pytest

from tests.core.server.world import Client, World
from udpchat_core import limits
from udpchat_core.fields import Refusal, RosterEntry, Scope
from udpchat_core.messages import Deregister, Lookup, Message, Ping, Refused, Roster, RosterChanged, Watch


def watch(client: Client, *names: str, scope: Scope = Scope.ADD) -> Message:
    if not names and scope is Scope.ADD:
        scope = Scope.ALL
    return client.ask(Watch(client.next_id(), scope, names, None, None))


def hints(client: Client) -> int:
    return len(client.heard(RosterChanged))


def test_all_may_be_watched_up_to_a_number_of_users(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-8.4-1: whoever watched before is refused at the next pull, and told no more."""
    monkeypatch.setattr("udpchat_core.server.interest.WATCH_ALL_USERS_MAX", 2)
    alice, bob = world.client("alice").online(), world.client("bob").online()
    assert isinstance(watch(alice), Roster)
    world.client("carol").online()
    assert hints(alice) == 1
    answer = watch(alice)
    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.TOO_MANY
    world.advance(2)
    bob.ask(Deregister(1))
    assert hints(alice) == 0


def test_the_version_that_a_hint_tells_is_the_one_of_the_page_that_follows(world: World) -> None:
    """R-8.4-5."""
    alice = world.client("alice").online()
    watch(alice)
    world.client("bob").online()
    (hint,) = alice.heard(RosterChanged)
    page = watch(alice)
    assert isinstance(page, Roster)
    assert page.version == hint.version


def test_a_session_is_told_about_the_names_it_watches_and_no_others(world: World) -> None:
    """R-8.4-5: also about one that does not exist yet."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    watch(alice, "bob", "dora")
    world.client("carol").online()
    assert hints(alice) == 0
    bob.ask(Deregister(1))
    assert hints(alice) == 1
    world.advance(2)
    world.client("dora").online()
    assert hints(alice) == 1
    world.advance(2)
    assert hints(alice) == 0


def test_what_is_watched_no_more_is_not_told(world: World) -> None:
    """R-8.4-5."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    watch(alice, "bob", "carol")
    assert isinstance(watch(alice, "bob", "nobody", scope=Scope.REMOVE), Roster)
    bob.ask(Deregister(1))
    assert hints(alice) == 0
    world.client("carol").online()
    assert hints(alice) == 1


def test_changes_are_merged_to_one_hint_a_second(world: World) -> None:
    """R-8.4-5: the first at once, the last not lost."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    watch(alice)
    watch(alice, "bob")
    world.advance(0.5)
    for _ in range(3):
        bob.ask(Deregister(bob.next_id()))
        bob.online()
    assert hints(alice) == 1
    world.advance(0.999)
    assert hints(alice) == 0
    world.advance(0.001)
    (hint,) = alice.heard(RosterChanged)
    assert hint.version == world.server._directory.version
    world.advance(5)
    assert hints(alice) == 0
    assert not world.server._interest._resting


def test_what_is_watched_already_is_told_without_its_names(world: World) -> None:
    """R-8.4-3: of what changed since, and in full to whoever comes with another boot's version."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    watch(alice, "bob", "carol", "nobody")
    world.client("carol").online()
    world.client("dave").online()
    page = watch(alice, scope=Scope.WATCHED)
    assert isinstance(page, Roster)
    assert [entry.name for entry in page.entries] == ["bob", "carol"]
    bob.ask(Deregister(1))
    changed = alice.ask(Watch(alice.next_id(), Scope.WATCHED, (), page.version, None))
    assert isinstance(changed, Roster)
    assert (changed.entries, changed.full) == ((RosterEntry("bob", False, 5),), False)
    nothing = watch(world.client("erin").online(), scope=Scope.WATCHED)
    assert isinstance(nothing, Roster)
    assert (nothing.entries, nothing.more) == ((), False)


def test_256_names_are_watched_and_not_one_more(world: World) -> None:
    """R-8.4-2: a Watch beyond is refused whole; what is watched already counts once."""
    alice = world.client("alice").online()
    names = [f"n{number}" for number in range(limits.WATCHED_NAMES_MAX)]
    for at in range(0, len(names), 32):
        assert isinstance(watch(alice, *names[at : at + 32]), Roster)
    assert isinstance(watch(alice, "n1", "n2"), Roster)
    answer = watch(alice, "n3", "other")
    assert isinstance(answer, Refused)
    assert (answer.refusal, answer.wait_s) == (Refusal.TOO_MANY, 0)
    watch(alice, "n3", scope=Scope.REMOVE)
    assert isinstance(watch(alice, "other"), Roster)


def test_names_watched_are_capped_in_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udpchat_core.server.interest.WATCHED_NAMES_TOTAL_MAX", 3)
    alice, bob = world.client("alice").online(), world.client("bob").online()
    watch(alice, "a", "b")
    answer = watch(bob, "a", "b")
    assert isinstance(answer, Refused)
    assert (answer.refusal, answer.wait_s) == (Refusal.BUSY, limits.BUSY_WAIT_S)
    assert isinstance(watch(bob, "a"), Roster)
    alice.ask(Deregister(1))
    world.advance(2 * 3_600)
    bob.online()
    assert isinstance(watch(bob, "a", "b", "c"), Roster)


def test_a_session_keeps_what_it_watches_until_it_ends(world: World) -> None:
    """R-8.4-5: while it lapsed it is told nothing; nothing of it is left after its end."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    watch(alice, "bob")
    watch(alice)
    world.advance(70)
    bob.ask(Ping(1))
    assert hints(alice) == 0
    alice.ask(Lookup(1, "bob"))
    world.advance(2)
    alice.hear()
    bob.ask(Deregister(1))
    assert hints(alice) == 1
    Client(world, "alice", seq=6).online()
    interest = world.server._interest
    tables = (interest._all, interest._names, interest._watchers, interest._resting, interest._latest)
    assert (tables, interest._total) == (({}, {}, {}, {}, {}), 0)
