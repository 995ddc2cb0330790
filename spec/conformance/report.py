"""What came out: a row a check, and what that says of each requirement."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

SPEC: Final = Path(__file__).parents[1]
_STATED = re.compile(r"^[-*] \*\*(R-\d+(?:\.\d+)*-\d+)\*\* ", re.MULTILINE)
SEEN_CHARS_MAX: Final = 300


class Verdict(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class Row:
    """One check: what it is about, the requirements that it shows, and if it failed, what was seen instead."""

    part: str
    check: str
    requirements: tuple[str, ...]
    verdict: Verdict
    seen: str = ""


def by_requirement(rows: Iterable[Row]) -> dict[str, Verdict]:
    """Failed where one check of it failed, else passed where one passed, else unsupported."""
    order = (Verdict.FAILED, Verdict.PASSED, Verdict.UNSUPPORTED)
    verdicts: dict[str, Verdict] = {}
    for row in rows:
        for requirement in row.requirements:
            before = verdicts.get(requirement, row.verdict)
            verdicts[requirement] = min(before, row.verdict, key=order.index)
    return {requirement: verdicts[requirement] for requirement in stated() if requirement in verdicts}


def stated() -> list[str]:
    """Every requirement of the specification, in its order."""
    return [id_ for path in sorted(SPEC.glob("[0-9]*.md")) for id_ in _STATED.findall(path.read_text("utf-8"))]


def counts(rows: Sequence[Row]) -> str:
    """As `3 passed, 1 failed, 0 unsupported`."""
    return ", ".join(f"{sum(row.verdict is verdict for row in rows)} {verdict}" for verdict in Verdict)


def table(rows: Sequence[Row]) -> str:
    """For people: a Markdown table, and a summary by requirement."""
    lines = ["| part | check | shows | result |", "|---|---|---|---|"]
    for row in rows:
        result = f"**failed**: {_cell(row.seen)}" if row.verdict is Verdict.FAILED else str(row.verdict)
        lines.append(f"| {row.part} | {row.check} | {', '.join(row.requirements)} | {result} |")
    return "\n".join([*lines, "", *_summary(rows)])


def as_json(rows: Sequence[Row]) -> dict[str, object]:
    """For programs."""
    return {"checks": [asdict(row) for row in rows], "requirements": by_requirement(rows)}


def _summary(rows: Sequence[Row]) -> list[str]:
    requirements = by_requirement(rows)
    lines = [f"Checks: {counts(rows)}.", ""]
    for verdict in Verdict:
        ids = [id_ for id_, its in requirements.items() if its is verdict]
        lines.append(f"Requirements {verdict}: {len(ids)}" + (f" ({', '.join(ids)})." if ids else "."))
    left = [id_ for id_ in stated() if id_ not in requirements]
    lines.append(f"Requirements that no check of this run is about: {len(left)}.")
    return lines


def _cell(text: str) -> str:
    return " ".join(text.split())[:SEEN_CHARS_MAX].replace("|", "/")
