"""Messages are strict: what a field may not hold cannot be built."""

from dataclasses import FrozenInstanceError
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import instances, is_valid
from udpchat_core.address import Address
from udpchat_core.fields import Scope
from udpchat_core.messages import Message, Padding, Watch

KEY = bytes(32)


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


def test_a_watch_for_all_names_nobody() -> None:
    assert is_valid(Watch, 1, Scope.ALL, (), None, None)
    assert not is_valid(Watch, 1, Scope.ALL, ("bob",), None, None)
    assert not is_valid(Watch, 1, Scope.ADD, (), None, None)
    assert is_valid(Watch, 1, Scope.WATCHED, (), None, None)
    assert not is_valid(Watch, 1, Scope.WATCHED, ("bob",), None, None)
    assert not is_valid(Watch, 1, Scope.ADD, ["bob"], None, None)


@given(st.sampled_from(get_args(Message)).flatmap(instances))
def test_messages_are_frozen_slotted_and_compare_by_value(message: Message) -> None:
    assert not hasattr(message, "__dict__")
    assert message == type(message)(*(getattr(message, name) for name in type(message).__slots__))
    with pytest.raises((FrozenInstanceError, TypeError)):  # CPython 3.11 says TypeError for a class without fields
        message.code = 1  # type: ignore[misc]
