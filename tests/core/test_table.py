"""The table runs what the class says: the engine is the oracle, over everything that can be asked of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import dataclass, field, is_dataclass, make_dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import product
from pathlib import Path
from types import MappingProxyType, NoneType, SimpleNamespace, new_class
from typing import Any, cast, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statemachine import Event
from statemachine.exceptions import TransitionNotAllowed
from statemachine.states import States

from spec.tools.machines import Found, found
from tests import strategies
from udpchat_core import machines
from udpchat_core.errors import LocalProtocolError
from udpchat_core.instant import Instant
from udpchat_core.table import Machine, Row, Table, add_trace, freeze, ignored, read, remove_trace, stays, step

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


def with_other_names(letter: Any, peer: Any, now: Instant) -> tuple[str, ...]:
    return ()


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


def rings_on_entry(p: Any) -> Any:
    p.OPEN.enter.add(ring)
    return opens(p)


def falls_shut(p: Any) -> Any:
    p.OPEN.to(p.GONE, cond=is_old)
    return opens(p)


def swings(self: Any) -> None: ...


# --- the engine is the oracle ---

_door = door(opens)
SMALL = Found(SimpleNamespace(__name__="small"), _door, read(_door), SimpleNamespace)  # type: ignore[arg-type]
each_machine = pytest.mark.parametrize("machine", FOUND, ids=lambda machine: machine.name)
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


# --- what the table would not run as the engine does is refused ---

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


# --- frozen records ---


@dataclass
class Box:
    """A record with everything that one may hold."""

    phase: Door = Door.OPEN
    letters: dict[int, "Box | None"] = field(default_factory=dict)
    names: list[tuple[str, bytes]] = field(default_factory=list)
    due: Instant | None = None


def _values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a field of a record."""
    arguments = get_args(hint)
    if hint is None:
        return st.none()
    if get_origin(hint) is dict:
        return st.dictionaries(_values(arguments[0]), _values(arguments[1]), max_size=3)
    if get_origin(hint) is list:
        return st.lists(_values(arguments[0]), max_size=3)
    if NoneType in arguments:
        return st.none() | _values(arguments[0])
    if not is_dataclass(hint):
        return st.from_type(hint)
    kind = cast("type[Any]", hint)
    if hasattr(kind, "__pydantic_fields__"):
        return strategies.instances(kind)
    return st.deferred(lambda: st.builds(kind, **{name: _values(of) for name, of in get_type_hints(kind).items()}))


def _turned(value: Any) -> Any:
    """A copy of a record with every dict in another order."""
    twin = deepcopy(value)
    for name in get_type_hints(type(value)):
        if isinstance(held := getattr(twin, name), dict):
            setattr(twin, name, dict(reversed(held.items())))
    return twin


# A session's record is a Protocol: what has its fields at the server is a link as well.
_KINDS = [Box, *(each.record for each in FOUND if is_dataclass(each.record))]
each_record = pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.__name__)


@each_record
@given(data=st.data())
def test_frozen_records_are_equal_exactly_if_all_their_fields_are(kind: type[Any], data: st.DataObject) -> None:
    record = data.draw(_values(kind))
    picture = freeze(record)
    assert freeze(_turned(record)) == picture
    assert hash(freeze(_turned(record))) == hash(picture)
    for name, hint in get_type_hints(kind).items():
        value = data.draw(_values(hint))
        other = copy(record)
        setattr(other, name, value)
        assert (freeze(other) == picture) is (value == getattr(record, name)), name


def test_a_frozen_record_does_not_follow_its_record() -> None:
    box = Box(letters={1: Box()}, names=[("bob", b"1")])
    picture = freeze(box)
    box.letters[1] = None
    assert freeze(box) != picture
    box.letters[1] = Box()
    assert freeze(box) == picture
    cast("Box", box.letters[1]).due = NOW
    assert freeze(box) != picture


def test_frozen_records_of_two_classes_differ() -> None:
    other = make_dataclass("Crate", [("phase", Door)])
    assert freeze(other(Door.OPEN)) != freeze(make_dataclass("Case", [("phase", Door)])(Door.OPEN))


def test_what_has_no_order_is_not_frozen() -> None:
    with pytest.raises(AssertionError):
        freeze({1, 2})
