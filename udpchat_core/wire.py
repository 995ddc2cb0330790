"""Bytes to typed values and back: the clear layout of datagrams, and the CBOR that is sealed inside.

Theory of operation. `parse_untrusted` cuts a datagram into its clear fields by its type byte. What is sealed
in it is, once opened, deterministic CBOR (RFC 8949 section 4.2) of arrays: `unpack_untrusted` for the
messages of a RECORD, `decode_untrusted` for the body of a card or a letter. Bytes are accepted only if
encoding the decoded value again gives the same bytes, so there is one encoding of each value. Nested values
are built before the outer one: strict pydantic takes instances, not arrays.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import IntEnum
from operator import attrgetter
from types import NoneType
from typing import Annotated, Any, Final, NamedTuple, Never, TypeVar, get_args, get_origin, get_type_hints

import cbor2

from .bodies import CardBody, LetterBody
from .datagrams import (
    ACK_BYTES,
    HEADER_BYTES,
    LAYOUTS,
    MAGIC,
    VERSION,
    Acks,
    Datagram,
    Hello,
    Init,
    Letter,
    Record,
    Resp,
    Retry,
)
from .errors import BadDatagram, LocalProtocolError, Reason
from .limits import DATAGRAM_BYTES_MAX, PADDING_BYTES_MAX, RECORD_MESSAGES_MAX
from .messages import Message, Padding

RECORD_OVERHEAD_BYTES: Final = HEADER_BYTES + 4 + 8 + 16
RETRY_BYTES: Final = HEADER_BYTES + sum(field.bytes_max for field in LAYOUTS[Retry])
RECORD_PLAINTEXT_BYTES_MAX: Final = DATAGRAM_BYTES_MAX - RECORD_OVERHEAD_BYTES
RECORD_PLAINTEXT_BYTES_MIN: Final = RETRY_BYTES - RECORD_OVERHEAD_BYTES
"""What a client fills its RECORDs up to, so that a RETRY is never longer than what it answers."""

_DEPTH_MAX = 4  # messages, message, list of entries, entry
_ARRAY_HEAD_SHORT = 24
_PADDING_HEAD_BYTES = 3  # array, code, byte string
T = TypeVar("T")

# --- clear layouts ---


def header(kind: type[Datagram]) -> bytes:
    """Magic, version and type."""
    return bytes((MAGIC, VERSION, kind.type))


def serialize(datagram: Datagram) -> bytes:
    """The bytes of a datagram from its clear fields; the inverse of `parse_untrusted`.

    Raises `LocalProtocolError` for a field of a length that its layout does not have.
    """
    kind = type(datagram)
    values = _CLEAR_FIELDS[kind](datagram)
    for value, field in zip(values, LAYOUTS[kind], strict=True):
        if not field.bytes_min <= len(value) <= field.bytes_max:  # R-3.3-2
            raise LocalProtocolError(f"{field.name} of a {kind.__name__}: {len(value)} bytes are not allowed")
    return b"".join((header(kind), *values))


def _acks_field(datagram: Acks) -> tuple[bytes]:
    if any(len(ack) != ACK_BYTES for ack in datagram.acks):
        raise LocalProtocolError(f"an acknowledgement has {ACK_BYTES} bytes")
    return (b"".join(datagram.acks),)


_CLEAR_FIELDS: Final[Mapping[type[Datagram], Callable[[Any], tuple[bytes, ...]]]] = {
    Hello: lambda datagram: (datagram.nonce, bytes(LAYOUTS[Hello][1].bytes_max)),
    Retry: attrgetter("echo", "token", "server_key"),
    Init: attrgetter("token", "index", "noise"),
    Resp: attrgetter("index", "noise"),
    Record: lambda datagram: (datagram.index, datagram.counter.to_bytes(8), datagram.sealed),
    Letter: attrgetter("key_id", "sealed"),
    Acks: _acks_field,
}


def parse_untrusted(payload: bytes) -> Datagram:
    """The clear fields of a datagram, or `BadDatagram`: type and length are checked, nothing is opened."""
    if len(payload) < HEADER_BYTES or len(payload) > DATAGRAM_BYTES_MAX:  # R-3.1-1
        raise BadDatagram(Reason.SIZE)
    if payload[0] != MAGIC:  # R-3.1-2
        raise BadDatagram(Reason.MAGIC)
    if payload[1] != VERSION:
        raise BadDatagram(Reason.VERSION)
    parse = _PARSERS.get(payload[2])
    if parse is None:  # R-3.1-3
        raise BadDatagram(Reason.TYPE)
    low, high = _BOUNDS[payload[2]]
    if not low <= len(payload) <= high:  # R-3.1-4
        raise BadDatagram(Reason.SIZE)
    return parse(payload)


def _hello_untrusted(payload: bytes) -> Hello:
    if any(payload[19:]):  # R-3.1-5
        raise BadDatagram(Reason.PADDING)
    return Hello(payload[3:19])


def _acks_untrusted(payload: bytes) -> Acks:
    if len(payload) % ACK_BYTES != HEADER_BYTES:
        raise BadDatagram(Reason.SIZE)
    return Acks(tuple(payload[at : at + ACK_BYTES] for at in range(HEADER_BYTES, len(payload), ACK_BYTES)))


_PARSERS: Final[Mapping[int, Callable[[bytes], Datagram]]] = {
    Hello.type: _hello_untrusted,
    Retry.type: lambda payload: Retry(payload[3:19], payload[19:35], payload[35:]),
    Init.type: lambda payload: Init(payload[3:19], payload[19:23], payload[23:]),
    Resp.type: lambda payload: Resp(payload[3:7], payload[7:]),
    Record.type: lambda payload: Record(payload[3:7], int.from_bytes(payload[7:15]), payload[15:]),
    Letter.type: lambda payload: Letter(payload[3:7], payload[7:]),
    Acks.type: _acks_untrusted,
}
_BOUNDS: Final = {
    kind.type: (
        HEADER_BYTES + sum(field.bytes_min for field in layout),
        HEADER_BYTES + sum(field.bytes_max for field in layout),
    )
    for kind, layout in LAYOUTS.items()
}

# --- the messages of a RECORD ---


def encode(value: object) -> bytes:
    """One message, or the body of a card or a letter, in its only encoding."""
    return cbor2.dumps(_plain(value), canonical=True)


def pack(encoded: Sequence[bytes], bytes_min: int = 0) -> bytes:
    """The plaintext of a RECORD from encoded messages, with Padding behind them up to `bytes_min`.

    Raises `LocalProtocolError` for none, for too many, for more than a datagram holds, and for a `bytes_min`
    that one Padding does not reach.
    """
    parts = list(encoded)
    short = bytes_min - sum(map(len, parts)) - 1
    if short > _PADDING_HEAD_BYTES + PADDING_BYTES_MAX:
        raise LocalProtocolError(f"{short} bytes to fill: one Padding holds {PADDING_BYTES_MAX}")
    if short > 0:  # R-5.1-5
        parts.append(_PADDINGS[max(0, short - _PADDING_HEAD_BYTES)])
    if not 1 <= len(parts) <= RECORD_MESSAGES_MAX:
        raise LocalProtocolError(f"{len(parts)} messages in a RECORD: 1 to {RECORD_MESSAGES_MAX} are allowed")
    packed = b"".join((_array_head(len(parts)), *parts))
    if len(packed) > RECORD_PLAINTEXT_BYTES_MAX:
        raise LocalProtocolError(f"{len(packed)} bytes in a RECORD: {RECORD_PLAINTEXT_BYTES_MAX} are allowed")
    return packed


def unpack_untrusted(plaintext: bytes) -> tuple[Message, ...]:
    """All messages of an opened RECORD, without its Padding, or `BadDatagram`; nothing in between."""
    arrays = _arrays_untrusted(plaintext)
    if not 1 <= len(arrays) <= RECORD_MESSAGES_MAX:  # R-5.1-2
        raise BadDatagram(Reason.MESSAGE)
    messages = [_message_untrusted(array) for array in arrays]
    return tuple([message for message in messages if type(message) is not Padding])


def decode_untrusted(kind: type[T], encoded: bytes) -> T:
    """The body of a card or a letter, of class `kind`, or `BadDatagram`."""
    return _build_untrusted(kind, _arrays_untrusted(encoded))


def _array_head(length: int) -> bytes:
    return bytes((0x80 | length,)) if length < _ARRAY_HEAD_SHORT else bytes((0x98, length))


def _message_untrusted(array: Any) -> Message:  # noqa: ANN401 - any CBOR value
    # The type is asked for: True equals 1, and so does 1.0.
    if type(array) is not tuple or not array or type(array[0]) is not int:  # R-5.1-1
        raise BadDatagram(Reason.MESSAGE)
    kind = BY_CODE.get(array[0])
    if kind is None:
        raise BadDatagram(Reason.MESSAGE)
    return _build_untrusted(kind, array[1:])


def _arrays_untrusted(encoded: bytes) -> tuple[Any, ...]:
    try:
        value = cbor2.loads(
            encoded, semantic_decoders=_NO_TAGS, max_depth=_DEPTH_MAX, allow_indefinite=False, immutable=True
        )
        canonical = cbor2.dumps(value, canonical=True)
    except (cbor2.CBORError, ValueError, TypeError) as error:  # R-3.2-1
        raise BadDatagram(Reason.CBOR) from error
    if canonical != encoded:  # R-3.2-2: also what trails
        raise BadDatagram(Reason.NOT_CANONICAL)
    if type(value) is not tuple:
        raise BadDatagram(Reason.FIELDS)
    return value


class _NoTags(Mapping[int, Callable[..., Never]]):
    """Has a decoder for every tag, which refuses it: the library's own, for dates or expressions, never run.

    It keeps nothing, so that no sender can make it grow.
    """

    def __getitem__(self, tag: int) -> Callable[..., Never]:
        return self._refuse

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def _refuse(self, _decoder: object, _immutable: bool = False) -> Never:
        raise ValueError("no tags")


_NO_TAGS: Final = _NoTags()

# --- values to arrays and back, prepared once for each class ---


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    plan = _PLANS.get(type(value))
    if plan is None:
        return tuple([_plain(item) for item in value]) if type(value) is tuple else value
    array = plan.array(value)
    return array if not plan.nested else tuple([_plain(item) for item in array])


def _build_untrusted(kind: type[T], array: tuple[Any, ...]) -> T:
    plan = _PLANS[kind]
    if len(array) != plan.fields:  # R-3.2-4
        raise BadDatagram(Reason.FIELDS)
    try:
        if plan.nested:
            values = list(array)
            for at, build in plan.nested:
                values[at] = build(values[at])
            return kind(*values)
        return kind(*array)
    except ValueError as error:  # R-3.2-3: pydantic's ValidationError is one
        raise BadDatagram(Reason.FIELDS) from error


def _builder(hint: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401 - a type, in any of its forms
    """How the CBOR value of a field becomes what its class wants; None where it is that already."""
    if get_origin(hint) is Annotated:
        return _builder(get_args(hint)[0])
    arguments = get_args(hint)
    if NoneType in arguments:
        inner = _builder(arguments[0])
        return None if inner is None else lambda value: None if value is None else inner(value)
    if get_origin(hint) is tuple:
        each = _builder(arguments[0])
        return None if each is None else lambda value: tuple(map(each, value)) if type(value) is tuple else value
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        members: dict[int, IntEnum] = {int(member): member for member in hint}
        return lambda value: members.get(value, value) if type(value) is int else value
    if isinstance(hint, type) and is_dataclass(hint):
        _prepare(hint)
        return lambda value: _build_untrusted(hint, value) if type(value) is tuple else value
    return None


class _Plan(NamedTuple):
    """How a class becomes an array and comes back.

    Attributes:
        array: reads all fields at once, behind the code if the class has one.
        fields: how many they are.
        nested: which of them are to be built first, by what.
    """

    array: Callable[[Any], tuple[Any, ...]]
    fields: int
    nested: tuple[tuple[int, Callable[[Any], Any]], ...]


_PLANS: Final[dict[Any, _Plan]] = {}


def _prepare(kind: Any) -> None:  # noqa: ANN401 - a dataclass
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in fields(kind)]
    builders = [(at, _builder(hints[name])) for at, name in enumerate(names)]
    read = [*(["code"] if "code" in hints else []), *names]
    # Of one name, attrgetter gives the value itself.
    array = attrgetter(*read) if len(read) > 1 else lambda value: (getattr(value, read[0]),)
    _PLANS[kind] = _Plan(array, len(names), tuple((at, build) for at, build in builders if build is not None))


BY_CODE: Final[Mapping[int, type[Message]]] = {kind.code: kind for kind in get_args(Message)}
for _kind in (*BY_CODE.values(), CardBody, LetterBody):
    _prepare(_kind)
_PADDINGS: Final = [encode(Padding(bytes(size))) for size in range(PADDING_BYTES_MAX + 1)]
"""Each ready-made, as almost every RECORD of a client has one."""
