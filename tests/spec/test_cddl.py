"""The grammar and the codec say the same: what one makes, the other takes."""

import re
from dataclasses import fields
from functools import cache
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycddl import Schema, ValidationError

from tests.spec import grammar
from tests.strategies import instances
from udpchat_core import limits
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.fields import CollectedEntry, RosterEntry, Rotation, ServerLimits, Version
from udpchat_core.wire import (
    BY_CODE,
    RECORD_PLAINTEXT_BYTES_MIN,
    decode_untrusted,
    encode,
    pack,
    unpack_untrusted,
)

BYTES8, BYTES16, BYTES32 = (bytes(size) for size in (8, 16, 32))
CARD, LETTER = bytes(172), bytes(181)
LIMIT = 2**48
MESSAGE_RULES = {re.sub("(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower(): kind for kind in BY_CODE.values()}
SHARED_RULES: dict[str, type[Any]] = {
    "card-body": CardBody,
    "letter-body": LetterBody,
    "udp-address": Address,
    "view": Version,
    "server-limits": ServerLimits,
    "rotation": Rotation,
    "roster-entry": RosterEntry,
    "collected-entry": CollectedEntry,
}
CARD_BODY = [1, 5, 6, BYTES32, BYTES32, BYTES32, "bob"]
LETTER_BODY = [BYTES32, "bob", 1, 2, 2, BYTES16, 5, 1, 1, "hi"]
HERE, VIEW = [b"\x7f\0\0\1", 9], [BYTES8, 1]
HANDED = [BYTES32, bytes(64)]
ALL, SOME = [8, 1, 1, [], None, None], [8, 1, 2, ["bob"], None, None]
OPENED, LOST = [1, 1, BYTES16], [1, 2, None]


def changed(good: list[Any], at: int, value: Any) -> list[Any]:
    """`good` with another value in one place."""
    return [*good[:at], value, *good[at + 1 :]]


# A good instance of each rule, and bad ones.
# The validator counts neither arrays of arrays (their bounds have a test of their own) nor looks at the type
# of what has a size.
PLANTED: dict[str, tuple[Any, list[Any]]] = {
    "record": ([[20]], [[], ["x"], [[21]], [[True, 1]], None, {}]),
    "message": ([18, 1], [[21], [21, 1], [], ["ping", 1], [True, 1]]),
    "padding": ([0, b""], [[0], [0, bytes(65)], [False, b""]]),
    "register": (
        [1, 0, None, HANDED],
        [
            *([1, *wrong, None, None] for wrong in ([], [LIMIT], [-1], [True], [1.0], [1, 1])),
            [True, 1, None, None],
            [1, 0, bytes(15), None],
            [1, 0, None, [HANDED]],
            [1, 0, None, []],
        ],
    ),
    "registered": (
        [2, 1, HERE, 0, [0] * 5, 1],
        [
            [2, 1, HERE, 0, [0] * 4, 1],
            [2, 1, None, 0, [0] * 5, 1],
            [2, 1, HERE, 0, [0] * 5, limits.TIME_S_LIMIT * 1000],
        ],
    ),
    "deregister": ([3, 1], [[3], [4, 1], [3, "1"]]),
    "deregistered": ([4, 1], [[4], [3, 1], [4, None]]),
    "lookup": ([5, 1, "bob"], [[5, 1], [5, 1, "Bob"], [5, 1, b"bob"]]),
    "found": (
        [6, 1, CARD, HERE, 5, None],
        [
            [6, 1, CARD[1:], HERE, 5, None],
            [6, 1, bytes(221), None, 5, None],
            [6, 1, CARD, [HERE], 5, None],
            [6, 1, CARD, HERE, 5, [1]],
        ],
    ),
    "rotation": (HANDED, [[bytes(31), bytes(64)], [BYTES32, bytes(63)], [BYTES32], BYTES32]),
    "bytes64": (bytes(64), [bytes(63), bytes(65)]),
    "refused": ([7, 1, 11, 0, 0], [[7, 1, 0, 0, 0], [7, 1, 12, 0, 0], [7, 1, 1, 0]]),
    "watch": (SOME, [changed(SOME, 2, 5), changed(SOME, 3, []), changed(ALL, 3, ["bob"]), changed(ALL, 4, 5)]),
    "watch-whole": (ALL, [SOME, changed(ALL, 2, 2), changed(ALL, 5, "..")]),
    "watch-some": (SOME, [ALL, changed(SOME, 3, ["bob"] * 33), changed(SOME, 4, [BYTES8])]),
    "roster": (
        [9, 1, VIEW, [["bob", True, 1]], False, True],
        [[9, 1, VIEW, [["bob", 1, 1]], False, True], [9, 1, VIEW, [], 0, True], [9, 1, VIEW, [], True]],
    ),
    "roster-changed": ([10, VIEW], [[10, None], [10, [b"1234567", 1]]]),
    "store": ([11, 1, BYTES32, BYTES16, 0, LETTER], [[11, 1, BYTES32, BYTES16, 0, LETTER[1:]], [11, 1, BYTES16]]),
    "stored": ([12, 1, True, 0], [[12, 1, 1, 0], [12, 1, None, 0], [12, 1, True, -1], [12, 1, True]]),
    "mail": ([13, 1, BYTES16, LETTER], [[13, 1, BYTES16, bytes(1049)], [13, 1, BYTES8, LETTER]]),
    "collected": ([14, [OPENED, LOST]], [[14, []], [14, [1]], [14, [[1, 1, None]]]]),
    "receipt": ([15, BYTES16, BYTES16], [[15, BYTES16], [15, BYTES16, BYTES8]]),
    "returned": ([16, BYTES16], [[16, BYTES32], [16]]),
    "noted": ([17, [BYTES16] * 64], [[17, []], [17, [BYTES16] * 65], [17, BYTES16]]),
    "ping": ([18, 1], [[18], [19, 1]]),
    "pong": ([19, 1, VIEW], [[19, 1], [19, 1, 1]]),
    "superseded": ([20], [[20, 1], [], [19], 20]),
    "card-body": (CARD_BODY, [CARD_BODY[:-1], changed(CARD_BODY, 0, 2), changed(CARD_BODY, 2, limits.TIME_S_LIMIT)]),
    "letter-body": (LETTER_BODY, [LETTER_BODY[1:], changed(LETTER_BODY, 3, 0), changed(LETTER_BODY, 9, "x" * 801)]),
    "udp-address": (HERE, [[b"12345", 9], [b"1234", 0], [b"1234", 65536], [HERE]]),
    "host": (bytes(16), [bytes(5), None]),
    "ipv4": (bytes(4), [bytes(16), bytes(3)]),
    "ipv6": (bytes(16), [bytes(4), bytes(17)]),
    "view": (VIEW, [[BYTES8], [BYTES16, 1], [BYTES8, LIMIT]]),
    "server-limits": ([0] * 5, [[0] * 4, [0] * 6, [0, 0, 0, 0, -1]]),
    "roster-entry": (["bob", False, 1], [["bob", 0, 1], ["", False, 1], ["bob", False]]),
    "collected-entry": (LOST, [[1, 1, None], [1, 2, BYTES16], [1, 4, None], [1, True, BYTES16]]),
    "collected-acknowledged": (OPENED, [LOST, [1, 1, BYTES8]]),
    "collected-otherwise": (LOST, [OPENED, [1, 0, None]]),
    "acknowledged": (1, [2, True, 1.0]),
    "unopenable": (2, [1, "2"]),
    "unwanted": (3, [4, None]),
    "not-acknowledged": (3, [1, 4]),
    "scope-all": (1, [2, True]),
    "scope-add": (2, [1, 2.0]),
    "scope-remove": (3, [2]),
    "scope-watched": (4, [3, True]),
    "scope-some": (2, [1, 4]),
    "scope-whole": (4, [2, 3]),
    "refusal": (1, [0, 12, True]),
    "name": ("a" * 32, ["", "a" * 33, "Bob", "..", "-rf", "_x", "bob\n", "b\u043eb", b"bob"]),
    "num": (LIMIT - 1, [LIMIT, -1, 1.0, True, "1"]),
    "ordinal": (1, [0, LIMIT]),
    "time-s": (limits.TIME_S_LIMIT - 1, [limits.TIME_S_LIMIT, -1]),
    "time-ms": (limits.TIME_S_LIMIT * 1000 - 1, [limits.TIME_S_LIMIT * 1000, -1]),
    "part-number": (limits.PARTS_MAX, [0, limits.PARTS_MAX + 1]),
    "letter-text": ("\u00e9" * 400, ["", "\u00e9" * 401, None]),
    "card": (bytes(220), [bytes(171), bytes(221), None]),
    "letter": (bytes(1048), [bytes(180), bytes(1049)]),
    "bytes8": (bytes(8), [bytes(7), bytes(9)]),
    "bytes16": (bytes(16), [bytes(15), None]),
    "bytes32": (bytes(32), [bytes(31), bytes(33)]),
}


@cache
def schemas(rule: str) -> list[Schema]:
    """The rule as it stands, then its narrowings."""
    narrow = [Schema(f"start = {text}\n") for text in grammar.narrowings(rule)]
    return [Schema(f"start = {rule}\n{grammar.SOURCE}"), *narrow]


def takes(schema: Schema, encoded: bytes) -> bool:
    try:
        schema.validate_cbor(encoded)
    except ValidationError:
        return False
    return True


def allowed(rule: str, encoded: bytes) -> bool:
    """Whether the rule takes it. The validator refuses some good choices, and takes no narrowing wrongly."""
    return any(takes(schema, encoded) for schema in schemas(rule))


def refused(rule: str, encoded: bytes) -> bool:
    """Whether every narrowing refuses it: between many choices the validator forgets what it found."""
    return not any(takes(schema, encoded) for schema in schemas(rule)[1:])


@pytest.mark.parametrize("rule", grammar.RULES)
def test_every_rule_takes_a_good_instance_and_refuses_each_bad_one(rule: str) -> None:
    good, bad = PLANTED[rule]
    assert allowed(rule, cbor2.dumps(good))
    assert bad
    for value in bad:
        assert refused(rule, cbor2.dumps(value)), value


def test_every_rule_is_planted_and_used() -> None:
    used = set().union(*(grammar.names_in(node) for node in grammar.RULES.values()))
    assert set(PLANTED) == set(grammar.RULES)
    assert set(grammar.RULES) - used == {"record", "card-body", "letter-body"}


def test_every_message_class_has_its_rule_and_the_reverse() -> None:
    assert grammar.names_in(grammar.RULES["message"]) == set(MESSAGE_RULES)


@pytest.mark.parametrize(("rule", "kind"), [*MESSAGE_RULES.items(), *SHARED_RULES.items()])
def test_a_rule_has_the_fields_of_its_class_in_their_order(rule: str, kind: type[Any]) -> None:
    assert all(names == [field.name for field in fields(kind)] for names in grammar.fields(rule))
    if rule in MESSAGE_RULES:
        assert grammar.code(rule) == MESSAGE_RULES[rule].code


def test_lists_are_bounded_as_the_limits_say() -> None:
    bounds = {rule: found for rule, node in grammar.RULES.items() if (found := grammar.occurrences(node))}
    assert bounds == {
        "record": [(1, limits.RECORD_MESSAGES_MAX)],
        "watch-some": [(1, limits.WATCH_NAMES_MAX)],
        "roster": [(0, limits.ROSTER_ENTRIES_MAX)],
        "collected": [(1, limits.COLLECTED_ENTRIES_MAX)],
        "noted": [(1, limits.NOTED_SLOTS_MAX)],
    }


@pytest.mark.parametrize("rule", [*MESSAGE_RULES, "card-body", "letter-body"])
@given(data=st.data())
def test_what_the_codec_emits_the_grammar_allows(rule: str, data: st.DataObject) -> None:
    encoded = encode(data.draw(instances((MESSAGE_RULES | SHARED_RULES)[rule])))
    assert allowed(rule, encoded)


@given(message=st.one_of(*(instances(kind) for kind in BY_CODE.values())))
@settings(max_examples=200)
def test_what_is_packed_into_a_record_the_grammar_allows(message: Any) -> None:
    assert allowed("record", pack([encode(message)]))


@pytest.mark.parametrize("rule", MESSAGE_RULES)
def test_a_padded_record_is_a_list_of_what_the_grammar_allows(rule: str) -> None:
    padded = cbor2.loads(pack([cbor2.dumps(PLANTED[rule][0])], RECORD_PLAINTEXT_BYTES_MIN))
    assert 1 <= len(padded) <= limits.RECORD_MESSAGES_MAX
    assert all(allowed("record", cbor2.dumps([message])) for message in padded)


def agreed(rule: str, value: list[Any]) -> list[Any]:
    """The value with what only the comments of the grammar say: each is a comment that begins with "Also:"."""
    if rule == "padding":
        return [0, bytes(len(value[1]))]
    if rule == "letter-body":
        value[4], value[3] = sorted(value[3:5])
        value[7:9] = sorted(value[7:9])
    addresses = {"registered": value[2:3], "found": value[3:4]}.get(rule, [])
    for address in addresses:
        if address is not None and address[0].startswith(bytes(10) + b"\xff\xff"):
            address[0] = bytes(16)
    return value


@pytest.mark.parametrize("rule", MESSAGE_RULES)
@given(data=st.data())
def test_messages_made_from_the_grammar_decode_and_encode_to_the_same_bytes(rule: str, data: st.DataObject) -> None:
    value = agreed(rule, data.draw(grammar.any_of(rule)))
    decoded = unpack_untrusted(cbor2.dumps([value], canonical=True))
    assert [encode(message) for message in decoded] == (
        [] if rule == "padding" else [cbor2.dumps(value, canonical=True)]
    )


@pytest.mark.parametrize(("rule", "kind"), [("card-body", CardBody), ("letter-body", LetterBody)])
@given(data=st.data())
def test_bodies_made_from_the_grammar_decode_and_encode_to_the_same_bytes(
    rule: str, kind: type[Any], data: st.DataObject
) -> None:
    encoded = cbor2.dumps(agreed(rule, data.draw(grammar.any_of(rule))), canonical=True)
    assert encode(decode_untrusted(kind, encoded)) == encoded
