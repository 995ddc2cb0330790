"""The safety number of two people: 60 digits that both compute alike from their identities, and compare elsewhere.

It is made as Signal makes its own (libsignal, NumericFingerprintGenerator): 30 digits for each identity, by a hash
that is iterated so that somebody who looks for a key with the same digits pays for each try. Here the hash is SHA-256,
and names are not part of it: a name is what the number is to prove.
"""

from typing import Final

from .keys import SAFETY_LABEL
from .suite import Suite

ITERATIONS: Final = 5_200
"""Hashes of a number's half: Signal's count, some milliseconds."""
HALF_DIGITS: Final = 30
_GROUP_BYTES, _GROUP_DIGITS = 5, 5


def safety_number(suite: Suite, one: bytes, other: bytes) -> str:
    """The 60 digits for two identities, in whichever order they are given."""
    first, second = sorted((one, other))  # R-2.5-2
    return _half(suite, first) + _half(suite, second)


def _half(suite: Suite, identity: bytes) -> str:
    hashed = b""
    for _ in range(ITERATIONS):  # R-2.5-1
        hashed = suite.hash(SAFETY_LABEL + hashed + identity)
    groups = HALF_DIGITS // _GROUP_DIGITS
    numbers = [int.from_bytes(hashed[at * _GROUP_BYTES : (at + 1) * _GROUP_BYTES]) for at in range(groups)]
    return "".join(f"{number % 10**_GROUP_DIGITS:0{_GROUP_DIGITS}}" for number in numbers)
