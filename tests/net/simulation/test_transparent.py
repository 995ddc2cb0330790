"""The suite that does not protect keeps the lengths and the failures of the one that does."""

import random

import pytest

from udpchat_core.errors import BadDatagram, Reason
from udpchat_core.secure.suite import StandardSuite, Suite
from udpchat_net.simulation.transparent import TransparentSuite

REAL: Suite = StandardSuite(random.Random(1).randbytes)


def suites() -> list[Suite]:
    return [REAL, TransparentSuite(1)]


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, two, other = TransparentSuite(5), TransparentSuite(5), TransparentSuite(6)
    public = one.dh_public(bytes(32))
    sealed = [suite.hpke_seal_untrusted(public, b"info", b"text") for suite in (one, two, other)]
    assert sealed[0] == sealed[1] != sealed[2]


def test_everything_has_the_length_of_the_real_thing() -> None:
    lengths = []
    for suite in suites():
        private, peer = suite.random(32), suite.dh_public(b"p" * 32)
        lengths.append(
            [
                len(suite.hash(b"x")),
                len(suite.mac(private, b"x")),
                len(suite.sign_public(private)),
                len(suite.sign(private, b"x")),
                len(suite.dh_public(private)),
                len(suite.dh_untrusted(private, peer)),
                len(suite.aead_seal(private, bytes(12), b"text", b"head")),
                len(suite.hpke_seal_untrusted(peer, b"info", b"text")),
            ]
        )
    assert lengths[0] == lengths[1]


@pytest.mark.parametrize("suite", suites(), ids=lambda suite: type(suite).__name__)
def test_what_was_changed_or_is_for_another_key_fails_alike(suite: Suite) -> None:
    mine, yours = b"m" * 32, b"y" * 32
    sealed = suite.hpke_seal_untrusted(suite.dh_public(mine), b"info", b"text")
    assert suite.hpke_open_untrusted(mine, b"info", sealed) == b"text"
    assert suite.dh_untrusted(mine, suite.dh_public(yours)) == suite.dh_untrusted(yours, suite.dh_public(mine))
    for private, info, bytes_ in ((yours, b"info", sealed), (mine, b"other", sealed), (mine, b"info", sealed[:40])):
        with pytest.raises(BadDatagram) as refused:
            suite.hpke_open_untrusted(private, info, bytes_)
        assert refused.value.reason is Reason.SEAL
    for public in (bytes(32), b"\1" + bytes(31), bytes(31) + b"\x80"):
        with pytest.raises(BadDatagram) as refused:
            suite.dh_untrusted(mine, public)
        assert refused.value.reason is Reason.POINT
        with pytest.raises(BadDatagram) as refused:
            suite.hpke_seal_untrusted(public, b"info", b"text")
        assert refused.value.reason is Reason.POINT
