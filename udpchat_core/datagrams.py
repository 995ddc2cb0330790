"""The clear layout of each datagram: what can be read without a key.

Every datagram is two bytes of magic and version, one byte of type, then the fields of its layout, all of
fixed length but the last. `LAYOUTS` is what `wire` parses by and what `spec/` is drawn from.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from .limits import ACKS_MAX, CARD_BYTES_MAX, CARD_BYTES_MIN, DATAGRAM_BYTES_MAX, LETTER_BYTES_MAX, LETTER_BYTES_MIN

MAGIC: Final = 0x75
"""`u`; also no valid first byte of DNS, STUN, QUIC or DTLS on its usual ports."""
VERSION: Final = 0x01
HEADER_BYTES: Final = 3
NONCE_BYTES: Final = 16
ACK_BYTES: Final = 16
_TAG_BYTES: Final = 16
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Hello:
    """C to S: I may be at this address; padded with zeros to the length of its RETRY."""

    type: ClassVar[int] = 1
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Retry:
    """S to C: prove your address with this token.

    `echo` repeats bytes 3 to 18 of the datagram that it answers: HELLO, INIT or RECORD.
    """

    type: ClassVar[int] = 2
    echo: bytes
    token: bytes
    server_key: bytes


@dataclass(frozen=True, slots=True)
class Init:
    """C to S: the address's token, the client's link index and Noise message 1 around the card."""

    type: ClassVar[int] = 3
    token: bytes
    index: bytes
    noise: bytes


@dataclass(frozen=True, slots=True)
class Resp:
    """S to C: the client's link index and Noise message 2 around the server's link index."""

    type: ClassVar[int] = 4
    index: bytes
    noise: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """Both ways: the receiver's link index, a counter, and sealed messages."""

    type: ClassVar[int] = 5
    index: bytes
    counter: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """C to C, and inside Store and Mail: the id of the recipient's key, and a sealed letter."""

    type: ClassVar[int] = 6
    key_id: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Acks:
    """C to C: acknowledgements of 16 bytes each."""

    type: ClassVar[int] = 7
    acks: tuple[bytes, ...]


NOTE_TYPE: Final = 8
"""Reserved for a fast path of conversations; refused like every type that is not defined."""


class Field(NamedTuple):
    """A field of a layout, in bytes; only the last of a datagram may vary."""

    name: str
    bytes_min: int
    bytes_max: int
    meaning: str


def _fixed(name: str, size: int, meaning: str) -> Field:
    return Field(name, size, size, meaning)


Datagram = Hello | Retry | Init | Resp | Record | Letter | Acks

LAYOUTS: Final[dict[type[Datagram], tuple[Field, ...]]] = {
    Hello: (_fixed("nonce", NONCE_BYTES, "random"), _fixed("padding", 48, "zero")),
    Retry: (
        _fixed("echo", NONCE_BYTES, "bytes 3 to 18 of what it answers"),
        _fixed("token", 16, "section 4.1"),
        _fixed("S", _KEY_BYTES, "the server's public key"),
    ),
    Init: (
        _fixed("token", 16, "from RETRY"),
        _fixed("index", 4, "the client's link index"),
        Field("noise", 96 + CARD_BYTES_MIN, 96 + CARD_BYTES_MAX, "Noise message 1, its payload a card"),
    ),
    Resp: (
        _fixed("index", 4, "the client's link index"),
        _fixed("noise", _KEY_BYTES + 4 + _TAG_BYTES, "Noise message 2, its payload the server's link index"),
    ),
    Record: (
        _fixed("index", 4, "the receiver's link index"),
        _fixed("counter", 8, "unsigned, big-endian"),
        Field("sealed", 3 + _TAG_BYTES, DATAGRAM_BYTES_MAX - HEADER_BYTES - 12, "messages and tag"),
    ),
    Letter: (
        _fixed("key id", 4, "of the recipient's key"),
        Field(
            "sealed",
            LETTER_BYTES_MIN - HEADER_BYTES - 4,
            LETTER_BYTES_MAX - HEADER_BYTES - 4,
            "HPKE: encapsulated key 32, then the sealed letter",
        ),
    ),
    Acks: (Field("acks", ACK_BYTES, ACKS_MAX * ACK_BYTES, "16 bytes each"),),
}
