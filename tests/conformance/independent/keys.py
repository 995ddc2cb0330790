"""Labels, hashes, traps and the two curves (section 2.2, 6.3)."""

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from .cbor import Refused

P = 2**255 - 19
ORDER_8_Y = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
ORDER_8_U = (
    0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
    0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
)
ED25519_TRAPS = {0, 1, ORDER_8_Y, P - ORDER_8_Y, P - 1, P, P + 1}
X25519_TRAPS = {0, 1, *ORDER_8_U, P - 1, P, P + 1}


def label(purpose: str) -> bytes:
    """What the input of every hash, MAC and signature for `purpose` begins with (R-2.2-1)."""
    return b"udpchat/1 " + purpose.encode() + b"\0"


def _coordinate(public: bytes) -> int:
    return int.from_bytes(public, "little") & ~(1 << 255)


def small_order_ed25519(public: bytes) -> bool:
    """Whether signatures under this identity could be forged (R-2.2-2)."""
    return _coordinate(public) in ED25519_TRAPS


def small_order_x25519(public: bytes) -> bool:
    """Whether a shared secret with this key is no secret (R-2.2-3)."""
    return _coordinate(public) in X25519_TRAPS


def sign_public(private: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def sign(private: bytes, data: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).sign(data)


def verify(public: bytes, signature: bytes, data: bytes) -> None:
    """Refused, unless `public`, which is no trap, signed `data`."""
    if small_order_ed25519(public):
        raise Refused("an identity of small order")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError) as error:
        raise Refused("not signed by that identity") from error


def exchange_public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def exchange(private: bytes, remote: bytes) -> bytes:
    """The shared secret of X25519; Refused if it is none."""
    if small_order_x25519(remote):
        raise Refused("a key of small order")
    try:
        return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(remote))
    except ValueError as error:
        raise Refused("the shared secret is zero") from error


def key_id(public: bytes) -> bytes:
    return sha256(label("key id") + public).digest()[:4]  # R-6.1-1


def ack_of(secret: bytes) -> bytes:
    return sha256(label("ack") + secret).digest()[:16]  # R-6.3-1


def slot_of(secret: bytes) -> bytes:
    return sha256(label("slot") + secret).digest()[:16]  # R-6.3-2


def half_number(identity: bytes) -> str:
    """One identity's half of a safety number, 30 digits (R-2.5-1)."""
    h = b""
    for _ in range(5_200):
        h = sha256(label("safety number") + h + identity).digest()
    groups = [int.from_bytes(h[at : at + 5], "big") % 100_000 for at in range(0, 30, 5)]
    return "".join(f"{group:05}" for group in groups)


def safety_number(one: bytes, other: bytes) -> str:
    """60 digits, the same for both (R-2.5-2)."""
    return "".join(half_number(identity) for identity in sorted((one, other)))
