"""The table runs what the class says: the engine is the oracle, over everything that can be asked of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from itertools import product
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from statemachine.exceptions import TransitionNotAllowed

from spec.tools.machines import Found
from tests.core.doors import FOUND, NOW, PEER, Door, door, is_locked, is_old, opens, ring
from udpchat_core import machines
from udpchat_core.errors import LocalProtocolError
from udpchat_core.instant import Instant
from udpchat_core.table import Machine, Row, Table, add_trace, ignored, read, remove_trace, stays, step

# --- the engine is the oracle ---

_door = door(opens)
SMALL = Found(SimpleNamespace(__name__="small"), _door, read(_door), SimpleNamespace)  # type: ignore[arg-type]
each_oracle = pytest.mark.parametrize("machine", [*FOUND, SMALL], ids=lambda machine: machine.name)


def test_every_module_of_machines_is_found_here() -> None:
    modules = sorted(path.stem for path in Path(machines.__path__[0]).glob("[!_]*.py"))
    assert [machine.name for machine in FOUND] == modules
    assert modules


@each_oracle
def test_what_runs_is_what_the_class_says_now(machine: Found) -> None:
    assert machine.table == read(machine.machine)


@each_oracle
def test_the_table_does_what_the_engine_does_in_every_phase_at_every_event_and_guard_outcome(machine: Found) -> None:
    events: Sequence[str] = [str(event) for event in machine.machine.events]  # type: ignore[attr-defined]
    taken: set[Row[Any, Any]] = set()
    for phase, event in product(machine.phases, events):
        guards = list({row.guard: None for row in machine.table.index.get((phase, event), ()) if row.guard})
        for answers in product([True, False], repeat=len(guards)):
            taken |= _compared(machine, phase, event, dict(zip(guards, answers, strict=True)))
    assert taken == set(machine.table.rows)  # so every row can be taken, if its guards say so


def _compared(machine: Found, phase: StrEnum, event: str, says: dict[Any, bool]) -> set[Row[Any, Any]]:
    """Ask both; the row that the table took, if any."""
    table, rows = _told(machine.table, says), []
    ours, theirs = SimpleNamespace(phase=phase), SimpleNamespace(phase=phase)
    with _forced(machine.machine, says):
        engine = machine.machine(theirs, state_field="phase")
        try:
            expected = engine.send(event, record=theirs, peer=PEER, now=NOW)
        except TransitionNotAllowed:
            with pytest.raises(LocalProtocolError, match=f"{table.name}: {event} in phase {phase} cannot be"):
                step(table, ours, event, PEER, NOW)
            is_final = phase in machine.table.final
            assert is_final or event in machine.table.impossible[phase]
        else:
            with _traced() as seen:
                did = step(table, ours, event, PEER, NOW)
            assert did == (expected or ())
            assert event not in machine.table.impossible.get(phase, ())
            rows = [machine.table.rows[table.rows.index(row)] for _, _, row, _ in seen]
    assert ours.phase is theirs.phase
    return set(rows)


def _told(table: Table[Any, Any], says: dict[Any, bool]) -> Table[Any, Any]:
    """The table with each function of its rows replaced by its stub."""
    stubs = {row: replace(row, guard=_guard(row.guard, says), action=_action(row.action)) for row in table.rows}
    index = {pair: tuple(stubs[row] for row in rows) for pair, rows in table.index.items()}
    return replace(table, rows=tuple(stubs.values()), index=MappingProxyType(index))


@contextmanager
def _forced(machine: type[Machine], says: dict[Any, bool]) -> Iterator[None]:
    """The engine's functions replaced by the same stubs; its private parts, as `table.read` says."""
    specs = [s for state in machine.states for t in state.transitions for s in (*t.cond, *t.on) if not s.is_convention]
    kept = [spec.func for spec in specs]
    for spec in specs:
        spec.func = _guard(spec.func, says) if spec.expected_value is not None else _action(spec.func)
    try:
        yield
    finally:
        for spec, func in zip(specs, kept, strict=True):
            spec.func = func


def _guard(guard: Any, says: dict[Any, bool]) -> Any:
    """Answers as told; a guard that the table does not have for this pair is a KeyError."""

    def stub(record: Any, peer: Any, now: Instant) -> bool:
        assert (peer, now) == (PEER, NOW)
        return says[guard]

    return stub if guard else None


def _action(action: Any) -> Any:
    """Returns which it is and what it saw."""

    def stub(record: Any, peer: Any, now: Instant) -> tuple[Any, ...]:
        return (action, record.phase, peer, now)

    return stub if action else None


@contextmanager
def _traced() -> Iterator[list[tuple[Any, ...]]]:
    seen: list[tuple[Any, ...]] = []

    def trace(*said: Any) -> None:
        seen.append(said)

    add_trace(trace)
    try:
        yield seen
    finally:
        remove_trace(trace)


# --- steps ---


def test_a_step_gives_the_intents_of_the_first_row_whose_guard_agrees() -> None:
    table = read(door(opens))
    for locked, old, intents, target in (
        (True, True, ("ring", "peer", "7"), Door.SHUT),
        (False, False, ("ring", "peer", "7"), Door.OPEN),
        (False, True, (), Door.OPEN),
    ):
        record = SimpleNamespace(phase=Door.SHUT, locked=locked, old=old)
        assert step(table, record, "opened", "peer", NOW) == intents
        assert record.phase is target


@pytest.mark.parametrize(("phase", "event"), [(Door.OPEN, "opened"), (Door.GONE, "shut"), (Door.OPEN, "no_such")])
def test_an_event_that_cannot_be_is_an_error_and_changes_nothing(phase: Door, event: str) -> None:
    record = SimpleNamespace(phase=phase)
    with _traced() as seen, pytest.raises(LocalProtocolError, match=f"DoorMachine: {event} in phase {phase} cannot be"):
        step(read(door(opens)), record, event, None, NOW)
    assert record == SimpleNamespace(phase=phase)
    assert seen == []


def test_a_trace_sees_each_row_taken_in_the_new_phase_until_it_is_removed() -> None:
    table, record = read(door(opens)), SimpleNamespace(phase=Door.OPEN)
    phases: list[Door] = []

    def note(name: str, record: Any, row: Row[Any, Any], now: Instant) -> None:
        phases.append(record.phase)

    with _traced() as seen:
        add_trace(note)
        step(table, record, "shut", None, NOW)
        remove_trace(note)
        step(table, record, "broken", None, Instant(8))
    step(table, SimpleNamespace(phase=Door.OPEN), "broken", None, NOW)
    assert phases == [Door.SHUT]
    assert seen == [
        ("DoorMachine", record, table.index[Door.OPEN, "shut"][0], NOW),
        ("DoorMachine", record, table.index[Door.SHUT, "broken"][0], Instant(8)),
    ]


def test_a_row_is_ignored_only_if_it_neither_moves_nor_acts() -> None:
    table = read(
        door(
            lambda p: p.SHUT.to(p.OPEN),
            lambda p: p.OPEN.to(p.SHUT, cond=is_locked) | stays(p.OPEN, cond=is_old, on=ring) | ignored(p.OPEN),
        )
    )
    assert [row.is_ignored for row in table.index[Door.OPEN, "shut"]] == [False, False, True]
