"""Cards: who may sign what, for how long, and which takes the place of which."""

from typing import Any

import pytest

from tests.core.secure.people import DAY_S, EXPIRES_S, person, private_key, raw, refused, signed_card
from udpchat_core.errors import BadDatagram, Reason
from udpchat_core.secure.card import (
    Succession,
    check_expiry_untrusted,
    check_name_untrusted,
    identity_in,
    make_card,
    name_in,
    open_card_untrusted,
    succession,
)
from udpchat_core.secure.suite import Suite
from udpchat_core.wire import encode

FIELDS = ("version", "seq", "expires_s", "identity", "live", "mail", "name")


def raw_card(suite: Suite, **changed: Any) -> bytes:
    """A card with fields of any value, truly signed."""
    alice = person(suite, "alice")
    values = [changed.get(field, getattr(alice.body, field)) for field in FIELDS]
    return signed_card(suite, alice.identity, raw(*values))


def test_a_card_opens_as_it_was_made(suite: Suite) -> None:
    """R-2.3-1 R-2.3-2."""
    alice = person(suite, "alice")
    assert open_card_untrusted(suite, alice.card) == alice.body
    assert alice.card == raw_card(suite)


def test_the_signature_is_over_label_and_body(suite: Suite) -> None:
    """R-2.3-1."""
    alice = person(suite, "alice")
    signed = b"udpchat/1 card\0" + encode(alice.body)
    suite.verify_untrusted(alice.public, alice.card[:64], signed)
    assert alice.card[64:] == encode(alice.body)


def test_a_signature_without_the_label_is_refused(suite: Suite) -> None:
    """R-2.3-1: what was signed for another purpose is no card."""
    alice = person(suite, "alice")
    encoded = encode(alice.body)
    for label in (b"", b"udpchat/1 letter\0"):
        with refused(Reason.SIGNATURE):
            open_card_untrusted(suite, suite.sign(alice.identity, label + encoded) + encoded)


def test_a_changed_signature_is_refused(suite: Suite) -> None:
    """R-2.3-2."""
    card = person(suite, "alice").card
    for at in range(64):
        changed = bytearray(card)
        changed[at] ^= 1 << at % 8
        with refused(Reason.SIGNATURE):
            open_card_untrusted(suite, bytes(changed))


def test_a_changed_or_cut_body_is_refused(suite: Suite) -> None:
    """R-2.3-2: whatever the change makes of it."""
    card = person(suite, "alice-with-a-longer-name").card
    for at in range(64, len(card)):
        for changed in (*(card[:at] + bytes((card[at] ^ 1 << bit,)) + card[at + 1 :] for bit in range(8)), card[:at]):
            with pytest.raises(BadDatagram):
                open_card_untrusted(suite, changed)


def test_a_card_signed_by_another_identity_is_refused(suite: Suite) -> None:
    """R-2.3-2."""
    alice = person(suite, "alice")
    with refused(Reason.SIGNATURE):
        open_card_untrusted(suite, make_card(suite, private_key("mallory identity"), alice.body))


def test_a_signature_of_another_card_of_the_same_identity_is_refused(suite: Suite) -> None:
    """R-2.3-2."""
    old, new = person(suite, "alice"), person(suite, "alice", seq=6)
    with refused(Reason.SIGNATURE):
        open_card_untrusted(suite, old.card[:64] + new.card[64:])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 2),
        ("version", 0),
        ("version", True),
        ("version", 1.0),
        ("seq", 2**48),
        ("seq", 0),  # R-2.3-8
        ("seq", -1),
        ("seq", True),
        ("expires_s", 253_402_300_800),
        ("expires_s", -1),
        ("expires_s", 1_700_000_000.0),
        ("identity", bytes(31)),
        ("live", b"k" * 33),
        ("mail", "text of thirty-two characters..!"),
        ("name", "Alice"),
        ("name", "alice\n"),
        ("name", ""),
    ],
)
def test_a_truly_signed_card_with_a_field_out_of_its_range_is_refused(suite: Suite, field: str, value: Any) -> None:
    with refused(Reason.FIELDS):
        open_card_untrusted(suite, raw_card(suite, **{field: value}))


def test_the_last_numbers_that_are_allowed_are_taken(suite: Suite) -> None:
    body = open_card_untrusted(suite, raw_card(suite, seq=2**48 - 1, expires_s=253_402_300_799))
    assert (body.seq, body.expires_s) == (2**48 - 1, 253_402_300_799)


def test_a_truly_signed_card_with_a_field_more_or_less_is_refused(suite: Suite) -> None:
    alice = person(suite, "alice-with-a-longer-name")
    values = [getattr(alice.body, field) for field in FIELDS]
    for changed in ([*values, 0], [*values[:-1], "x" * 24, "y"], values[:-1]):
        with refused(Reason.FIELDS):
            open_card_untrusted(suite, signed_card(suite, alice.identity, raw(*changed)))


def test_a_truly_signed_card_in_another_encoding_is_refused(suite: Suite) -> None:
    alice = person(suite, "alice")
    encoded = encode(alice.body)
    assert encoded[1:3] == b"\x01\x05"
    with refused(Reason.NOT_CANONICAL):  # the same seq in one byte more
        open_card_untrusted(suite, signed_card(suite, alice.identity, encoded[:2] + b"\x18\x05" + encoded[3:]))


def test_cards_have_172_to_220_bytes(suite: Suite) -> None:
    shortest = person(suite, "a", seq=1, expires_s=0).card
    longest = person(suite, "a" * 32, seq=2**48 - 1, expires_s=253_402_300_799).card
    assert (len(shortest), len(longest)) == (172, 220)
    for card in (shortest, longest):
        open_card_untrusted(suite, card)
    for card in (shortest[:-1], longest + b"\0", b"", shortest[:64]):
        with refused(Reason.SIZE):
            open_card_untrusted(suite, card)


def test_a_card_with_bytes_behind_it_is_refused(suite: Suite) -> None:
    alice = person(suite, "alice")
    for signed in (alice.card + b"\0", signed_card(suite, alice.identity, alice.card[64:] + b"\0")):
        with refused(Reason.NOT_CANONICAL):
            open_card_untrusted(suite, signed)


@pytest.mark.parametrize("chars", [1, 23, 24, 32])
@pytest.mark.parametrize("seq", [1, 23, 24, 300, 2**16, 2**48 - 1])
def test_identity_and_name_are_read_from_a_card_without_decoding_it(suite: Suite, chars: int, seq: int) -> None:
    alice = person(suite, "a" * chars, seq=seq)
    assert identity_in(alice.card) == alice.public
    assert name_in(alice.card) == alice.name


def test_a_card_holds_for_exactly_a_day_after_its_expiry(suite: Suite) -> None:
    """R-2.3-3."""
    body = person(suite, "alice").body
    for now_s in (0, EXPIRES_S, EXPIRES_S + DAY_S):
        check_expiry_untrusted(body, now_s)
    for now_s in (EXPIRES_S + DAY_S + 1, 2**48):
        with refused(Reason.EXPIRED):
            check_expiry_untrusted(body, now_s)


def test_a_card_for_another_name_is_refused(suite: Suite) -> None:
    """R-2.3-4."""
    body = person(suite, "alice").body
    check_name_untrusted(body, "alice")
    for name in ("bob", "alice2", "alic", "Alice", ""):
        with refused(Reason.NAME):
            check_name_untrusted(body, name)


def test_an_older_card_is_stale(suite: Suite) -> None:
    """R-2.3-5: nobody can roll an identity back to keys that it gave up."""
    body = person(suite, "alice", seq=100).body
    for known in (101, 2**48 - 1):
        assert succession(known, body) is Succession.STALE
    for known in (99, 100):
        assert succession(known, body) is Succession.SAME_OR_NEWER


def test_a_card_may_jump_by_2_to_the_32_and_no_further(suite: Suite) -> None:
    """R-2.3-6."""
    body = person(suite, "alice", seq=2**32 + 10).body
    assert succession(10, body) is Succession.SAME_OR_NEWER
    assert succession(9, body) is Succession.TOO_FAR_AHEAD
    last = person(suite, "alice", seq=2**48 - 1).body
    assert succession(0, last) is Succession.TOO_FAR_AHEAD
