"""The card: what an identity signs about its name and keys.

A card is a signature of 64 bytes and the body that it signs. Whoever holds it checks the bytes as they
came; nothing is encoded again to be verified.
"""

from enum import Enum

from ..bodies import CardBody
from ..errors import BadDatagram, Reason
from ..limits import CARD_BYTES_MAX, CARD_BYTES_MIN, CARD_GRACE_S, CARD_JUMP_MAX
from ..wire import decode_untrusted, encode
from .keys import CARD_LABEL, SIGNATURE_BYTES, check_exchange_untrusted, check_identity_untrusted
from .suite import KEY_BYTES, Suite

# A body as CBOR has it: two bytes, seq and expiry, three keys with heads of two bytes, and the name.
_NUMBER_BYTES = (*(1,) * 24, 2, 3, 5, 9)  # by the first of them
_KEY_HEAD_BYTES = 2
_KEYS_BYTES = 3 * (_KEY_HEAD_BYTES + KEY_BYTES)
_LONG_NAME_HEAD = 0x78  # of two bytes, for a name of 24 characters or more; others have one


class Succession(Enum):
    """How a card stands to the highest seq known of its identity."""

    SAME_OR_NEWER = "same or newer"
    STALE = "stale"
    TOO_FAR_AHEAD = "too far ahead"


def make_card(suite: Suite, identity_private: bytes, body: CardBody) -> bytes:
    """A signed card, 172 to 220 bytes; `body.identity` is the public key of `identity_private`."""
    encoded = encode(body)
    return suite.sign(identity_private, CARD_LABEL + encoded) + encoded  # R-2.3-1


def open_card_untrusted(suite: Suite, card: bytes) -> CardBody:
    """The body of a card that its identity signed, or `BadDatagram`.

    Expiry, name and succession depend on who asks: see the other functions.
    """
    if not CARD_BYTES_MIN <= len(card) <= CARD_BYTES_MAX:
        raise BadDatagram(Reason.SIZE)
    signature, encoded = card[:SIGNATURE_BYTES], card[SIGNATURE_BYTES:]
    body = decode_untrusted(CardBody, encoded)
    check_identity_untrusted(body.identity)
    check_exchange_untrusted(body.live)
    check_exchange_untrusted(body.mail)
    suite.verify_untrusted(body.identity, signature, CARD_LABEL + encoded)  # R-2.3-2
    return body


def identity_in(card: bytes) -> bytes:
    """I in a card that was opened, without decoding it again."""
    at = _keys_at(card) + _KEY_HEAD_BYTES
    return card[at : at + KEY_BYTES]


def name_in(card: bytes) -> str:
    """The name in a card that was opened, without decoding it again."""
    at = _keys_at(card) + _KEYS_BYTES
    return card[at + (2 if card[at] == _LONG_NAME_HEAD else 1) :].decode()


def _keys_at(card: bytes) -> int:
    at = SIGNATURE_BYTES + 2
    at += _NUMBER_BYTES[card[at]]
    return at + _NUMBER_BYTES[card[at]]


def check_expiry_untrusted(body: CardBody, now_s: int) -> None:
    """Refuse a card more than a day past its expiry; `now_s` is seconds of Unix time."""
    if is_expired(body, now_s):  # R-2.3-3
        raise BadDatagram(Reason.EXPIRED)


def is_expired(body: CardBody, now_s: int) -> bool:
    """Whether a card is more than a day past its expiry; `now_s` is seconds of Unix time."""
    return now_s > body.expires_s + CARD_GRACE_S


def check_name_untrusted(body: CardBody, name: str) -> None:
    """Refuse a card for another name than the one that was looked up."""
    if body.name != name:  # R-2.3-4
        raise BadDatagram(Reason.NAME)


def succession(known_seq: int, body: CardBody) -> Succession:
    """Whether a card may take the place of the one with the highest seq known; not the same as being valid."""
    if body.seq < known_seq:  # R-2.3-5
        return Succession.STALE
    if body.seq > known_seq + CARD_JUMP_MAX:  # R-2.3-6
        return Succession.TOO_FAR_AHEAD
    return Succession.SAME_OR_NEWER
