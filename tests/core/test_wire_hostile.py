"""What a dishonest peer may truly seal: changed, cut, out of range, or claiming to be huge."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import cbor2
import pytest
from annotated_types import Ge, Le, Lt

from spec.tools.extremes import extreme
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.errors import BadDatagram, Reason
from udpchat_core.limits import NUMBER_LIMIT
from udpchat_core.messages import Message, Padding
from udpchat_core.wire import _PLANS, BY_CODE, decode_untrusted, encode, pack, unpack_untrusted

ROOT = Path(__file__).parents[2]
KINDS = pytest.mark.parametrize("kind", BY_CODE.values(), ids=lambda kind: kind.__name__)
LENGTHS = pytest.mark.parametrize("longest", [False, True], ids=["shortest", "longest"])
BODIES = pytest.mark.parametrize("kind", [CardBody, LetterBody], ids=lambda kind: kind.__name__)


def bits_flipped(payload: bytes) -> Iterator[bytes]:
    for at, byte in enumerate(payload):
        for bit in range(8):
            yield payload[:at] + bytes((byte ^ 1 << bit,)) + payload[at + 1 :]


@LENGTHS
@KINDS
def test_a_message_with_a_bit_flipped_is_refused_or_says_what_it_says_now(kind: type[Message], longest: bool) -> None:
    """R-3.2-2: whatever is taken is, byte for byte, what was sent."""
    for changed in bits_flipped(pack([encode(extreme(kind, longest))])):
        try:
            said = unpack_untrusted(changed)
        except BadDatagram:
            continue
        kept = [array for array in cbor2.loads(changed) if array[0] != Padding.code]
        assert [encode(message) for message in said] == [cbor2.dumps(array, canonical=True) for array in kept]


@LENGTHS
@BODIES
def test_a_body_with_a_bit_flipped_is_refused_or_says_what_it_says_now(kind: type[Any], longest: bool) -> None:
    """R-3.2-2."""
    for changed in bits_flipped(encode(extreme(kind, longest))):
        try:
            said = decode_untrusted(kind, changed)
        except BadDatagram:
            continue
        assert encode(said) == changed


@LENGTHS
@KINDS
def test_a_message_cut_short_is_refused(kind: type[Message], longest: bool) -> None:
    """R-3.2-1."""
    whole = pack([encode(extreme(kind, longest))])
    for size in range(len(whole)):
        with pytest.raises(BadDatagram) as refused:
            unpack_untrusted(whole[:size])
        assert refused.value.reason is Reason.CBOR


@LENGTHS
@BODIES
def test_a_body_cut_short_is_refused(kind: type[Any], longest: bool) -> None:
    """R-3.2-1."""
    whole = encode(extreme(kind, longest))
    for size in range(len(whole)):
        with pytest.raises(BadDatagram) as refused:
            decode_untrusted(kind, whole[:size])
        assert refused.value.reason is Reason.CBOR


def numbers() -> Iterator[tuple[type[Any], int, int, int]]:
    """(class, place, lowest, highest) of every number of every class that is sealed."""
    for kind in _PLANS:
        hints = get_type_hints(kind, include_extras=True)
        for at, field in enumerate(fields(kind)):
            if hints[field.name] is int or get_args(hints[field.name])[:1] == (int,):
                marks = {type(mark): mark for mark in get_args(hints[field.name])[1:]}
                yield kind, at, marks[Ge].ge, marks[Le].le if Le in marks else marks[Lt].lt - 1


@pytest.mark.parametrize(
    ("kind", "at", "low", "high"), [pytest.param(*each, id=f"{each[0].__name__}-{each[1]}") for each in numbers()]
)
def test_every_number_ends_where_its_field_says(kind: type[Any], at: int, low: int, high: int) -> None:
    """R-3.2-3 R-3.2-5 R-3.2-6: each by itself; of none is anything else taken for a number."""
    assert high < NUMBER_LIMIT
    values = cbor2.loads(encode(extreme(kind, False)))[1 if hasattr(kind, "code") else 0 :]
    decode_untrusted(kind, cbor2.dumps(values, canonical=True))
    for wrong in (low - 1, high + 1, 2**48, 2**64 - 1, bool(low), float(low), str(low), None):
        values[at] = wrong
        with pytest.raises(BadDatagram) as refused:
            decode_untrusted(kind, cbor2.dumps(values, canonical=True))
        assert refused.value.reason is Reason.FIELDS, wrong


def test_no_class_with_a_number_was_left_out() -> None:
    without = {kind.__name__ for kind in _PLANS} - {kind.__name__ for kind, *_ in numbers()}
    assert without == {
        "Padding",
        "RosterChanged",
        "Collected",
        "Receipt",
        "Returned",
        "Noted",
        "Superseded",
        "Rotation",
    }


CLAIMS = """
import resource

from udpchat_core.errors import BadDatagram
from udpchat_core.wire import unpack_untrusted

resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
refused = 0
for major in range(2, 7):  # bytes, text, arrays, maps, tags
    for exponent in (*range(30, 64), 64):
        head = bytes((major << 5 | 27,)) + min(2**exponent, 2**64 - 1).to_bytes(8)
        for before in (b"", b"\\x81", b"\\x81\\x82\\x12", b"\\x81\\x82\\x11\\x81"):
            for behind in (b"", bytes(1_100)):
                try:
                    unpack_untrusted(before + head + behind)
                except BadDatagram:
                    refused += 1
print(refused)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux surely holds a process to RLIMIT_AS")
def test_a_claim_of_a_gigabyte_or_more_asks_for_no_memory() -> None:
    """R-3.2-1: in a process that could not have it, whichever language allocates."""
    run = subprocess.run([sys.executable, "-c", CLAIMS], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (run.stdout.strip(), run.returncode) == (str(5 * 35 * 4 * 2), 0), run.stderr
