"""The sealing of one simulated node, and what went into it.

An oracle has to know what a sealed datagram says. It could read the cores' insides, which would tie it to
them; or hold keys, which are made inside and thrown away. Here it is told by the one thing that every core is
handed and must seal with: its suite. That works for the real suite and the transparent one, for these cores and
for anybody's.
"""

from typing import Final, TypeVar

from udpchat_core.limits import OUTBOX_LETTERS_MAX
from udpchat_core.secure.suite import Suite

T = TypeVar("T")
REMEMBERED_RECORDS_MAX: Final = 1_024
"""RECORDs remembered by a node: each leaves in the turn that it is sealed in."""
REMEMBERED_LETTERS_MAX: Final = 2 * OUTBOX_LETTERS_MAX
"""Letters remembered by a node: one that is sealed for the mailbox may wait as long as its outbox has others."""


class TappedSuite:
    """A `Suite` that passes everything on to another, and remembers what was sealed last.

    Attributes:
        records: what was sealed by a key of a link, by the sealed bytes, oldest first.
        letters: what was sealed for a person, likewise.
        addressees: the public key and the context that it was sealed with, by the same bytes.
    """

    def __init__(self, suite: Suite) -> None:
        self.records: dict[bytes, bytes] = {}
        self.letters: dict[bytes, bytes] = {}
        self.addressees: dict[bytes, tuple[bytes, bytes]] = {}
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
        sealed = self._suite.aead_seal(key, nonce, data, header)
        return _remember(self.records, REMEMBERED_RECORDS_MAX, sealed, data)

    def hpke_seal_untrusted(self, public: bytes, info: bytes, data: bytes) -> bytes:
        """As the other suite seals."""
        sealed = self._suite.hpke_seal_untrusted(public, info, data)
        _remember(self.addressees, REMEMBERED_LETTERS_MAX, sealed, (public, info))
        return _remember(self.letters, REMEMBERED_LETTERS_MAX, sealed, data)


def _remember(where: dict[bytes, T], most: int, sealed: bytes, data: T) -> bytes:
    where[sealed] = data
    if len(where) > most:
        del where[next(iter(where))]
    return sealed
