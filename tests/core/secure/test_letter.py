"""Letters: for one reader under one key, by the sender that they name, and never passed on."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from tests.core.secure.people import (
    LETTER_LABEL,
    Person,
    letter,
    letter_body,
    letter_values,
    parsed,
    person,
    private_key,
    raw,
    refused,
    signed_letter,
)
from udpchat_core.datagrams import Letter
from udpchat_core.errors import LocalProtocolError, Reason
from udpchat_core.secure.keys import key_id
from udpchat_core.secure.letter import OpeningKey, ack_of, open_letter_untrusted, seal_letter_untrusted, slot_of
from udpchat_core.secure.suite import StandardSuite, Suite

COLLIDING = (
    bytes.fromhex("f5ca3b183beb2d88ba34920ddfd3b53384c1ac177ebd53d7bf4cf7d86f28aee9"),
    bytes.fromhex("b04380bac25ec8b39d865e10b490fbed41a14783e127bb8e2804a22ca4260a83"),
)
"""Two X25519 keys whose ids are the same, found among 90,000."""


def people(suite: Suite) -> tuple[Person, Person, Person]:
    return person(suite, "alice"), person(suite, "bob"), person(suite, "carol")


def changed_letter(suite: Suite, **changed: Any) -> tuple[Person, Letter]:
    """A letter to Bob with fields of any value, truly signed and sealed; and Bob."""
    alice, bob, _ = people(suite)
    values = letter_values(alice) | changed
    return bob, signed_letter(suite, alice, bob, raw(*values.values()))


@pytest.mark.parametrize("purpose", ["live", "mail"])
def test_a_letter_opens_with_the_key_that_it_was_sealed_to(suite: Suite, purpose: str) -> None:
    """R-6.1-1 R-6.1-2 R-6.2-1 R-6.2-2."""
    alice, bob, _ = people(suite)
    key, body = getattr(bob.body, purpose), letter_body(alice)
    sealed = parsed(Letter, seal_letter_untrusted(suite, alice.identity, bob.public, key, body))
    assert sealed.key_id == sha256(b"udpchat/1 key id\0" + key).digest()[:4]
    assert open_letter_untrusted(suite, bob.public, bob.keys(suite), sealed) == body


def test_a_letter_sealed_twice_says_the_same_in_other_bytes(suite: Suite) -> None:
    alice, bob, _ = people(suite)
    one, two = (parsed(Letter, letter(suite, alice, bob)) for _ in range(2))
    assert one != two
    opened = [open_letter_untrusted(suite, bob.public, bob.keys(suite), sealed) for sealed in (one, two)]
    assert opened[0] == opened[1]


def test_the_signature_covers_recipient_key_and_body(suite: Suite) -> None:
    """R-6.2-1: by hand."""
    alice, bob, _ = people(suite)
    info = b"udpchat/1 letter\0" + bob.public
    plain = suite.hpke_open_untrusted(bob.live, info, parsed(Letter, letter(suite, alice, bob)).sealed)
    suite.verify_untrusted(alice.public, plain[:64], info + bob.body.live + plain[64:])


def test_a_letter_passed_on_by_its_reader_is_refused(suite: Suite) -> None:
    """R-6.2-1 R-6.2-2: Bob seals what Alice wrote to him for Carol."""
    alice, bob, carol = people(suite)
    received = parsed(Letter, letter(suite, alice, bob))
    plain = suite.hpke_open_untrusted(bob.live, LETTER_LABEL + bob.public, received.sealed)
    sealed = suite.hpke_seal_untrusted(carol.body.live, LETTER_LABEL + carol.public, plain)
    with refused(Reason.SIGNATURE):
        open_letter_untrusted(suite, carol.public, carol.keys(suite), Letter(key_id(suite, carol.body.live), sealed))


def test_a_letter_sealed_again_to_another_key_of_the_same_reader_is_refused(suite: Suite) -> None:
    """R-6.2-1 R-6.2-2: the signature names the key too."""
    alice, bob, _ = people(suite)
    info = LETTER_LABEL + bob.public
    plain = suite.hpke_open_untrusted(bob.live, info, parsed(Letter, letter(suite, alice, bob)).sealed)
    again = Letter(key_id(suite, bob.body.mail), suite.hpke_seal_untrusted(bob.body.mail, info, plain))
    with refused(Reason.SIGNATURE):
        open_letter_untrusted(suite, bob.public, bob.keys(suite), again)


def test_a_letter_to_another_identity_with_the_same_key_is_refused(suite: Suite) -> None:
    """R-6.1-2: `info` names the recipient."""
    alice, bob, carol = people(suite)
    sealed = parsed(Letter, letter(suite, alice, bob))
    with refused(Reason.SEAL):
        open_letter_untrusted(suite, carol.public, bob.keys(suite), sealed)


def test_a_sender_that_claims_to_be_another_is_refused(suite: Suite) -> None:
    """R-6.2-2: Carol writes as Alice, signed by herself or not at all."""
    alice, bob, carol = people(suite)
    body = letter_body(alice)
    lying = parsed(Letter, letter(suite, carol, bob, body))
    with refused(Reason.SIGNATURE):
        open_letter_untrusted(suite, bob.public, bob.keys(suite), lying)
    honest = parsed(Letter, letter(suite, alice, bob))
    info = LETTER_LABEL + bob.public
    plain = suite.hpke_open_untrusted(bob.live, info, honest.sealed)
    for signature in (bytes(64), plain[:63] + bytes((plain[63] ^ 1,))):
        sealed = suite.hpke_seal_untrusted(bob.body.live, info, signature + plain[64:])
        with refused(Reason.SIGNATURE):
            open_letter_untrusted(suite, bob.public, bob.keys(suite), replace(honest, sealed=sealed))


def test_a_signature_for_another_purpose_is_none(suite: Suite) -> None:
    """R-6.2-1 R-2.2-1: the label is part of what is signed."""
    alice, bob, _ = people(suite)
    encoded = raw(*letter_values(alice).values())
    info = LETTER_LABEL + bob.public
    signature = suite.sign(alice.identity, b"udpchat/1 card\0" + bob.public + bob.body.live + encoded)
    sealed = suite.hpke_seal_untrusted(bob.body.live, info, signature + encoded)
    with refused(Reason.SIGNATURE):
        open_letter_untrusted(suite, bob.public, bob.keys(suite), Letter(key_id(suite, bob.body.live), sealed))


def test_a_letter_for_no_key_here_is_refused(suite: Suite) -> None:
    """R-6.1-3."""
    alice, bob, carol = people(suite)
    sealed = parsed(Letter, letter(suite, alice, bob))
    for keys in ([], carol.keys(suite), bob.keys(suite)[1:]):
        with refused(Reason.KEY):
            open_letter_untrusted(suite, bob.public, keys, sealed)


def test_a_letter_under_the_id_of_another_key_is_refused(suite: Suite) -> None:
    """R-6.1-3."""
    alice, bob, _ = people(suite)
    sealed = parsed(Letter, letter(suite, alice, bob))
    live, mail = bob.keys(suite)
    with refused(Reason.SEAL):
        open_letter_untrusted(suite, bob.public, [live, mail], replace(sealed, key_id=mail.id))
    with refused(Reason.KEY):
        open_letter_untrusted(suite, bob.public, [live, mail], replace(sealed, key_id=bytes(4)))


def test_every_key_with_the_id_is_tried(suite: Suite) -> None:
    """R-6.1-3: with an id that was made the same."""
    alice, bob, carol = people(suite)
    sealed = parsed(Letter, letter(suite, alice, bob))
    key = OpeningKey.of(suite, bob.live)
    twins = [OpeningKey(private, suite.dh_public(private), key.id) for private in (carol.live, carol.mail)]
    for keys in ([key, *twins], [*twins, key], [twins[0], key, twins[1]]):
        assert open_letter_untrusted(suite, bob.public, keys, sealed) == letter_body(alice)
    with refused(Reason.SEAL):
        open_letter_untrusted(suite, bob.public, twins, sealed)


def test_two_keys_whose_ids_truly_collide_are_both_tried(real: StandardSuite) -> None:
    """R-6.1-1 R-6.1-3."""
    alice, bob, _ = people(real)
    keys = [OpeningKey.of(real, private) for private in COLLIDING]
    assert keys[0].id == keys[1].id
    assert keys[0].public != keys[1].public
    for key in keys:
        body = letter_body(alice)
        sealed = parsed(Letter, seal_letter_untrusted(real, alice.identity, bob.public, key.public, body))
        for held in (keys, keys[::-1]):
            assert open_letter_untrusted(real, bob.public, held, sealed) == body


def test_more_keys_than_are_allowed_are_the_callers_mistake(suite: Suite) -> None:
    alice, bob, _ = people(suite)
    sealed = parsed(Letter, letter(suite, alice, bob))
    key, other = bob.keys(suite)
    assert open_letter_untrusted(suite, bob.public, [other] * 15 + [key], sealed) == letter_body(alice)
    with pytest.raises(LocalProtocolError):
        open_letter_untrusted(suite, bob.public, [other] * 16 + [key], sealed)


@pytest.mark.parametrize(
    "changed",
    [
        {"floor": 4},
        {"part": 3},
        {"seq": 0, "floor": 0},
        {"floor": 0},
        {"part": 0},
        {"parts": 84},
        {"epoch": 2**48},
        {"seq": 2**48},
        {"seq": 2**48, "floor": 2**48},
        {"sent_ms": 253_402_300_800_000},
        {"sent_ms": -1},
        {"epoch": True},
        {"seq": 3.0},
        {"sender": bytes(31)},
        {"secret": bytes(17)},
        {"name": "Alice"},
        {"text": ""},
        {"text": "x" * 801},
        {"text": "é" * 401},
        {"text": b"bytes"},
        {"more": 0},
    ],
    ids="-".join,
)
def test_a_truly_signed_letter_with_a_field_out_of_its_range_is_refused(suite: Suite, changed: dict[str, Any]) -> None:
    """R-6.2-3 R-6.2-4."""
    bob, sealed = changed_letter(suite, **changed)
    with refused(Reason.FIELDS):
        open_letter_untrusted(suite, bob.public, bob.keys(suite), sealed)


@pytest.mark.parametrize(
    "changed",
    [
        {"floor": 3},
        {"part": 2},
        {"epoch": 2**48 - 1, "seq": 2**48 - 1, "floor": 2**48 - 1},
        {"sent_ms": 253_402_300_799_999},
        {"text": "é" * 400},
        {"part": 83, "parts": 83},
    ],
    ids="-".join,
)
def test_a_letter_at_the_edge_of_a_range_is_read(suite: Suite, changed: dict[str, Any]) -> None:
    """R-6.2-3 R-6.2-4."""
    bob, sealed = changed_letter(suite, **changed)
    opened = open_letter_untrusted(suite, bob.public, bob.keys(suite), sealed)
    assert {field: getattr(opened, field) for field in changed} == changed


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        (b"", Reason.CBOR),
        (b"\x80", Reason.FIELDS),
        (b"\xf6", Reason.FIELDS),
        (b"\x9f\xff", Reason.CBOR),
        (b"\x80\x80", Reason.NOT_CANONICAL),
    ],
    ids=["nothing", "no fields", "null", "indefinite", "two items"],
)
def test_a_truly_signed_letter_around_anything_else_is_refused(suite: Suite, encoded: bytes, reason: Reason) -> None:
    alice, bob, _ = people(suite)
    with refused(reason):
        open_letter_untrusted(suite, bob.public, bob.keys(suite), signed_letter(suite, alice, bob, encoded))


def test_a_letter_shorter_than_a_signature_is_refused(suite: Suite) -> None:
    _, bob, _ = people(suite)
    for size in (0, 1, 63, 64):
        sealed = suite.hpke_seal_untrusted(bob.body.live, LETTER_LABEL + bob.public, private_key("x")[:1] * size)
        with refused(Reason.CBOR):
            open_letter_untrusted(suite, bob.public, bob.keys(suite), Letter(key_id(suite, bob.body.live), sealed))


def test_acknowledgement_and_slot_are_hashes_under_different_labels(suite: Suite) -> None:
    """R-6.3-1 R-6.3-2."""
    for secret in (bytes(16), b"s" * 16):
        assert ack_of(suite, secret) == sha256(b"udpchat/1 ack\0" + secret).digest()[:16]
        assert slot_of(suite, secret) == sha256(b"udpchat/1 slot\0" + secret).digest()[:16]
        assert ack_of(suite, secret) != slot_of(suite, secret)
