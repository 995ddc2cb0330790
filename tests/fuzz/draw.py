"""Bytes to choices: how a fuzzer that knows bytes only gets past the first check.

A target draws from its input: a byte decides something, or stands for itself. Beyond the end everything drawn
is zero, so that every input means something, and the same every time. What is wrong is made out of what is
right, by a change at a time: mere noise is refused at the first check, and the others are never seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final, TypeVar

import cbor2

from spec.tools.extremes import extreme
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.fields import CollectedEntry, RosterEntry, ServerLimits, Version
from udpchat_core.wire import BY_CODE, encode

INPUT_BYTES_MAX: Final = 1_500
"""More than a datagram, so that those that are too long are drawn as well."""
_DEPTH_MAX = 5  # deeper than the wire allows
_ITEMS_MAX = 4
_CHANGES_MAX = 3
_SIZES: Final = (0, 1, 3, 4, 8, 15, 16, 17, 31, 32, 33, 64, 65, 172, 181)
_ATOMS: Final = (
    *(None, False, True, cbor2.undefined, cbor2.CBORSimpleValue(0), cbor2.CBORSimpleValue(255)),
    *(0, 1, 2, 3, 83, 84, 2**16, 2**32, 2**48 - 1, 2**48, 2**63, 2**64 - 1, 2**64, 2**200, -1, -(2**64), -(2**200)),
    *(0.0, 1.0, -1.5, float("inf"), float("nan"), b"", b"\0" * 16, bytes(10) + b"\xff\xff" + bytes(4)),
    *("", "bob", "Bob", "-rf", "bob\n", "a" * 32, "a" * 33, "\0", "\u00e9" * 400, "\u00e9" * 401, "\U0001f600" * 201),
)
MESSAGES: Final[tuple[type[Any], ...]] = tuple(BY_CODE.values())
CLASSES: Final[tuple[type[Any], ...]] = (
    *(CardBody, LetterBody, Address, Version, ServerLimits, RosterEntry, CollectedEntry),
    *MESSAGES,
)
ARRAYS: Final[dict[type[Any], tuple[tuple[Any, ...], ...]]] = {
    kind: tuple(cbor2.loads(encode(extreme(kind, longest)), immutable=True) for longest in (False, True))
    for kind in CLASSES
}
"""The shortest and the longest array of every wire class, as it is on the wire."""
T = TypeVar("T")


class Draw:
    """An input that is used up from its beginning."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def drawn(self) -> int:
        """How many bytes were drawn."""
        return self._at

    @property
    def is_spent(self) -> bool:
        """Whether only zeros beyond the end are left."""
        return self._at >= len(self._data)

    def byte(self) -> int:
        """The next byte, 0 beyond the end."""
        return self.take(1)[0]

    def take(self, size: int) -> bytes:
        """The next `size` bytes, filled up with zeros."""
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken.ljust(size, b"\0")

    def number(self, size: int) -> int:
        """An unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size))

    def pick(self, options: Sequence[T]) -> T:
        """One of at most 256."""
        return options[self.byte() % len(options)]

    def near(self, *values: int) -> int:
        """One of these numbers, or a neighbour."""
        return self.pick(values) + self.pick((0, 1, -1))

    def rest(self) -> bytes:
        """All that is left."""
        left, self._at = self._data[self._at :], len(self._data)
        return left


def edited(draw: Draw, whole: bytes) -> bytes:
    """`whole` with up to three spans taken out and others put in: changed, cut short or made longer, or as it was."""
    for _ in range(draw.byte() % (_CHANGES_MAX + 1)):
        at = draw.number(2) % (len(whole) + 1)
        gone, put = draw.byte(), draw.byte() % 8
        whole = whole[:at] + draw.take(put) + whole[at + gone :]
    return whole


def value(draw: Draw, depth: int = 0) -> Any:
    """Any value that CBOR has, as the decoder gives it: most of them belong nowhere."""
    way = draw.byte() % (6 if depth < _DEPTH_MAX else 4)
    if way == 0:
        return draw.pick(_ATOMS)
    if way == 1:
        return draw.number(8)
    if way == 2:
        return draw.take(draw.pick(_SIZES))
    if way == 3:
        return draw.take(draw.byte() % 40).decode("latin-1")
    items = tuple(value(draw, depth + 1) for _ in range(draw.byte() % _ITEMS_MAX))
    return items if way == 4 else cbor2.frozendict(dict.fromkeys(items))


def changed(draw: Draw, array: tuple[Any, ...]) -> tuple[Any, ...]:
    """The array with up to three of its items, or items of its items, replaced, left out or doubled."""
    for _ in range(draw.byte() % (_CHANGES_MAX + 1)):
        array = _changed_once(draw, array)
    return array


def _changed_once(draw: Draw, array: tuple[Any, ...]) -> tuple[Any, ...]:
    if not array:
        return (value(draw),)
    at, way = draw.byte() % len(array), draw.byte() % 8
    here = array[at]
    new: tuple[Any, ...]
    if way >= 6:
        new = () if way == 7 else (here, here)
    elif way == 5:
        new = (_look_alike(here),)
    elif way >= 2 and type(here) is tuple:
        new = (_changed_once(draw, here),)
    else:
        new = (value(draw),)
    return array[:at] + new + array[at + 1 :]


def _look_alike(value: Any) -> Any:
    """What a careless comparison, or a lax check of types, takes for this value."""
    match value:
        case bool() | None:
            return int(bool(value))
        case 0 | 1:
            return bool(value)
        case int():
            return float(value % 2**53)
        case bytes():
            return value.decode("latin-1")
        case str():
            return value.encode()
        case tuple():
            return cbor2.frozendict(enumerate(value))
    return None


def array(draw: Draw, kind: type[Any]) -> tuple[Any, ...]:
    """An array of a wire class, good or almost."""
    return changed(draw, draw.pick(ARRAYS[kind]))


def body(draw: Draw, kind: type[Any], *valid: tuple[Any, ...]) -> bytes:
    """The body of a card or a letter: mere bytes, or an almost good array in an almost good encoding.

    `valid` are good arrays besides the extremes.
    """
    if draw.byte() % 2 == 0:
        return draw.rest()
    return edited(draw, canonical(changed(draw, draw.pick(valid + ARRAYS[kind]))))


def plaintext(draw: Draw) -> bytes:
    """What is in a RECORD: mere bytes, or almost good messages in an almost good encoding."""
    if draw.byte() % 2 == 0:
        return draw.rest()
    count = draw.pick((1, 2, 3, 64, 65))
    return edited(draw, canonical(tuple(message(draw) for _ in range(count))))


def message(draw: Draw) -> tuple[Any, ...]:
    """The array of a message, good or almost: its code may be another's."""
    return array(draw, draw.pick(MESSAGES))


def aimed(draw: Draw, kind: type[Any], known: Mapping[str, Sequence[Any]]) -> tuple[Any, ...]:
    """An array of a wire class whose fields have values that mean something to the receiver, good or almost.

    `known` are such values, as they are on the wire, by the name of the field; the first are the likeliest.
    """
    whole = list(ARRAYS[kind][0])
    for at, field in enumerate(fields(kind), len(whole) - len(fields(kind))):
        if choices := known.get(field.name):
            whole[at] = draw.pick(choices)
    return changed(draw, tuple(whole))


def canonical(value: Any) -> bytes:
    """Deterministic CBOR of what no class has checked."""
    return cbor2.dumps(value, canonical=True)
