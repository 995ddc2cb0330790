"""The primitives everything is sealed with, and randomness, behind one small Protocol.

The real ones are `cryptography`'s; SHA-256 is `hashlib`'s, which takes a third of the time for short inputs. The
core is handed a `Suite`, so that a simulation may hand in one that is fast and repeatable; whatever is built from
primitives (Noise, cards, letters) is the same code over both.
"""

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import constant_time, hashes, hmac, hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from ..errors import BadDatagram, Reason
from ..limits import AEAD_CACHE_KEYS, KEY_CACHE_KEYS

KEY_BYTES = 32


class Suite(Protocol):
    """Keys, sealing and randomness. Keys are 32 raw bytes; hashes are SHA-256, 32 bytes."""

    def random(self, size: int) -> bytes:
        """`size` unpredictable bytes."""
        ...

    def hash(self, data: bytes) -> bytes:
        """SHA-256 of `data`."""
        ...

    def mac(self, key: bytes, data: bytes) -> bytes:
        """HMAC-SHA-256 of `data` (RFC 2104)."""
        ...

    def equal(self, left: bytes, right: bytes) -> bool:
        """Whether both are the same, in a time that does not depend on where they differ."""
        ...

    def sign_public(self, private: bytes) -> bytes:
        """The Ed25519 public key of a private one (RFC 8032)."""
        ...

    def sign(self, private: bytes, data: bytes) -> bytes:
        """A signature of 64 bytes (RFC 8032)."""
        ...

    def verify_untrusted(self, public: bytes, signature: bytes, data: bytes) -> None:
        """Raise `BadDatagram(SIGNATURE)` unless `signature` is the key's over `data`."""
        ...

    def dh_public(self, private: bytes) -> bytes:
        """The X25519 public key of a private one (RFC 7748)."""
        ...

    def dh_untrusted(self, private: bytes, public: bytes) -> bytes:
        """The shared secret (RFC 7748), or `BadDatagram(POINT)` where it would be zero."""
        ...

    def aead_seal(self, key: bytes, nonce: bytes, data: bytes, header: bytes) -> bytes:
        """ChaCha20-Poly1305 (RFC 8439) of `data` under a 12-byte nonce, authenticating `header` as well."""
        ...

    def aead_open_untrusted(self, key: bytes, nonce: bytes, sealed: bytes, header: bytes) -> bytes:
        """The inverse, or `BadDatagram(SEAL)`."""
        ...

    def hpke_seal_untrusted(self, public: bytes, info: bytes, data: bytes) -> bytes:
        """HPKE base mode, single shot (RFC 9180): encapsulated key, then sealed `data`.

        Raises `BadDatagram(POINT)` for a hostile public key.
        """
        ...

    def hpke_open_untrusted(self, private: bytes, info: bytes, sealed: bytes) -> bytes:
        """The inverse, or `BadDatagram(SEAL)`."""
        ...


class StandardSuite:
    """The real primitives; `random` is the operating system's, handed in by the driver."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self.random = random
        self._hpke = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
        self._aead = lru_cache(AEAD_CACHE_KEYS)(ChaCha20Poly1305)
        self._signing = lru_cache(KEY_CACHE_KEYS)(Ed25519PrivateKey.from_private_bytes)
        self._private = lru_cache(KEY_CACHE_KEYS)(X25519PrivateKey.from_private_bytes)

    def hash(self, data: bytes) -> bytes:  # noqa: D102 - said in Suite
        return sha256(data).digest()

    def mac(self, key: bytes, data: bytes) -> bytes:  # noqa: D102
        tagger = hmac.HMAC(key, hashes.SHA256())
        tagger.update(data)
        return tagger.finalize()

    def equal(self, left: bytes, right: bytes) -> bool:  # noqa: D102
        return constant_time.bytes_eq(left, right)

    def sign_public(self, private: bytes) -> bytes:  # noqa: D102
        return self._signing(private).public_key().public_bytes_raw()

    def sign(self, private: bytes, data: bytes) -> bytes:  # noqa: D102
        return self._signing(private).sign(data)

    def verify_untrusted(self, public: bytes, signature: bytes, data: bytes) -> None:  # noqa: D102
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
        except (InvalidSignature, ValueError) as error:
            raise BadDatagram(Reason.SIGNATURE) from error

    def dh_public(self, private: bytes) -> bytes:  # noqa: D102
        return self._private(private).public_key().public_bytes_raw()

    def dh_untrusted(self, private: bytes, public: bytes) -> bytes:  # noqa: D102
        try:
            return self._private(private).exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError as error:
            raise BadDatagram(Reason.POINT) from error

    def aead_seal(self, key: bytes, nonce: bytes, data: bytes, header: bytes) -> bytes:  # noqa: D102
        return self._aead(key).encrypt(nonce, data, header)

    def aead_open_untrusted(self, key: bytes, nonce: bytes, sealed: bytes, header: bytes) -> bytes:  # noqa: D102
        try:
            return self._aead(key).decrypt(nonce, sealed, header)
        except InvalidTag as error:
            raise BadDatagram(Reason.SEAL) from error

    def hpke_seal_untrusted(self, public: bytes, info: bytes, data: bytes) -> bytes:  # noqa: D102
        try:
            return self._hpke.encrypt(data, X25519PublicKey.from_public_bytes(public), info)
        except ValueError as error:
            raise BadDatagram(Reason.POINT) from error

    def hpke_open_untrusted(self, private: bytes, info: bytes, sealed: bytes) -> bytes:  # noqa: D102
        try:
            return self._hpke.decrypt(sealed, self._private(private), info)
        except (InvalidTag, ValueError) as error:
            raise BadDatagram(Reason.SEAL) from error
