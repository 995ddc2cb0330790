"""From a machine class to the table that runs.

Theory of operation. A machine is *defined* as a python-statemachine class, which refuses unreachable phases
and traps, and is the oracle in tests; it is *run* from an immutable table, (phase, event) to rows, read from
the class once, at import. The rows of a pair are tried in order; the last has no guard, so that no pair is
left open. Guards and actions are module-level functions of (record, peer, now): the engine binds them by
these names, the table calls them by position. Guards are pure. Actions may change their record, never its
phase, and return intents, which the client or the server carries out after all steps of a turn. `step` is the
one seam that everything goes through, and where a trace can be written.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from inspect import isfunction
from types import MappingProxyType
from typing import Any, Final, Generic, Protocol, TypeVar

from statemachine import State, StateChart
from statemachine.transition import Transition
from statemachine.transition_list import TransitionList

from .errors import LocalProtocolError
from .instant import Instant

PARAMETERS: Final = ("record", "peer", "now")
_RESERVED_PREFIXES: Final = ("error_", "done_")  # the library makes two events of such a name


class Machine(StateChart[Any]):
    """The strict base: a misspelt event and an exception in a callback are errors.

    `impossible` lists, by phase, the events that cannot happen there: a bug if they do. Every other pair of a
    phase that is not final and an event must be a row.
    """

    allow_event_without_transition = False
    catch_errors_as_events = False
    atomic_configuration_update = True
    enable_self_transition_entries = False
    impossible: Mapping[StrEnum, frozenset[str]] = MappingProxyType({})


def ignored(*phases: State) -> TransitionList:
    """Rows that change nothing: the event is expected in these phases, and means nothing there."""
    return TransitionList(row for phase in phases for row in phase.to(phase, internal=True))


def stays(phase: State, **how: Any) -> TransitionList:  # noqa: ANN401 - what a transition takes
    """A row that acts and leaves the phase as it is."""
    return TransitionList(phase.to(phase, internal=True, **how))


class Record(Protocol):
    """What a machine is about: anything with a phase."""

    phase: Any


R = TypeVar("R", bound=Record)
C = TypeVar("C")
Function = Callable[[R, C, Instant], Any]


@dataclass(frozen=True, slots=True)
class Row(Generic[R, C]):
    """One transition: in `source`, at `event`, if `guard` says `wanted`, do `action` and be in `target`."""

    source: StrEnum
    event: str
    guard: Function[R, C] | None
    wanted: bool
    target: StrEnum
    action: Function[R, C] | None

    @property
    def is_ignored(self) -> bool:
        """Whether the row means nothing happens."""
        return self.target is self.source and self.action is None


@dataclass(frozen=True, slots=True)
class Table(Generic[R, C]):
    """A machine to run: its rows in order, by (phase, event), and what is impossible."""

    name: str
    meaning: str
    initial: StrEnum
    final: tuple[StrEnum, ...]
    rows: tuple[Row[R, C], ...]
    index: Mapping[tuple[StrEnum, str], tuple[Row[R, C], ...]]
    impossible: Mapping[StrEnum, frozenset[str]]


Trace = Callable[[str, Any, Row[Any, Any], Instant], None]
_traces: list[Trace] = []


def add_trace(trace: Trace) -> None:
    """From now on call `trace(machine name, record, row taken, now)` after each step, in the new phase."""
    _traces.append(trace)


def remove_trace(trace: Trace) -> None:
    """The end of `add_trace`."""
    _traces.remove(trace)


def step(table: Table[R, C], record: R, event: str, peer: C, now: Instant) -> Sequence[Any]:
    """Run one event: the intents of the row taken. Raises `LocalProtocolError` for what is impossible."""
    for row in table.index.get((record.phase, event), ()):
        if row.guard is None or bool(row.guard(record, peer, now)) is row.wanted:
            intents: Sequence[Any] = row.action(record, peer, now) if row.action is not None else ()
            record.phase = row.target
            for trace in _traces:
                trace(table.name, record, row, now)
            return intents
    raise LocalProtocolError(f"{table.name}: {event} in phase {record.phase} cannot be")


def read(machine: type[Machine]) -> Table[Any, Any]:
    """The table of a machine class; `TypeError` for anything that the table would not run as the engine does."""
    _check_plain(machine)
    rows = tuple(row for state in machine.states for row in _rows(machine, state.transitions.transitions))
    index: dict[tuple[StrEnum, str], tuple[Row[Any, Any], ...]] = {}
    for row in rows:
        index[row.source, row.event] = (*index.get((row.source, row.event), ()), row)
    for (phase, event), found in index.items():
        if found[-1].guard is not None or any(row.guard is None for row in found[:-1]):
            raise TypeError(f"{machine.__name__}, {event} in {phase}: the last row, and no other, is without guard")
    _check_complete(machine, index)
    return Table(
        name=machine.__name__,
        meaning=machine.__doc__ or "",
        initial=next(state.value for state in machine.states if state.initial),
        final=tuple(state.value for state in machine.states if state.final),
        rows=rows,
        index=MappingProxyType(index),
        impossible=MappingProxyType(dict(machine.impossible)),
    )


def _check_plain(machine: type[Machine]) -> None:
    """Nothing that the engine would do by itself, beside the rows."""
    classes = machine.__mro__[: machine.__mro__.index(Machine)]
    if hooks := [name for kind in classes for name, value in vars(kind).items() if isfunction(value)]:
        raise TypeError(f"{machine.__name__}: {hooks} must be functions of the module: the engine calls some by name")
    for state in machine.states:
        if any(not spec.is_convention for spec in state._specs):  # noqa: SLF001 - see `_rows`
            raise TypeError(f"{machine.__name__}: entering or leaving {state.value} must do nothing")
        if any(transition.is_eventless for transition in state.transitions):
            raise TypeError(f"{machine.__name__}: a row in {state.value} has no event")


def _rows(machine: type[Machine], transitions: Sequence[Transition]) -> Iterator[Row[Any, Any]]:
    for transition in transitions:
        what = f"{machine.__name__}, {transition}"
        # The library's private parts are read here and in the oracle test, and nowhere else: pinned to 3.2.
        specs = [spec for spec in transition._specs if not spec.is_convention]  # noqa: SLF001
        guards, actions = list(transition.cond), [spec for spec in specs if spec in list(transition.on)]
        if len(specs) != len(guards) + len(actions) or len(guards) > 1 or len(actions) > 1:
            raise TypeError(f"{what}: at most one guard and one `on`, and nothing else")
        for spec in specs:
            code = getattr(spec.func, "__code__", None)
            if code is None or code.co_varnames[: code.co_argcount] != PARAMETERS:
                raise TypeError(f"{what}: {spec.func!r} must be a function of {PARAMETERS}")
        if len(transition.targets) != 1 or (transition.target is transition.source) != transition.internal:
            raise TypeError(f"{what}: one target; staying is `internal`")
        for event in transition.events:
            if str(event).startswith(_RESERVED_PREFIXES):
                raise TypeError(f"{what}: an event must not begin with one of {_RESERVED_PREFIXES}")
            yield Row(
                transition.source.value,
                str(event),
                guards[0].func if guards else None,
                guards[0].expected_value if guards else True,
                transition.targets[0].value,
                actions[0].func if actions else None,
            )


def _check_complete(machine: type[Machine], index: Mapping[tuple[StrEnum, str], object]) -> None:
    """Every pair is a row or is listed as impossible, and never both."""
    events = [str(event) for event in machine.events]  # type: ignore[attr-defined] # a property of the metaclass
    if strays := sorted(set(machine.impossible).difference(state.value for state in machine.states)):
        raise TypeError(f"{machine.__name__}: `impossible` lists {strays}, which are no phases")
    for state in machine.states:
        listed = machine.impossible.get(state.value, frozenset())
        if unknown := sorted(listed.difference(events)):
            raise TypeError(f"{machine.__name__}: {unknown}, listed as impossible in {state.value}, are no events")
        for event in () if state.final else events:
            if ((state.value, event) in index) == (event in listed):
                raise TypeError(f"{machine.__name__}: {event} in {state.value} must be a row or `impossible`, not both")


def freeze(value: Any) -> Hashable:  # noqa: ANN401 - any record of plain values
    """A canonical, comparable picture of a record: equal exactly if all that decides its future is equal."""
    if is_dataclass(value):
        return (type(value).__name__, *((f.name, freeze(getattr(value, f.name))) for f in fields(value)))
    if isinstance(value, Mapping):
        return tuple(sorted(((freeze(k), freeze(v)) for k, v in value.items()), key=repr))
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item) for item in value)
    assert isinstance(value, Hashable)
    return value
