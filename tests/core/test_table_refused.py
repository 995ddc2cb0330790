"""A machine that the table would run otherwise than the engine is refused, and told which row or name is to blame."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.core.doors import Door, door, is_locked, is_old, made, opens, ring, slam
from udpchat_core.instant import Instant
from udpchat_core.table import Machine, read


def with_other_names(letter: Any, peer: Any, now: Instant) -> tuple[str, ...]:
    return ()


def rings_on_entry(p: Any) -> Any:
    p.OPEN.enter.add(ring)
    return opens(p)


def falls_shut(p: Any) -> Any:
    p.OPEN.to(p.GONE, cond=is_old)
    return opens(p)


def swings(self: Any) -> None: ...


SEVERAL = r"at most one guard and one `on`, and nothing else"
FUNCTION = r"must be a function of \('record', 'peer', 'now'\)"
TARGET = r"one target; staying is `internal`"
LAST = r"opened in shut: the last row, and no other, is without guard"
COMPLETE = r"must be a row or `impossible`, not both"
REFUSED: dict[str, tuple[Callable[[], type[Machine]], str]] = {
    "two guards": (lambda: door(lambda p: p.SHUT.to(p.OPEN, cond=[is_locked, is_old])), SEVERAL),
    "a guard and an unless": (lambda: door(lambda p: p.SHUT.to(p.OPEN, cond=is_locked, unless=is_old)), SEVERAL),
    "two actions": (lambda: door(lambda p: p.SHUT.to(p.OPEN, on=[ring, slam])), SEVERAL),
    "before": (lambda: door(lambda p: p.SHUT.to(p.OPEN, before=ring)), SEVERAL),
    "after": (lambda: door(lambda p: p.SHUT.to(p.OPEN, after=ring)), SEVERAL),
    "a validator": (lambda: door(lambda p: p.SHUT.to(p.OPEN, validators=is_locked)), SEVERAL),
    "other parameters": (lambda: door(lambda p: p.SHUT.to(p.OPEN, on=with_other_names)), FUNCTION),
    "no parameters": (lambda: door(lambda p: p.SHUT.to(p.OPEN, on=lambda: ())), FUNCTION),
    "a guard by name": (lambda: door(lambda p: p.SHUT.to(p.OPEN, cond="is_locked")), FUNCTION),
    "no plain function": (lambda: door(lambda p: p.SHUT.to(p.OPEN, on=partial(ring, peer=None))), FUNCTION),
    "leaving to stay": (lambda: door(lambda p: p.SHUT.to(p.SHUT, on=ring)), TARGET),
    "two targets": (lambda: door(lambda p: p.SHUT.to([p.OPEN, p.GONE])), TARGET),
    "no target": (lambda: door(lambda p: p.SHUT.to(None, on=ring)), TARGET),
    "an event error_": (
        lambda: door(opens, event="error_seen"),
        r"an event must not begin with one of \('error_', 'done_'\)",
    ),
    "an event done_": (lambda: door(opens, event="done_here"), "an event must not begin with"),
    "a last row with a guard": (lambda: door(lambda p: p.SHUT.to(p.OPEN, cond=is_locked)), LAST),
    "a row that none follows": (lambda: door(lambda p: p.SHUT.to(p.OPEN) | p.SHUT.to(p.OPEN, cond=is_old)), LAST),
    "two rows without guard": (lambda: door(lambda p: p.SHUT.to(p.OPEN) | p.SHUT.to(p.OPEN, on=ring)), LAST),
    "a misspelt impossible event": (
        lambda: door(opens, impossible={Door.OPEN: frozenset({"opened", "slid"}), Door.SHUT: frozenset({"shut"})}),
        r"\['slid'\], listed as impossible in open, are no events",
    ),
    "a row that is impossible": (
        lambda: door(opens, impossible={Door.OPEN: frozenset({"opened", "shut"}), Door.SHUT: frozenset({"shut"})}),
        f"shut in open {COMPLETE}",
    ),
    "an impossible phase": (
        lambda: door(opens, impossible={Door.OPEN: frozenset({"opened"}), "ajar": frozenset({"shut"})}),
        r"`impossible` lists \['ajar'\], which are no phases",
    ),
    "a hook by an event's name": (
        lambda: door(opens, on_shut=swings),
        r"\['on_shut'\] must be functions of the module: the engine calls some by name",
    ),
    "a hook by a phase's name": (lambda: door(opens, on_enter_OPEN=swings), r"\['on_enter_OPEN'\] must be functions"),
    "an inherited hook": (
        lambda: made(door(opens, on_shut=swings)),
        r"\['on_shut'\] must be functions",
    ),
    "acting on entry": (lambda: door(rings_on_entry), "entering or leaving open must do nothing"),
    "a row without event": (lambda: door(falls_shut), "a row in open has no event"),
    "an open pair": (lambda: door(opens, impossible={Door.OPEN: frozenset({"opened"})}), f"shut in shut {COMPLETE}"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_machine_that_the_table_would_run_otherwise_is_refused(case: str) -> None:
    make, message = REFUSED[case]
    machine = make()
    with pytest.raises(TypeError, match=message) as refused:
        read(machine)
    assert str(refused.value).startswith("DoorMachine")


def test_the_same_machine_without_the_mistake_is_read() -> None:
    table = read(door(opens))
    assert (table.name, table.initial, table.final) == ("DoorMachine", Door.OPEN, (Door.GONE,))
    assert [row.guard for row in table.index[Door.SHUT, "opened"]] == [is_locked, is_old, None]
    assert [row.wanted for row in table.index[Door.SHUT, "opened"]] == [True, False, True]
