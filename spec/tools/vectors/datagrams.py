"""datagrams.json: the clear layout of every datagram, at its shortest and longest, and what is no datagram."""

from collections.abc import Iterator
from typing import Final

from udpchat_core.datagrams import HEADER_BYTES, LAYOUTS, Acks, Datagram
from udpchat_core.errors import Reason
from udpchat_core.limits import DATAGRAM_BYTES_MAX

from .making import Vector, accepted, refused

_NAMES: Final = {kind: "ACK" if kind is Acks else kind.__name__.upper() for kind in LAYOUTS}


def datagrams() -> Vector:
    """The file."""
    return {
        "about": "The clear layout of datagrams. What stands in noise and sealed is arbitrary here.",
        "accepted": [vector for kind in LAYOUTS for vector in _accepted(kind)],
        "refused": list(_refused()),
    }


def _pattern(size: int) -> bytes:
    """Bytes without a zero, of which no two neighbours are the same, so that a cut in a wrong place is seen."""
    return bytes(1 + at % 251 for at in range(size))


def _accepted(kind: type[Datagram]) -> Iterator[Vector]:
    layout = LAYOUTS[kind]
    for which in ("shortest", "longest"):
        sizes = [field.bytes_max if which == "longest" else field.bytes_min for field in layout]
        if which == "longest" and sizes == [field.bytes_min for field in layout]:
            return
        body = _pattern(sum(sizes))
        values: dict[str, bytes | list[bytes]] = {}
        for field, size in zip(layout, sizes, strict=True):
            at = sum(map(len, values.values()))
            values[field.name.replace(" ", "_")] = bytes(size) if field.name == "padding" else body[at : at + size]
        header = bytes((0x75, 1, kind.type))
        payload = header + b"".join(value for value in values.values() if isinstance(value, bytes))
        if kind is Acks:
            values["acks"] = [body[at : at + 16] for at in range(0, len(body), 16)]
        yield accepted(f"{which} {_NAMES[kind]}", datagram=payload, type=kind.type, kind=_NAMES[kind], fields=values)


def _refused() -> Iterator[Vector]:
    hello = bytes((0x75, 1, 1)) + _pattern(16) + bytes(48)
    for size in range(HEADER_BYTES):
        yield refused(f"a datagram of {size} bytes has no whole header", Reason.SIZE, datagram=hello[:size])
    too_long = b"u\x01\x05" + _pattern(DATAGRAM_BYTES_MAX - 2)
    yield refused("a RECORD of 1,201 bytes is longer than any datagram", Reason.SIZE, datagram=too_long)
    for magic in (0x00, 0x74, 0x55):
        yield refused(f"the first byte is {magic:02x}", Reason.MAGIC, datagram=bytes((magic,)) + hello[1:])
    for version in (0, 2, 255):
        yield refused(f"the version is {version}", Reason.VERSION, datagram=b"u" + bytes((version,)) + hello[2:])
    for kind in (0, 8, 9, 0x81, 255):
        wrong = f"type {kind} is {'reserved' if kind == 8 else 'not defined'}"
        yield refused(wrong, Reason.TYPE, datagram=b"u\x01" + bytes((kind,)) + hello[3:])
    for at in (19, 42, 66):
        payload = bytearray(hello)
        payload[at] = 1
        yield refused(f"byte {at} of a HELLO, in its padding, is not zero", Reason.PADDING, datagram=bytes(payload))
    yield from _wrong_sizes()


def _wrong_sizes() -> Iterator[Vector]:
    for kind, layout in LAYOUTS.items():
        low = HEADER_BYTES + sum(field.bytes_min for field in layout)
        high = HEADER_BYTES + sum(field.bytes_max for field in layout)
        wrong = {low - 1: "a byte too short", high + 1: "a byte too long"}
        wrong |= {HEADER_BYTES: "empty", 34: "not of whole acknowledgements"} if kind is Acks else {}
        for size, how in wrong.items():
            if size <= DATAGRAM_BYTES_MAX:
                body = bytes(size - HEADER_BYTES) if _NAMES[kind] == "HELLO" else _pattern(size - HEADER_BYTES)
                payload = bytes((0x75, 1, kind.type)) + body
                yield refused(f"a {_NAMES[kind]} of {size} bytes is {how}", Reason.SIZE, datagram=payload)
