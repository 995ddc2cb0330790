"""`python -m spec.conformance [--only PATTERN] [--json] COMMAND...`: hold an implementation against the specification.

COMMAND is started once for the vectors and once for each peer that a check of behaviour needs; README.md says what
it is asked. The status is 0 if no check failed.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Sequence

from . import (
    client_mail,
    client_receiving,
    client_recipients,
    client_sending,
    client_session,
    client_storing,
    server_links,
    server_sessions,
    server_users,
    vectors,
)
from .checks import CHECKS, rows
from .door import CheckFailed, Door
from .report import Row, Verdict, as_json, table

MODULES = (
    client_session,
    client_recipients,
    client_sending,
    client_storing,
    client_receiving,
    client_mail,
    server_links,
    server_sessions,
    server_users,
)
"""Those that have checks, in the order of the table; they are in `CHECKS` once they are imported."""


def run(command: Sequence[str], wanted: Callable[[str], bool] = lambda _: True) -> list[Row]:
    """All rows whose part and name are wanted."""
    found: list[Row] = []
    if any(wanted(name) for name in vectors.names()):
        door = Door(command)
        try:
            found += vectors.rows(door.ask, wanted)
        finally:
            door.close()
    ordered = [check for module in MODULES for check in CHECKS if check.module == module.__name__]
    chosen = [check for check in ordered if wanted(f"{check.role} {check.name}")]
    return [*found, *rows(command, chosen)]


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m spec.conformance", description=__doc__)
    parser.add_argument("--only", metavar="PATTERN", default="", help="checks whose part and name match (a regex)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="of the implementation, with its arguments")
    arguments = parser.parse_args()
    if not arguments.command:
        parser.error("which command?")
    pattern = re.compile(arguments.only)
    try:
        found = run(arguments.command, lambda name: pattern.search(name) is not None)
    except (OSError, CheckFailed) as error:
        print(f"{arguments.command[0]}: {error}", file=sys.stderr)
        return 2
    try:
        print(json.dumps(as_json(found), indent=1) if arguments.json else table(found), flush=True)
    except BrokenPipeError:  # whoever reads it had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(any(row.verdict is Verdict.FAILED for row in found))


if __name__ == "__main__":
    sys.exit(main())
