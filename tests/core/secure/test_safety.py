"""The safety number is the same for both, another for anybody else, and has the digits that the specification says."""

import re
from hashlib import sha256

from tests.core.secure.people import private_key
from udpchat_core.secure.safety import safety_number
from udpchat_core.secure.suite import Suite

ANNA, BERT, CARL = (private_key(name) for name in ("anna", "bert", "carl"))


def test_both_compute_the_same_60_digits(suite: Suite) -> None:
    """R-2.5-2."""
    one, other = suite.sign_public(ANNA), suite.sign_public(BERT)
    number = safety_number(suite, one, other)
    assert number == safety_number(suite, other, one)
    assert re.fullmatch("[0-9]{60}", number)


def test_another_key_of_either_is_another_number(suite: Suite) -> None:
    """R-2.5-1: and the half of the one who kept the key stays."""
    anna, bert, carl = (suite.sign_public(private) for private in (ANNA, BERT, CARL))
    first, second = safety_number(suite, anna, bert), safety_number(suite, anna, carl)
    assert first != second
    halves = [{number[:30], number[30:]} for number in (first, second)]
    assert len(halves[0] & halves[1]) == 1


def test_the_half_of_an_identity_is_a_hash_iterated_5200_times() -> None:
    """R-2.5-1 with nothing but the standard library; the lesser identity is first."""
    suite = _Hashing()
    halves = []
    for identity in (b"\x01" * 32, b"\xfe" * 32):
        h = b""
        for _ in range(5_200):
            h = sha256(b"udpchat/1 safety number\0" + h + identity).digest()
        halves.append("".join(str(int.from_bytes(h[at : at + 5]) % 100_000).zfill(5) for at in range(0, 30, 5)))
    assert safety_number(suite, b"\xfe" * 32, b"\x01" * 32) == "".join(halves)  # type: ignore[arg-type]


class _Hashing:
    def hash(self, data: bytes) -> bytes:
        return sha256(data).digest()
