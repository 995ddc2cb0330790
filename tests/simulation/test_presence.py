"""Whoever watches is shown the truth in the end: across pages, losses, crashes, and server restarts."""

from functools import partial

import pytest

from udpchat_core import limits
from udpchat_core.address import Address
from udpchat_core.client import Client
from udpchat_core.client_events import PeerKeyChanged, PeersChanged, Registered, WatchRefused
from udpchat_core.client_requests import ClientState
from udpchat_core.fields import Refusal
from udpchat_core.instant import Instant
from udpchat_core.secure.suite import Suite
from udpchat_net.simulation.cores import ClientCore, Cores
from udpchat_net.simulation.faults import SERVER, Corruption, Crash, CrashAt, Delay, Fault, Loss, Pause, Rebind
from udpchat_net.simulation.network import draws
from udpchat_net.simulation.node import Event
from udpchat_net.simulation.oracle import Oracle
from udpchat_net.simulation.world import SECOND, World
from udpchat_net.stores.memory_server import ServerMemory

WATCHERS = tuple(f"watcher{number}" for number in range(4))
OTHERS = tuple(f"user{number:02}" for number in range(36))  # two Watches, and two pages, when all are there
NAMES = (*OTHERS, "nobody")
UNTIL_US = 300 * SECOND
SETTLED_US = (limits.SILENCE_S + 60) * SECOND


class WatchAll(Cores):
    """Every client watches all."""

    def client(self, suite: Suite, state: ClientState, server: Address, now: Instant) -> ClientCore:
        return Client(suite, state, server, now, watch_all=True)


class Town:
    """A world in which some come and go, and others watch them, each time they register.

    Attributes:
        told: what each watcher made of the events of its life.
    """

    def __init__(self, seed: int, faults: tuple[Fault, ...] = (), cores: Cores | None = None) -> None:
        self.world = World(seed, (*WATCHERS, *OTHERS), faults, cores=cores)
        self.oracle = Oracle(self.world)
        self.told: dict[str, dict[str, bool]] = {name: {} for name in WATCHERS}
        self._lives = dict.fromkeys(WATCHERS, -1)
        for name in WATCHERS:
            self.world.listen(name, partial(self._watch, name))
        for number, name in enumerate((*WATCHERS, *OTHERS)):
            self.world.at(number * SECOND // 10, self._register, name)

    def _register(self, name: str) -> None:
        node = self.world.nodes[name]
        node.online = True
        if self.world.is_running(name):
            self.world.register(name)

    def _deregister(self, name: str) -> None:
        if self.world.is_running(name) and self.world.nodes[name].online:
            self.world.deregister(name)

    def _watch(self, name: str, event: Event) -> None:
        node = self.world.nodes[name]
        if node.life != self._lives[name]:
            self._lives[name], self.told[name] = node.life, {}
        if isinstance(event, Registered) and self.world.is_running(name):
            self.world.watch(name, NAMES)
        if isinstance(event, PeersChanged):
            self.told[name].update(event.changes)

    def come_and_go(self, seed: int) -> None:
        """Everybody who is watched comes and goes at random."""
        for number in range(200):
            when, who, what, *_ = draws(seed, "comes and goes", number)
            act = self._register if what < 0.5 else self._deregister
            self.world.at(int(when * UNTIL_US), act, OTHERS[int(who * len(OTHERS))])

    def settle(self) -> None:
        """No more faults; who is away stays away, and time for the last changes to be told."""
        away = [name for name in OTHERS if not self.world.nodes[name].online]
        self.oracle.heal_and_drain()
        for name in away:
            self._deregister(name)
        self.world.run(SETTLED_US)

    def truth(self) -> dict[str, bool]:
        """Who is online, of those that the server has."""
        server = self.world.nodes[SERVER]
        assert isinstance(server.store, ServerMemory)
        return {name: self.world.nodes[name].online for name in server.store.users if name in NAMES}

    def check(self) -> None:
        """What each watcher shows, and what it told its user, is the truth."""
        truth = self.truth()
        for name in WATCHERS:
            core = self.world.nodes[name].core
            assert isinstance(core, Client)
            shown = {other: online for other, online in core.roster.items() if other in NAMES}
            assert shown == truth, name
            told = {other: online for other, online in self.told[name].items() if other in NAMES}
            assert {other for other, online in told.items() if online} == {
                other for other, online in truth.items() if online
            }, name
        self.oracle.check()


def restarts(seed: int) -> tuple[Fault, ...]:
    """The server dies now and then, at any boundary, and so do watchers."""
    drawn = [draws(seed, "restarts", number) for number in range(12)]
    return (
        *(Crash(SERVER, int(each[0] * UNTIL_US), int(each[1] * 3 * SECOND)) for each in drawn[:4]),
        *(CrashAt(SERVER, int(each[0] * 1_500), int(each[1] * SECOND)) for each in drawn[4:8]),
        *(CrashAt(WATCHERS[number % 2], int(each[0] * 300)) for number, each in enumerate(drawn[8:])),
    )


def weather(seed: int) -> tuple[Fault, ...]:
    """Datagrams are lost, late and spoilt, and one watcher stands still and moves."""
    return (
        Loss(probability=0.1 + 0.3 * draws(seed, "loss")[0]),
        Delay(probability=0.3, delay_us=300_000),
        Corruption(probability=0.02),
        Pause(WATCHERS[2], 100 * SECOND, 80 * SECOND),
        Rebind(WATCHERS[3], 150 * SECOND),
    )


@pytest.mark.parametrize("cores", [Cores(), WatchAll()], ids=["names", "all"])
@pytest.mark.parametrize("seed", range(4))
def test_watchers_are_shown_the_truth_across_crashes_and_losses(seed: int, cores: Cores) -> None:
    """R-8.4-3, R-8.4-5, R-8.4-6, R-9.6-1, R-9.6-2, R-9.6-3."""
    town = Town(seed, (*restarts(seed), *weather(seed)), cores)
    town.come_and_go(seed)
    town.world.run(UNTIL_US)
    assert town.world.counts["crashes"] >= 4
    town.settle()
    town.check()


@pytest.mark.parametrize("cores", [Cores(), WatchAll()], ids=["names", "all"])
def test_who_is_not_in_the_directory_after_the_server_lost_its_disk_is_shown_no_more(cores: Cores) -> None:
    """R-9.6-3: the server comes back without anybody; who registers again is shown again."""
    town = Town(1, cores=cores)
    world = town.world
    world.run(10 * SECOND)
    for name in OTHERS[:9]:
        world.leave(name)
    world.run(10 * SECOND)
    server = world.nodes[SERVER]
    assert isinstance(server.store, ServerMemory)
    world.crash(SERVER)
    server.store.users.clear()
    world.restart(SERVER)
    world.run(90 * SECOND)
    assert set(town.truth()) == set(OTHERS[9:])
    town.check()


def test_a_change_is_shown_within_seconds_and_a_lost_hint_costs_a_pings_time() -> None:
    """R-8.4-5, R-8.4-6."""
    town = Town(2)
    world = town.world
    world.run(10 * SECOND)
    world.deregister(OTHERS[0])
    world.run(2 * SECOND)
    town.check()
    world.network.set_faults((Loss(SERVER),))
    world.deregister(OTHERS[1])
    world.run(SECOND // 2)
    world.network.set_faults(())
    assert town.told[WATCHERS[0]][OTHERS[1]]
    world.run(limits.PING_US + SECOND)
    town.check()


def test_a_name_with_another_key_is_told_to_every_contact_that_is_online() -> None:
    """R-9.6-4: nobody has to write to it for that."""
    world = World(3, ("ann", "bob", "cyd"))
    for name in ("ann", "bob", "cyd"):
        world.register(name)
    world.run(SECOND)
    for name in ("ann", "cyd"):
        world.send(name, "bob", "hello")
    world.run(3 * SECOND)
    world.leave("bob")
    world.run(3 * SECOND)
    server, bob = world.nodes[SERVER], world.nodes["bob"]
    assert isinstance(server.store, ServerMemory)
    world.crash(SERVER)
    del server.store.users["bob"]  # its owner lost the key, and whoever runs the server freed the name
    world.restart(SERVER)
    bob.store = World(99, ("bob",)).nodes["bob"].store
    world.restart("bob")
    world.register("bob")
    world.run(30 * SECOND)
    for name in ("ann", "cyd"):
        changed = [event for _, event in world.events(name) if isinstance(event, PeerKeyChanged)]
        assert [each.name for each in changed] == ["bob"], name


def test_beyond_1000_users_who_wants_to_watch_all_is_told_and_watches_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-8.4-1, R-9.6-5."""
    monkeypatch.setattr("udpchat_core.server.interest.WATCH_ALL_USERS_MAX", 20)
    town = Town(4, cores=WatchAll())
    town.world.run(60 * SECOND)
    for name in WATCHERS:
        refused = [event for _, event in town.world.events(name) if isinstance(event, WatchRefused)]
        assert refused == [WatchRefused(Refusal.TOO_MANY)]
    town.check()
