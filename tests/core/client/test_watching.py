"""Whom a client watches: wanted names, and contacts; told anew to each session; and cards that changed."""

from collections.abc import Sequence

import pytest

from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, CAROL, START
from tests.core.client.world import World
from udpchat_core import events as e
from udpchat_core import messages as m
from udpchat_core.client import new_client_state
from udpchat_core.errors import LocalProtocolError
from udpchat_core.instant import MS
from udpchat_core.limits import CARD_CHECK_US, PING_US, WATCH_NAMES_MAX, WATCHED_NAMES_MAX
from udpchat_core.requests import ClientState, SavePin
from udpchat_net.simulation.transparent import TransparentSuite

PING_S = PING_US / 1_000_000
CARD_CHECK_S = CARD_CHECK_US / 1_000_000


class Directory:
    """What a server shows of its users, as section 8.4 says, to one session at a time.

    Attributes:
        shown: name to (online, seq).
        changed: name to the counter of its last change.
        page_max: entries on a page.
    """

    def __init__(self, world: World, page_max: int = 24) -> None:
        self.world, self.page_max = world, page_max
        self.shown: dict[str, tuple[bool, int]] = {}
        self.changed: dict[str, int] = {}
        self.boot, self.counter, self.remembered_from = b"boot one", 0, 0
        self.watched: dict[str, None] = {}
        world.server.answers[m.Register] = self._register
        world.server.answers[m.Watch] = self._watch
        world.server.answers[m.Ping] = lambda asked: (m.Pong(asked.id, self.version),)

    @property
    def version(self) -> m.Version:
        return m.Version(self.boot, self.counter)

    def set(self, *names: str, online: bool = True, seq: int = 5) -> None:
        """These users are so; nobody is told."""
        for name in names:
            self.counter += 1
            self.changed[name] = self.counter
            self.shown[name] = (online, seq)
            if not seq:
                del self.shown[name]

    def hint(self) -> None:
        """Say that something changed."""
        self.world.push(m.RosterChanged(self.version))

    def restart(self, boot: bytes = b"boot two") -> None:
        """The server dies, and begins with the users of its disk, all of them offline."""
        self.boot, self.counter, self.changed = boot, 0, {}
        self.shown = {name: (False, seq) for name, (_, seq) in self.shown.items()}
        self.world.server.forgotten = len(self.world.server.links)

    def _register(self, asked: m.Register) -> Sequence[m.Message]:
        self.watched = {}
        limits = m.ServerLimits(4_096, 256, WATCHED_NAMES_MAX, 1_000, 50)
        return (m.Registered(asked.id, BOB, 0, limits, self.world.now // MS),)

    def _watch(self, asked: m.Watch) -> Sequence[m.Message]:
        if asked.scope is m.Scope.ADD:
            self.watched |= dict.fromkeys(asked.names)
            assert len(self.watched) <= WATCHED_NAMES_MAX
        for name in asked.names if asked.scope is m.Scope.REMOVE else ():
            self.watched.pop(name, None)
        about = self.shown if asked.scope is m.Scope.ALL else asked.names or self.watched
        since = asked.since
        full = since is None or since.boot != self.boot or since.counter < self.remembered_from
        told = [name for name in about if name in self.shown]
        if since is not None and not full:
            told = [name for name in about if self.changed.get(name, 0) > since.counter]
        left = sorted(name for name in told if name > (asked.after or ""))
        entries = tuple(m.RosterEntry(name, *self.shown.get(name, (False, 0))) for name in left[: self.page_max])
        return (m.Roster(asked.id, self.version, entries, len(left) > self.page_max, full),)


def with_contacts(*names: str) -> World:
    """A client with these contacts, the last used last."""
    suite = TransparentSuite(1)
    new = new_client_state(suite, "alice", START // MS)
    pins = tuple(SavePin(name, Peer(suite, name).identity) for name in names)
    world = World(suite, state=ClientState(new.name, new.identity, new.mail_keys, pins=pins))
    for name in names:
        world.know(name)
    return world


def watch(world: World, *names: str) -> None:
    world.do(world.client.watch(names, world.now))


def asked(world: World) -> list[tuple[m.Scope, tuple[str, ...]]]:
    return [(each.scope, each.names) for each in world.server.all(m.Watch)]


def looked_up(world: World) -> list[str]:
    return [each.name for each in world.server.all(m.Lookup)]


def numbered(count: int) -> list[str]:
    return [f"user{number:03}" for number in range(count)]


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
    assert asked(world) == [(m.Scope.WATCHED, ())]


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
    limits = m.ServerLimits(4_096, 256, 2, 1_000, 50)
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
    assert {scope for scope, _ in asked(world)} == {m.Scope.ALL}


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
        (m.Refused(asked.id, m.Refusal.TOO_MANY, 0, 0),) if asked.scope is m.Scope.ALL else answer(asked)
    )
    world.forget()
    directory.set("bob", online=False)
    directory.hint()
    assert world.told(e.WatchRefused) == [e.WatchRefused(m.Refusal.TOO_MANY)]
    assert world.client.roster == {"bob": False}
    assert world.told(e.PeersChanged) == [e.PeersChanged((("bob", False),))]
    world.advance(3_700)
    assert world.server.count(m.Register) > 0
    assert len(world.told(e.WatchRefused)) == 1


def test_a_watch_that_is_refused_otherwise_is_said_to_be_and_asked_again_at_the_next_hint(world: World) -> None:
    directory = Directory(world)
    directory.set("bob")
    answer = world.server.answers[m.Watch]
    world.server.answers[m.Watch] = lambda asked: (m.Refused(asked.id, m.Refusal.BANNED, 0, 0),)
    watch(world, "bob")
    world.register()
    assert world.told(e.WatchRefused) == [e.WatchRefused(m.Refusal.BANNED)]
    world.server.answers[m.Watch] = answer
    directory.hint()
    assert world.client.roster == {"bob": True}


def test_a_watch_that_came_after_the_client_left_is_nothing_to_tell(world: World) -> None:
    directory = Directory(world)
    directory.set("bob")
    world.server.answers[m.Watch] = lambda asked: (m.Refused(asked.id, m.Refusal.NOT_REGISTERED, 0, 0),)
    watch(world, "bob")
    world.register()
    assert world.told(e.WatchRefused) == []


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
        m.Roster(asked.id, m.Version(b"boot one", 9), (m.RosterEntry("mallory", True, 1),), True, False),
    )
    directory.set("bob")
    directory.hint()
    assert world.client.roster == {"bob": True}


def test_pages_that_lead_nowhere_are_not_followed(world: World) -> None:
    directory = Directory(world)
    watch(world, "bob", "carol")
    world.server.answers[m.Watch] = lambda asked: (
        m.Roster(
            asked.id, directory.version, (m.RosterEntry("carol", True, 1), m.RosterEntry("bob", True, 1)), True, True
        ),
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
        (m.Scope.ADD, True),
        (m.Scope.WATCHED, False),
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
    world.push(m.RosterChanged(m.Version(b"boot one", 0)))
    assert asked(world) == []


# --- cards ---


def test_a_contact_with_another_card_is_looked_up() -> None:
    """R-9.6-4: also one whose card is not known since the start; who only comes and goes is not."""
    world = with_contacts("bob", "carol")
    directory = Directory(world)
    directory.set("bob", "carol", "dave")
    watch(world, "dave")
    world.register()
    world.advance(5)
    assert sorted(looked_up(world)) == ["bob", "carol"]
    world.forget()
    directory.set("bob", online=False)
    directory.set("dave", seq=9)
    directory.hint()
    world.advance(5)
    assert looked_up(world) == []
    world.know("bob", seq=6)
    directory.set("bob", seq=6)
    directory.hint()
    world.advance(5)
    assert looked_up(world) == ["bob"]


def test_a_name_that_another_has_now_is_told_to_a_client_that_is_online() -> None:
    """R-9.6-4: and told once."""
    world = with_contacts("bob")
    directory = Directory(world)
    directory.set("bob")
    world.register()
    directory.set("bob", seq=0)
    directory.hint()
    assert looked_up(world) == ["bob"]
    mallory = world.know("bob", CAROL, person="mallory", seq=77)
    directory.set("bob", seq=77)
    directory.hint()
    world.advance(2)
    pinned = Peer(world.suite, "bob").identity
    assert world.told(e.PeerKeyChanged) == [e.PeerKeyChanged("bob", pinned, mallory.identity, False)]
    world.forget()
    directory.set("bob", online=False, seq=77)
    directory.hint()
    world.advance(2)
    assert looked_up(world) == []


def test_contacts_whose_cards_all_changed_are_looked_up_one_after_the_other() -> None:
    """R-9.6-4: the first at once; what is known meanwhile is not asked again."""
    names = numbered(WATCHED_NAMES_MAX)
    world = with_contacts(*names)
    directory = Directory(world)
    directory.set(*names)
    world.register()
    (first,) = looked_up(world)
    other = next(name for name in names if name != first)
    world.send(other)
    world.forget()
    world.advance(20 * CARD_CHECK_S)
    assert len(looked_up(world)) == 20
    world.advance(WATCHED_NAMES_MAX * CARD_CHECK_S)
    assert sorted([first, *(name for name in looked_up(world) if name != other)]) == [
        name for name in names if name != other
    ]
    world.forget()
    world.know(names[5], seq=6)
    directory.set(names[5], seq=6)
    directory.hint()
    assert looked_up(world) == [names[5]]
