"""The threat table of section 11, read back: attack, defence, and the tests that show it."""

import re
from dataclasses import dataclass
from typing import Final

_TABLE: Final = re.compile(r"<!-- threats -->\n(.*?)<!-- end threats -->", re.DOTALL)
_HEAD_ROWS: Final = 2


@dataclass(frozen=True, slots=True)
class Threat:
    """A row: what is done, what stops it, and `path::name` of each test that shows it."""

    attack: str
    defence: str
    tests: tuple[str, ...]


def threats(text: str) -> list[Threat]:
    """The rows of the table in a section's text."""
    table = _TABLE.search(text)
    assert table is not None, "the table stands between its two marks"
    return [_row(line) for line in table.group(1).splitlines()[_HEAD_ROWS:]]


def _row(line: str) -> Threat:
    attack, defence, shown = (cell.strip() for cell in line.strip().strip("|").split("|"))
    return Threat(attack.replace("*", ""), defence, tuple(re.findall(r"`([^`]+::[^`]+)`", shown)))
