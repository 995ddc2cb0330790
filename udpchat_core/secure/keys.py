"""What every use of a key shares: domain separation, refused points, ids of keys."""

from typing import Final

from ..errors import BadDatagram, Reason
from .suite import KEY_BYTES, Suite

# R-2.2-1: no label is the beginning of another.
CARD_LABEL: Final = b"udpchat/1 card\0"
LETTER_LABEL: Final = b"udpchat/1 letter\0"
LINK_LABEL: Final = b"udpchat/1 link\0"
TOKEN_LABEL: Final = b"udpchat/1 token\0"
KEY_ID_LABEL: Final = b"udpchat/1 key id\0"
ACK_LABEL: Final = b"udpchat/1 ack\0"
SLOT_LABEL: Final = b"udpchat/1 slot\0"
ROTATION_LABEL: Final = b"udpchat/1 rotation\0"
INVITE_LABEL: Final = b"udpchat/1 invite\0"
SAFETY_LABEL: Final = b"udpchat/1 safety number\0"

SIGNATURE_BYTES: Final = 64
KEY_ID_BYTES: Final = 4
ID_BYTES: Final = 16

_P: Final = 2**255 - 19
_ED25519_Y_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_X25519_U_ORDER_8: Final = (
    0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
    0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
)


def _little_endian(*values: int) -> frozenset[bytes]:
    return frozenset(value.to_bytes(32, "little") for value in values)


SMALL_ORDER_ED25519: Final = _little_endian(0, 1, _P - 1, _P, _P + 1, _ED25519_Y_ORDER_8, _P - _ED25519_Y_ORDER_8)
"""The y of every point of small order, canonical or not, without the sign: signatures under them are forged."""

SMALL_ORDER_X25519: Final = _little_endian(0, 1, _P - 1, _P, _P + 1, *_X25519_U_ORDER_8)
"""The u of every point of small order: with any of them the shared secret is zero (RFC 7748 section 6.1)."""


def check_identity_untrusted(public: bytes) -> None:
    """Refuse an Ed25519 public key of small order, and what is no key of 32 bytes: `BadDatagram(POINT)`."""
    if len(public) != KEY_BYTES or _unsigned(public) in SMALL_ORDER_ED25519:  # R-2.2-2
        raise BadDatagram(Reason.POINT)


def check_exchange_untrusted(public: bytes) -> None:
    """Refuse an X25519 public key of small order, and what is no key of 32 bytes: `BadDatagram(POINT)`."""
    if len(public) != KEY_BYTES or _unsigned(public) in SMALL_ORDER_X25519:  # R-2.2-3
        raise BadDatagram(Reason.POINT)


def key_id(suite: Suite, public: bytes) -> bytes:
    """The 4 bytes by which a LETTER names the recipient's X25519 key; two keys may share them."""
    return suite.hash(KEY_ID_LABEL + public)[:KEY_ID_BYTES]  # R-6.1-1


def _unsigned(public: bytes) -> bytes:
    return public[:-1] + bytes((public[-1] & 0x7F,))
