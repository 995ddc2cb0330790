"""Deterministic CBOR (RFC 8949 section 4.2.1), as strict as section 3.2 wants it.

`cbor2` is liberal: it takes long heads, indefinite lengths and tags, and interprets the latter. So a scan of the
heads comes first, and `cbor2` sees only what is left: arrays, unsigned integers, byte strings, text strings,
booleans and null.
"""

from typing import Any

import cbor2

DEPTH_MAX = 4
UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = range(8)


class Refused(ValueError):
    """What came is not what spec/ allows; the message says why."""


def decode(data: bytes) -> Any:
    """The one data item that `data` is, or Refused."""
    if _scan(data, 0, 0) != len(data):  # R-3.2-1, R-3.2-2
        raise Refused("a byte follows the item")
    try:
        return cbor2.loads(data)
    except cbor2.CBORDecodeError as error:  # text that is not UTF-8
        raise Refused(str(error)) from error


def encode(value: Any) -> bytes:
    """The one encoding of `value`."""
    return cbor2.dumps(value, canonical=True)


def _scan(data: bytes, at: int, depth: int) -> int:
    """Where the item that begins at `at` ends."""
    major, argument, at = _head(data, at)
    if major in (BYTES, TEXT):
        at += argument
    elif major == ARRAY:
        if depth == DEPTH_MAX:
            raise Refused("nested too deep")
        for _ in range(argument):  # ends with the data, however many items are claimed
            at = _scan(data, at, depth + 1)
    elif major != UNSIGNED and not (major == SIMPLE and 20 <= argument <= 22):
        raise Refused("no number, byte string, text, array, boolean or null")
    if at > len(data):
        raise Refused("the item is cut off")
    return at


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type and argument of the head at `at`, and where it ends; only the shortest head is one."""
    if at >= len(data):
        raise Refused("the item is cut off")
    major, argument = data[at] >> 5, data[at] & 31
    if argument < 24:
        return major, argument, at + 1
    if argument > 27 or major == SIMPLE:
        raise Refused("an indefinite length, a float, or no head at all")
    size = 1 << (argument - 24)
    value = int.from_bytes(data[at + 1 : at + 1 + size], "big")
    if at + 1 + size > len(data):
        raise Refused("the item is cut off")
    if value < (24, 2**8, 2**16, 2**32)[argument - 24]:
        raise Refused("a longer head than it needs")
    return major, value, at + 1 + size
