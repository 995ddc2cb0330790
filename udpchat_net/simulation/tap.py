"""The sealing of one simulated node, and what went into it.

An oracle has to know what a sealed datagram says. It could read the cores' insides, which would tie it to
them; or hold keys, which are made inside and thrown away. Here it is told by the one thing that every core is
handed and must seal with: its suite. That works for the real suite and the transparent one, for these cores and
for anybody's.
"""

from typing import Final

from udpchat_core.secure.suite import Suite

REMEMBERED_SEALS_MAX: Final = 4_096
"""Seals remembered by a node: a letter is sealed, and sent again, well within so many others."""


class TappedSuite:
    """A `Suite` that passes everything on to another, and remembers what was sealed last.

    Attributes:
        plaintexts: what was sealed, by the sealed bytes, oldest first.
    """

    def __init__(self, suite: Suite) -> None:
        self.plaintexts: dict[bytes, bytes] = {}
        self._suite = suite
        self.random = suite.random
        self.hash = suite.hash
        self.mac = suite.mac
        self.equal = suite.equal
        self.sign_public = suite.sign_public
        self.sign = suite.sign
        self.verify_untrusted = suite.verify_untrusted
        self.dh_public = suite.dh_public
        self.dh_untrusted = suite.dh_untrusted
        self.aead_open_untrusted = suite.aead_open_untrusted
        self.hpke_open_untrusted = suite.hpke_open_untrusted

    def aead_seal(self, key: bytes, nonce: bytes, data: bytes, header: bytes) -> bytes:
        """As the other suite seals."""
        return self._remember(self._suite.aead_seal(key, nonce, data, header), data)

    def hpke_seal_untrusted(self, public: bytes, info: bytes, data: bytes) -> bytes:
        """As the other suite seals."""
        return self._remember(self._suite.hpke_seal_untrusted(public, info, data), data)

    def _remember(self, sealed: bytes, data: bytes) -> bytes:
        self.plaintexts[sealed] = data
        if len(self.plaintexts) > REMEMBERED_SEALS_MAX:
            del self.plaintexts[next(iter(self.plaintexts))]
        return sealed
