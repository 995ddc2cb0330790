"""Other users, as the client under test meets them: keys, a card, and letters written by hand."""

from hashlib import sha256
from typing import Any

from tests.core.client.scenery import DAY, START, private_key
from udpchat_core import messages as m
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.datagrams import Acks, Letter
from udpchat_core.instant import MS, SECOND
from udpchat_core.secure.card import make_card
from udpchat_core.secure.letter import OpeningKey, ack_of, open_letter_untrusted, seal_letter_untrusted, slot_of
from udpchat_core.secure.suite import Suite
from udpchat_core.wire import parse_untrusted, serialize


class Peer:
    """Another user: an identity, keys and a card, and letters written by hand.

    Attributes:
        answers: whether direct letters are acknowledged.
        letters: those that came directly and could be opened.
    """

    def __init__(self, suite: Suite, name: str, seq: int = 5, person: str | None = None) -> None:
        self._suite = suite
        self.name = name
        self.private, self.live, self.mail = (private_key(f"{person or name} {what}") for what in ("i", "l", "m"))
        self.answers = True
        self.letters: list[LetterBody] = []
        self.renew(seq)

    def renew(self, seq: int) -> None:
        """A card with this seq, and new keys in it."""
        self.live, self.mail = private_key(f"{self.live!r} {seq}"), private_key(f"{self.mail!r} {seq}")
        self.card = self.carded(seq=seq)

    def carded(self, **changed: Any) -> bytes:
        """The card, with fields changed."""
        values: dict[str, Any] = {"version": 1, "seq": 5, "expires_s": START // SECOND + 90 * DAY}
        values |= {"identity": self.identity, "name": self.name}
        values |= {"live": self._suite.dh_public(self.live), "mail": self._suite.dh_public(self.mail)}
        return make_card(self._suite, self.private, CardBody(**values | changed))

    @property
    def identity(self) -> bytes:
        """I."""
        return self._suite.sign_public(self.private)

    def body(self, seq: int = 1, text: str = "hello", **changed: Any) -> LetterBody:
        """A letter of this peer; its secret follows from epoch, seq and text."""
        values: dict[str, Any] = {"sender": self.identity, "name": self.name, "epoch": 7, "seq": seq, "floor": 1}
        values |= {"sent_ms": START // MS, "part": 1, "parts": 1, "text": text}
        values |= changed
        values.setdefault("secret", sha256(f"{self.name} {text} {values['part']}".encode()).digest()[:16])
        return LetterBody(**values)

    def letter(self, to: CardBody, body: LetterBody, key: bytes | None = None) -> bytes:
        """The LETTER, sealed to the live key of a card, or to another key."""
        return seal_letter_untrusted(self._suite, self.private, to.identity, key or to.live, body)

    def pushed(self, to: CardBody, body: LetterBody, entry: int, **changed: Any) -> m.Mail:
        """The same as it comes out of a mailbox, sealed to the mail key."""
        values: dict[str, Any] = {
            "entry": entry,
            "slot": slot_of(self._suite, body.secret),
            "letter": self.letter(to, body, to.mail),
        }
        return m.Mail(**values | changed)

    def open(self, payload: bytes) -> LetterBody:
        """What a LETTER to this peer says."""
        letter = parse_untrusted(payload)
        assert isinstance(letter, Letter)
        keys = [OpeningKey.of(self._suite, private) for private in (self.live, self.mail)]
        return open_letter_untrusted(self._suite, self.identity, keys, letter)

    def receive(self, payload: bytes) -> list[bytes]:
        """The datagrams that answer one."""
        if isinstance(parse_untrusted(payload), Acks):
            return []
        self.letters.append(self.open(payload))
        return [self.ack(self.letters[-1])] if self.answers else []

    def ack(self, *bodies: LetterBody) -> bytes:
        """The ACK datagram for these letters."""
        return serialize(Acks(tuple(ack_of(self._suite, body.secret) for body in bodies)))
