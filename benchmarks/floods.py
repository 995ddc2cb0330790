"""What floods cost, and what they leave of honest work: `python -m benchmarks.floods [--rounds N]`.

A core with honest work to do, ten percent of what it could, gets besides 1, 10 and 100 times as many datagrams of one
kind. Time is virtual and moves by the processor's time that the core takes: datagrams come at their rates, wait in
a socket of a bounded size, and are lost where it is full, as on a machine with one core. Only the core is counted,
not the system's own work for each datagram, which no program can spare.

In the table, of each kind: what the core takes for one datagram of it, over what it takes for one of honest work; how
many operations on a curve it does for one; and the share of honest work that was answered beside such a flood. Each
round measures honest work alone and every flood beside it, one right after the other; told are the medians.
"""

import argparse
import gc
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from udpchat_core.actions import Received
from udpchat_core.instant import Instant

from . import flood_scenes as scenes

FACTORS: Final = (1, 10, 100)
ROUNDS: Final = 3
HONEST_DATAGRAMS: Final = 200
LOAD: Final = 0.1
SOCKET_DATAGRAMS: Final = 1_024
BATCH_DATAGRAMS: Final = 64

KINDS: Final[tuple[tuple[str, type[Any], Callable[[Any], scenes.Flood]], ...]] = (
    ("garbage", scenes.ServerScene, scenes.garbage),
    ("HELLO", scenes.ServerScene, scenes.hellos),
    ("INIT without token", scenes.ServerScene, scenes.inits_without_token),
    ("INIT under one token", scenes.ServerScene, scenes.inits_under_one_token),
    ("INIT replayed", scenes.ServerScene, scenes.replayed_inits),
    ("RECORD forged", scenes.ServerScene, scenes.forged_records),
    ("RECORD of nobody", scenes.ServerScene, scenes.records_of_nobody),
    ("LETTER of strangers", scenes.ClientScene, scenes.letters_of_strangers),
)


@dataclass(frozen=True, slots=True)
class Run:
    """What a stretch of time came to: nanoseconds of the core, what it got of each, and what was answered."""

    taken_ns: int
    honest: int
    flood: int
    asymmetric: int
    answered: float


@dataclass(frozen=True, slots=True)
class Figure:
    """Of one kind of flood: cost of one over an honest one, curve operations for one, shares answered by factor."""

    kind: str
    cost: float
    asymmetric: float
    answered: tuple[float, ...]


def measure(
    name: str, honest: int = HONEST_DATAGRAMS, rounds: int = ROUNDS, factors: Sequence[int] = FACTORS
) -> Figure:
    """Measure the kind of this name; cost and operations are those beside the largest flood."""
    _, of, make = next(kind for kind in KINDS if kind[0] == name)
    scene = of()
    flood = make(scene)
    per_us = LOAD / (_run(scene, flood, honest, 0, 1e-5).taken_ns / honest / 1_000)
    costs, operations, shares = [], [], []
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            alone = _run(scene, flood, honest, 0, per_us)
            beside = [_run(scene, flood, honest, factor, per_us) for factor in factors]
            one_ns, most = alone.taken_ns / alone.honest, beside[-1]
            costs.append((most.taken_ns - most.honest * one_ns) / most.flood / one_ns)
            operations.append((most.asymmetric - most.honest * alone.asymmetric / alone.honest) / most.flood)
            shares.append([each.answered for each in beside])
    finally:
        if collecting:
            gc.enable()
    return Figure(name, median(costs), median(operations), tuple(median(each) for each in zip(*shares, strict=True)))


def _run(scene: scenes.Scene, flood: scenes.Flood, honest: int, factor: int, honest_per_us: float) -> Run:
    """So many honest datagrams come evenly, each followed by `factor` others, and the core does what it can."""
    waiting: deque[tuple[bool, Received]] = deque()
    total, gap_us, begun = honest * (1 + factor), 1 / honest_per_us / (1 + factor), scene.now
    came = taken_ns = 0
    got = {True: 0, False: 0}
    answered, asymmetric, at_us = scene.answered, scene.suite.asymmetric, 0.0
    while came < total or waiting:
        while came < total and came * gap_us <= at_us:
            is_honest = came % (1 + factor) == 0
            came += 1
            if len(waiting) < SOCKET_DATAGRAMS:
                waiting.append((is_honest, scene.honest() if is_honest else flood()))
        if not waiting:
            at_us = came * gap_us
            continue
        batch = [waiting.popleft() for _ in range(min(BATCH_DATAGRAMS, len(waiting)))]
        for is_honest, _ in batch:
            got[is_honest] += 1
        scene.now = Instant(begun + int(at_us))
        used_ns = scene.receive([received for _, received in batch])
        taken_ns += used_ns
        at_us += used_ns / 1_000
    scene.now = Instant(begun + int(at_us))
    operations = scene.suite.asymmetric - asymmetric
    return Run(taken_ns, got[True], got[False], operations, (scene.answered - answered) / honest)


def table(figures: Sequence[Figure], factors: Sequence[int] = FACTORS) -> str:
    """The figures as a Markdown table."""
    rows = [("flood of", "cost of one", "curve operations", *(f"answered beside {factor}x" for factor in factors))]
    rows.append(("---", *("--:",) * (2 + len(factors))))
    rows += [
        (one.kind, f"{one.cost:.3f}", f"{one.asymmetric:.4f}", *(f"{share:.0%}" for share in one.answered))
        for one in figures
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What floods cost, and what they leave of honest work.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds of each kind ({ROUNDS})")
    asked = parser.parse_args()
    print(table([measure(name, rounds=asked.rounds) for name, *_ in KINDS]), end="")


if __name__ == "__main__":
    main()
