"""Hypothesis strategies for every wire class, from the types of its fields."""

from dataclasses import fields, is_dataclass
from enum import IntEnum
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le, Len, Lt
from hypothesis import strategies as st
from pydantic import ValidationError

from udpchat_core.bodies import LetterBody
from udpchat_core.fields import CollectedEntry, Name, Outcome, Scope, Text
from udpchat_core.limits import TEXT_BYTES_MAX
from udpchat_core.messages import Message, Padding, Watch
from udpchat_core.wire import BY_CODE

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300).filter(
    lambda text: len(text.encode()) <= TEXT_BYTES_MAX
)


def instances(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any instance of a wire class."""
    hints = get_type_hints(kind, include_extras=True)
    parts = {field.name: of(hints[field.name]) for field in fields(kind)}
    return st.fixed_dictionaries(parts).map(lambda values: kind(**_agreed(kind, values)))


def messages() -> st.SearchStrategy[Message]:
    """Any message but Padding, which the codec drops."""
    return st.one_of(*(instances(kind) for kind in BY_CODE.values() if kind is not Padding))


def of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a field of type `hint`."""
    if hint == Name:
        return NAMES
    if hint == Text:
        return TEXTS
    if get_origin(hint) is Annotated:
        return _bounded(get_args(hint)[0], {type(mark): mark for mark in get_args(hint)[1:]})
    if NoneType in get_args(hint):
        return st.none() | of(get_args(hint)[0])
    if hint is bool:
        return st.booleans()
    if issubclass(hint, IntEnum):
        return st.sampled_from(hint)
    assert isinstance(hint, type)
    assert is_dataclass(hint)
    return instances(hint)


def _bounded(base: Any, marks: dict[type, Any]) -> st.SearchStrategy[Any]:
    if Len not in marks:
        return st.integers(marks[Ge].ge, marks[Le].le if Le in marks else marks[Lt].lt - 1)
    low, high = marks[Len].min_length, marks[Len].max_length
    if base is bytes:
        return (
            st.sampled_from((b"abcd", b"0123456789abcdef"))
            if (low, high) == (4, 16)
            else st.binary(min_size=low, max_size=high)
        )
    return st.lists(of(get_args(base)[0]), min_size=low, max_size=high).map(tuple)


def _agreed(kind: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values with those that contradict each other made to agree."""
    if kind is Padding:
        values["zeros"] = bytes(len(values["zeros"]))
    if kind is LetterBody:
        values["floor"], values["seq"] = sorted((values["floor"], values["seq"]))
        values["part"], values["parts"] = sorted((values["part"], values["parts"]))
    if kind is CollectedEntry:
        values["ack"] = (values["ack"] or bytes(16)) if values["outcome"] is Outcome.ACKNOWLEDGED else None
    if kind is Watch:
        values["names"] = values["names"] or ("bob",) if values["scope"] in (Scope.ADD, Scope.REMOVE) else ()
    return values


def is_valid(kind: type[Any], *values: Any) -> bool:
    """Whether `kind` takes these values."""
    try:
        kind(*values)
    except ValidationError:
        return False
    return True
