"""A server's directory, as a client that watches sees it, and what the client asks of it."""

from collections.abc import Sequence

from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, START
from tests.core.client.world import World
from udpchat_core import messages as m
from udpchat_core.client import new_client_state
from udpchat_core.client_requests import ClientState, SavePin
from udpchat_core.fields import RosterEntry, Scope, ServerLimits, Version
from udpchat_core.instant import MS
from udpchat_core.limits import PING_US, WATCHED_NAMES_MAX
from udpchat_net.simulation.transparent import TransparentSuite

PING_S = PING_US / 1_000_000


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
    def version(self) -> Version:
        return Version(self.boot, self.counter)

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
        limits = ServerLimits(4_096, 256, WATCHED_NAMES_MAX, 1_000, 50)
        return (m.Registered(asked.id, BOB, 0, limits, self.world.now // MS),)

    def _watch(self, asked: m.Watch) -> Sequence[m.Message]:
        if asked.scope is Scope.ADD:
            self.watched |= dict.fromkeys(asked.names)
            assert len(self.watched) <= WATCHED_NAMES_MAX
        for name in asked.names if asked.scope is Scope.REMOVE else ():
            self.watched.pop(name, None)
        about = self.shown if asked.scope is Scope.ALL else asked.names or self.watched
        since = asked.since
        full = since is None or since.boot != self.boot or since.counter < self.remembered_from
        told = [name for name in about if name in self.shown]
        if since is not None and not full:
            told = [name for name in about if self.changed.get(name, 0) > since.counter]
        left = sorted(name for name in told if name > (asked.after or ""))
        entries = tuple(RosterEntry(name, *self.shown.get(name, (False, 0))) for name in left[: self.page_max])
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


def asked(world: World) -> list[tuple[Scope, tuple[str, ...]]]:
    return [(each.scope, each.names) for each in world.server.all(m.Watch)]


def looked_up(world: World) -> list[str]:
    return [each.name for each in world.server.all(m.Lookup)]


def numbered(count: int) -> list[str]:
    return [f"user{number:03}" for number in range(count)]
