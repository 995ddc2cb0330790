"""Every time that the protocol waits for: those that a machine's phase sets, and the others of `limits.py`."""

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, Final

from udpchat_core import limits

from .machines import Found, constants, found, in_words, saying
from .markdown import table
from .source import described

TIMEOUT: Final = "timed_out"
"""The event that comes when a record's `due` is reached."""
_IS_TIME = re.compile(r"(?<!_PER)_(US|S|DAYS)(_MIN|_MAX)?$")
_UNITS: Final = (
    (86_400_000_000, "day"),
    (3_600_000_000, "h"),
    (60_000_000, "min"),
    (1_000_000, "s"),
    (1_000, "ms"),
    (1, "µs"),
)
_US: Final = {"US": 1, "S": 1_000_000, "DAYS": 86_400_000_000}


def of_machines() -> str:
    """A row for each phase that a record leaves, or acts in, after some time."""
    rows: list[tuple[object, ...]] = [
        (in_words(machine.name), phase.value, _waits(machine, phase), _then(machine, phase))
        for machine in found()
        for phase in machine.open_phases
        if (phase, TIMEOUT) in machine.table.index
    ]
    return table(("machine", "phase", "how long, after what", "what happens when it is over"), rows)


def others() -> str:
    """The times of `limits.py` that no machine's phase sets."""
    set_by_machines = {name for machine in found() for name in machine_times(machine)}
    rows: list[tuple[object, ...]] = [
        (f"`{name}`", in_units(name), why) for name, _, why in described(limits) if is_time(name)
    ]
    return table(
        ("time", "how long", "of what"), [row for row in rows if str(row[0]).strip("`") not in set_by_machines]
    )


def machine_times(machine: Found) -> list[str]:
    """The names of the times that a machine's actions set."""
    actions = {row.action: None for row in machine.table.rows if row.action}
    return [name for action in actions for name in _times(machine, action)]


def is_time(name: str) -> bool:
    """Whether a limit is a time, by its unit."""
    return bool(_IS_TIME.search(name))


def in_units(name: str) -> str:
    """The value of a time, each in the largest unit that makes it a whole number."""
    unit = _IS_TIME.search(name)
    assert unit
    value = getattr(limits, name)
    return ", ".join(_in_unit(each * _US[unit[1]]) for each in (value if isinstance(value, tuple) else (value,)))


def _in_unit(us: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if us % size == 0)
    count = us // size
    return f"{count:,} {unit}{'s' if unit == 'day' and count > 1 else ''}"


def _times(machine: Found, function: Callable[..., Any]) -> Iterator[str]:
    return filter(is_time, constants(machine.module, function))


def _waits(machine: Found, phase: StrEnum) -> str:
    """The times set by the actions that lead into a phase or are taken in it."""
    actions = {row.action: None for row in machine.table.rows if row.target is phase and row.action}
    said = {in_words(action.__name__): [f"{in_units(name)}" for name in _times(machine, action)] for action in actions}
    after: dict[str, list[str]] = {}
    for action, times in said.items():
        if times:
            after.setdefault(" to ".join(times), []).append(action)
    return "; ".join(f"{times} after *{'*, *'.join(names)}*" for times, names in after.items())


def _then(machine: Found, phase: StrEnum) -> str:
    done = []
    for row in machine.table.index[phase, TIMEOUT]:
        said = saying(machine, row)
        condition = f"{said.condition}: " if said.condition else ""
        done.append(f"{condition}*{said.effect}*" + (f", then {said.target.value}" if said.target else ""))
    return "; ".join(done)
