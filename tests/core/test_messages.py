"""Messages are strict: what a field may not hold cannot be built."""

from dataclasses import FrozenInstanceError
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import instances, is_valid
from udpchat_core.address import Address
from udpchat_core.limits import NUMBER_LIMIT, TEXT_BYTES_MAX, TIME_S_LIMIT
from udpchat_core.messages import (
    CardBody,
    CollectedEntry,
    LetterBody,
    Lookup,
    Message,
    Outcome,
    Padding,
    Ping,
    Refused,
    Scope,
    Watch,
)

KEY = bytes(32)


def letter(**changed: object) -> bool:
    values: dict[str, object] = {
        "sender": KEY,
        "name": "bob",
        "epoch": 0,
        "seq": 5,
        "floor": 5,
        "secret": bytes(16),
        "sent_ms": 0,
        "part": 2,
        "parts": 2,
        "text": "hi",
    }
    return is_valid(LetterBody, *(values | changed).values())


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Bob",
        "..",
        ".",
        "-rf",
        "_x",
        "bob\n",
        "\nbob",
        "b b",
        "b\u043eb",
        "bob\0",
        "a" * 33,
        "bob/",
        "b\u0301ob",
        "\uff42ob",
        "BOB",
    ],
)
def test_a_name_that_misleads_is_refused(name: str) -> None:
    assert not is_valid(Lookup, 1, name)  # R-2.1-1


@pytest.mark.parametrize("name", ["a", "0", "bob", "b-o_b", "a" * 32, "9--"])
def test_a_plain_name_is_taken(name: str) -> None:
    assert Lookup(1, name).name == name


def test_numbers_end_below_2_to_the_48() -> None:
    assert Ping(NUMBER_LIMIT - 1).id == 2**48 - 1  # R-3.2-5
    assert not is_valid(Ping, NUMBER_LIMIT)
    assert not is_valid(Ping, -1)
    for field in ("epoch", "seq"):
        assert letter(**{field: NUMBER_LIMIT - 1})
        assert not letter(**{field: NUMBER_LIMIT})
    assert not letter(seq=0, floor=0)


def test_times_end_before_the_year_10000() -> None:
    assert letter(sent_ms=TIME_S_LIMIT * 1000 - 1)  # R-3.2-6
    assert not letter(sent_ms=TIME_S_LIMIT * 1000)
    assert is_valid(CardBody, 1, 1, TIME_S_LIMIT - 1, KEY, KEY, KEY, "bob")
    assert not is_valid(CardBody, 1, 1, TIME_S_LIMIT, KEY, KEY, KEY, "bob")
    assert not is_valid(CardBody, 2, 1, 0, KEY, KEY, KEY, "bob")


@pytest.mark.parametrize("value", [True, 1.0, "1", None, b"1"])
def test_nothing_is_coerced_to_a_number(value: object) -> None:
    assert not is_valid(Ping, value)  # R-3.2-3


def test_a_text_is_counted_in_bytes() -> None:
    assert letter(text="é" * (TEXT_BYTES_MAX // 2))  # R-6.2-3
    assert not letter(text="é" * (TEXT_BYTES_MAX // 2) + "a")
    assert not letter(text="")
    assert not letter(text="\ud800")


def test_floor_and_part_stay_within_seq_and_parts() -> None:
    assert letter(floor=5)  # R-6.2-4
    assert not letter(floor=6)
    assert letter(part=2)
    assert not letter(part=3)
    assert not letter(part=0)
    assert not letter(parts=84)


@pytest.mark.parametrize("host", [bytes(3), bytes(5), bytes(15), bytes(17), bytes(10) + b"\xff\xff\x7f\0\0\1"])
def test_an_address_has_one_form(host: bytes) -> None:
    assert not is_valid(Address, host, 1)  # R-5.1-3


def test_addresses_of_both_families_are_taken() -> None:
    assert is_valid(Address, b"\x7f\0\0\1", 65_535)
    assert is_valid(Address, bytes(15) + b"\1", 1)
    assert not is_valid(Address, b"\x7f\0\0\1", 0)
    assert not is_valid(Address, b"\x7f\0\0\1", 65_536)


def test_padding_is_zero() -> None:
    assert is_valid(Padding, bytes(64))  # R-5.1-4
    assert not is_valid(Padding, bytes(65))
    assert not is_valid(Padding, bytes(63) + b"\1")


def test_an_ack_is_there_exactly_if_the_letter_was_acknowledged() -> None:
    for outcome in Outcome:
        assert is_valid(CollectedEntry, 1, outcome, bytes(16)) is (outcome is Outcome.ACKNOWLEDGED)
        assert is_valid(CollectedEntry, 1, outcome, None) is (outcome is not Outcome.ACKNOWLEDGED)


def test_a_watch_for_all_names_nobody() -> None:
    assert is_valid(Watch, 1, Scope.ALL, (), None, None)
    assert not is_valid(Watch, 1, Scope.ALL, ("bob",), None, None)
    assert not is_valid(Watch, 1, Scope.ADD, (), None, None)
    assert is_valid(Watch, 1, Scope.WATCHED, (), None, None)
    assert not is_valid(Watch, 1, Scope.WATCHED, ("bob",), None, None)
    assert not is_valid(Watch, 1, Scope.ADD, ["bob"], None, None)


def test_codes_are_members_of_their_enumeration() -> None:
    assert not is_valid(Refused, 1, 3, 0, 0)


@given(st.sampled_from(get_args(Message)).flatmap(instances))
def test_messages_are_frozen_slotted_and_compare_by_value(message: Message) -> None:
    assert not hasattr(message, "__dict__")
    assert message == type(message)(*(getattr(message, name) for name in type(message).__slots__))
    with pytest.raises((FrozenInstanceError, TypeError)):  # CPython 3.11 says TypeError for a class without fields
        message.code = 1  # type: ignore[misc]
