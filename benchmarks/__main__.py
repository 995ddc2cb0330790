"""`python -m benchmarks [NAME ...]`: measures and prints a Markdown table; `--json FILE` keeps it as well.

A NAME is a pair's, or the beginning of one: `record` is every pair about RECORDs.
"""

import argparse
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from . import driver, envelope, lookup, store
from .harness import ROUNDS, ROUNDS_MIN, Pair, as_json, paired, table

SUBJECTS = (envelope, store, driver, lookup)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with `arguments`, or the process's own; the exit status."""
    parser = argparse.ArgumentParser("python -m benchmarks", description="Ours against what it cannot do without.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a pair, or how its name begins; without, all")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds of each pair ({ROUNDS})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to FILE as well")
    parser.add_argument("--list", action="store_true", help="list the pairs, measure nothing")
    given = parser.parse_args(arguments)
    if given.rounds < ROUNDS_MIN:
        parser.error(f"--rounds is {given.rounds}: at least {ROUNDS_MIN} are needed")
    if given.list:
        print("\n".join(pair.name for pair in _chosen(given.names)))
        return 0
    comparisons = [paired(pair, given.rounds) for pair in _chosen(given.names)]
    print(table(comparisons), end="")
    if given.json:
        given.json.write_text(json.dumps({"machine": _machine(), "results": as_json(comparisons)}, indent=1) + "\n")
    if missing := [name for name in given.names if not any(one.name.startswith(name) for one in comparisons)]:
        parser.error(f"no pair begins with {missing[0]!r}: see --list")
    return 0


def _chosen(names: Sequence[str]) -> Iterator[Pair]:
    """One by one: what a subject needs for a pair, a running server say, is there until the next is asked for."""
    for subject in SUBJECTS:
        with closing(subject.pairs()) as pairs:
            yield from (pair for pair in pairs if not names or pair.name.startswith(tuple(names)))


def _machine() -> dict[str, str]:
    """What to compare with only: the ratios of another machine or of other versions are others."""
    said = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    return said | {name: version(name) for name in ("cryptography", "cbor2", "pydantic")}


if __name__ == "__main__":
    sys.exit(main())
