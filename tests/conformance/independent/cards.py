"""Cards and rotations (sections 2.3 and 2.4)."""

from typing import Any

from . import keys
from .cbor import Refused, decode, encode
from .grammar import card_body

GRACE_S = 86_400
LIFE_S = 90 * 86_400
JUMP_MAX = 2**32
SEQ_FIRST_LIMIT = 2**30
SIGNATURE_BYTES = 64


def make_card(identity_private: bytes, seq: int, now_s: int, live: bytes, mail: bytes, name: str) -> bytes:
    body = {"version": 1, "seq": seq, "expires_s": now_s + LIFE_S, "identity": keys.sign_public(identity_private)}
    return sign_card(identity_private, body | {"live": live, "mail": mail, "name": name})


def sign_card(identity_private: bytes, body: dict[str, Any]) -> bytes:
    data = encode(card_body.plain(body))
    return keys.sign(identity_private, keys.label("card") + data) + data  # R-2.3-1


def open_card(card: bytes, now_s: int, name_asked: str | None) -> dict[str, Any]:
    """What the card says, if it holds; else Refused."""
    body = card_body(decode(card[SIGNATURE_BYTES:]))
    keys.verify(body["identity"], card[:SIGNATURE_BYTES], keys.label("card") + card[SIGNATURE_BYTES:])  # R-2.3-2
    if now_s > body["expires_s"] + GRACE_S:  # R-2.3-3
        raise Refused("a card past its day")
    if name_asked is not None and body["name"] != name_asked:  # R-2.3-4
        raise Refused("a card for another name")
    return body


def succession(known_seq: int, seq: int) -> str:
    """What a card of `seq` is where `known_seq` is the highest known (R-2.3-5, R-2.3-6)."""
    if seq < known_seq:
        return "stale"
    return "too far ahead" if seq > known_seq + JUMP_MAX else "same or newer"


def rotation_holds(rotation: dict[str, Any], identity: bytes, name: str) -> bool:
    """Whether the former identity signed that `identity` has `name` from now on (R-2.4-1 to R-2.4-3)."""
    if rotation["former"] == identity:
        return False
    try:
        keys.verify(rotation["former"], rotation["signature"], keys.label("rotation") + identity + name.encode())
    except Refused:
        return False
    return True
