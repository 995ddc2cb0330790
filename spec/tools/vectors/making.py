"""What vectors are made from: keys that follow from what they are for, chance from a list, faults, and JSON forms."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

import cbor2
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKeyInterface, KEMKeyPair

from udpchat_core.bodies import CardBody
from udpchat_core.errors import Reason
from udpchat_core.secure.card import make_card
from udpchat_core.secure.suite import StandardSuite

Vector = dict[str, Any]
NOW_S: Final = 1_790_000_000
EXPIRES_S: Final = NOW_S + 90 * 86_400
NUMBER_LIMIT: Final = 2**48
YEAR_10000_S: Final = 253_402_300_800
_HPKE: Final = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)
_ED25519_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_ED25519_BASE: Final = bytes.fromhex("58" + "66" * 31)

# --- keys and primitives ---


def key(purpose: str) -> bytes:
    """A private key, or another 32 bytes, that follow from what they are for."""
    return hashlib.sha256(b"udpchat vectors: " + purpose.encode()).digest()


class Scripted(StandardSuite):
    """The real primitives with the randomness of a list; HPKE by pyhpke, whose ephemeral key can be given.

    With `trap`, the private key that follows from "trap" has that public key of small order, and its shared
    secrets are zero: what somebody makes who means harm.
    """

    def __init__(self, *random: bytes, trap: bytes | None = None) -> None:
        left = list(random)
        super().__init__(lambda size: left.pop(0)[:size])
        self._trap = trap

    def dh_public(self, private: bytes) -> bytes:
        """As in Suite, but for the trap."""
        return self._trap if self._trap and private == TRAP else super().dh_public(private)

    def dh_untrusted(self, private: bytes, public: bytes) -> bytes:
        """As in Suite, but for the trap."""
        return bytes(32) if self._trap and private == TRAP else super().dh_untrusted(private, public)

    def hpke_seal_untrusted(self, public: bytes, info: bytes, data: bytes) -> bytes:
        """As in Suite, with the next of the list as ephemeral key."""
        pair = _Ephemeral(self, self.random(32))
        remote = _HPKE.kem.deserialize_public_key(public)
        encapsulated, context = _HPKE.create_sender_context(remote, info, eks=KEMKeyPair(pair, pair))
        return encapsulated + context.seal(data)


TRAP: Final = key("trap")


class _Ephemeral(KEMKeyInterface):
    """HPKE's ephemeral key pair, over a suite."""

    def __init__(self, suite: Scripted, private: bytes) -> None:
        super().__init__(self)
        self._suite, self._private = suite, private

    def exchange(self, public: Any) -> bytes:  # noqa: ANN401 - as `cryptography` has it, a key of any kind
        return self._suite.dh_untrusted(self._private, public.public_bytes_raw())

    def to_public_bytes(self) -> bytes:
        return self._suite.dh_public(self._private)


SUITE: Final = Scripted()


def forged_signature(public: bytes, data: bytes) -> bytes | None:
    """A signature without a private key under a public key of small order, for one of eight `data` or so.

    R is the base point B and S is 1, so S B = R + h A holds where h is a multiple of the order of A.
    """
    h = int.from_bytes(hashlib.sha512(_ED25519_BASE + public + data).digest(), "little") % _ED25519_ORDER
    return None if h % 8 else _ED25519_BASE + (1).to_bytes(32, "little")


def longer_signature(signature: bytes) -> bytes:
    """The same signature with S made longer by the order of the group, which RFC 8032 section 5.1.7 refuses."""
    number = int.from_bytes(signature[32:], "little") + _ED25519_ORDER
    return signature[:32] + number.to_bytes(32, "little")


def both_signs(points: frozenset[bytes]) -> list[bytes]:
    """Each point in a fixed order, with its top bit clear, then set."""
    return [point[:31] + bytes((point[31] | top,)) for point in sorted(points) for top in (0, 0x80)]


# --- people ---


@dataclass(frozen=True, slots=True)
class Person:
    """Who has a name, three private keys, and a card that says so."""

    name: str
    identity: bytes
    live: bytes
    mail: bytes
    body: CardBody
    card: bytes

    @property
    def keys(self) -> list[bytes]:
        """The private keys that this person opens letters with."""
        return [self.live, self.mail]


def person(name: str, seq: int = 1, expires_s: int = EXPIRES_S) -> Person:
    """The person of this name."""
    identity, live, mail = (key(f"{name}: {purpose}") for purpose in "ILM")
    public = SUITE.sign_public(identity), SUITE.dh_public(live), SUITE.dh_public(mail)
    body = CardBody(1, seq, expires_s, *public, name)
    return Person(name, identity, live, mail, body, make_card(SUITE, identity, body))


ALICE: Final = person("alice", seq=7)
BOB: Final = person("bob")
CAROL: Final = person("carol")

# --- faults of encoding ---


def cbor(*values: Any) -> bytes:  # noqa: ANN401 - any CBOR values
    """The deterministic CBOR of an array that no class of ours has checked."""
    return cbor2.dumps(values, canonical=True)


def misencoded(values: Sequence[Any]) -> Iterator[tuple[bytes, Reason, str]]:
    """(bytes, reason, what is wrong) for each way in which the encoding of a good array can go wrong."""
    parts = [cbor2.dumps(value, canonical=True) for value in values]
    joined, whole, count = b"".join(parts), cbor(*values), len(values)
    yield whole + b"\x00", Reason.NOT_CANONICAL, "a byte follows the item"
    yield whole[:-1], Reason.CBOR, "the last byte is missing"
    yield bytes((0x98, count)) + joined, Reason.NOT_CANONICAL, "the array's head takes two bytes where one does"
    yield b"\x9f" + joined + b"\xff", Reason.CBOR, "the array has an indefinite length"
    yield b"\xd9\xd9\xf7" + whole, Reason.CBOR, "a tag (55799, self-described CBOR) stands before the item"
    yield cbor(*values[:-1]), Reason.FIELDS, "the last field is missing"
    yield cbor(*values, 0), Reason.FIELDS, "there is a field too many"
    for kind, what in ((int, "a number"), (bytes, "a byte string"), (str, "a text")):
        at = next((at for at, value in enumerate(values) if type(value) is kind), None)
        if at is not None:
            for part, reason, wrong in _misencoded_item(parts[at], values[at]):
                changed = b"".join([*parts[:at], part, *parts[at + 1 :]])
                yield bytes((0x80 | count,)) + changed, reason, f"{what} {wrong}"


def _misencoded_item(part: bytes, value: Any) -> Iterator[tuple[bytes, Reason, str]]:  # noqa: ANN401
    kind, low = part[0] & 0xE0, part[0] & 0x1F
    if low <= 24:
        longer = bytes((kind | 24, low)) if low < 24 else bytes((kind | 25, 0, part[1]))
        yield longer + part[1 if low < 24 else 2 :], Reason.NOT_CANONICAL, "has a longer head than it needs"
    yield b"\xc1" + part, Reason.CBOR, "has a tag"
    if not isinstance(value, int):
        yield bytes((kind | 31,)) + part + b"\xff", Reason.CBOR, "comes in chunks of an indefinite length"


# --- JSON forms ---


def plain(value: Any) -> Any:  # noqa: ANN401 - any value of a wire class, or one of them
    """Bytes as hex, a wire class as an object of its fields; a message says its name and code first."""
    if is_dataclass(value):
        head = {"message": type(value).__name__, "code": value.code} if hasattr(value, "code") else {}
        return head | {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return int(value) if type(value) not in (str, bool, type(None)) else value


def accepted(name: str, **values: Any) -> Vector:  # noqa: ANN401
    """A vector that every implementation takes."""
    return {"name": name, **plain(values)}


def refused(wrong: str, reason: Reason, **values: Any) -> Vector:  # noqa: ANN401
    """A vector that every implementation refuses, for this reason alone."""
    return {"wrong": f"{wrong[0].upper()}{wrong[1:]}.", **plain(values), "reason": reason.value}
