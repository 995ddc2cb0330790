"""Addresses, moments, keys and limits that the world of a client under test has."""

from hashlib import sha256

from udpchat_core.address import Address
from udpchat_core.fields import ServerLimits
from udpchat_core.instant import SECOND, Instant

START = Instant(1_700_000_000 * SECOND)
SERVER = Address(b"\x0a\0\0\x01", 9_000)
HOME = Address(b"\x0a\0\0\x02", 4_000)
BOB, CAROL, STRANGER = (Address(b"\x0a\0\0" + bytes((last,)), 4_000) for last in (3, 4, 99))
DAY = 86_400
TOKEN = b"token of 16 byte"
LIMITS = ServerLimits(4_096, 256, 256, 1_000, 50)


def private_key(purpose: str) -> bytes:
    """A private key that follows from what it is for."""
    return sha256(purpose.encode()).digest()
