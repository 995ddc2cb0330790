"""Each datagram type, made and read, against the primitives that it cannot do without.

*Ours* begins or ends with a datagram's bytes: encoding, packing and sealing, or parsing, opening and validating.
*Bare* is the calls of `cryptography`, `hashlib` and `hmac` alone, on as many bytes, with keys kept as objects; where a
handshake draws a new key, bare makes an object for it as well. What a ratio has above 1 is what Python and the
protocol add.
"""

import hashlib
import hmac
import os
from collections.abc import Generator, Iterator
from typing import Final, TypeVar

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from udpchat_core.address import Address
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.datagrams import Acks, Datagram, Init, Letter, Record, Resp, Retry
from udpchat_core.instant import Instant
from udpchat_core.limits import ACKS_MAX, LETTER_BYTES_MAX
from udpchat_core.messages import Found, Lookup, Message, Store
from udpchat_core.secure.card import make_card, open_card_untrusted
from udpchat_core.secure.keys import ACK_LABEL, CARD_LABEL, LETTER_LABEL, SIGNATURE_BYTES, TOKEN_LABEL
from udpchat_core.secure.letter import OpeningKey, ack_of, open_letter_untrusted, seal_letter_untrusted
from udpchat_core.secure.link import Link, Responded, hello, initiate_untrusted, respond_untrusted, retry
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.secure.token import check_token_untrusted, make_token
from udpchat_core.wire import RECORD_PLAINTEXT_BYTES_MIN, encode, pack, parse_untrusted, serialize, unpack_untrusted

from .harness import Arguments, Pair, Work, same

SUITE: Final = StandardSuite(os.urandom)
D = TypeVar("D", bound=Datagram)
IDENTITY, LIVE, SERVER, TOKEN_SECRET = (os.urandom(32) for _ in range(4))
LIVE_PUBLIC, SERVER_PUBLIC = SUITE.dh_public(LIVE), SUITE.dh_public(SERVER)
BODY: Final = CardBody(1, 7, 1_800_000_000, SUITE.sign_public(IDENTITY), LIVE_PUBLIC, LIVE_PUBLIC, "alice")
CARD: Final = make_card(SUITE, IDENTITY, BODY)
SOURCE: Final = Address(b"\xc0\x00\x02\x01", 4_000)
NOW: Final = Instant(1_790_000_000_000_000)
NOW_S: Final = 1_790_000_000
NONCE: Final = bytes(12)
HASH: Final = bytes(32)
"""Stands for a handshake hash: additional data of that length."""

_LIVE = X25519PrivateKey.from_private_bytes(LIVE)
_SERVER = X25519PrivateKey.from_private_bytes(SERVER)
_IDENTITY = Ed25519PrivateKey.from_private_bytes(IDENTITY)
_HPKE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


def pairs() -> Generator[Pair, None, None]:
    """All of them, in the order of a conversation."""
    for of in (_cards, _hellos, _handshakes, _records, _letters, _acks):
        yield from of()


def _cards() -> Iterator[Pair]:
    signed = CARD_LABEL + CARD[SIGNATURE_BYTES:]
    bare = same(_IDENTITY.sign, signed)
    yield Pair("card-make", "Ed25519 sign", bare, same(make_card, SUITE, IDENTITY, BODY))
    bare = same(_IDENTITY.public_key().verify, CARD[:SIGNATURE_BYTES], signed)
    yield Pair("card-open", "Ed25519 verify", bare, same(open_card_untrusted, SUITE, CARD))


def _hellos() -> Iterator[Pair]:
    yield Pair("hello-make", "16 random bytes", same(os.urandom, 16), same(hello, SUITE))
    bare = same(hmac.digest, TOKEN_SECRET, TOKEN_LABEL + bytes(14), "sha256")
    yield Pair("hello-answer", "HMAC-SHA-256", bare, same(_answer_hello, hello(SUITE)))
    token = make_token(SUITE, TOKEN_SECRET, SOURCE, NOW)
    ours = same(check_token_untrusted, SUITE, TOKEN_SECRET, SOURCE, NOW, token)
    yield Pair("token-check", "HMAC-SHA-256", bare, ours)


def _answer_hello(payload: bytes) -> bytes:
    parse_untrusted(payload)
    return retry(payload, make_token(SUITE, TOKEN_SECRET, SOURCE, NOW), SERVER_PUBLIC)


def _handshakes() -> Iterator[Pair]:
    token = make_token(SUITE, TOKEN_SECRET, SOURCE, NOW)
    retried = serialize(Retry(bytes(16), token, SERVER_PUBLIC))
    sealed = ChaCha20Poly1305(HASH).encrypt(NONCE, LIVE_PUBLIC, HASH), ChaCha20Poly1305(HASH).encrypt(NONCE, CARD, HASH)
    begun = initiate_untrusted(SUITE, SERVER_PUBLIC, token, b"clnt", LIVE, CARD)
    answer = ChaCha20Poly1305(HASH).encrypt(NONCE, b"srvr", HASH)
    resp = _answer_init(begun.init).resp

    bare = same(_bare_init, _SERVER.public_key())
    ours = same(lambda: initiate_untrusted(SUITE, *_retried(retried), b"clnt", LIVE, CARD))
    yield Pair("init-make", "3 X25519, 2 AEAD", bare, ours)
    bare = same(_bare_answer, sealed, _LIVE.public_key())
    yield Pair("init-answer", "HMAC, 5 X25519, 3 AEAD, Ed25519 verify", bare, same(_answer_init, begun.init))
    bare = same(_bare_finish, answer, _SERVER.public_key())
    ours = same(lambda: begun.finish_untrusted(SUITE, _parsed(Resp, resp)))
    yield Pair("resp-read", "2 X25519, 1 AEAD", bare, ours)


def _retried(payload: bytes) -> tuple[bytes, bytes]:
    got = _parsed(Retry, payload)
    return got.server_key, got.token


def _bare_init(server: X25519PublicKey) -> tuple[bytes, bytes]:
    X25519PrivateKey.generate().exchange(server)
    _LIVE.exchange(server)
    static = ChaCha20Poly1305(HASH).encrypt(NONCE, LIVE_PUBLIC, HASH)
    return static, ChaCha20Poly1305(HASH).encrypt(NONCE, CARD, HASH)


def _answer_init(payload: bytes) -> Responded:
    init = _parsed(Init, payload)
    check_token_untrusted(SUITE, TOKEN_SECRET, SOURCE, NOW, init.token)
    return respond_untrusted(SUITE, SERVER, init, b"srvr", NOW_S)


def _bare_answer(sealed: tuple[bytes, bytes], client: X25519PublicKey) -> bytes:
    hmac.digest(TOKEN_SECRET, TOKEN_LABEL + bytes(14), "sha256")
    _SERVER.exchange(client)
    ChaCha20Poly1305(HASH).decrypt(NONCE, sealed[0], HASH)
    _SERVER.exchange(client)
    card = ChaCha20Poly1305(HASH).decrypt(NONCE, sealed[1], HASH)
    _IDENTITY.public_key().verify(card[:SIGNATURE_BYTES], CARD_LABEL + card[SIGNATURE_BYTES:])
    ephemeral = X25519PrivateKey.generate()
    ephemeral.exchange(client)
    ephemeral.exchange(client)
    return ChaCha20Poly1305(HASH).encrypt(NONCE, b"srvr", HASH)


def _bare_finish(sealed: bytes, server: X25519PublicKey) -> bytes:
    _LIVE.exchange(server)
    _LIVE.exchange(server)
    return ChaCha20Poly1305(HASH).decrypt(NONCE, sealed, HASH)


def _records() -> Iterator[Pair]:
    letter = bytes(LETTER_BYTES_MAX)
    yield from _record("lookup", Lookup(41, "bob"), RECORD_PLAINTEXT_BYTES_MIN)
    yield from _record("found", Found(41, CARD, SOURCE, 60), 0)
    yield from _record("store", Store(41, LIVE_PUBLIC, bytes(16), 1, letter), RECORD_PLAINTEXT_BYTES_MIN)


def _record(name: str, message: Message, bytes_min: int) -> Iterator[Pair]:
    """A RECORD of this message; `bytes_min` is what a client fills it up to."""
    one, other = os.urandom(32), os.urandom(32)
    sender, receiver = Link(b"here", b"ther", one, other), Link(b"ther", b"here", other, one)
    plaintext, clear = pack([encode(message)], bytes_min), bytes(15)
    aead = ChaCha20Poly1305(one)

    def sealed() -> bytes:
        return sender.seal(SUITE, pack([encode(message)], bytes_min))

    def opened(payload: bytes) -> tuple[Message, ...]:
        return unpack_untrusted(receiver.open_untrusted(SUITE, _parsed(Record, payload)))

    def fresh(calls: int) -> Iterator[Arguments]:
        return ((sealed(),) for _ in range(calls))

    against = f"AEAD of {len(plaintext)} bytes"
    yield Pair(f"record-seal-{name}", against, same(aead.encrypt, NONCE, plaintext, clear), same(sealed))
    bare = same(aead.decrypt, NONCE, aead.encrypt(NONCE, plaintext, clear), clear)
    yield Pair(f"record-open-{name}", against, bare, Work(opened, fresh))


def _letters() -> Iterator[Pair]:
    body = LetterBody(BODY.identity, "alice", 7, 3, 3, bytes(16), NOW_S * 1_000, 1, 1, "is the build green?")
    key, info = OpeningKey.of(SUITE, LIVE), LETTER_LABEL + BODY.identity
    signed = info + LIVE_PUBLIC + encode(body)
    plain = _IDENTITY.sign(signed) + encode(body)
    payload = seal_letter_untrusted(SUITE, IDENTITY, BODY.identity, LIVE_PUBLIC, body)
    sealed = _HPKE.encrypt(plain, _LIVE.public_key(), info)
    public, verifier = _LIVE.public_key(), _IDENTITY.public_key()

    def bare_seal() -> bytes:
        _IDENTITY.sign(signed)
        return _HPKE.encrypt(plain, public, info)

    def bare_open() -> None:
        _HPKE.decrypt(sealed, _LIVE, info)
        verifier.verify(plain[:SIGNATURE_BYTES], signed)

    ours = same(seal_letter_untrusted, SUITE, IDENTITY, BODY.identity, LIVE_PUBLIC, body)
    yield Pair("letter-seal", "Ed25519 sign, HPKE seal", same(bare_seal), ours)
    ours = same(lambda: open_letter_untrusted(SUITE, BODY.identity, [key], _parsed(Letter, payload)))
    yield Pair("letter-open", "HPKE open, Ed25519 verify", same(bare_open), ours)


def _acks() -> Iterator[Pair]:
    for count in (1, ACKS_MAX):
        secrets = [os.urandom(16) for _ in range(count)]
        payload = _make_acks(secrets)
        bare = same(_bare_hashes, [ACK_LABEL + secret for secret in secrets])
        yield Pair(f"ack-make-{count}", f"{count} SHA-256", bare, same(_make_acks, secrets))
        yield Pair(f"ack-parse-{count}", f"{count} SHA-256", bare, same(parse_untrusted, payload))


def _make_acks(secrets: list[bytes]) -> bytes:
    return serialize(Acks(tuple(ack_of(SUITE, secret) for secret in secrets)))


def _bare_hashes(inputs: list[bytes]) -> None:
    for data in inputs:
        hashlib.sha256(data).digest()


def _parsed(kind: type[D], payload: bytes) -> D:
    datagram = parse_untrusted(payload)
    assert isinstance(datagram, kind)
    return datagram
