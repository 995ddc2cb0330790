"""The longest and the shortest value of any wire class, for the table of byte budgets and its test."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import IntEnum
from itertools import product
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le, Len, Lt
from pydantic import StringConstraints, ValidationError

from udpchat_core.fields import Name, Text
from udpchat_core.limits import NAME_CHARS_MAX, TEXT_BYTES_MAX
from udpchat_core.wire import encode

_TEXTS = {Name: NAME_CHARS_MAX, Text: TEXT_BYTES_MAX}


def extreme(kind: type[Any], longest: bool) -> Any:  # noqa: ANN401 - an instance of `kind`
    """An instance of the wire class `kind` whose encoding is as long, or as short, as any."""
    hints = get_type_hints(kind, include_extras=True)
    choices = [list(_values(hints[field.name])) for field in fields(kind)]
    made = list(_instances(kind, choices))
    return (max if longest else min)(made, key=lambda value: len(encode(value)))


def _instances(kind: type[Any], choices: list[list[Any]]) -> Iterator[Any]:
    for values in product(*choices):
        try:
            yield kind(*values)
        except ValidationError:
            continue  # fields that contradict each other: another combination has the extremes


def _values(hint: Any) -> Iterator[Any]:  # noqa: ANN401 - a type, in any of its forms
    """The shortest and the longest values of a field; every member of an enumeration."""
    if hint in _TEXTS:
        yield from ("a", "a" * _TEXTS[hint])
    elif get_origin(hint) is Annotated:
        yield from _bounded(get_args(hint)[0], get_args(hint)[1:])
    elif NoneType in get_args(hint):
        yield None
        yield from _values(get_args(hint)[0])
    elif hint is bool:
        yield True
    elif issubclass(hint, IntEnum):
        yield from hint
    else:
        assert isinstance(hint, type)
        assert is_dataclass(hint)
        yield from (extreme(hint, False), extreme(hint, True))


def _bounded(base: Any, marks: tuple[Any, ...]) -> Iterator[Any]:  # noqa: ANN401
    assert not any(isinstance(mark, StringConstraints) for mark in marks)
    bounds: dict[type, Any] = {type(mark): mark for mark in marks}
    size: Len | None = bounds.get(Len)
    if size is None:
        yield bounds[Ge].ge
        yield bounds[Le].le if Le in bounds else bounds[Lt].lt - 1
    elif base is bytes:
        yield from {bytes(size.min_length): None, bytes(size.max_length or 0): None}
    else:
        each = list(_values(get_args(base)[0]))
        longest = max(each, key=lambda value: len(encode((value,))))
        yield (longest,) * (size.max_length or 0)
        yield (min(each, key=lambda value: len(encode((value,)))),) * size.min_length
