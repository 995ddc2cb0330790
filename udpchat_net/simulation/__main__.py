"""`python -m udpchat_net.simulation 'Scenario(...)'`: runs it again, and says what it comes to."""

import sys

from .invariants import Violation
from .runner import MODULE, run
from .scenario import parse


def main(arguments: list[str]) -> int:
    """0 if every promise was kept, 1 if one was broken, 2 if the arguments are no scenario."""
    if len(arguments) != 1:
        print(f"usage: {MODULE} 'Scenario(seed=1, ...)'", file=sys.stderr)  # noqa: T201 - a command prints
        return 2
    try:
        scenario = parse(arguments[0])
    except ValueError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    try:
        report = run(scenario)
    except Violation as violation:
        print(violation, file=sys.stderr)  # noqa: T201
        return 1
    print(f"{report.messages} messages in {report.simulated_us / 1e6:.0f} virtual seconds, digest {report.digest}")  # noqa: T201
    for what, times in sorted(report.counts.items()):
        print(f"  {what}: {times}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
