"""cards.json: cards and rotations that hold, and that do not, and which card may take the place of which."""

from collections.abc import Iterator
from dataclasses import astuple
from typing import Any, Final

from udpchat_core.bodies import CardBody
from udpchat_core.errors import Reason
from udpchat_core.secure.card import make_card, succession
from udpchat_core.secure.keys import (
    CARD_LABEL,
    LETTER_LABEL,
    ROTATION_LABEL,
    SMALL_ORDER_ED25519,
    SMALL_ORDER_X25519,
)
from udpchat_core.secure.rotation import make_rotation
from udpchat_core.wire import encode

from .making import (
    ALICE,
    BOB,
    CAROL,
    EXPIRES_S,
    NOW_S,
    NUMBER_LIMIT,
    SUITE,
    YEAR_10000_S,
    Person,
    Vector,
    accepted,
    both_signs,
    cbor,
    forged_signature,
    key,
    longer_signature,
    misencoded,
    person,
    refused,
)

DAY_S: Final = 86_400
_FIELDS: Final = ("version", "seq", "expires_s", "identity", "live", "mail", "name")


def signed(private: bytes, encoded: bytes, label: bytes = CARD_LABEL) -> bytes:
    """A truly signed card around any bytes."""
    return SUITE.sign(private, label + encoded) + encoded


def cards() -> Vector:
    """The file."""
    return {
        "about": "Cards (section 2.3), as received at now_s by somebody who asked for name_asked, or for no name; "
        "rotations (section 2.4) of rotated_name to identity.",
        "accepted": list(_accepted()),
        "refused": [*_wrong_signatures(), *_traps(), *_misencoded(), *_wrong_fields(), *_wrong_for_the_asker()],
        "successions": [_succession(name, known, seq) for name, known, seq in _SEQS],
        "rotations": list(_rotations()),
        "rotations_refused": [*_rotations_refused(), *_rotations_of_traps()],
    }


_SEQS: Final = (
    ("the same", 7, 7),
    ("the next", 7, 8),
    ("the one before", 7, 6),
    ("the first, long ago", 2**48 - 1, 1),
    ("as far ahead as may be", 5, 2**32 + 5),
    ("one further", 5, 2**32 + 6),
    ("the last number there is", 0, 2**48 - 1),
)


def _succession(name: str, known_seq: int, seq: int) -> Vector:
    said = succession(known_seq, _body(seq=seq)).value
    return accepted(name, known_seq=known_seq, seq=seq, succession=said)


# --- accepted ---


def _accepted() -> Iterator[Vector]:
    for who in (ALICE, BOB, CAROL):
        yield _holds(f"{who.name}'s", who)
    yield _holds("the shortest", person("a", seq=1, expires_s=0), now_s=DAY_S)
    longest = person("a" * 32, seq=NUMBER_LIMIT - 1, expires_s=YEAR_10000_S - 1)
    yield _holds("the longest", longest)
    yield _holds("every kind of character in a name", person("0-9_a-z--__"))
    yield _holds("exactly a day after its expiry", person("alice"), now_s=EXPIRES_S + DAY_S)


def _holds(name: str, who: Person, now_s: int = NOW_S) -> Vector:
    return accepted(name, I_private=who.identity, body=who.body, card=who.card, now_s=now_s, name_asked=who.name)


# --- refused ---


def _body(**changed: Any) -> CardBody:  # noqa: ANN401
    return CardBody(**dict(zip(_FIELDS, astuple(ALICE.body), strict=True)) | changed)


def _no(wrong: str, reason: Reason, card: bytes, now_s: int = NOW_S, asked: str | None = None) -> Vector:
    return refused(wrong, reason, card=card, now_s=now_s, name_asked=asked)


def _wrong_signatures() -> Iterator[Vector]:
    card, encoded = ALICE.card, encode(ALICE.body)
    for at in (0, 31, 32, 63):
        changed = bytearray(card)
        changed[at] ^= 1
        yield _no(f"a bit of byte {at}, in the signature, is flipped", Reason.SIGNATURE, bytes(changed))
    cases = [
        ("the name was changed after signing", card[:-1] + b"f"),
        ("the signature is zeros", bytes(64) + encoded),
        ("another identity signed", make_card(SUITE, key("mallory: I"), ALICE.body)),
        ("the signature is that of an older card", person("alice", seq=6).card[:64] + encoded),
        ("the signature is without the label", signed(ALICE.identity, encoded, b"")),
        ("the signature is under the label of letters", signed(ALICE.identity, encoded, LETTER_LABEL)),
        ("the label lacks its zero byte", signed(ALICE.identity, encoded, CARD_LABEL[:-1])),
        ("S of the signature is not below the order of the group", longer_signature(card[:64]) + encoded),
        ("I is no point (y = 2)", signed(ALICE.identity, encode(_body(identity=b"\2" + bytes(31))))),
    ]
    for wrong, changed_card in cases:
        yield _no(wrong, Reason.SIGNATURE, changed_card)


def _traps() -> Iterator[Vector]:
    """Keys of small order, in cards whose signatures hold: nothing but the list of section 2.2 refuses them."""
    for point in both_signs(SMALL_ORDER_ED25519):
        for seq in range(1, 1_000):
            encoded = encode(_body(identity=point, seq=seq))
            signature = forged_signature(point, CARD_LABEL + encoded)
            if signature:
                wrong = f"I is of small order ({point.hex()}), and the signature forged"
                yield _no(wrong, Reason.POINT, signature + encoded)
                break
    for field, letter in (("live", "L"), ("mail", "M")):
        for point in both_signs(SMALL_ORDER_X25519):
            card = make_card(SUITE, ALICE.identity, _body(**{field: point}))
            yield _no(f"{letter} is of small order ({point.hex()})", Reason.POINT, card)


def _misencoded() -> Iterator[Vector]:
    for encoded, reason, wrong in misencoded(astuple(ALICE.body)):
        yield _no(f"in the body, {wrong}", reason, signed(ALICE.identity, encoded))
    yield _no("the body is a byte string", Reason.FIELDS, signed(ALICE.identity, b"\x58\x70" + bytes(0x70)))


def _wrong_fields() -> Iterator[Vector]:
    cases: list[tuple[str, str, Any]] = [
        ("the version is 0", "version", 0),
        ("the version is 2", "version", 2),
        ("the version is true, which is no 1", "version", True),
        ("the version is the float 1.0", "version", 1.0),
        ("the seq is 2^48", "seq", NUMBER_LIMIT),
        ("the seq is -1", "seq", -1),
        ("the seq is 0", "seq", 0),
        ("the expiry is in the year 10000", "expires_s", YEAR_10000_S),
        ("the expiry is a float", "expires_s", float(EXPIRES_S)),
        ("I has 31 bytes", "identity", ALICE.body.identity[:31]),
        ("L has 33 bytes", "live", ALICE.body.live + b"\0"),
        ("M is a text", "mail", "text of thirty-two characters..!"),
        ("M is an array", "mail", (0,) * 32),
        ("the name has a capital", "name", "Alice"),
        ("the name ends in a line feed", "name", "alice\n"),
        ("the name has a dot", "name", "alice.b"),
        ("the name begins with a hyphen", "name", "-alice"),
        ("the name has 33 characters", "name", "a" * 33),
        ("the name is a byte string", "name", b"alice"),
        ("the name has a Cyrillic letter", "name", "\u0430lice"),
    ]
    values = dict(zip(_FIELDS, astuple(ALICE.body), strict=True))
    for wrong, field, value in cases:
        yield _no(wrong, Reason.FIELDS, signed(ALICE.identity, cbor(*(values | {field: value}).values())))
    short = cbor(*(values | {"seq": 1, "expires_s": 0, "name": ""}).values())
    yield _no("the card has 171 bytes: its name is empty", Reason.SIZE, signed(ALICE.identity, short))
    long = cbor(*(values | {"seq": NUMBER_LIMIT - 1, "expires_s": YEAR_10000_S - 1, "name": "a" * 33}).values())
    yield _no("the card has 221 bytes: its name has 33", Reason.SIZE, signed(ALICE.identity, long))
    yield _no("the card is a signature alone", Reason.SIZE, ALICE.card[:64])


def _wrong_for_the_asker() -> Iterator[Vector]:
    late = EXPIRES_S + DAY_S + 1
    yield _no("the card expired a day and a second ago", Reason.EXPIRED, ALICE.card, now_s=late)
    yield _no("the card expired in 1970", Reason.EXPIRED, person("alice", expires_s=0).card)
    for asked in ("bob", "alic", "alice2"):
        yield _no(f"the card is alice's, and {asked}'s was asked for", Reason.NAME, ALICE.card, asked=asked)


# --- rotations ---

_NEXT: Final = BOB.body.identity


def _rotations() -> Iterator[Vector]:
    cases = [
        ("Alice's to another key", ALICE.identity, _NEXT, "alice"),
        ("and back", BOB.identity, ALICE.body.identity, "alice"),
        ("the shortest name", ALICE.identity, _NEXT, "a"),
        ("the longest name", ALICE.identity, _NEXT, "a" * 32),
    ]
    for name, private, identity, of in cases:
        rotation = make_rotation(SUITE, private, identity, of)
        yield accepted(
            name,
            former_private=private,
            former=rotation.former,
            signature=rotation.signature,
            identity=identity,
            rotated_name=of,
        )


def _rotation_signed(identity: bytes, name: str, label: bytes = ROTATION_LABEL) -> bytes:
    return SUITE.sign(ALICE.identity, label + identity + name.encode())


def _no_rotation(wrong: str, reason: Reason, former: bytes, signature: bytes, **of: Any) -> Vector:  # noqa: ANN401
    return refused(
        wrong, reason, former=former, signature=signature, **({"identity": _NEXT, "rotated_name": "alice"} | of)
    )


def _rotations_refused() -> Iterator[Vector]:
    former, good = ALICE.body.identity, _rotation_signed(_NEXT, "alice")
    cases = [
        ("a bit of the signature is flipped", good[:63] + bytes((good[63] ^ 1,))),
        ("the signature is zeros", bytes(64)),
        ("another identity signed", make_rotation(SUITE, CAROL.identity, _NEXT, "alice").signature),
        ("the identity that follows signed", make_rotation(SUITE, BOB.identity, _NEXT, "alice").signature),
        ("it was signed for another identity", _rotation_signed(CAROL.body.identity, "alice")),
        ("it was signed for another name", _rotation_signed(_NEXT, "bob")),
        ("it was signed for the beginning of the name", _rotation_signed(_NEXT, "alic")),
        ("the signature is without the label", _rotation_signed(_NEXT, "alice", b"")),
        ("the signature is under the label of cards", _rotation_signed(_NEXT, "alice", CARD_LABEL)),
        ("the label lacks its zero byte", _rotation_signed(_NEXT, "alice", ROTATION_LABEL[:-1])),
        ("S of the signature is not below the order of the group", longer_signature(good)),
    ]
    for wrong, signature in cases:
        yield _no_rotation(wrong, Reason.SIGNATURE, former, signature)
    signature = _rotation_signed(former, "alice")
    yield _no_rotation("it hands the name to itself", Reason.SIGNATURE, former, signature, identity=former)
    yield _no_rotation("the former identity is no point (y = 2)", Reason.SIGNATURE, b"\2" + bytes(31), good)


def _rotations_of_traps() -> Iterator[Vector]:
    """Former identities of small order, whose signatures hold: nothing but the list of section 2.2 refuses them."""
    for point in both_signs(SMALL_ORDER_ED25519):
        for number in range(1_000):
            name = f"alice{number}"
            signature = forged_signature(point, ROTATION_LABEL + _NEXT + name.encode())
            if signature:
                wrong = f"the former identity is of small order ({point.hex()}), and the signature forged"
                yield _no_rotation(wrong, Reason.POINT, point, signature, rotated_name=name)
                break
