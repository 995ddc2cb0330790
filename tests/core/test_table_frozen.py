"""Frozen records are equal exactly if all their fields are, and do not follow their records."""

from copy import copy, deepcopy
from dataclasses import dataclass, field, is_dataclass, make_dataclass
from types import NoneType
from typing import Any, cast, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.core.doors import FOUND, NOW, Door
from udpchat_core.instant import Instant
from udpchat_core.table import freeze


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
