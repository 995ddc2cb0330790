"""A server and clients on a bad network, in virtual time: the same cores and the same requests as in the real one.

Everything follows from the seed and from what is called: the same calls give the same bytes.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from udpchat_core.actions import Actions
from udpchat_core.address import Address
from udpchat_core.errors import LocalProtocolError
from udpchat_core.instant import Instant

from ..stores.memory_client import ClientMemory
from .cores import ClientCore, Cores
from .driver import Driver
from .faults import (
    SERVER,
    ClockStep,
    Crash,
    CrashAt,
    Fault,
    FullDisk,
    Pause,
    Rebind,
    RestoreBackup,
    SlowDisk,
    Suspend,
)
from .node import Event, Node, Observer

SECOND: Final = 1_000_000
"""In microseconds."""


class World(Driver):
    """A server, which is up at once, and clients, which are offline until told to `register`."""

    def __init__(
        self,
        seed: int,
        clients: Sequence[str],
        faults: Iterable[Fault] = (),
        *,
        real: bool = False,
        cores: Cores | None = None,
        observers: Iterable[Observer] = (),
    ) -> None:
        """Make the world; `real` seals with the real primitives, many times slower."""
        if len({SERVER, *clients}) != len(clients) + 1:
            raise ValueError(f"clients need names that differ from each other and from {SERVER!r}: {clients}")
        super().__init__(seed, clients, faults, real, cores or Cores(), observers)
        self._backups: dict[RestoreBackup, ClientMemory] = {}
        self._healed = False
        for fault in self.network.faults:
            self._plan_fault(fault)
        for node in self.nodes.values():
            self._start(node)

    # --- what a user does ---

    def register(self, name: str) -> None:
        """The client goes online, and does so again each time its process starts."""
        self.nodes[name].online = True
        self._use(name, "register")
        self._call(self._running(name), lambda core, now: core.register(now))

    def deregister(self, name: str) -> None:
        """The client goes offline; its process stays."""
        self.nodes[name].online = False
        self._use(name, "deregister")
        self._call(self._running(name), lambda core, now: core.deregister(now))

    def leave(self, name: str) -> None:
        """The client goes offline, and its process ends once it is."""
        self._running(name).leaving = True
        self.deregister(name)

    def send(self, name: str, to: str, text: str) -> int:
        """The client sends a message; its number."""
        node = self._running(name)
        number = _client(node).next_message
        self._use(name, "send", number, to, text)
        self._call(node, lambda core, now: core.send(to, text, now))
        return number

    def watch(self, name: str, names: Sequence[str]) -> None:
        """The client hears of these names; a client that starts again has to be told anew."""
        self._call(self._running(name), lambda core, now: core.watch(names, now))

    def accept_key(self, name: str, of: str) -> None:
        """The user takes the new key of the name `of`."""
        self._use(name, "accept_key", of)
        self._call(self._running(name), lambda core, now: core.accept_key(of, now))

    def call(self, name: str, act: Callable[[Any, Instant], Actions]) -> None:
        """Call what else the core of a node has, and carry out what it returns: for cores of your own making."""
        self._call(self._running(name), act)

    def events(self, name: str) -> list[tuple[int, Event]]:
        """What the application of the node was told, in all its lives, and when."""
        return self.nodes[name].events

    def listen(self, name: str, listener: Callable[[Event], object]) -> None:
        """Call `listener` with each event of the node, once the turn is over: it may call the world."""
        self._listeners.setdefault(name, []).append(listener)

    def is_running(self, name: str) -> bool:
        """Whether the node's process is there and does not stand still."""
        node = self.nodes[name]
        return node.core is not None and node.paused_until_us <= self.now_us

    # --- what happens to a node ---

    def restart(self, name: str) -> None:
        """The process starts, after a crash if it was there; it registers if it was registered before."""
        node = self.nodes[name]
        if node.core is not None:
            self.crash(name)
        self._start(node)

    def rebind(self, name: str) -> Address:
        """The node gets another address, and does not know."""
        return self.network.rebind(name)

    def pause(self, name: str, for_us: int, *, asleep: bool = False) -> None:
        """The process stands still, and its monotonic clock too if the machine is `asleep`.

        Nothing happens to one that stands still already, or is not there.
        """
        node = self.nodes[name]
        if self.is_running(name):
            node.paused_until_us, node.asleep = self.now_us + for_us, asleep
            node.clock.base_us -= for_us if asleep else 0

    def step_clock(self, name: str, by_ms: int) -> None:
        """The wall clock of the node is set."""
        self.nodes[name].clock.ahead_us += by_ms * 1_000

    def save(self, name: str) -> ClientMemory:
        """A copy of the client's state file."""
        node = self.nodes[name]
        assert isinstance(node.store, ClientMemory), "only clients have state files"
        return node.store.snapshot()

    def restore(self, name: str, backup: ClientMemory) -> None:
        """The client dies, and starts again from a copy of its state file."""
        node = self.nodes[name]
        if node.core is not None:
            self.crash(name)
        for observer in self.observers:
            observer.restored(node, backup)
        node.store = backup.snapshot()
        self._start(node)

    def heal(self) -> None:
        """No fault strikes any more, every process runs, every client registers. Clocks stay as they are."""
        self._healed = True
        self.network.set_faults(())
        for node in self.nodes.values():
            node.crash_at, node.disk_faults, node.leaving = {}, (), False
            if self.now_us < node.paused_until_us:
                node.clock.base_us += node.paused_until_us - self.now_us if node.asleep else 0
                node.paused_until_us = self.now_us
                self._plan_turn(node, self.now_us)
            if node.core is None:
                node.online = node.name != SERVER
                self._start(node)
            elif node.name != SERVER and not node.online:
                self.register(node.name)

    # --- faults ---

    def _plan_fault(self, fault: Fault) -> None:
        match fault:
            case CrashAt(name, boundary):
                self.nodes[name].crash_at[boundary] = fault
            case FullDisk(name) | SlowDisk(name):
                self.nodes[name].disk_faults += (fault,)
            case Rebind(name, at_us):
                self.at(at_us, self._strike, fault, lambda: self.rebind(name))
            case Crash(name, at_us):
                self.at(at_us, self._strike, fault, lambda: self._crash_for(fault))
            case Pause(name, at_us, for_us):
                self.at(at_us, self._strike, fault, lambda: self.pause(name, for_us))
            case Suspend(name, at_us, for_us):
                self.at(at_us, self._strike, fault, lambda: self.pause(name, for_us, asleep=True))
            case ClockStep(name, at_us, by_ms):
                self.at(at_us, self._strike, fault, lambda: self.step_clock(name, by_ms))
            case RestoreBackup(name, saved_us, at_us):
                self.at(saved_us, self._keep_backup, fault)
                self.at(at_us, self._strike, fault, lambda: self.restore(name, self._backups.pop(fault)))
            case _:
                pass  # the network's

    def _strike(self, fault: Fault, act: Callable[[], object]) -> None:
        if not self._healed:
            self.counts[type(fault).__name__] += 1
            act()

    def _keep_backup(self, fault: RestoreBackup) -> None:
        self._backups[fault] = self.save(fault.node)

    def _crash_for(self, fault: Crash) -> None:
        node = self.nodes[fault.node]
        if node.core is not None:
            self.crash(fault.node)
            self.at(self.now_us + fault.down_us, self._start_again, node, node.life)

    def _use(self, name: str, what: str, *about: object) -> None:
        for observer in self.observers:
            observer.used(self.nodes[name], what, *about)

    def _running(self, name: str) -> Node:
        if not self.is_running(name):
            raise LocalProtocolError(f"{name} is not running: nobody can use it")
        return self.nodes[name]


def _client(node: Node) -> ClientCore:
    assert isinstance(node.store, ClientMemory), "only clients have users"
    return node.core  # type: ignore[return-value] # the world made it as one
