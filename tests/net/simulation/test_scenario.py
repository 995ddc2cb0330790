"""Scenarios print, read back, run alike, shrink, and replay by the command that is printed."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from udpchat_core.client_events import LetterReceived
from udpchat_net.simulation.faults import (
    Bottleneck,
    ClockStep,
    Corruption,
    Crash,
    CrashAt,
    Delay,
    Duplication,
    FullDisk,
    Loss,
    Misdelivery,
    Partition,
    Pause,
    Rebind,
    Reorder,
    RestoreBackup,
    SlowDisk,
    Suspend,
    Truncation,
)
from udpchat_net.simulation.invariants import Invariant, Violation
from udpchat_net.simulation.oracle import Oracle
from udpchat_net.simulation.runner import replay_command, run, shrink
from udpchat_net.simulation.scenario import GoOffline, GoOnline, Say, Scenario, expression, parse
from udpchat_net.simulation.world import SECOND, World

ROOT = Path(__file__).parents[3]
EVERYTHING = Scenario(
    seed=-7,
    clients=("ann", "bob"),
    steps=(
        Say(SECOND, "ann", "bob", 30, 50_000),
        Say(SECOND, "bob", "ann", 30, 70_000, 900),
        GoOffline(20 * SECOND, "bob", leave=True),
        Say(22 * SECOND, "ann", "bob", 20),
        GoOnline(40 * SECOND, "bob"),
    ),
    faults=(
        Loss(probability=0.1),
        Duplication(probability=0.2),
        Delay(probability=0.1),
        Reorder("ann", "bob", 3, 9),
        Corruption("bob", "*", 5, 20, 0.5),
        Truncation("*", "server", 9, 9),
        Misdelivery(probability=0.02),
        Partition("ann", "bob", 4 * SECOND, 6 * SECOND, both=False),
        Bottleneck((("ann", "bob"), ("*", "server")), 16_000, 4_000, SECOND, 5 * SECOND),
        Rebind("bob", 3 * SECOND),
        CrashAt("server", 30, 5),
        CrashAt("ann", 60),
        Crash("bob", 5 * SECOND, SECOND),
        Pause("ann", 6 * SECOND, 2 * SECOND),
        Suspend("bob", 7 * SECOND, SECOND),
        ClockStep("ann", 8 * SECOND, -90_000),
        FullDisk("server", 9 * SECOND, 10 * SECOND, 0.5),
        SlowDisk("bob", 10 * SECOND, 11 * SECOND, 80_000),
        RestoreBackup("ann", 11 * SECOND, 45 * SECOND),
    ),
)


def test_a_scenario_prints_as_the_expression_that_it_is() -> None:
    namespace = {kind.__name__: kind for kind in map(type, (EVERYTHING, *EVERYTHING.steps, *EVERYTHING.faults))}
    assert eval(repr(EVERYTHING), namespace) == EVERYTHING
    assert parse(repr(EVERYTHING)) == EVERYTHING
    assert repr(Scenario(1)) == "Scenario(seed=1)"
    assert expression(Say(5, "ann", "bob", 2)) == 'Say(at_us=5, sender="ann", to="bob", count=2)'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Scenario(",
        "Scenario()",
        "Scenario(1)",
        "Say(at_us=1, sender='ann', to='bob')",
        "Scenario(seed=__import__('os').getpid())",
        "Scenario(seed=1, faults=[])",
        "Scenario(**{'seed': 1})",
        "(lambda: 1)()",
    ],
)
def test_nothing_else_is_read_and_nothing_is_evaluated(text: str) -> None:
    with pytest.raises(ValueError, match="scenario"):
        parse(text)


def test_the_same_scenario_is_the_same_run_byte_for_byte_and_meets_every_fault() -> None:
    one, two = run(EVERYTHING), run(parse(repr(EVERYTHING)))
    assert one == two
    kinds = {type(fault).__name__ for fault in EVERYTHING.faults} - {"CrashAt", "SlowDisk"}
    assert kinds <= one.counts.keys()
    assert {"crash after a send", "crash after a commit", "crash before a commit"} & one.counts.keys()


def trace(real: bool) -> list[tuple[int, str, str]]:
    """What the users of a bad network were told and when, without keys, and how long each datagram was."""
    world = World(11, ("ann", "bob"), (Loss(probability=0.2), CrashAt("ann", 40), Rebind("bob", SECOND)), real=real)
    oracle = Oracle(world)
    for name in ("ann", "bob"):
        world.register(name)
    for number in range(15):
        if world.is_running("ann"):
            world.send("ann", "bob", f"text {number}")
        world.run(SECOND // 10)
    oracle.heal_and_drain()
    told = []
    for name, node in world.nodes.items():
        for at_us, event in node.events:
            text = f"{event.name}: {event.text}" if isinstance(event, LetterReceived) else repr(event)
            told.append((at_us, name, text))
    assert len(told) > 40
    return [*told, (world.counts["datagrams"], "datagrams", "")]


def test_real_sealing_gives_the_same_trace() -> None:
    assert trace(real=True) == trace(real=False)


def test_shrinking_keeps_what_is_needed_and_nothing_else() -> None:
    needed = {EVERYTHING.faults[3], EVERYTHING.faults[12], EVERYTHING.steps[2]}
    less = shrink(EVERYTHING, lambda each: needed <= {*each.faults, *each.steps})
    assert {*less.faults, *less.steps} == needed
    assert less.seed == EVERYTHING.seed


def test_an_error_out_of_a_core_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("udpchat_core.server.Server.receive_datagrams", fails)
    with pytest.raises(Violation, match="KeyError: 'surprise'") as caught:
        run(Scenario(1))
    assert caught.value.invariant is Invariant.NO_ERROR


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)


def test_the_printed_command_replays_the_run() -> None:
    _, *arguments = shlex.split(replay_command(EVERYTHING))
    replayed = command(*arguments)
    assert replayed.returncode == 0, replayed.stderr
    assert run(EVERYTHING).digest in replayed.stdout


def test_the_command_refuses_what_is_no_scenario() -> None:
    module = ("-m", "udpchat_net.simulation")
    assert command(*module).returncode == 2
    refused = command(*module, "Scenario(seed=open('x'))")
    assert refused.returncode == 2
    assert refused.stderr == "a scenario has no open('x')\n"
