"""letters.json: letters that open, letters that do not, and what was passed on, forged or said wrongly."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any, Final

from udpchat_core.bodies import LetterBody
from udpchat_core.datagrams import Letter
from udpchat_core.errors import Reason
from udpchat_core.secure.keys import CARD_LABEL, LETTER_LABEL, SMALL_ORDER_ED25519, SMALL_ORDER_X25519, key_id
from udpchat_core.secure.letter import ack_of, slot_of
from udpchat_core.wire import encode, serialize

from .derived import COLLIDING
from .making import (
    ALICE,
    BOB,
    CAROL,
    NOW_S,
    NUMBER_LIMIT,
    SUITE,
    TRAP,
    YEAR_10000_S,
    Person,
    Scripted,
    Vector,
    accepted,
    both_signs,
    cbor,
    forged_signature,
    key,
    longer_signature,
    misencoded,
    refused,
)

_FIELDS: Final = ("sender", "name", "epoch", "seq", "floor", "secret", "sent_ms", "part", "parts", "text")
_EPOCH: Final = 0x5EED_5EED_5EED


def body(sender: Person = ALICE, **changed: Any) -> LetterBody:  # noqa: ANN401
    """What `sender` writes, with fields changed; the secret follows from the rest."""
    said: dict[str, Any] = {"sender": sender.body.identity, "name": sender.name, "epoch": _EPOCH, "seq": 3, "floor": 2}
    said |= {"sent_ms": NOW_S * 1_000 + 250, "part": 1, "parts": 1, "text": "is the build green?"} | changed
    return LetterBody(**{"secret": key(f"secret of {changed}")[:16]} | said)


@dataclass(frozen=True, slots=True)
class _Sealing:
    """How a letter is made: each of its inputs can be another than it should."""

    text: LetterBody | bytes
    sender: Person = ALICE
    recipient: bytes = BOB.body.identity
    recipient_key: bytes = BOB.body.live
    ephemeral: bytes = key("ephemeral")

    @property
    def info(self) -> bytes:
        return LETTER_LABEL + self.recipient

    @property
    def encoded(self) -> bytes:
        return self.text if isinstance(self.text, bytes) else encode(self.text)

    @property
    def plaintext(self) -> bytes:
        return SUITE.sign(self.sender.identity, self.info + self.recipient_key + self.encoded) + self.encoded

    def sealed(self, plaintext: bytes | None = None, trap: bytes | None = None) -> bytes:
        """The LETTER around its plaintext, or around another."""
        suite = Scripted(TRAP if trap else self.ephemeral, trap=trap)
        sealed = suite.hpke_seal_untrusted(self.recipient_key, self.info, plaintext or self.plaintext)
        return serialize(Letter(key_id(suite, self.recipient_key), sealed))


STORED_SECRET: Final = key("stored secret")[:16]
_STORED: Final = _Sealing(body(secret=STORED_SECRET, text="see you tomorrow"), recipient_key=BOB.body.mail)
STORED_LETTER: Final = _STORED.sealed()


def letters() -> Vector:
    """The file."""
    return {
        "about": "Letters to the identity recipient, which holds the private X25519 keys in keys.",
        "accepted": list(_accepted()),
        "refused": [*_wrong_seals(), *_wrong_signatures(), *_traps(), *_misencoded(), *_wrong_fields()],
    }


# --- accepted ---


def _accepted() -> Iterator[Vector]:
    yield _opens("to the live key", _Sealing(body()))
    yield _opens("to the mail key, as Store and Mail carry it", _STORED)
    for at, private in enumerate(COLLIDING):
        public = SUITE.dh_public(private)
        name = f"two keys have the letter's id, and the {('first', 'second')[at]} opens it (R-6.1-3)"
        yield _opens(name, _Sealing(body(text="which?"), recipient_key=public), [BOB.mail, *COLLIDING])
    small: dict[str, Any] = {"name": "a", "epoch": 0, "seq": 1, "floor": 1, "sent_ms": 0, "text": "a"}
    yield _opens("the shortest", _Sealing(body(**small)))
    large: dict[str, Any] = {"name": "a" * 32, "epoch": NUMBER_LIMIT - 1, "seq": NUMBER_LIMIT - 1}
    large |= {"floor": NUMBER_LIMIT - 1, "sent_ms": YEAR_10000_S * 1_000 - 1, "part": 83, "parts": 83}
    yield _opens("the longest", _Sealing(body(**large, text="a" * 800)))
    texts = {
        "800 bytes of 200 characters": "\U0001f6a2" * 200,
        "control characters are text": "\0\x01\x1b[31m\x7f\x9f\r\n\t",
        "text is not normalised": "e\u0301 \u00e9 \u1e9b\u0323",
        "code points that are no characters": "\ufffe\uffff\U0010ffff\ufeff",
        "right to left": "\u05e9\u05dc\u05d5\u05dd \u202eabc\u2066",
    }
    for name, text in texts.items():
        yield _opens(name, _Sealing(body(text=text)))
    yield _opens("from the recipient", _Sealing(body(BOB, text="a note to myself"), sender=BOB))


def _opens(name: str, made: _Sealing, keys: Sequence[bytes] = BOB.keys) -> Vector:
    assert isinstance(made.text, LetterBody)
    return accepted(
        name,
        sender_I_private=made.sender.identity,
        recipient=made.recipient,
        recipient_key=made.recipient_key,
        ephemeral_private=made.ephemeral,
        body=made.text,
        plaintext=made.plaintext,
        letter=made.sealed(),
        keys=keys,
        ack=ack_of(SUITE, made.text.secret),
        slot=slot_of(SUITE, made.text.secret),
    )


# --- refused ---


def _no(wrong: str, reason: Reason, letter: bytes, to: Person = BOB, keys: Sequence[bytes] | None = None) -> Vector:
    return refused(wrong, reason, recipient=to.body.identity, keys=to.keys if keys is None else keys, letter=letter)


def _wrong_seals() -> Iterator[Vector]:
    made = _Sealing(body())
    letter = made.sealed()
    yield _no("the recipient has no key at all", Reason.KEY, letter, keys=[])
    yield _no("the recipient has other keys only", Reason.KEY, letter, keys=[BOB.mail, CAROL.live])
    yield _no("no key has the letter's id", Reason.KEY, letter[:3] + bytes(4) + letter[7:])
    mail_id = key_id(SUITE, BOB.body.mail)
    yield _no("the key id is that of the recipient's other key", Reason.SEAL, letter[:3] + mail_id + letter[7:])
    for at, what in ((7, "encapsulated key"), (39, "sealed signature"), (120, "sealed body"), (len(letter) - 1, "tag")):
        changed = bytearray(letter)
        changed[at] ^= 1
        yield _no(f"a bit of the {what} is flipped", Reason.SEAL, bytes(changed))
    yield _no("the last byte is missing", Reason.SEAL, letter[:-1])
    yield _no("a byte follows", Reason.SEAL, letter + b"\0")
    other = replace(made, recipient=CAROL.body.identity).sealed(made.plaintext)
    yield _no("info names another recipient", Reason.SEAL, other)
    yield _no("the letter is for another identity with the same keys", Reason.SEAL, letter, CAROL, BOB.keys)
    both = _Sealing(body(), recipient_key=SUITE.dh_public(COLLIDING[0])).sealed()
    yield _no("the key with the letter's id is another with the same id", Reason.SEAL, both, keys=[COLLIDING[1]])


def _wrong_signatures() -> Iterator[Vector]:
    made = _Sealing(body())
    plain, encoded = made.plaintext, made.encoded
    carol = replace(made, recipient=CAROL.body.identity, recipient_key=CAROL.body.live).sealed(plain)
    yield _no("a dishonest recipient, Bob, passed on to Carol what Alice wrote to him", Reason.SIGNATURE, carol, CAROL)
    cases = [
        ("the letter was sealed again to another key of its recipient", _STORED.sealed(plain)),
        ("Carol signed and claims to be Alice", replace(made, sender=CAROL).sealed()),
        ("the signature is zeros", made.sealed(bytes(64) + encoded)),
        ("a bit of the signature is flipped", made.sealed(bytes((plain[0] ^ 1,)) + plain[1:])),
        ("S of the signature is not below the order of the group", made.sealed(longer_signature(plain[:64]) + encoded)),
        ("the signature is over the body alone", made.sealed(SUITE.sign(ALICE.identity, encoded) + encoded)),
        ("the signature is under the label of cards", made.sealed(_signed_as(CARD_LABEL + made.recipient, made))),
        ("the signature does not name the key", made.sealed(SUITE.sign(ALICE.identity, made.info + encoded) + encoded)),
        ("the signature does not name the recipient", made.sealed(_signed_as(LETTER_LABEL, made))),
        ("the text was changed after signing", made.sealed(plain[:-1] + b"!")),
    ]
    for wrong, letter in cases:
        yield _no(wrong, Reason.SIGNATURE, letter)


def _signed_as(context: bytes, made: _Sealing) -> bytes:
    return SUITE.sign(made.sender.identity, context + made.recipient_key + made.encoded) + made.encoded


def _traps() -> Iterator[Vector]:
    """Keys of small order in letters that open and verify where nobody looks at the keys."""
    for point in both_signs(SMALL_ORDER_ED25519):
        for seq in range(2, 1_000):
            made = _Sealing(body(sender=replace(ALICE, body=replace(ALICE.body, identity=point)), seq=seq))
            signature = forged_signature(point, made.info + made.recipient_key + made.encoded)
            if signature:
                wrong = f"the sender is of small order ({point.hex()}), and the signature forged"
                yield _no(wrong, Reason.POINT, made.sealed(signature + made.encoded))
                break
    for point in both_signs(SMALL_ORDER_X25519):
        letter = _Sealing(body()).sealed(trap=point)
        yield _no(f"the encapsulated key is of small order ({point.hex()}): no secret was needed", Reason.SEAL, letter)


def _misencoded() -> Iterator[Vector]:
    for encoded, reason, wrong in misencoded(astuple(body())):
        yield _no(f"in the body, {wrong}", reason, _Sealing(encoded).sealed())


def _wrong_fields() -> Iterator[Vector]:
    cases: list[tuple[str, dict[str, Any]]] = [
        ("the sender has 31 bytes", {"sender": ALICE.body.identity[:31]}),
        ("the name has a capital", {"name": "Alice"}),
        ("the name is empty", {"name": ""}),
        ("the name has 33 characters", {"name": "a" * 33}),
        ("the name ends in a line feed", {"name": "alice\n"}),
        ("the epoch is 2^48", {"epoch": NUMBER_LIMIT}),
        ("the epoch is -1", {"epoch": -1}),
        ("the seq is 2^48", {"seq": NUMBER_LIMIT}),
        ("the seq is 0", {"seq": 0, "floor": 0}),
        ("the floor is 0, below the lowest there can be", {"floor": 0}),
        ("the floor is above the seq", {"floor": 4}),
        ("the floor is true, which is no 1", {"floor": True}),
        ("the secret has 15 bytes", {"secret": bytes(15)}),
        ("the secret has 17 bytes", {"secret": bytes(17)}),
        ("it was sent in the year 10000", {"sent_ms": YEAR_10000_S * 1_000}),
        ("it was sent at a float", {"sent_ms": 1.5}),
        ("the part is 0", {"part": 0}),
        ("the part is above the parts", {"part": 2}),
        ("there are 84 parts", {"parts": 84}),
        ("this is part 84 of 84", {"part": 84, "parts": 84}),
        ("the text is empty", {"text": ""}),
        ("the text has 801 bytes", {"text": "a" * 801}),
        ("the text has 801 bytes of 401 characters", {"text": "\u00e9" * 400 + "a"}),
        ("the text is a byte string", {"text": b"hello"}),
        ("the text is null", {"text": None}),
    ]
    values = dict(zip(_FIELDS, astuple(body()), strict=True))
    for wrong, changed in cases:
        yield _no(wrong, Reason.FIELDS, _Sealing(cbor(*(values | changed).values())).sealed())
