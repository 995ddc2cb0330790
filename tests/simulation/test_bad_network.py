"""Hypothesis plays users and misfortune: every user action and every fault is a rule, in any order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from udpchat_net.simulation.faults import (
    LAST,
    SERVER,
    Bottleneck,
    Corruption,
    CrashAt,
    Delay,
    Duplication,
    Fault,
    FullDisk,
    Loss,
    Misdelivery,
    Partition,
    Reorder,
    SlowDisk,
    Truncation,
)
from udpchat_net.simulation.oracle import Oracle
from udpchat_net.simulation.world import SECOND, World
from udpchat_net.stores.memory_client import ClientMemory

CLIENTS = ("ann", "bob", "cyd")
SOMEBODY = st.sampled_from(CLIENTS)
ANYBODY = st.sampled_from((SERVER, *CLIENTS))
ANY_END = st.sampled_from(("*", SERVER, *CLIENTS))
PROBABILITY = st.sampled_from((0.05, 0.3, 0.8))
A_WHILE = st.sampled_from((1_000, 200_000, SECOND, 5 * SECOND, 70 * SECOND))
OF_DATAGRAMS = st.one_of(
    *(st.builds(kind, ANY_END, ANY_END, st.just(0), st.just(LAST), PROBABILITY) for kind in (Loss, Corruption)),
    *(st.builds(kind, ANY_END, ANY_END, st.just(0), st.just(LAST), PROBABILITY) for kind in (Truncation, Misdelivery)),
    *(
        st.builds(kind, ANY_END, ANY_END, st.just(0), st.just(LAST), PROBABILITY, A_WHILE)
        for kind in (Duplication, Delay, Reorder)
    ),
)


class BadNetwork(RuleBasedStateMachine):
    """Each example ends by healing the world: then everything must arrive."""

    world: World
    oracle: Oracle

    @initialize(seed=st.integers(0, 2**32), online=st.booleans())
    def begin(self, seed: int, online: bool) -> None:
        self.world = World(seed, CLIENTS)
        self.oracle = Oracle(self.world)
        self.backups: dict[str, ClientMemory] = {}
        self.texts = 0
        for name in CLIENTS if online else ():
            self.world.register(name)
        self.world.run(SECOND // 10)

    # --- users ---

    @rule(
        sender=SOMEBODY,
        to=SOMEBODY,
        count=st.integers(1, 20),
        gap_us=st.sampled_from((0, 5_000, 300_000)),
        long=st.booleans(),
    )
    def send(self, sender: str, to: str, count: int, gap_us: int, long: bool) -> None:
        for _ in range(count):
            if self.world.is_running(sender):
                self.texts += 1
                self.world.send(sender, to, f"text {self.texts} " + "." * (2_000 if long else 0))
            self.world.run(gap_us)

    @rule(name=SOMEBODY, leave=st.booleans())
    def go_offline(self, name: str, leave: bool) -> None:
        if self.world.is_running(name):
            (self.world.leave if leave else self.world.deregister)(name)

    @rule(name=SOMEBODY)
    def go_online(self, name: str) -> None:
        if self.world.nodes[name].core is None:
            self.world.restart(name)
        if self.world.is_running(name):
            self.world.register(name)

    @rule(us=A_WHILE)
    def wait(self, us: int) -> None:
        self.world.run(us)

    # --- misfortune ---

    @rule(faults=st.lists(OF_DATAGRAMS, max_size=3))
    def weather(self, faults: list[Fault]) -> None:
        kept = [fault for fault in self.world.network.faults if isinstance(fault, Partition | Bottleneck)]
        self.world.network.set_faults((*kept, *faults))

    @rule(source=ANY_END, destination=ANY_END, us=A_WHILE, both=st.booleans())
    def partition(self, source: str, destination: str, us: int, both: bool) -> None:
        now_us, faults = self.world.now_us, self.world.network.faults
        self.world.network.set_faults((*faults, Partition(source, destination, now_us, now_us + us, both)))

    @rule(
        links=st.lists(st.tuples(ANY_END, ANY_END), min_size=1, max_size=3).map(tuple),
        bytes_per_s=st.sampled_from((4_000, 32_000)),
        us=A_WHILE,
    )
    def bottleneck(self, links: tuple[tuple[str, str], ...], bytes_per_s: int, us: int) -> None:
        now_us, faults = self.world.now_us, self.world.network.faults
        thin = Bottleneck(links, bytes_per_s, 8_000, now_us, now_us + us)
        self.world.network.set_faults((*faults, thin))

    @rule(name=SOMEBODY)
    def rebind(self, name: str) -> None:
        self.world.rebind(name)

    @rule(name=ANYBODY, within=st.integers(0, 30), down_us=st.sampled_from((0, SECOND)))
    def crash_at_boundary(self, name: str, within: int, down_us: int) -> None:
        node = self.world.nodes[name]
        node.crash_at[node.boundaries + within] = CrashAt(name, node.boundaries + within, down_us)

    @rule(name=ANYBODY)
    def crash(self, name: str) -> None:
        if self.world.nodes[name].core is not None:
            self.world.crash(name)

    @rule(name=ANYBODY)
    def restart(self, name: str) -> None:
        self.world.restart(name)

    @rule(name=ANYBODY, us=A_WHILE, asleep=st.booleans())
    def pause(self, name: str, us: int, asleep: bool) -> None:
        self.world.pause(name, us, asleep=asleep)

    @rule(name=ANYBODY, by_ms=st.sampled_from((-7_200_000, -1_500, 1_500, 7_200_000, 86_400_000)))
    def step_clock(self, name: str, by_ms: int) -> None:
        self.world.step_clock(name, by_ms)

    @rule(name=ANYBODY, us=A_WHILE, durable=st.sampled_from((0.0, 0.5, 1.0)))
    def fill_disk(self, name: str, us: int, durable: float) -> None:
        node, now_us = self.world.nodes[name], self.world.now_us
        node.disk_faults = (FullDisk(name, now_us, now_us + us, durable),)

    @rule(name=ANYBODY, us=A_WHILE, commit_us=st.sampled_from((50_000, 700_000)))
    def slow_disk(self, name: str, us: int, commit_us: int) -> None:
        node, now_us = self.world.nodes[name], self.world.now_us
        node.disk_faults = (SlowDisk(name, now_us, now_us + us, commit_us),)

    @rule(name=SOMEBODY)
    def back_up(self, name: str) -> None:
        self.backups[name] = self.world.save(name)

    @rule(name=SOMEBODY)
    @precondition(lambda self: self.backups)
    def restore(self, name: str) -> None:
        if name in self.backups:
            self.world.restore(name, self.backups[name])

    def teardown(self) -> None:
        if hasattr(self, "oracle"):
            self.oracle.heal_and_drain()


TestBadNetwork = BadNetwork.TestCase
TestBadNetwork.settings = settings(max_examples=150, stateful_step_count=30)
