"""Bytes to values and back: exact, deterministic, and nothing but BadDatagram for what is neither."""

import tracemalloc
from typing import Any, get_args

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spec.tools.extremes import extreme
from tests.strategies import instances, messages
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.datagrams import LAYOUTS, NOTE_TYPE, Acks, Datagram, Hello, Init, Letter, Record, Resp, Retry
from udpchat_core.errors import BadDatagram, LocalProtocolError, Reason
from udpchat_core.limits import ACKS_MAX, DATAGRAM_BYTES_MAX, PADDING_BYTES_MAX, RECORD_MESSAGES_MAX
from udpchat_core.messages import Lookup, Message, Padding, Ping, Superseded
from udpchat_core.wire import (
    _NO_TAGS,
    BY_CODE,
    RECORD_OVERHEAD_BYTES,
    RECORD_PLAINTEXT_BYTES_MAX,
    RECORD_PLAINTEXT_BYTES_MIN,
    RETRY_BYTES,
    decode_untrusted,
    encode,
    pack,
    parse_untrusted,
    serialize,
    unpack_untrusted,
)

EXAMPLES: list[Datagram] = [
    Hello(bytes(range(16))),
    Retry(bytes(16), b"t" * 16, b"k" * 32),
    Init(b"t" * 16, b"1234", b"n" * 280),
    Resp(b"1234", b"n" * 52),
    Record(b"1234", 2**64 - 2, b"s" * 40),
    Letter(b"kkkk", b"s" * 300),
    Acks((b"a" * 16, b"b" * 16)),
]


def reason(payload: bytes) -> Reason:
    with pytest.raises(BadDatagram) as refused:
        parse_untrusted(payload)
    return refused.value.reason


def reason_inside(plaintext: bytes) -> Reason:
    with pytest.raises(BadDatagram) as refused:
        unpack_untrusted(plaintext)
    return refused.value.reason


# --- clear layouts ---


@pytest.mark.parametrize("datagram", EXAMPLES, ids=lambda datagram: type(datagram).__name__)
def test_every_datagram_comes_back_as_it_was(datagram: Datagram) -> None:
    assert parse_untrusted(serialize(datagram)) == datagram


def test_every_type_has_an_example_and_its_own_number() -> None:
    assert {type(datagram) for datagram in EXAMPLES} == set(LAYOUTS) == set(get_args(Datagram))
    assert len({kind.type for kind in LAYOUTS}) == len(LAYOUTS)


@pytest.mark.parametrize("payload", [b"", b"u", b"u\1", b"u\1\5" + bytes(DATAGRAM_BYTES_MAX - 2)])
def test_too_short_and_too_long_is_refused(payload: bytes) -> None:
    assert reason(payload) is Reason.SIZE  # R-3.1-1


def test_another_protocol_and_another_version_are_refused() -> None:
    hello = serialize(EXAMPLES[0])  # R-3.1-2
    assert reason(b"v" + hello[1:]) is Reason.MAGIC
    assert reason(b"u\2" + hello[2:]) is Reason.VERSION


@pytest.mark.parametrize("kind", [0, NOTE_TYPE, 9, 255])
def test_an_unknown_or_reserved_type_is_refused(kind: int) -> None:
    assert reason(bytes((0x75, 1, kind)) + bytes(64)) is Reason.TYPE  # R-3.1-3


@pytest.mark.parametrize("kind", LAYOUTS, ids=lambda kind: kind.__name__)
def test_each_type_is_taken_within_its_lengths_only(kind: type[Datagram]) -> None:
    low = 3 + sum(field.bytes_min for field in LAYOUTS[kind])  # R-3.1-4
    high = 3 + sum(field.bytes_max for field in LAYOUTS[kind])
    head = bytes((0x75, 1, kind.type))
    for size in (low, high):
        payload = head + bytes(size - 3)
        assert serialize(parse_untrusted(payload)) == payload
    for size in (low - 1, high + 1):
        assert reason(head + bytes(size - 3)) is Reason.SIZE


@pytest.mark.parametrize("size", [1, 15, 17, 31])
def test_an_ack_holds_whole_acknowledgements(size: int) -> None:
    assert reason(b"u\1\7" + bytes(size)) is Reason.SIZE  # R-3.1-4


@pytest.mark.parametrize("at", range(19, 67))
def test_a_hello_is_padded_with_zeros(at: int) -> None:
    payload = bytearray(serialize(EXAMPLES[0]))  # R-3.1-5
    payload[at] = 1
    assert reason(bytes(payload)) is Reason.PADDING


@pytest.mark.parametrize(
    "datagram",
    [
        Record(b"1234", 0, bytes(DATAGRAM_BYTES_MAX)),
        Hello(b"short"),
        Acks(()),
        Acks((bytes(16),) * (ACKS_MAX + 1)),
        Acks((bytes(15), bytes(16))),
        Letter(b"kkkk", bytes(1_048)),
        Retry(bytes(15), bytes(17), bytes(32)),
        Init(bytes(16), b"index", bytes(280)),
        Resp(b"abc", bytes(53)),
        Acks((bytes(15), bytes(17))),
    ],
    ids=repr,
)
def test_what_does_not_fit_its_layout_is_never_sent(datagram: Datagram) -> None:
    """Nor where the fields make up for each other: the receiver would cut them elsewhere."""
    with pytest.raises(LocalProtocolError):  # R-3.3-2
        serialize(datagram)


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda body: b"u\1" + body))
def test_only_bad_datagram_comes_out_of_parsing(payload: bytes) -> None:
    try:
        parsed = parse_untrusted(payload)
    except BadDatagram:
        return
    assert serialize(parsed) == payload


# --- messages ---


@given(st.lists(messages(), min_size=1, max_size=8))
def test_messages_come_back_as_they_were_and_fit_a_datagram(said: list[Message]) -> None:
    encoded = [encode(message) for message in said]
    for message, alone in zip(said, encoded, strict=True):
        assert unpack_untrusted(pack([alone])) == (message,)
        assert len(pack([alone])) + RECORD_OVERHEAD_BYTES <= DATAGRAM_BYTES_MAX  # R-3.3-2
    if sum(map(len, encoded)) < RECORD_PLAINTEXT_BYTES_MAX:
        assert unpack_untrusted(pack(encoded)) == tuple(said)


@pytest.mark.parametrize("kind", [CardBody, LetterBody])
@given(data=st.data())
def test_bodies_come_back_as_they_were(kind: type[Any], data: st.DataObject) -> None:
    body = data.draw(instances(kind))
    assert decode_untrusted(kind, encode(body)) == body


@pytest.mark.parametrize("kind", BY_CODE.values(), ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_no_message_is_outside_its_byte_budget(kind: type[Message], data: st.DataObject) -> None:
    low, high = (len(encode(extreme(kind, longest))) for longest in (False, True))
    assert low <= len(encode(data.draw(instances(kind)))) <= high
    assert RECORD_OVERHEAD_BYTES + 1 + high <= DATAGRAM_BYTES_MAX  # R-3.3-2


@given(messages())
def test_encoding_is_the_shortest_of_cbor(message: Message) -> None:
    assert cbor2.dumps(cbor2.loads(encode(message)), canonical=True) == encode(message)  # R-3.2-2


def test_a_client_fills_its_records_up_to_a_retry() -> None:
    for size in range(RECORD_PLAINTEXT_BYTES_MIN + 4):  # R-5.1-5
        messages_ = [Lookup(1, "a" * max(1, size % 33)), *[Ping(1)] * (size // 3)]
        packed = pack([encode(message) for message in messages_], RECORD_PLAINTEXT_BYTES_MIN)
        assert len(packed) + RECORD_OVERHEAD_BYTES >= RETRY_BYTES
        assert unpack_untrusted(packed) == tuple(messages_)


def test_a_record_that_is_long_enough_is_not_filled_up() -> None:
    lookup = encode(Lookup(1, "a" * 32))
    for bytes_min in (0, 1 + len(lookup)):
        assert pack([lookup], bytes_min) == b"\x81" + lookup


def test_more_than_one_padding_holds_is_never_filled_up() -> None:
    assert len(pack([], 1 + 3 + PADDING_BYTES_MAX)) >= 1 + 3 + PADDING_BYTES_MAX
    with pytest.raises(LocalProtocolError, match="68 bytes to fill"):
        pack([], 1 + 3 + PADDING_BYTES_MAX + 1)


def test_padding_alone_says_nothing() -> None:
    assert unpack_untrusted(pack([], RECORD_PLAINTEXT_BYTES_MIN)) == ()
    assert unpack_untrusted(pack([encode(Padding(b""))])) == ()


def test_a_record_holds_1_to_64_messages() -> None:
    ping = encode(Ping(1))  # R-5.1-2
    for count in (1, 23, 24, 25, RECORD_MESSAGES_MAX):  # from 24 on, the head of the array has two bytes
        assert unpack_untrusted(pack([ping] * count)) == (Ping(1),) * count
    assert reason_inside(b"\x80") is Reason.MESSAGE
    assert reason_inside(bytes((0x98, 65)) + ping * 65) is Reason.MESSAGE
    for count in (0, 65):
        with pytest.raises(LocalProtocolError, match="1 to 64"):
            pack([ping] * count)


def test_more_than_a_datagram_holds_is_never_packed() -> None:
    store = encode(extreme(BY_CODE[11], True))
    with pytest.raises(LocalProtocolError, match=str(RECORD_PLAINTEXT_BYTES_MAX)):  # R-3.3-2
        pack([store, store])
    assert len(pack([bytes(RECORD_PLAINTEXT_BYTES_MAX - 1)])) == RECORD_PLAINTEXT_BYTES_MAX == 1_169
    with pytest.raises(LocalProtocolError, match="1170 bytes"):
        pack([bytes(RECORD_PLAINTEXT_BYTES_MAX)])


# --- what is refused inside ---


def one(*fields: object) -> bytes:
    return cbor2.dumps([list(fields)], canonical=True)


@pytest.mark.parametrize(
    "plaintext",
    [one(True, 1), one(1.0, 1), one("1", 1), one(21), one(-1), one(2**70), one(None), one(), b"\x81\x01", b"\x81\xa0"],
    ids=bytes.hex,
)
def test_an_unknown_code_is_refused(plaintext: bytes) -> None:
    assert reason_inside(plaintext) in {Reason.MESSAGE, Reason.CBOR}  # R-5.1-1


@pytest.mark.parametrize(
    "fields",
    [(18,), (18, 1, 2), (20, 1), (5, 1), (9, 1, [bytes(8)], [], True), (9, 1, [bytes(8), 1, 1], [], True)],
    ids=repr,
)
def test_missing_and_unknown_fields_are_refused(fields: tuple[object, ...]) -> None:
    assert reason_inside(one(*fields)) is Reason.FIELDS  # R-3.2-4


@pytest.mark.parametrize(
    "fields",
    [
        (18, True),
        (18, 1.0),
        (18, -1),
        (18, 2**48),
        (18, b"1"),
        (18, None),
        (18, [1]),
        (5, 1, "Bob"),
        (5, 1, b"bob"),
        (5, 1, "a" * 33),
        (7, 1, 99, 0, 0),
        (7, 1, True, 0, 0),
        (8, 1, 2, "bob", None, None),
        (9, 1, bytes(8), [], True),
        (9, 1, [bytes(8), 1], [1], True),
        (9, 1, [bytes(8), 1], 7, True),
        (9, 1, [bytes(8), 1], [["bob", 1, 1]], True),
        (9, 1, [bytes(8), 1], [["bob", True, 1]] * 25, True),
        (14, []),
        (14, [[1, 1, None]]),
        (17, [bytes(16)] * 65),
        (15, bytes(15), bytes(16)),
        (0, b"\1"),
    ],
    ids=repr,
)
def test_a_field_of_another_type_or_range_is_refused(fields: tuple[object, ...]) -> None:
    assert reason_inside(one(*fields)) is Reason.FIELDS  # R-3.2-3


@pytest.mark.parametrize(
    ("plaintext", "why"),
    [
        ("81821218 01", Reason.NOT_CANONICAL),  # 1 in two bytes
        ("8182120100", Reason.NOT_CANONICAL),  # a byte behind
        ("98018212 01", Reason.NOT_CANONICAL),  # the array's head in two bytes
        ("8182190012 01", Reason.NOT_CANONICAL),  # the code in three bytes
        ("9f821201ff", Reason.CBOR),  # indefinite array
        ("81 83 05 01 7f 63626f62 ff", Reason.CBOR),  # indefinite text
        ("8182 12 c101", Reason.CBOR),  # a date
        ("d9d9f7 81821201", Reason.CBOR),  # self-described
        ("d82361 28", Reason.CBOR),  # a regular expression
        ("8182 12 c24101", Reason.CBOR),  # a big number
        ("81 83 05 01 62c328", Reason.CBOR),  # not UTF-8
        ("8182", Reason.CBOR),
        ("", Reason.CBOR),
        ("ff", Reason.CBOR),
        ("1c", Reason.CBOR),
        ("9bffffffffffffffff", Reason.CBOR),
        ("5bffffffffffffffff", Reason.CBOR),
        ("bb7fffffffffffffff", Reason.CBOR),
        ("81" * 600 + "00", Reason.CBOR),
        ("8181818181", Reason.CBOR),
        ("818181818100", Reason.CBOR),  # five deep
        ("8181818100", Reason.MESSAGE),  # four deep
        ("8181818180", Reason.MESSAGE),  # five deep, but the last is empty: the depth is not what it is refused for
        ("81818181a10000", Reason.CBOR),  # maps count as well
        ("00", Reason.FIELDS),
        ("f7", Reason.FIELDS),
        ("a0", Reason.FIELDS),
        ("6161", Reason.FIELDS),
    ],
)
def test_what_is_not_the_one_encoding_is_refused(plaintext: str, why: Reason) -> None:
    assert reason_inside(bytes.fromhex(plaintext)) is why  # R-3.2-1 R-3.2-2


def test_no_tag_is_ever_interpreted() -> None:
    for tag in (*range(300), 1004, 43_000, 55_799, 2**32, 2**64 - 1):  # R-3.2-1
        tagged = cbor2.dumps(cbor2.CBORTag(tag, "2013-03-21T20:04:00Z"))
        assert reason_inside(b"\x82" + tagged + b"\x82\x12\x01") is Reason.CBOR
    assert list(_NO_TAGS) == []
    assert len(_NO_TAGS) == 0  # nothing is kept for a tag that was sent


def test_a_huge_claim_costs_no_memory() -> None:
    bombs = [
        bytes.fromhex(head) + bytes(1_100)
        for head in ("9bffffffffffffffff", "5affffffff", "9a7fffffff", "7b00000fffffffffff")
    ]
    tracemalloc.start()
    for bomb in bombs * 20:
        reason_inside(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


CBOR = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.binary(max_size=60)
    | CBOR.map(lambda value: cbor2.dumps(value, canonical=True))
    | st.tuples(st.integers(0, 21), st.lists(CBOR, max_size=5)).map(lambda made: one(made[0], *made[1]))
)
def test_only_bad_datagram_comes_out_of_unpacking(plaintext: bytes) -> None:
    try:
        said = unpack_untrusted(plaintext)
    except BadDatagram:
        return
    kept = [array for array in cbor2.loads(plaintext) if array[0] != Padding.code]
    assert [encode(message) for message in said] == [cbor2.dumps(array, canonical=True) for array in kept]


def test_a_message_without_fields_is_its_code() -> None:
    assert pack([encode(Superseded())]) == bytes.fromhex("818114")
