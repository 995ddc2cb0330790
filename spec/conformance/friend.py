"""Somebody whom a client under test talks to: keys, cards, letters by hand, and a port that acknowledges or not."""

import os
import time
from dataclasses import dataclass, replace
from typing import Any

from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.datagrams import Acks, Letter
from udpchat_core.errors import BadDatagram
from udpchat_core.secure.card import make_card
from udpchat_core.secure.letter import OpeningKey, ack_of, open_letter_untrusted, seal_letter_untrusted, slot_of
from udpchat_core.wire import parse_untrusted, serialize

from .network import Came, Network
from .suite import SUITE

CARD_LIFE_S = 90 * 86_400


@dataclass(frozen=True)
class Got:
    """A letter that came: when, what it says, which key it was sealed to."""

    at_s: float
    body: LetterBody
    key: bytes
    data: bytes
    source: tuple[str, int]


@dataclass(frozen=True)
class Sealed:
    """A letter made here, with what follows from its secret."""

    data: bytes
    ack: bytes
    slot: bytes
    body: LetterBody


class Friend:
    """See the module. `acknowledges`: whether letters are acknowledged as they come."""

    def __init__(self, network: Network, name: str = "bob") -> None:
        self.network, self.name = network, name
        self.port = network.port(self._take)
        self.private, self.live, self.mail = os.urandom(32), os.urandom(32), os.urandom(32)
        self.seq, self.epoch, self.numbered = 1_000, int.from_bytes(os.urandom(5)), 0
        self.acknowledges = True
        self.got: list[Got] = []
        self.acks: list[bytes] = []

    @property
    def identity(self) -> bytes:
        """I."""
        return SUITE.sign_public(self.private)

    def card(self, **changes: Any) -> bytes:  # noqa: ANN401 - fields of a card
        """Signed, with other fields if asked for."""
        keys = (self.identity, SUITE.dh_public(self.live), SUITE.dh_public(self.mail))
        body = CardBody(1, self.seq, int(time.time()) + CARD_LIFE_S, *keys, self.name)
        return make_card(SUITE, self.private, replace(body, **changes))

    # --- what comes ---

    def _take(self, came: Came) -> None:
        if isinstance(came.datagram, Acks):
            self.acks += came.datagram.acks
        elif isinstance(came.datagram, Letter):
            got = self.open(came.data, came.at_s, came.source)
            if got is not None:
                self.got.append(got)
                if self.acknowledges:
                    self.acknowledge(got)
        else:
            self.network.malformed.append(f"a {type(came.datagram).__name__} to {self.name}")

    def open(self, data: bytes, at_s: float = 0.0, source: tuple[str, int] = ("", 0)) -> Got | None:
        """What a letter says; one that does not open is noted, as whoever sent it is under test."""
        letter = parse_untrusted(data)
        assert isinstance(letter, Letter)
        keys = [OpeningKey.of(SUITE, private) for private in (self.live, self.mail)]
        try:
            body = open_letter_untrusted(SUITE, self.identity, keys, letter)
        except BadDatagram as refused:
            self.network.malformed.append(f"a letter to {self.name} that is refused ({refused.reason.value})")
            return None
        used = next(key.private for key in keys if key.id == letter.key_id)
        return Got(at_s, body, used, data, source)

    def acknowledge(self, *got: Got) -> None:
        """ACK these letters to where the last of them came from."""
        acks = tuple(ack_of(SUITE, one.body.secret) for one in got)
        self.port.send(serialize(Acks(acks)), got[-1].source)

    # --- what is written ---

    def letter(self, to: CardBody, key: bytes | None = None, **fields: Any) -> Sealed:  # noqa: ANN401
        """The next letter to the owner of a card, sealed to its live key or another, with other fields if asked for."""
        self.numbered += "seq" not in fields
        seq = fields.get("seq", self.numbered)
        body = LetterBody(
            self.identity, self.name, self.epoch, seq, 1, os.urandom(16), int(time.time() * 1_000), 1, 1, "hello"
        )
        body = replace(body, **fields)
        return self.seal(to, body, key)

    def seal(self, to: CardBody, body: LetterBody, key: bytes | None = None) -> Sealed:
        """A letter of this body, as this friend signs it."""
        data = seal_letter_untrusted(SUITE, self.private, to.identity, key or to.live, body)
        return Sealed(data, ack_of(SUITE, body.secret), slot_of(SUITE, body.secret), body)
