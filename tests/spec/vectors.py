"""The vectors as these tests read them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from spec.tools.vectors import FOLDER
from udpchat_core.address import Address
from udpchat_core.errors import BadDatagram, Reason
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.wire import parse_untrusted

Vector = dict[str, Any]
D = TypeVar("D")
FILES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json")) if path.stem != "schema"
}
SCHEMA = json.loads((FOLDER / "schema.json").read_text("utf-8"))
HEX = bytes.fromhex
REAL = StandardSuite(os.urandom)


class Gullible(StandardSuite):
    """Looks at no signature, or takes a shared secret of zeros: what it takes has no other fault."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(os.urandom)
        self._reason = reason

    def verify_untrusted(self, public: bytes, signature: bytes, data: bytes) -> None:
        if self._reason is not Reason.SIGNATURE:
            super().verify_untrusted(public, signature, data)

    def dh_untrusted(self, private: bytes, public: bytes) -> bytes:
        try:
            return super().dh_untrusted(private, public)
        except BadDatagram:
            assert self._reason is Reason.POINT
            return bytes(32)


def each(file: str, section: str, *reasons: Reason) -> pytest.MarkDecorator:
    """A test for each vector of a list, or of those refused for these reasons."""
    chosen = [v for v in FILES[file][section] if not reasons or Reason(v["reason"]) in reasons]
    assert chosen
    return pytest.mark.parametrize("v", chosen, ids=lambda v: v.get("name") or v["wrong"])


def objects(value: Any) -> Iterator[Vector]:
    """Every object in a JSON value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from objects(inner)


def parsed(kind: type[D], payload: str) -> D:
    datagram = parse_untrusted(HEX(payload))
    assert isinstance(datagram, kind)
    return datagram


def address(v: Vector) -> Address:
    return Address(HEX(v["host"]), v["port"])


def scripted(random: str) -> StandardSuite:
    """The real primitives, whose randomness is the given bytes."""
    return StandardSuite(lambda size: HEX(random)[:size])


@contextmanager
def refused(v: Vector) -> Iterator[None]:
    """What happens inside is refused for the vector's reason."""
    with pytest.raises(BadDatagram) as caught:
        yield
    assert caught.value.reason.value == v["reason"]
