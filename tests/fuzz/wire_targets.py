"""Fuzz targets of `udpchat_core.wire`: what is accepted is the only encoding of what it means."""

from typing import Any, Final

import cbor2

from tests.fuzz.draw import ARRAYS, CLASSES, Draw, array, body, canonical, changed, edited, message, plaintext
from tests.fuzz.target import Target, attempt
from udpchat_core import wire
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.datagrams import LAYOUTS, Acks, Hello
from udpchat_core.errors import BadDatagram
from udpchat_core.limits import ACKS_MAX
from udpchat_core.messages import Padding

BODIES: Final[tuple[type[Any], ...]] = (CardBody, LetterBody)
SHORTEST: Final = tuple(
    wire.header(kind) + bytes(sum(field.bytes_min for field in layout)) for kind, layout in LAYOUTS.items()
)
"""A datagram of each type, as short as may be, all zeros but for the header."""


def _parse(draw: Draw) -> bool:
    way = draw.byte() % 3
    if way == 0:
        payload = draw.rest()
    else:
        payload = edited(draw, draw.pick(SHORTEST)) if way == 1 else draw.pick(SHORTEST)[:3] + draw.rest()
    got = attempt(wire.parse_untrusted, payload)
    if isinstance(got, BadDatagram):
        return False
    assert wire.serialize(got) == payload
    return True


def _hello(draw: Draw) -> bool:
    payload = wire.header(Hello) + draw.take(64)  # parse_untrusted looks at the length first
    got = attempt(wire._hello_untrusted, payload)
    if isinstance(got, BadDatagram):
        return False
    assert wire.serialize(got) == payload
    return True


def _acks(draw: Draw) -> bool:
    payload = wire.header(Acks) + draw.take(16) + draw.rest()[: (ACKS_MAX - 1) * 16]  # as above
    got = attempt(wire._acks_untrusted, payload)
    if isinstance(got, BadDatagram):
        return False
    assert wire.serialize(got) == payload
    return True


def _unpack(draw: Draw) -> bool:
    plain = plaintext(draw)[: wire.RECORD_PLAINTEXT_BYTES_MAX]  # no datagram holds more
    got = attempt(wire.unpack_untrusted, plain)
    if isinstance(got, BadDatagram):
        return False
    said = iter(got)
    items = cbor2.loads(plain)
    again = [wire.encode(Padding(bytes(len(item[1]))) if item[0] == Padding.code else next(said)) for item in items]
    assert wire.pack(again) == plain
    assert next(said, None) is None
    return True


def _decode(draw: Draw) -> bool:
    kind = draw.pick(BODIES)
    encoded = body(draw, kind)
    got = attempt(wire.decode_untrusted, kind, encoded)
    if isinstance(got, BadDatagram):
        return False
    assert type(got) is kind
    assert wire.encode(got) == encoded
    return True


def _message(draw: Draw) -> bool:
    made = message(draw)
    got = attempt(wire._message_untrusted, draw.pick((made, list(made), {"code": made}, made[:1], 18, None)))
    if isinstance(got, BadDatagram):
        return False
    assert wire.encode(got) in (canonical(made), canonical(made[:1]))
    return True


def _arrays(draw: Draw) -> bool:
    encoded = plaintext(draw)
    got = attempt(wire._arrays_untrusted, encoded)
    if isinstance(got, BadDatagram):
        return False
    assert type(got) is tuple
    assert canonical(got) == encoded
    return True


def _build(draw: Draw) -> bool:
    kind = draw.pick(CLASSES)
    head = (kind.code,) if kind in wire.BY_CODE.values() else ()
    made = changed(draw, draw.pick(ARRAYS[kind])[len(head) :])
    got = attempt(wire._build_untrusted, kind, made)
    if isinstance(got, BadDatagram):
        return False
    assert type(got) is kind
    assert wire.encode(got) == canonical(head + made)
    return True


_MESSAGES: Final = [canonical(array(Draw(b""), kind)) for kind in wire.BY_CODE.values()]
_PLAIN: Final = tuple(b"\0\x81" + encoded for encoded in _MESSAGES)
_MADE: Final = (*(b"\1" + bytes((0, code)) + b"\0" * 4 for code in wire.BY_CODE), b"\1\3", b"\1\4")
_REFUSED: Final = tuple(
    b"\0" + bytes.fromhex(text)
    for text in (
        "81820041ff",
        "8182f501",
        "81860801f580f6f6",
        "8182121801",
        "8182120100",
        "98018212 01",
        "9f821201ff",
        "818212c101",
        "d82361",
        "818212f97e00",
        "a0",
    )
)

TARGETS: Final = (
    Target("wire.parse_untrusted", _parse, (b"", b"\0u\1", *(b"\0" + payload for payload in SHORTEST))),
    Target("wire._hello_untrusted", _hello, (b"nonce", b"\1" * 64, b"\0" * 63 + b"\1")),
    Target("wire._acks_untrusted", _acks, (b"\1" * 16, b"\1" * 32, b"\1" * 33)),
    Target("wire.unpack_untrusted", _unpack, (*_PLAIN, *_MADE, *_REFUSED)),
    Target("wire.decode_untrusted", _decode, (b"\0\1\0", b"\1\1\0", b"\0\1\1\1\1\1", b"\0\0\x80", b"\1\0\xa0")),
    Target(
        "wire._message_untrusted",
        _message,
        (*(bytes((code,)) for code in wire.BY_CODE), b"\5\0\1\1\0\2", b"\1\0\1\0\5"),
    ),
    Target("wire._arrays_untrusted", _arrays, (*_PLAIN, *_MADE, *_REFUSED)),
    Target("wire._build_untrusted", _build, (*(bytes((at,)) for at in range(len(CLASSES))), b"\0\0\1\1\0\2")),
)
