"""The engine of python-statemachine as the oracle: what a table does, the class that it was read from does as well."""

from collections.abc import Callable
from typing import Any

import pytest
from statemachine.exceptions import TransitionNotAllowed

from udpchat_core.errors import LocalProtocolError
from udpchat_core.instant import Instant
from udpchat_core.table import Machine, Table, freeze, step

Make = Callable[[Any], Any]


def agrees(machine: type[Machine], table: Table[Any, Any], make: Make, peer: Any, now: Instant) -> int:
    """Run every (phase, event) of `make(phase)` by both; the number of pairs."""
    events = [str(event) for event in machine.events]  # type: ignore[attr-defined] # a property of the metaclass
    for phase in {row.source for row in table.rows} | set(table.final):
        for event in events:
            _agree(machine, table, make(phase), make(phase), event, peer, now)
    return len(events)


def _agree(
    machine: type[Machine], table: Table[Any, Any], ours: Any, theirs: Any, event: str, peer: Any, now: Instant
) -> None:
    engine = machine(start_value=theirs.phase)
    if (theirs.phase, event) not in table.index:
        with pytest.raises(TransitionNotAllowed):
            engine.send(event, record=theirs, peer=peer, now=now)
        with pytest.raises(LocalProtocolError):
            step(table, ours, event, peer, now)
        return
    intents = engine.send(event, record=theirs, peer=peer, now=now)
    theirs.phase = engine.current_state_value
    assert list(step(table, ours, event, peer, now)) == list(intents or ())
    assert freeze(ours) == freeze(theirs)
