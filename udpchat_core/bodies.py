"""What a user signs or seals for others, without the signature: the bodies of a card and of a letter.

On the wire each is a CBOR array of its fields in their order.
"""

from typing import Annotated, Final

from annotated_types import Ge, Le
from pydantic.dataclasses import dataclass

from .fields import STRICT, Bytes16, Bytes32, Name, Number, Ordinal, Text, TimeMs, TimeS
from .limits import PARTS_MAX

CARD_VERSION: Final = 1


@dataclass(frozen=True, slots=True, config=STRICT)
class CardBody:
    """What an identity signs about itself: the directory entry, without the signature.

    Attributes:
        version: of the card's form; 1.
        seq: counts the cards of this identity; of two, the higher holds.
        expires_s: seconds of Unix time after which the card no longer holds, but for a day's grace.
        identity: I, the Ed25519 public key that owns the name.
        live: L, the X25519 public key for direct letters and the Link.
        mail: M, the X25519 public key for stored letters.
        name: the name that the identity claims.
    """

    version: Annotated[int, Ge(CARD_VERSION), Le(CARD_VERSION)]  # no Literal: that takes True and 1.0 for 1
    seq: Ordinal  # R-2.3-8
    expires_s: TimeS
    identity: Bytes32
    live: Bytes32
    mail: Bytes32
    name: Name


@dataclass(frozen=True, slots=True, config=STRICT)
class LetterBody:
    """What a letter says, sealed for its recipient alone.

    Attributes:
        sender: I of the sender.
        name: the sender's name; shown only if pinned to `sender` or confirmed by Lookup.
        epoch: random, new at every start of the sender.
        seq: orders the messages of one sender to one recipient within the epoch, from 1.
        floor: the lowest seq of the epoch that is neither acknowledged nor given up; at most `seq`.
        secret: 16 random bytes, the message's identity: equal in every copy.
        sent_ms: milliseconds of Unix time when the user sent it, by the sender's clock.
        part: which part of a text this is, from 1.
        parts: how many parts the text has.
        text: 1 to 800 bytes of UTF-8.
    """

    sender: Bytes32
    name: Name
    epoch: Number
    seq: Ordinal
    floor: Ordinal
    secret: Bytes16
    sent_ms: TimeMs
    part: Annotated[int, Ge(1), Le(PARTS_MAX)]
    parts: Annotated[int, Ge(1), Le(PARTS_MAX)]
    text: Text

    def __post_init__(self) -> None:
        if self.floor > self.seq or self.part > self.parts:  # R-6.2-4
            raise ValueError("floor is at most seq, part at most parts")
