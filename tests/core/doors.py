"""What the tests of the table run: every machine of the core, and small ones: a door, with its guards and actions."""

from collections.abc import Callable
from enum import StrEnum
from types import new_class
from typing import Any, cast

from statemachine import Event
from statemachine.states import States

from spec.tools.machines import found
from udpchat_core.instant import Instant
from udpchat_core.table import Machine, stays

FOUND = list(found())
NOW, PEER = Instant(7), object()


class Door(StrEnum):
    """The phases of the small machines made here."""

    OPEN = "open"
    SHUT = "shut"
    GONE = "gone"


def is_locked(record: Any, peer: Any, now: Instant) -> bool:
    return bool(record.locked)


def is_old(record: Any, peer: Any, now: Instant) -> bool:
    return bool(record.old)


def ring(record: Any, peer: Any, now: Instant) -> tuple[str, ...]:
    return ("ring", peer, str(now))


def slam(record: Any, peer: Any, now: Instant) -> tuple[str, ...]:
    record.slammed = True
    return ("slam",)


def door(
    opened: Callable[[Any], Any],
    shut: Callable[[Any], Any] = lambda p: p.OPEN.to(p.SHUT, on=slam),
    event: str = "opened",
    **body: Any,
) -> type[Machine]:
    """A machine with the events `opened` (or as named), `shut` and `broken`."""
    p = States.from_enum(Door, initial=Door.OPEN, final=Door.GONE)
    events = {event: Event(opened(p)), "shut": Event(shut(p)), "broken": Event(p.GONE.from_.any())}
    impossible = {Door.OPEN: frozenset({event}), Door.SHUT: frozenset({"shut"})}
    return made(Machine, p=p, **events, **({"impossible": impossible} | body))


def made(base: type[Machine], **body: Any) -> type[Machine]:
    return cast("type[Machine]", new_class("DoorMachine", (base,), exec_body=lambda names: names.update(body)))


def opens(p: Any) -> Any:
    return stays(p.SHUT, cond=is_locked, on=ring) | p.SHUT.to(p.OPEN, unless=is_old, on=ring) | p.SHUT.to(p.OPEN)
