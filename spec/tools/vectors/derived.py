"""derived.json: what follows from keys, a secret or an address by a hash or a MAC."""

from collections.abc import Iterator
from typing import Final

from udpchat_core.address import Address
from udpchat_core.errors import Reason
from udpchat_core.instant import SECOND, Instant
from udpchat_core.secure.keys import key_id
from udpchat_core.secure.letter import ack_of, slot_of
from udpchat_core.secure.safety import safety_number
from udpchat_core.secure.token import make_token

from .making import ALICE, BOB, CAROL, NOW_S, SUITE, Vector, accepted, key, refused

COLLIDING: Final = (
    bytes.fromhex("f5ca3b183beb2d88ba34920ddfd3b53384c1ac177ebd53d7bf4cf7d86f28aee9"),
    bytes.fromhex("b04380bac25ec8b39d865e10b490fbed41a14783e127bb8e2804a22ca4260a83"),
)
"""Two X25519 private keys whose public keys have the same id."""
ADDRESS: Final = Address(bytes((192, 0, 2, 1)), 4_000)
ADDRESS_V6: Final = Address(bytes.fromhex("20010db8000000000000000000000001"), 65_535)
TOKEN_SECRET: Final = key("token secret")
_EPOCH_S: Final = 60
_START_S: Final = NOW_S - NOW_S % _EPOCH_S


def token(source: Address, made_s: int, secret: bytes = TOKEN_SECRET) -> bytes:
    """The token made for `source` at a second of Unix time."""
    return make_token(SUITE, secret, source, Instant(made_s * SECOND))


def derived() -> Vector:
    """The file."""
    return {
        "about": "Key ids (R-6.1-1), acknowledgements and slots (R-6.3-1, R-6.3-2), safety numbers (R-2.5-1, R-2.5-2), "
        "this server's tokens (R-4.1-2).",
        "key_ids": [_key_id(name, private) for name, private in _KEYS.items()],
        "acks": [
            accepted(name, secret=secret, ack=ack_of(SUITE, secret), slot=slot_of(SUITE, secret))
            for name, secret in _SECRETS.items()
        ],
        "safety_numbers": [
            accepted(name, one=one, other=other, safety_number=safety_number(SUITE, one, other))
            for name, one, other in _PAIRS
        ],
        "tokens_accepted": list(_tokens_accepted()),
        "tokens_refused": list(_tokens_refused()),
    }


_KEYS: Final = {
    "Alice's L": ALICE.live,
    "Alice's M": ALICE.mail,
    "a key": COLLIDING[0],
    "another with the same id": COLLIDING[1],
}
_SECRETS: Final = {"zeros": bytes(16), "ones": b"\xff" * 16, "counting": bytes(range(16)), "any": key("secret")[:16]}
_PAIRS: Final = (
    ("Alice and Bob", ALICE.body.identity, BOB.body.identity),
    ("Bob and Alice", BOB.body.identity, ALICE.body.identity),
    ("Alice and Carol", ALICE.body.identity, CAROL.body.identity),
    ("the same twice", BOB.body.identity, BOB.body.identity),
    ("the first bytes alike", b"\x80" * 31 + b"\x01", b"\x80" * 31 + b"\x02"),
    ("bytes from 0x80 on are the greater ones", b"\x7f" + bytes(31), b"\x80" + bytes(31)),
)


def _key_id(name: str, private: bytes) -> Vector:
    public = SUITE.dh_public(private)
    return accepted(name, private=private, public=public, key_id=key_id(SUITE, public))


def _tokens_accepted() -> Iterator[Vector]:
    cases = [
        ("at once", ADDRESS, _START_S, _START_S),
        ("made in the last second of an epoch", ADDRESS, _START_S + 59, _START_S + 119),
        ("made in the first second, in the last of the next epoch", ADDRESS, _START_S, _START_S + 119),
        ("IPv6, the highest port", ADDRESS_V6, _START_S, _START_S + 59),
        ("IPv4 written as IPv6 is another address", Address(ADDRESS.host + bytes(12), 1), _START_S, _START_S),
    ]
    for name, source, made_s, now_s in cases:
        made = token(source, made_s)
        yield accepted(name, secret=TOKEN_SECRET, address=source, made_s=made_s, now_s=now_s, token=made)


def _tokens_refused() -> Iterator[Vector]:
    good = token(ADDRESS, _START_S)
    cases = [
        ("the token is two epochs old", good, ADDRESS, _START_S + 120),
        ("the token is of the next epoch", good, ADDRESS, _START_S - 1),
        ("the token is for another port", good, Address(ADDRESS.host, 4_001), _START_S),
        ("the token is for another port, the same but for its high byte", good, Address(ADDRESS.host, 4_256), _START_S),
        ("the token is for another address", good, Address(bytes((192, 0, 2, 2)), 4_000), _START_S),
        ("the token is for an IPv6 address", token(ADDRESS_V6, _START_S), ADDRESS, _START_S),
        ("the token is of another secret", token(ADDRESS, _START_S, key("another secret")), ADDRESS, _START_S),
        ("a bit of the token is flipped", good[:15] + bytes((good[15] ^ 1,)), ADDRESS, _START_S),
        ("the token is the MAC's other half", SUITE.mac(TOKEN_SECRET, _macked(ADDRESS))[16:], ADDRESS, _START_S),
        ("the token is zeros", bytes(16), ADDRESS, _START_S),
    ]
    for wrong, made, source, now_s in cases:
        yield refused(wrong, Reason.TOKEN, secret=TOKEN_SECRET, address=source, now_s=now_s, token=made)


def _macked(source: Address) -> bytes:
    return b"udpchat/1 token\0" + (_START_S // _EPOCH_S).to_bytes(8) + source.port.to_bytes(2) + source.host
