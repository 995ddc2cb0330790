"""Noise_IK_25519_ChaChaPoly_SHA256 (Noise Protocol Framework, revision 34), both ends, as section 4.2 uses it.

A server's end is here for the vectors, and for tests that need a server without one.
"""

import hmac
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from . import keys
from .cbor import Refused

PROTOCOL = b"Noise_IK_25519_ChaChaPoly_SHA256"
KEY_BYTES, TAG_BYTES = 32, 16


class Symmetric:
    """The SymmetricState of section 5.2; each key of a handshake seals one thing, so that its nonce is always 0."""

    def __init__(self, prologue: bytes, responder_static: bytes) -> None:
        self.h = self.ck = PROTOCOL  # exactly the 32 bytes of a hash
        self.k = b""
        self.mix_hash(prologue)
        self.mix_hash(responder_static)

    def copy(self) -> "Symmetric":
        other = object.__new__(Symmetric)
        other.h, other.ck, other.k = self.h, self.ck, self.k
        return other

    def mix_hash(self, data: bytes) -> None:
        self.h = sha256(self.h + data).digest()

    def mix_key(self, material: bytes) -> None:
        self.ck, self.k = hkdf(self.ck, material)

    def seal(self, plaintext: bytes) -> bytes:
        sealed = ChaCha20Poly1305(self.k).encrypt(bytes(12), plaintext, self.h)
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed: bytes) -> bytes:
        try:
            plaintext = ChaCha20Poly1305(self.k).decrypt(bytes(12), sealed, self.h)
        except InvalidTag as error:
            raise Refused("the handshake does not open") from error
        self.mix_hash(sealed)
        return plaintext


def hkdf(chain: bytes, material: bytes) -> tuple[bytes, bytes]:
    """Noise's HKDF with two outputs."""
    extracted = hmac.digest(chain, material, "sha256")
    first = hmac.digest(extracted, b"\1", "sha256")
    return first, hmac.digest(extracted, first + b"\2", "sha256")


class Initiator:
    """The client's end: message 1 is made at once, message 2 read as often as one comes."""

    def __init__(self, prologue: bytes, server: bytes, static: bytes, ephemeral: bytes, payload: bytes) -> None:
        self.static, self.ephemeral = static, ephemeral
        self.state = Symmetric(prologue, server)
        public = keys.exchange_public(ephemeral)
        self.state.mix_hash(public)
        self.state.mix_key(keys.exchange(ephemeral, server))
        sealed_static = self.state.seal(keys.exchange_public(static))
        self.state.mix_key(keys.exchange(static, server))
        self.message = public + sealed_static + self.state.seal(payload)

    def read(self, message: bytes) -> tuple[bytes, bytes, bytes]:
        """Payload of message 2, key of the client, key of the server; a message that fails leaves all as it was."""
        state, remote = self.state.copy(), message[:KEY_BYTES]
        state.mix_hash(remote)
        state.mix_key(keys.exchange(self.ephemeral, remote))
        state.mix_key(keys.exchange(self.static, remote))
        payload = state.open(message[KEY_BYTES:])
        return payload, *hkdf(state.ck, b"")


class Responder:
    """The server's end: message 1 is read at once."""

    def __init__(self, prologue: bytes, server: bytes, message: bytes) -> None:
        self.state = Symmetric(prologue, keys.exchange_public(server))
        self.remote, sealed = message[:KEY_BYTES], message[KEY_BYTES : 2 * KEY_BYTES + TAG_BYTES]
        self.state.mix_hash(self.remote)
        self.state.mix_key(keys.exchange(server, self.remote))
        self.static = self.state.open(sealed)
        self.state.mix_key(keys.exchange(server, self.static))
        self.payload = self.state.open(message[2 * KEY_BYTES + TAG_BYTES :])

    def answer(self, ephemeral: bytes, payload: bytes) -> tuple[bytes, bytes, bytes]:
        """Message 2, key of the client, key of the server."""
        public = keys.exchange_public(ephemeral)
        self.state.mix_hash(public)
        self.state.mix_key(keys.exchange(ephemeral, self.remote))
        self.state.mix_key(keys.exchange(ephemeral, self.static))
        return public + self.state.seal(payload), *hkdf(self.state.ck, b"")
