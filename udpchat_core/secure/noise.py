"""`Noise_IK_25519_ChaChaPoly_SHA256`, the Noise Protocol Framework, revision 34, sections 5 and 7.

Theory of operation. IK is two messages: `-> e, es, s, ss` and `<- e, ee, se`, after which both sides hold
two keys. The state between them is a value, and each step gives a new one, so a forged message leaves the
handshake as it was. In this pattern every key encrypts once before the next is mixed in, so the nonce of a
handshake is always zero. Payloads may be empty; prologues are the caller's.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from ..errors import BadDatagram, Reason
from .suite import KEY_BYTES, Suite

PROTOCOL_NAME: Final = b"Noise_IK_25519_ChaChaPoly_SHA256"  # R-4.2-1
TAG_BYTES: Final = 16
COUNTER_LIMIT: Final = 2**64 - 1
"""Noise reserves this nonce (section 5.1): counters stay below it."""
_ZERO_NONCE: Final = bytes(12)


class Keys(NamedTuple):
    """What a finished handshake leaves: a key for each way, and the hash of all that was said."""

    initiator: bytes
    responder: bytes
    handshake_hash: bytes


class _Symmetric(NamedTuple):
    """SymmetricState of section 5.2: chaining key, handshake hash, and the key of the next encryption."""

    chain: bytes
    hash: bytes
    key: bytes

    def mix_hash(self, suite: Suite, data: bytes) -> "_Symmetric":
        return _Symmetric(self.chain, suite.hash(self.hash + data), self.key)

    def mix_key(self, suite: Suite, shared: bytes) -> "_Symmetric":
        chain, key = _hkdf(suite, self.chain, shared)
        return _Symmetric(chain, self.hash, key)

    def seal(self, suite: Suite, data: bytes) -> "tuple[bytes, _Symmetric]":
        sealed = suite.aead_seal(self.key, _ZERO_NONCE, data, self.hash)
        return sealed, self.mix_hash(suite, sealed)

    def open_untrusted(self, suite: Suite, sealed: bytes) -> "tuple[bytes, _Symmetric]":
        data = suite.aead_open_untrusted(self.key, _ZERO_NONCE, sealed, self.hash)
        return data, self.mix_hash(suite, sealed)

    def split(self, suite: Suite) -> Keys:
        return Keys(*_hkdf(suite, self.chain, b""), self.hash)


@dataclass(frozen=True, slots=True, repr=False)
class Begun:
    """The initiator between its message and the answer."""

    _symmetric: _Symmetric
    _static: bytes
    _ephemeral: bytes

    def finish_untrusted(self, suite: Suite, message: bytes) -> tuple[bytes, Keys]:
        """Read message 2: its payload and the keys, or `BadDatagram`; this state stays good for another try."""
        if len(message) < KEY_BYTES + TAG_BYTES:
            raise BadDatagram(Reason.SIZE)
        remote = message[:KEY_BYTES]
        state = self._symmetric.mix_hash(suite, remote)
        state = state.mix_key(suite, suite.dh_untrusted(self._ephemeral, remote))  # ee
        state = state.mix_key(suite, suite.dh_untrusted(self._static, remote))  # se
        payload, state = state.open_untrusted(suite, message[KEY_BYTES:])
        return payload, state.split(suite)


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """The responder between message 1 and its answer: the payload, and the static key that was proved."""

    payload: bytes
    static: bytes
    _symmetric: _Symmetric
    _ephemeral: bytes

    def answer_untrusted(self, suite: Suite, payload: bytes) -> tuple[bytes, Keys]:
        """Message 2 around `payload`, and the keys; `BadDatagram(POINT)` for a hostile initiator's key."""
        private = suite.random(KEY_BYTES)
        public = suite.dh_public(private)
        state = self._symmetric.mix_hash(suite, public)
        state = state.mix_key(suite, suite.dh_untrusted(private, self._ephemeral))  # ee
        state = state.mix_key(suite, suite.dh_untrusted(private, self.static))  # se
        sealed, state = state.seal(suite, payload)
        return public + sealed, state.split(suite)


def begin_untrusted(
    suite: Suite, prologue: bytes, static: bytes, remote_static: bytes, payload: bytes
) -> tuple[bytes, Begun]:
    """Message 1 to the responder with the public key `remote_static`; `BadDatagram(POINT)` if that is hostile."""
    ephemeral = suite.random(KEY_BYTES)
    public = suite.dh_public(ephemeral)
    state = _start(suite, prologue, remote_static).mix_hash(suite, public)
    state = state.mix_key(suite, suite.dh_untrusted(ephemeral, remote_static))  # es
    sealed_static, state = state.seal(suite, suite.dh_public(static))
    state = state.mix_key(suite, suite.dh_untrusted(static, remote_static))  # ss
    sealed_payload, state = state.seal(suite, payload)
    return public + sealed_static + sealed_payload, Begun(state, static, ephemeral)


def read_untrusted(suite: Suite, prologue: bytes, static: bytes, message: bytes) -> Asked:
    """Read message 1 with the responder's private key `static`, or `BadDatagram`."""
    at_payload = KEY_BYTES + KEY_BYTES + TAG_BYTES
    if len(message) < at_payload + TAG_BYTES:
        raise BadDatagram(Reason.SIZE)
    remote = message[:KEY_BYTES]
    state = _start(suite, prologue, suite.dh_public(static)).mix_hash(suite, remote)
    state = state.mix_key(suite, suite.dh_untrusted(static, remote))  # es
    remote_static, state = state.open_untrusted(suite, message[KEY_BYTES:at_payload])
    state = state.mix_key(suite, suite.dh_untrusted(static, remote_static))  # ss
    payload, state = state.open_untrusted(suite, message[at_payload:])
    return Asked(payload, remote_static, state, remote)


def _start(suite: Suite, prologue: bytes, responder_static: bytes) -> _Symmetric:
    # The name has exactly 32 bytes, so it is the first hash as it stands (section 5.2); s comes before (<- s).
    begun = _Symmetric(PROTOCOL_NAME, PROTOCOL_NAME, b"")
    return begun.mix_hash(suite, prologue).mix_hash(suite, responder_static)


def _hkdf(suite: Suite, chain: bytes, material: bytes) -> tuple[bytes, bytes]:
    """Two outputs of HKDF as Noise writes it (section 4.3)."""
    extracted = suite.mac(chain, material)
    first = suite.mac(extracted, b"\x01")
    return first, suite.mac(extracted, first + b"\x02")
