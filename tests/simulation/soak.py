"""Many scenarios, one after the other: `python -m tests.simulation.soak --hours 200 --messages 200000 --seed 1`.

Goes on until so many hours are simulated, so many messages sent and so many processes killed at a boundary. On a
violation it cuts the scenario down, prints the command that replays it, and exits with 1.
"""

import argparse
import sys
import time
from collections import Counter

from udpchat_net.simulation.invariants import Invariant, Violation
from udpchat_net.simulation.runner import Report, replay_command, run, shrink
from udpchat_net.simulation.scenario import Scenario

from .evil.attack import attack
from .weather import weather

_HOUR_US = 3_600_000_000


class Totals:
    """What all runs came to."""

    def __init__(self) -> None:
        self.scenarios = self.messages = self.simulated_us = 0
        self.counts: Counter[str] = Counter()
        self._begun_s = time.process_time()

    def add(self, report: Report) -> None:
        self.scenarios += 1
        self.messages += report.messages
        self.simulated_us += report.simulated_us
        self.counts += report.counts

    @property
    def hours(self) -> float:
        return self.simulated_us / _HOUR_US

    @property
    def boundary_crashes(self) -> int:
        return sum(times for what, times in self.counts.items() if what.startswith("crash "))

    def __str__(self) -> str:
        cpu_s = time.process_time() - self._begun_s
        rates = f"{self.messages / cpu_s:.0f} messages, {self.counts['datagrams'] / cpu_s:.0f} datagrams and "
        rates += f"{self.hours / cpu_s:.2f} hours a CPU second"
        lines = [
            f"{self.scenarios} scenarios, {self.hours:.1f} simulated hours, {self.messages} messages,"
            f" {self.boundary_crashes} crashes at boundaries, in {cpu_s:.0f} CPU seconds: {rates}",
            *(f"  {times:9d} {what}" for what, times in sorted(self.counts.items())),
        ]
        return "\n".join(lines)


def violation_of(scenario: Scenario) -> Violation | None:
    """What the scenario breaks, if anything."""
    try:
        run(scenario)
    except Violation as violation:
        return violation
    return None


def fails_alike(invariant: Invariant, scenario: Scenario) -> bool:
    """Whether it breaks this promise."""
    violation = violation_of(scenario)
    return violation is not None and violation.invariant is invariant


def explain(scenario: Scenario, violation: Violation) -> str:
    """The failure cut down, and how to see it again."""
    less = shrink(scenario, lambda each: fails_alike(violation.invariant, each))
    return f"{violation}\n\ncut down to: {violation_of(less)}\n\nreplay: {replay_command(less)}\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=200, help="simulated, at least")
    parser.add_argument("--messages", type=int, default=0, help="sent, at least")
    parser.add_argument("--crashes", type=int, default=0, help="at boundaries, at least")
    parser.add_argument("--seed", type=int, default=1, help="of the first scenario; each next one has the next")
    parser.add_argument("--real", action="store_true", help="seal with the real primitives")
    parser.add_argument("--evil", action="store_true", help="attacks instead of bad networks; each second server lies")
    parser.add_argument("--no-shrink", action="store_true", help="print a failure as it is")
    options = parser.parse_args(arguments)
    totals, seed = Totals(), options.seed
    while (
        totals.hours < options.hours or totals.messages < options.messages or totals.boundary_crashes < options.crashes
    ):
        if options.evil:
            scenario = attack(seed, deceive=seed % 2 == 1, real=options.real)
        else:
            scenario = weather(seed, real=options.real)
        try:
            totals.add(run(scenario))
        except Violation as violation:
            shown = f"{violation}\n\nreplay: {replay_command(scenario)}\n"
            sys.stdout.write(f"{shown if options.no_shrink else explain(scenario, violation)}\nafter {totals}\n")
            return 1
        seed += 1
    sys.stdout.write(f"{totals}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
