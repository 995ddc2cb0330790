"""Builders for these tests: persons with their keys and cards, a server, a finished link, and raw CBOR."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

import cbor2
import pytest

from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.datagrams import Init, Letter, Record, Resp
from udpchat_core.errors import BadDatagram, Reason
from udpchat_core.secure.card import make_card
from udpchat_core.secure.keys import key_id
from udpchat_core.secure.letter import OpeningKey, seal_letter_untrusted
from udpchat_core.secure.link import Initiated, Link, Responded, initiate_untrusted, respond_untrusted
from udpchat_core.secure.suite import Suite
from udpchat_core.wire import parse_untrusted

EXPIRES_S = 1_700_000_000
DAY_S = 86_400
TOKEN = bytes(range(16))
CLIENT_INDEX, SERVER_INDEX = b"clnt", b"srvr"
CARD_LABEL, LETTER_LABEL = b"udpchat/1 card\0", b"udpchat/1 letter\0"
TOP_BIT = bytes(31) + b"\x80"
D = TypeVar("D")


@dataclass(frozen=True)
class Person:
    """Who has a name, an identity, a live and a mail key (private each), and a card that says so."""

    name: str
    identity: bytes
    live: bytes
    mail: bytes
    body: CardBody
    card: bytes

    @property
    def public(self) -> bytes:
        """I, the identity's public key."""
        return self.body.identity

    def keys(self, suite: Suite) -> list[OpeningKey]:
        """The keys that this person opens letters with."""
        return [OpeningKey.of(suite, private) for private in (self.live, self.mail)]


def private_key(purpose: str) -> bytes:
    """A private key that follows from what it is for."""
    return sha256(purpose.encode()).digest()


SERVER = private_key("server")


def person(suite: Suite, name: str, **changed: Any) -> Person:
    """The person of this name, with fields of the card's body changed."""
    identity, live, mail = (private_key(f"{name} {purpose}") for purpose in ("identity", "live", "mail"))
    values: dict[str, Any] = {"version": 1, "seq": 5, "expires_s": EXPIRES_S, "identity": suite.sign_public(identity)}
    values |= {"live": suite.dh_public(live), "mail": suite.dh_public(mail), "name": name}
    body = CardBody(**values | changed)
    return Person(name, identity, live, mail, body, make_card(suite, identity, body))


def letter_body(who: Person, /, **changed: Any) -> LetterBody:
    """What this person writes, with fields changed."""
    return LetterBody(**letter_values(who) | changed)


def letter_values(sender: Person) -> dict[str, Any]:
    """The fields of a letter, in their order."""
    head: dict[str, Any] = {"sender": sender.public, "name": sender.name, "epoch": 7, "seq": 3, "floor": 2}
    return head | {"secret": b"s" * 16, "sent_ms": 1_700_000_000_000, "part": 1, "parts": 2, "text": "good morning"}


def letter(suite: Suite, sender: Person, recipient: Person, body: LetterBody | None = None) -> bytes:
    """A LETTER datagram to the recipient's live key."""
    body = body or letter_body(sender)
    return seal_letter_untrusted(suite, sender.identity, recipient.public, recipient.body.live, body)


def raw(*values: Any) -> bytes:
    """Deterministic CBOR of an array that no class of ours has checked."""
    return cbor2.dumps(values, canonical=True)


def signed_card(suite: Suite, private: bytes, encoded: bytes) -> bytes:
    """A truly signed card around any bytes."""
    return suite.sign(private, CARD_LABEL + encoded) + encoded


def signed_letter(suite: Suite, sender: Person, recipient: Person, encoded: bytes) -> Letter:
    """A truly signed and sealed letter around any bytes."""
    info, key = LETTER_LABEL + recipient.public, recipient.body.live
    signature = suite.sign(sender.identity, info + key + encoded)
    return Letter(key_id(suite, key), suite.hpke_seal_untrusted(key, info, signature + encoded))


def parsed(kind: type[D], payload: bytes) -> D:
    """The datagram, which is of this kind."""
    datagram = parse_untrusted(payload)
    assert isinstance(datagram, kind)
    return datagram


def begin(suite: Suite, who: Person, token: bytes = TOKEN, index: bytes = CLIENT_INDEX) -> Initiated:
    """The person's INIT to the server."""
    return initiate_untrusted(suite, suite.dh_public(SERVER), token, index, who.live, who.card)


def answer(suite: Suite, init: bytes, now_s: int = EXPIRES_S, index: bytes = SERVER_INDEX) -> Responded:
    """The server's answer to an INIT."""
    return respond_untrusted(suite, SERVER, parsed(Init, init), index, now_s)


def links(suite: Suite, who: Person | None = None) -> tuple[Link, Link]:
    """A finished link: the client's end and the server's."""
    begun = begin(suite, who or person(suite, "alice"))
    responded = answer(suite, begun.init)
    return begun.finish_untrusted(suite, parsed(Resp, responded.resp)), responded.link


def record(sender: Link, suite: Suite, plaintext: bytes = b"some plaintext") -> Record:
    """The sender's next RECORD, as its receiver parses it."""
    return parsed(Record, sender.seal(suite, plaintext))


@contextmanager
def refused(reason: Reason) -> Iterator[None]:
    """What happens inside is refused for this reason."""
    with pytest.raises(BadDatagram) as caught:
        yield
    assert caught.value.reason is reason
