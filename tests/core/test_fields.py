"""Fields are strict, whatever message or body they are of."""

import pytest

from tests.strategies import is_valid
from udpchat_core.fields import CollectedEntry, Outcome
from udpchat_core.messages import Lookup, Ping, Refused


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


@pytest.mark.parametrize("value", [True, 1.0, "1", None, b"1"])
def test_nothing_is_coerced_to_a_number(value: object) -> None:
    assert not is_valid(Ping, value)  # R-3.2-3


def test_an_ack_is_there_exactly_if_the_letter_was_acknowledged() -> None:
    for outcome in Outcome:
        assert is_valid(CollectedEntry, 1, outcome, bytes(16)) is (outcome is Outcome.ACKNOWLEDGED)
        assert is_valid(CollectedEntry, 1, outcome, None) is (outcome is not Outcome.ACKNOWLEDGED)


def test_codes_are_members_of_their_enumeration() -> None:
    assert not is_valid(Refused, 1, 3, 0, 0)
