"""Plants faults in a copy of the tree, one at a time, and sees each caught by the promise that it breaks.

`python -m tests.simulation.planted [NAME ...]`. Those of the delivery are looked for by random bad networks, those of
security by the test of the attack that they let through. A fault that another promise catches, or none, counts as
missed: it means that a layer is not watched. The copy is thrown away. `FAULTS` (in `faults/`, by who finds or uses
them) is checked in CI to be about the code as it is.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.simulation.faults.delivery import DELIVERY
from tests.simulation.faults.fault import Planted
from tests.simulation.faults.network import NETWORK
from tests.simulation.faults.peer import PEER
from tests.simulation.faults.server import SERVER

FAULTS: Final = (*DELIVERY, *NETWORK, *SERVER, *PEER)
ROOT: Final = Path(__file__).parents[2]
HOURS: Final = 60
_SOAK: Final = ("-m", "tests.simulation.soak", "--no-shrink", "--hours", str(HOURS))
_PYTEST: Final = ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider")
_EVIL: Final = "tests/simulation/evil"
_TESTS_FAILED: Final = 1


def plant(fault: Planted, copy: Path) -> None:
    """Put the fault into a copy of the tree."""
    path = copy / fault.file
    text = path.read_text(encoding="utf-8")
    for old, new in ((fault.old, fault.new), fault.also):
        if old:
            assert text.count(old) == 1, f"{fault.name}: the old text is {text.count(old)} times in {fault.file}"
            text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def caught_by(fault: Planted) -> tuple[str, str]:
    """The name of the invariant that caught it, and what it said; empty names if none did."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "udpchat"
        for part in ("udpchat_core", "udpchat_net", "tests"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        plant(fault, copy)
        command = (*_PYTEST, f"{_EVIL}/{fault.attack}") if fault.attack else _SOAK
        run = subprocess.run([sys.executable, *command], cwd=copy, capture_output=True, text=True, check=False)
    if fault.attack:
        return caught_by_attack(run.returncode, run.stdout)
    said = re.match(r"([A-Z_]+): .*", run.stdout)
    if said is None:
        return "", run.stdout.partition("\n")[0] or run.stderr.strip().rpartition("\n")[2]
    good = re.search(r"after (\d+) scenarios", run.stdout)
    assert good is not None
    return said[1], f"in scenario {int(good[1]) + 1}: {said[0][:200]}"


def caught_by_attack(status: int, said: str) -> tuple[str, str]:
    """The same, of a test: `assert` where that caught it."""
    if status != _TESTS_FAILED:
        return "", f"pytest ended with {status}"
    violation = re.search(r"^E .*Violation: ([A-Z_]+): (.*)", said, re.MULTILINE)
    if violation is not None:
        return violation[1], violation[0][:200]
    failed = re.search(r"^E +(Assertion.*|assert.*|Failed.*)", said, re.MULTILINE)
    return ("assert", failed[1][:200]) if failed is not None else ("", "the test broke in another way")


def main(names: list[str]) -> int:
    missed = 0
    for fault in FAULTS:
        if names and fault.name not in names:
            continue
        name, said = caught_by(fault)
        wanted = fault.invariant.name if fault.invariant is not None else "assert"
        word = "caught" if name == wanted else "MISSED"
        missed += word == "MISSED"
        sys.stdout.write(f"{word} {fault.name} by {name or 'nothing'} (must be {wanted})\n    {said}\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
