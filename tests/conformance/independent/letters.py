"""Letters: signed by the sender, sealed for the recipient (section 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from . import datagrams, keys
from .cbor import Refused, decode, encode
from .grammar import PARTS_MAX, TEXT_BYTES_MAX, letter_body

SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
SIGNATURE_BYTES = 64
TEXT_PARTS_BYTES_MAX = 65_536


class NoKey(Refused):
    """No key opens this letter; whoever has another one might."""


@dataclass(frozen=True)
class OpeningKey:
    """A private X25519 key, with what follows from it."""

    private: bytes
    public: bytes
    key_id: bytes

    @classmethod
    def of(cls, private: bytes) -> "OpeningKey":
        public = keys.exchange_public(private)
        return cls(private, public, keys.key_id(public))


def plaintext_of(identity_private: bytes, recipient: bytes, recipient_key: bytes, body: dict[str, Any]) -> bytes:
    data = encode(letter_body.plain(body))
    return keys.sign(identity_private, keys.label("letter") + recipient + recipient_key + data) + data  # R-6.2-1


def seal_letter(identity_private: bytes, recipient: bytes, recipient_key: bytes, body: dict[str, Any]) -> bytes:
    """The LETTER of `body` for the identity `recipient`, which only `recipient_key` opens (R-6.1-1, R-6.1-2)."""
    plaintext = plaintext_of(identity_private, recipient, recipient_key, body)
    public = X25519PublicKey.from_public_bytes(recipient_key)
    sealed = SUITE.encrypt(plaintext, public, keys.label("letter") + recipient)
    return datagrams.make(datagrams.LETTER, keys.key_id(recipient_key), sealed)


def open_letter(letter: bytes, recipient: bytes, opening: Sequence[OpeningKey]) -> dict[str, Any]:
    """The body of the LETTER datagram for the identity `recipient`; NoKey if no key opens it, Refused for all else."""
    datagram = datagrams.cut(letter)
    if datagram.type != datagrams.LETTER:
        raise Refused("no letter")
    key, plaintext = _unseal(datagram, recipient, opening)
    signature, data = plaintext[:SIGNATURE_BYTES], plaintext[SIGNATURE_BYTES:]
    body = letter_body(decode(data))
    keys.verify(body["sender"], signature, keys.label("letter") + recipient + key.public + data)  # R-6.2-2
    return body


def _unseal(letter: datagrams.Datagram, recipient: bytes, opening: Sequence[OpeningKey]) -> tuple[OpeningKey, bytes]:
    for key in opening:
        if key.key_id == letter["key_id"] and not keys.small_order_x25519(letter["sealed"][:32]):  # R-6.1-3, R-2.2-3
            private = X25519PrivateKey.from_private_bytes(key.private)
            try:
                return key, SUITE.decrypt(letter["sealed"], private, keys.label("letter") + recipient)
            except (InvalidTag, ValueError):
                continue
    raise NoKey("no key opens it")


def split(text: str) -> list[str]:
    """`text` in parts that fit letters, cut at code points (R-6.2-3); Refused if it is empty or too long."""
    data = text.encode()
    if not 1 <= len(data) <= TEXT_PARTS_BYTES_MAX:
        raise Refused("a text has 1 to 65,536 bytes")
    parts, at = [], 0
    while at < len(data):
        end = min(at + TEXT_BYTES_MAX, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(data[at:end].decode())
        at = end
    assert len(parts) <= PARTS_MAX
    return parts
