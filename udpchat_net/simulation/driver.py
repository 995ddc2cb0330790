"""Runs the nodes as the real driver does, in virtual time.

Theory of operation. Nothing here runs at the same time as anything else: a heap holds what will happen, by virtual
time and, at the same time, in the order it was planned. A node hands its core the datagrams that arrived, the
replies of a commit, or the time; carries out the actions in their order; puts all requests that were made meanwhile
into one commit, one at a time; and has one timer. A boundary is where the process may die and it matters: each has
a number, and a `CrashAt` names it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Final

from udpchat_core.actions import Actions, Dropped, Emit, Received, SendDatagram, Store
from udpchat_core.address import Address
from udpchat_core.client_events import Deregistered
from udpchat_core.requests import StoreReply
from udpchat_core.secure.suite import StandardSuite, Suite

from ..stores.memory_client import ClientMemory
from ..stores.memory_server import ServerMemory
from .cores import Cores
from .faults import SERVER, Fault, FullDisk, SlowDisk
from .network import OUTSIDER_LATENCY_US, Network, draws
from .node import BATCH_DATAGRAMS_MAX, SOCKET_DATAGRAMS_MAX, START_US, Boundary, Event, Node, Observer
from .tap import TappedSuite
from .transparent import TransparentSuite

COMMIT_US: Final = 2_000
"""What a commit takes on a good disk."""
_EVEN: Final = 0.5


class Driver:
    """The nodes, what they do, and what will happen.

    Attributes:
        now_us: virtual time since the start, in microseconds.
        nodes: by name; the server is `"server"`.
        network: what carries the datagrams.
        observers: who sees everything.
        counts: how often what happened.
        gate: asked about each datagram that a node sends, whether it goes on: for whoever sits on the path.
    """

    def __init__(
        self,
        seed: int,
        clients: Sequence[str],
        faults: Iterable[Fault],
        real: bool,
        cores: Cores,
        observers: Iterable[Observer],
    ) -> None:
        self.now_us = 0
        self.network = Network(seed, clients, faults)
        self.observers = list(observers)
        self.counts: Counter[str] = Counter()
        self._seed, self._real, self._cores = seed, real, cores
        self._plans: list[tuple[int, int, Callable[..., object], tuple[Any, ...]]] = []
        self._order = count()
        self._digest = blake2b(digest_size=16)
        self._listeners: dict[str, list[Callable[[Event], object]]] = {}
        self._outsiders: dict[bytes, Callable[[Address, Received], object]] = {}
        self.gate: Callable[[str, Address, bytes], bool] | None = None
        self.nodes = {name: self._new_node(name) for name in (SERVER, *clients)}

    # --- time ---

    def run(self, us: int) -> None:
        """Let so many microseconds of virtual time pass."""
        until_us, plans = self.now_us + us, self._plans
        while plans and plans[0][0] <= until_us:
            self.now_us, _, act, arguments = heappop(plans)
            act(*arguments)
        self.now_us = until_us

    def digest(self) -> str:
        """A hash of every datagram sent and every event emitted so far, with their times: the run, byte for byte."""
        return self._digest.hexdigest()

    def at(self, at_us: int, act: Callable[..., object], *arguments: Any) -> None:  # noqa: ANN401 - what `act` takes
        """Plan a call."""
        heappush(self._plans, (max(at_us, self.now_us), next(self._order), act, arguments))

    # --- outsiders: who takes part and is no node ---

    def join(self, receive: Callable[[Address, Received], object]) -> Address:
        """An address at a host of its own; `receive` gets what is sent to any port there, and to which."""
        address = self.network.join()
        self._outsiders[address.host] = receive
        return address

    def inject(self, source: Address, to: Address, payload: bytes, after_us: int = 0) -> None:
        """A datagram that no node sent, from wherever it says, for whoever is at `to` when it arrives."""
        self._digest.update(b"%d %s %d %s %d " % (self.now_us, source.host, source.port, to.host, to.port))
        self._digest.update(payload)
        self.counts["injected"] += 1
        self.at(self.now_us + OUTSIDER_LATENCY_US + after_us, self._land, source, to, payload)

    def new_suite(self, name: str, life: int | str) -> Suite:
        """A suite that draws what no other draws: not that of another node or outsider, nor in another life."""
        seed = int(draws(self._seed, "suite", name, life)[0] * 2**32)
        return StandardSuite(Random(seed).randbytes) if self._real else TransparentSuite(seed)  # noqa: S311

    def _land(self, source: Address, to: Address, payload: bytes) -> None:
        name = self.network.node_at(to)
        if name is not None:
            self._arrive(self.nodes[name], Received(source, payload))
        elif to.host in self._outsiders:
            self._outsiders[to.host](to, Received(source, payload))

    # --- the driver ---

    def _new_node(self, name: str) -> Node:
        suite = TappedSuite(self.new_suite(name, "state"))
        if name == SERVER:
            return Node(name, ServerMemory(self._cores.server_state(suite)), suite)
        return Node(name, ClientMemory(self._cores.client_state(suite, name, START_US // 1_000)), suite)

    def _start(self, node: Node) -> None:
        node.suite = TappedSuite(self.new_suite(node.name, node.life))
        node.clock.start()
        for observer in self.observers:
            observer.started(node)
        now = node.clock.instant(self.now_us)
        store = node.store
        if isinstance(store, ServerMemory):
            node.core = self._cores.server(node.suite, store.load(), now)
        else:
            node.core = self._cores.client(node.suite, store.load(), self.network.address(SERVER), now)
        life = node.life
        self._call(node, lambda core, now: core.start(now))
        if node.life == life:
            self._tell_clock(node)
        if node.life == life and node.online:
            self._call(node, lambda core, now: core.register(now))

    def _plan_turn(self, node: Node, at_us: int) -> None:
        at_us = max(at_us, node.paused_until_us, self.now_us)
        if node.turn_at_us is None or at_us < node.turn_at_us:
            node.turn_at_us = at_us
            self.at(at_us, self._turn, node, node.life)

    def _turn(self, node: Node, life: int) -> None:
        """The driver looks: at its socket, at its store, at the time."""
        if node.life != life or node.turn_at_us != self.now_us:
            return
        node.turn_at_us = None
        if self.now_us < node.paused_until_us:
            self._plan_turn(node, node.paused_until_us)
            return
        if node.clock.is_off(self.now_us):
            self._tell_clock(node)
        while node.life == life and node.arrived:
            self._receive(node)
        if node.life == life and node.answered:
            replies, node.answered, node.failing = node.answered, [], False
            self._call(node, lambda core, now: core.handle_stored(replies, now))
        if node.life == life and node.core is not None:
            due = node.core.next_timeout()
            if due is not None and due <= node.clock.instant(self.now_us):
                self._call(node, lambda core, now: core.handle_timeout(now))
            elif due is not None:  # there may have been no call that planned it
                self._plan_turn(node, node.clock.now_us(due))

    def _receive(self, node: Node) -> None:
        batch, node.arrived = node.arrived[:BATCH_DATAGRAMS_MAX], node.arrived[BATCH_DATAGRAMS_MAX:]
        for observer in self.observers:
            observer.arrived(node, batch)
        self._call(node, lambda core, now: core.receive_datagrams(batch, now))

    def _tell_clock(self, node: Node) -> None:
        wall_ms = node.clock.wall_ms(self.now_us)
        node.clock.told_ms = wall_ms - node.clock.instant(self.now_us) // 1_000
        self._call(node, lambda core, now: core.handle_clock(wall_ms, now))

    def _call(self, node: Node, call: Callable[[Any, Any], Actions]) -> None:
        life = node.life
        self._carry_out(node, call(node.core, node.clock.instant(self.now_us)))
        for observer in self.observers:
            observer.turned(node)
        if node.life == life and node.core is not None:
            self._begin_commit(node)
            due = node.core.next_timeout()
            if due is not None:
                self._plan_turn(node, node.clock.now_us(due))

    def _carry_out(self, node: Node, actions: Actions) -> None:
        for action in actions:
            match action:
                case SendDatagram(to, payload):
                    self._send(node, to, payload)
                    if self._dies_at(node, Boundary.AFTER_SEND):
                        return  # what was sent is out; the rest never happens
                case Store(request):
                    node.asked.append(request)
                case Emit(event):
                    self._emit(node, event)
                case Dropped(_, reason):
                    node.dropped[reason] += 1

    def _send(self, node: Node, to: Address, payload: bytes) -> None:
        self.counts["datagrams"] += 1
        self.counts["bytes"] += len(payload)
        self._digest.update(b"%d %s %s %d " % (self.now_us, node.name.encode(), to.host, to.port))
        self._digest.update(payload)
        for observer in self.observers:
            observer.sent(node, to, payload)
        if self.gate is not None and not self.gate(node.name, to, payload):
            return
        if to.host in self._outsiders:
            self.at(self.now_us + OUTSIDER_LATENCY_US, self._land, self.network.address(node.name), to, payload)
            return
        arrivals = self.network.carry(node.name, to, payload, self.now_us)
        for observer in self.observers:
            observer.carried(node, to, payload, arrivals)
        for arrival in arrivals:
            self.at(arrival.at_us, self._arrive, self.nodes[arrival.node], Received(arrival.source, arrival.payload))

    def _arrive(self, node: Node, received: Received) -> None:
        if node.core is None:
            return
        if len(node.arrived) >= SOCKET_DATAGRAMS_MAX:
            self.counts["socket full"] += 1
            return
        node.arrived.append(received)
        self._plan_turn(node, self.now_us)

    def _emit(self, node: Node, event: Event) -> None:
        node.events.append((self.now_us, event))
        self._digest.update(f"{self.now_us} {node.name} {event!r}".encode())
        for observer in self.observers:
            observer.emitted(node, event)
        for listener in self._listeners.get(node.name, ()):
            self.at(self.now_us, listener, event)
        if node.leaving and isinstance(event, Deregistered):
            self.at(self.now_us, self._quit, node, node.life)

    def _quit(self, node: Node, life: int) -> None:
        if node.life == life and node.leaving:  # a world that is healed meanwhile keeps everybody
            node.leaving = False
            self.crash(node.name)

    # --- the disk ---

    def _begin_commit(self, node: Node) -> None:
        if node.failing:  # what is asked after a failure, and before the core knows of it, fails too, untried
            node.answered += [StoreReply(request, False) for request in node.asked]
            node.asked = []
        if node.committing or not node.asked:
            return
        node.committing, node.asked = node.asked, []
        node.commits += 1
        takes_us = max([COMMIT_US, *(each.commit_us for each in self._disk_faults(node) if isinstance(each, SlowDisk))])
        self.at(self.now_us + takes_us, self._end_commit, node, node.life)

    def _end_commit(self, node: Node, life: int) -> None:
        if node.life != life or self._dies_at(node, Boundary.BEFORE_COMMIT):
            return
        requests, node.committing = node.committing, []
        full = [fault for fault in self._disk_faults(node) if isinstance(fault, FullDisk)]
        if full:
            self.counts["FullDisk"] += 1
            if draws(self._seed, "disk", node.name, node.commits)[0] < max(fault.durable for fault in full):
                self._make_durable(node, requests)
            node.failing = True
            node.answered += [StoreReply(request, False) for request in requests]
        else:
            node.answered += self._make_durable(node, requests)
        if self._dies_at(node, Boundary.AFTER_COMMIT):
            return
        self._plan_turn(node, self.now_us)
        self._begin_commit(node)

    def _make_durable(self, node: Node, requests: list[Any]) -> tuple[StoreReply, ...]:
        for observer in self.observers:
            observer.committing(node, requests)
        replies = node.store.apply(requests)
        for observer in self.observers:
            observer.committed(node, replies)
        return replies

    def _disk_faults(self, node: Node) -> list[FullDisk | SlowDisk]:
        return [fault for fault in node.disk_faults if fault.from_us <= self.now_us < fault.until_us]

    # --- death ---

    def crash(self, name: str) -> None:
        """The process dies; each commit that it had asked for is durable or not, as the seed has it."""
        node = self.nodes[name]
        lucky = draws(self._seed, "crash", name, node.life)
        for part, luck in ((node.committing, lucky[0]), (node.asked, lucky[1])):
            if not part or luck < _EVEN:
                break
            self._make_durable(node, part)
        self._die(node)

    def _dies_at(self, node: Node, boundary: Boundary) -> bool:
        number, node.boundaries = node.boundaries, node.boundaries + 1
        fault = node.crash_at.get(number)
        if fault is None:
            return False
        self.counts[f"crash {boundary}"] += 1
        if boundary is Boundary.AFTER_SEND:
            self.crash(node.name)
        else:
            self._die(node)
        self.at(self.now_us + fault.down_us, self._start_again, node, node.life)
        return True

    def _die(self, node: Node) -> None:
        self.counts["crashes"] += 1
        node.stop()

    def _start_again(self, node: Node, life: int) -> None:
        if node.core is None and node.life == life:
            self._start(node)
