"""A world does to its nodes what it says: driver, crashes at boundaries, disks, clocks, backups."""

import pytest

from tests.net.simulation.fakes import FakeCores
from udpchat_core.address import Address
from udpchat_core.client_events import MessageQueued
from udpchat_core.errors import LocalProtocolError
from udpchat_net.simulation.faults import (
    SERVER,
    ClockStep,
    Crash,
    CrashAt,
    Fault,
    FullDisk,
    Loss,
    Pause,
    Rebind,
    RestoreBackup,
    SlowDisk,
    Suspend,
)
from udpchat_net.simulation.node import SOCKET_DATAGRAMS_MAX, START_US, Node, Observer
from udpchat_net.simulation.world import SECOND, World
from udpchat_net.stores.memory_client import ClientMemory


def world(
    *faults: Fault, seed: int = 1, real: bool = False, observers: tuple[Observer, ...] = ()
) -> tuple[World, FakeCores]:
    cores = FakeCores()
    return World(seed, ("ann", "bob"), faults, cores=cores, real=real, observers=observers), cores


def texts(made: World, name: str = "ann") -> list[str]:
    """What is in the node's outbox, on its disk."""
    store = made.nodes[name].store
    assert isinstance(store, ClientMemory)
    return [row.saved.text for row in store.outgoing.values()]


# --- the driver ---


def test_a_node_is_started_and_told_the_time_and_registers_only_when_it_was_told_to() -> None:
    made, cores = world()
    assert [what for _, what, _ in cores.logs["ann"]] == ["made", "start", "clock"]
    assert cores.seen("ann", "clock") == [START_US // 1_000]
    made.register("ann")
    made.restart("ann")
    assert [what for _, what, _ in cores.logs["ann"]][3:] == ["register", "made", "start", "clock", "register"]
    made.deregister("ann")
    made.restart("ann")
    assert len(cores.seen("ann", "register")) == 2


def test_what_arrives_together_is_one_batch() -> None:
    made, cores = world()
    made.send("ann", "bob", "hello")
    made.run(SECOND)
    assert cores.seen("server", "received") == [[b"hello", b"again hello"]]
    assert cores.seen("ann", "received") == [[b"hello", b"again hello"]]


def test_all_requests_of_a_turn_are_one_commit_and_those_made_meanwhile_the_next() -> None:
    made, cores = world(SlowDisk("ann", 0, SECOND, 10_000))
    for number in range(4):
        made.send("ann", "bob", str(number))
    assert texts(made) == []
    made.run(SECOND)
    assert cores.seen("ann", "stored") == [[True], [True, True, True]]
    assert [at for at, what, _ in cores.logs["ann"] if what == "stored"] == [START_US + 10_000, START_US + 20_000]
    assert texts(made) == ["0", "1", "2", "3"]


def test_there_is_one_timer_and_it_is_on_time() -> None:
    made, cores = world()
    made.send("ann", "bob", "after 5000000")
    made.run(SECOND)
    made.send("ann", "bob", "after 1500000")
    made.run(60 * SECOND)
    assert [at for at, what, _ in cores.logs["ann"] if what == "timeout"] == [START_US + 2_500_000]


def test_events_are_kept_with_their_time_and_listeners_may_call_the_world() -> None:
    made, _ = world()
    made.listen("ann", lambda event: made.send("bob", "ann", "thanks"))
    number = made.send("ann", "bob", "hello")
    made.run(SECOND)
    assert made.events("ann") == [(2_000, MessageQueued(number, "bob"))]
    assert texts(made, "bob") == ["thanks"]


def test_a_client_that_leaves_is_gone_once_it_is_deregistered() -> None:
    made, cores = world()
    made.register("ann")
    made.leave("ann")
    made.run(1)
    assert not made.is_running("ann")
    assert cores.seen("ann", "deregister") == [None]
    with pytest.raises(LocalProtocolError, match="ann is not running"):
        made.send("ann", "bob", "hello")


def test_the_names_of_nodes_differ() -> None:
    for clients in (("ann", "ann"), ("ann", SERVER)):
        with pytest.raises(ValueError, match="names that differ"):
            World(1, clients, cores=FakeCores())


# --- crashes ---


def crashed_at(boundary: int) -> tuple[list[str], list[bytes], list[object]]:
    """What is durable, what left, and what the core was told, if ann dies at this boundary of sending a message."""
    made, cores = world(CrashAt("ann", boundary, down_us=SECOND))
    made.send("ann", "bob", "hello")
    made.run(SECOND // 2)
    assert not made.is_running("ann")
    made.run(SECOND)
    assert made.is_running("ann")
    assert len(cores.seen("ann", "made")) == 2
    return texts(made), cores.payloads("server"), cores.seen("ann", "stored")


def test_a_process_dies_at_the_boundary_that_is_named() -> None:
    # Sending passes four: after each of two datagrams, before the commit, and after it.
    assert crashed_at(0)[1:] == ([b"hello"], [])
    assert crashed_at(1)[1:] == ([b"hello", b"again hello"], [])
    assert crashed_at(2) == ([], [b"hello", b"again hello"], [])
    assert crashed_at(3) == (["hello"], [b"hello", b"again hello"], [])


def test_boundaries_are_counted_over_all_lives() -> None:
    made, _ = world(CrashAt("ann", 0), CrashAt("ann", 1), CrashAt("ann", 4))
    for _ in range(3):
        made.send("ann", "bob", "hello")
        made.run(SECOND)
    assert made.counts["crashes"] == 3
    assert made.counts["crash after a send"] == 2
    assert made.counts["crash before a commit"] == 1


def test_a_commit_under_way_at_a_crash_is_durable_or_not() -> None:
    durable = []
    for seed in range(30):
        made, _ = world(Crash("ann", 1_000, down_us=5), seed=seed)
        made.send("ann", "bob", "hello")
        made.run(SECOND)
        durable.append(bool(texts(made)))
    assert 5 < sum(durable) < 25


def test_what_was_meant_for_an_earlier_life_never_happens() -> None:
    made, cores = world()
    made.send("ann", "bob", "after 10000")
    made.send("ann", "bob", "hello")
    made.restart("ann")
    made.run(SECOND)
    assert cores.seen("ann", "timeout") == []
    assert cores.seen("ann", "stored") == []


# --- disks ---


@pytest.mark.parametrize("durable", [0.0, 1.0])
def test_a_full_disk_fails_commits_whose_outcome_is_unknown(durable: float) -> None:
    made, cores = world(FullDisk("ann", 0, SECOND, durable))
    made.send("ann", "bob", "hello")
    made.run(SECOND)
    assert cores.seen("ann", "stored") == [[False]]
    assert texts(made) == (["hello"] if durable else [])
    made.send("ann", "bob", "later")
    made.run(SECOND)
    assert cores.seen("ann", "stored") == [[False], [True]]


def test_a_restored_backup_is_the_state_file_of_an_earlier_day() -> None:
    made, _ = world(RestoreBackup("ann", SECOND, 3 * SECOND))
    for text in ("before", "between"):
        made.send("ann", "bob", text)
        made.run(2 * SECOND)
    assert texts(made) == ["before"]
    assert made.send("ann", "bob", "after") == 2
    made.run(SECOND)
    assert texts(made) == ["before", "after"]


# --- clocks and pauses ---


def test_a_step_of_the_wall_clock_is_told_at_the_next_turn_and_moves_no_timer() -> None:
    made, cores = world(ClockStep("ann", SECOND, 3_600_000))
    made.send("ann", "bob", "after 2000000")
    made.run(5 * SECOND)
    assert cores.logs["ann"][3:] == [
        (START_US + 2 * SECOND, "clock", START_US // 1_000 + 3_602_000),
        (START_US + 2 * SECOND, "timeout", None),
    ]
    made.restart("ann")
    assert cores.logs["ann"][-1] == (START_US + 3_605 * SECOND, "clock", START_US // 1_000 + 3_605_000)


def test_a_paused_process_gets_everything_late_and_what_fits_its_socket() -> None:
    made, cores = world(Pause("ann", 1_000, 10 * SECOND))
    made.send("ann", "bob", "after 5000000")
    for number in range(SOCKET_DATAGRAMS_MAX):
        made.send("ann", "bob", str(number))  # each comes back twice
    made.run(2_000)
    with pytest.raises(LocalProtocolError, match="not running"):
        made.send("ann", "bob", "hello")
    made.run(20 * SECOND)
    times = {at for at, what, _ in cores.logs["ann"] if what in ("received", "stored", "timeout")}
    assert times == {START_US + 1_000 + 10 * SECOND}
    assert len(cores.payloads("ann")) == SOCKET_DATAGRAMS_MAX
    assert made.counts["socket full"] == SOCKET_DATAGRAMS_MAX


def test_a_sleeping_machine_has_no_time_but_the_wall_clock_goes_on() -> None:
    made, cores = world(Suspend("ann", SECOND, 10 * SECOND))
    made.send("ann", "bob", "after 3000000")
    made.run(60 * SECOND)
    [timeout] = [at for at, what, _ in cores.logs["ann"] if what == "timeout"]
    assert timeout == START_US + 3 * SECOND
    assert cores.seen("ann", "clock")[1:] == [START_US // 1_000 + 11_000]  # when it wakes


def test_instants_never_go_back_when_a_sleep_is_cut_short() -> None:
    made, cores = world(Suspend("ann", SECOND, 10 * SECOND), Pause("ann", 2 * SECOND, 30 * SECOND))
    made.run(3 * SECOND)
    made.heal()
    made.run(SECOND)
    assert cores.seen("ann", "register") == [None]
    instants = [at for at, *_ in cores.logs["ann"]]
    assert instants == sorted(instants)


# --- the whole ---


def test_a_rebound_node_sends_from_its_new_address() -> None:
    made, cores = world(Rebind("ann", SECOND))
    before = made.network.address("ann")
    made.run(2 * SECOND)
    made.send("ann", "bob", "hello")
    made.run(SECOND)
    assert made.network.address("ann") != before
    assert cores.payloads("ann") == [b"hello", b"again hello"]


def test_after_healing_no_fault_strikes_and_all_run_and_register() -> None:
    made, cores = world(Loss(), CrashAt("bob", 1), Crash("ann", SECOND, 99 * SECOND), FullDisk("bob", 0, 99 * SECOND))
    made.run(2 * SECOND)
    made.heal()
    made.send("bob", "ann", "hello")
    made.run(SECOND)
    assert [made.is_running(name) for name in made.nodes] == [True, True, True]
    assert len(cores.seen("ann", "register")) == len(cores.seen("bob", "register")) == 1
    assert cores.payloads("bob") == [b"hello", b"again hello"]
    assert cores.seen("bob", "stored") == [[True]]


def busy(seed: int, real: bool = False) -> World:
    made, _ = world(Loss(probability=0.3), CrashAt("ann", 5), Crash("bob", 40_000, 7), seed=seed, real=real)
    for number in range(30):
        for name in ("ann", "bob"):
            if made.is_running(name):
                made.send(name, "bob", str(number))
        made.run(5_000)
    return made


def test_the_same_seed_gives_the_same_run_and_another_another() -> None:
    assert busy(7).digest() == busy(7).digest() != busy(8).digest()


def test_observers_see_every_seam_in_order() -> None:
    class Watcher(Observer):
        def __init__(self) -> None:
            self.seen: list[str] = []

        def sent(self, node: Node, to: Address, payload: bytes) -> None:
            self.seen.append(f"{node.name} sent {payload.decode()} to {made.network.name(to)}")

        def committing(self, node: Node, requests: object) -> None:
            self.seen.append(f"{node.name} commits")

        def committed(self, node: Node, replies: object) -> None:
            self.seen.append(f"{node.name} committed")

        def emitted(self, node: Node, event: object) -> None:
            self.seen.append(f"{node.name} told")

        def arrived(self, node: Node, received: object) -> None:
            self.seen.append(f"{node.name} got")

    watcher = Watcher()
    made, _ = world(observers=(watcher,))
    made.send("ann", "bob", "hi")
    made.run(2_000)
    assert watcher.seen[:4] == ["ann sent hi to server", "ann sent again hi to server", *watcher.seen[2:4]]
    assert [line for line in watcher.seen if line.startswith("ann c") or line == "ann told"] == [
        "ann commits",
        "ann committed",
        "ann told",
    ]
