"""Primitives that do not protect: fast and repeatable, for simulations and tests only.

They keep every length and every way to fail (a changed byte, a wrong key, a hostile point), so that the code
above them cannot tell, but anybody can make them: secrecy and authenticity are pretended. Only the
simulation may import this module; a contract of import-linter says so, and no setting names it.
"""

from hashlib import blake2b, sha256
from hmac import compare_digest
from random import Random

from udpchat_core.errors import BadDatagram, Reason
from udpchat_core.secure.keys import check_exchange_untrusted

_TAG_BYTES = 16
_KEY_BYTES = 32


class TransparentSuite:
    """A `udpchat_core.secure.suite.Suite` whose every byte follows from `seed`."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - repeatable is what it is for
        self._seed = self._random.randbytes(_KEY_BYTES)
        self._encapsulated = 0

    def random(self, size: int) -> bytes:
        """`size` bytes of the seeded sequence."""
        return self._random.randbytes(size)

    def hash(self, data: bytes) -> bytes:
        """SHA-256, the real one: acknowledgements and slots are the same under both suites."""
        return sha256(data).digest()

    def mac(self, key: bytes, data: bytes) -> bytes:
        """A keyed hash; not HMAC."""
        return _mark(b"mac", key, data)

    def equal(self, left: bytes, right: bytes) -> bool:
        """Whether both are the same."""
        return compare_digest(left, right)

    def sign_public(self, private: bytes) -> bytes:
        """A public key that follows from the private one."""
        return _mark(b"identity", private)

    def sign(self, private: bytes, data: bytes) -> bytes:
        """64 bytes that anybody who knows the public key could make."""
        return _signature(self.sign_public(private), data)

    def verify_untrusted(self, public: bytes, signature: bytes, data: bytes) -> None:
        """Refuse what `sign` did not make."""
        if signature != _signature(public, data):
            raise BadDatagram(Reason.SIGNATURE)

    def dh_public(self, private: bytes) -> bytes:
        """A public key that follows from the private one."""
        return _mark(b"exchange", private)

    def dh_untrusted(self, private: bytes, public: bytes) -> bytes:
        """The same bytes on both sides; known to all who know both public keys."""
        check_exchange_untrusted(public)
        return _mark(b"shared", *sorted((self.dh_public(private), public)))

    def aead_seal(self, key: bytes, nonce: bytes, data: bytes, header: bytes) -> bytes:
        """`data` as it is, and a tag."""
        return data + _mark(b"seal", key, nonce, header, data)[:_TAG_BYTES]

    def aead_open_untrusted(self, key: bytes, nonce: bytes, sealed: bytes, header: bytes) -> bytes:
        """The inverse, or `BadDatagram(SEAL)`."""
        data = sealed[:-_TAG_BYTES]
        if len(sealed) < _TAG_BYTES or sealed != self.aead_seal(key, nonce, data, header):
            raise BadDatagram(Reason.SEAL)
        return data

    def hpke_seal_untrusted(self, public: bytes, info: bytes, data: bytes) -> bytes:
        """Bytes that never repeat in the place of the encapsulated key, `data` as it is, and a tag.

        They are not drawn from `random`: the real suite takes its own as well, so both leave the same sequence to
        whoever draws from it.
        """
        check_exchange_untrusted(public)
        self._encapsulated += 1
        encapsulated = _mark(b"encapsulated", self._seed, self._encapsulated.to_bytes(8))
        return encapsulated + self.aead_seal(public, encapsulated, data, info)

    def hpke_open_untrusted(self, private: bytes, info: bytes, sealed: bytes) -> bytes:
        """The inverse, or `BadDatagram(SEAL)`."""
        encapsulated = sealed[:_KEY_BYTES]
        return self.aead_open_untrusted(self.dh_public(private), encapsulated, sealed[_KEY_BYTES:], info)


def _mark(purpose: bytes, *parts: bytes) -> bytes:
    framed = b"".join(len(part).to_bytes(4) + part for part in parts)
    return blake2b(framed, digest_size=32, person=purpose).digest()


def _signature(public: bytes, data: bytes) -> bytes:
    half = _mark(b"sign", public, data)
    return half + half
