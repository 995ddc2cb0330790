"""A peer with keys and an identity of its own that keeps to nothing.

It speaks the protocol a step at a time, and each step may be left out, done twice, or done with values that nobody
should send: a card for any name and seq, half a handshake, letters with any number and any claim, any message on its
link. It answers nothing by itself but a RETRY, if it is connecting, and a RESP.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from udpchat_core import messages as m
from udpchat_core.actions import Received
from udpchat_core.address import Address
from udpchat_core.bodies import CARD_VERSION, CardBody, LetterBody
from udpchat_core.datagrams import Acks, Letter, Record, Resp, Retry
from udpchat_core.errors import BadDatagram
from udpchat_core.secure.card import make_card
from udpchat_core.secure.keys import SIGNATURE_BYTES
from udpchat_core.secure.letter import OpeningKey, ack_of, open_letter_untrusted, seal_letter_untrusted, slot_of
from udpchat_core.secure.link import INDEX_BYTES, Initiated, Link, hello, initiate_untrusted
from udpchat_core.secure.suite import KEY_BYTES
from udpchat_core.wire import RECORD_PLAINTEXT_BYTES_MIN, decode_untrusted, encode, pack, parse_untrusted, serialize
from udpchat_core.wire import unpack_untrusted as unpack

from ..faults import SERVER
from ..node import START_US
from ..world import World

_CARD_DAYS_S: Final = 90 * 86_400


class EvilPeer:
    """One outsider.

    Attributes:
        name: that its cards claim.
        identity: I, its own.
        address: where it is.
        link: to the server, once there is one.
        token: the last that it was given.
        initiated: its last handshake, whose INIT may be sent again.
        heard: what the server said to it.
        letters: what others wrote to it and it opened.
        datagrams: everything that came, and from where.
    """

    def __init__(self, world: World, name: str, *, owns_name: bool = True) -> None:
        """Take part as `name`; a victim's name is not its own, whatever its cards claim."""
        self.world, self.name = world, name
        self.address = world.join(self._receive)
        self.suite = world.new_suite("outsider", str(self.address.host.hex()))
        self.private = self.suite.random(KEY_BYTES)
        self.identity = self.suite.sign_public(self.private)
        self.live, self.mail = (OpeningKey.of(self.suite, self.suite.random(KEY_BYTES)) for _ in range(2))
        self.link: Link | None = None
        self.token: bytes | None = None
        self.initiated: Initiated | None = None
        self.heard: list[m.Message] = []
        self.letters: list[LetterBody] = []
        self.datagrams: list[Received] = []
        self.epoch = int.from_bytes(self.suite.random(5))
        self._seq = self._last_id = 0
        self._card: dict[str, Any] = {}
        self._goes_on = False
        own = name if owns_name and name not in world.nodes else None
        for observer in world.observers:
            observer.joined(self.identity, own, self.address)

    # --- the link ---

    @property
    def server(self) -> Address:
        """Where the server is."""
        return self.world.network.address(SERVER)

    def connect(self, **card: Any) -> None:  # noqa: ANN401 - fields of a card
        """HELLO, INIT and Register, as the answers come; `card` has fields of the card to be other than usual."""
        self._goes_on, self._card = True, card
        self.greet()

    def greet(self, source: Address | None = None) -> None:
        """Send a HELLO, from its own address or from a claimed one."""
        self.send(self.server, hello(self.suite), source)

    def card(self, **changed: Any) -> bytes:  # noqa: ANN401
        """A new signed card of its own, with the next seq, or with fields changed."""
        self._seq = changed.pop("seq", self._seq + 1)
        body = CardBody(
            version=CARD_VERSION,
            seq=self._seq,
            expires_s=START_US // 1_000_000 + _CARD_DAYS_S,
            identity=self.identity,
            live=self.live.public,
            mail=self.mail.public,
            name=self.name,
        )
        return make_card(self.suite, self.private, replace(body, **changed))

    def initiate(self, token: bytes, server_key: bytes, **card: Any) -> bytes:  # noqa: ANN401
        """An INIT of its own; it is not sent yet."""
        index, made = self.suite.random(INDEX_BYTES), self.card(**card)
        self.initiated = initiate_untrusted(self.suite, server_key, token, index, self.live.private, made)
        return self.initiated.init

    def say(self, *said: m.Message) -> None:
        """Say all of it on its link, in one RECORD."""
        self.send(self.server, self.record(*said))

    def record(self, *said: m.Message) -> bytes:
        """The RECORD of its link around all of it, not sent."""
        assert self.link is not None, "connect first, and let the world run"
        return self.link.seal(self.suite, pack([encode(each) for each in said], RECORD_PLAINTEXT_BYTES_MIN))

    def new_id(self) -> int:
        """An id for a request."""
        self._last_id += 1
        return self._last_id

    def said(self, kind: type[m.Message]) -> list[Any]:
        """What the server said of this kind."""
        return [message for message in self.heard if type(message) is kind]

    # --- letters ---

    def body(self, text: str, **changed: Any) -> LetterBody:  # noqa: ANN401
        """What a letter of it says: number 1 of its epoch, under a new secret, or with fields changed."""
        body = LetterBody(
            sender=self.identity,
            name=self.name,
            epoch=self.epoch,
            seq=1,
            floor=1,
            secret=self.suite.random(16),
            sent_ms=(START_US + self.world.now_us) // 1_000,
            part=1,
            parts=1,
            text=text,
        )
        return replace(body, **changed)

    def letter(self, card: CardBody, body: LetterBody, *, stored: bool = False) -> bytes:
        """The LETTER to the owner of `card`, signed with its own key, whatever `body` claims."""
        key = card.mail if stored else card.live
        if body.sender == self.identity:
            for observer in self.world.observers:
                observer.wrote(self.identity, card.identity, body.secret, body.text)
        return seal_letter_untrusted(self.suite, self.private, card.identity, key, body)

    def store(self, card: CardBody, body: LetterBody, *, slot: bytes | None = None, attempt: int = 1) -> m.Store:
        """The request to keep a letter, under the slot of its secret or under another."""
        slot = slot_of(self.suite, body.secret) if slot is None else slot
        return m.Store(self.new_id(), card.identity, slot, attempt, self.letter(card, body, stored=True))

    def look_up(self, name: str) -> CardBody:
        """The card of a user, by asking the server; lets the world run for a tenth of a second."""
        self.say(m.Lookup(self.new_id(), name))
        self.world.run(100_000)
        bodies = [decode_untrusted(CardBody, each.card[SIGNATURE_BYTES:]) for each in self.said(m.Found)]
        return next(body for body in reversed(bodies) if body.name == name)

    def acknowledge(self, to: Address, acks: Sequence[bytes]) -> None:
        """Send acknowledgements, of whatever."""
        self.send(to, serialize(Acks(tuple(acks))))

    def ack_of(self, body: LetterBody) -> bytes:
        """The acknowledgement of a letter."""
        return ack_of(self.suite, body.secret)

    def open(self, datagram: bytes) -> LetterBody | None:
        """Open a letter that was sealed for it, if it was."""
        letter = parse_untrusted(datagram)
        if not isinstance(letter, Letter):
            return None
        try:
            body = open_letter_untrusted(self.suite, self.identity, (self.live, self.mail), letter)
        except BadDatagram:
            return None
        self.letters.append(body)
        for observer in self.world.observers:
            observer.opened(self.identity, body.secret)
        return body

    # --- the network ---

    def send(self, to: Address, payload: bytes, source: Address | None = None, after_us: int = 0) -> None:
        """Send bytes, from its own address or from a claimed one."""
        self.world.inject(source or self.address, to, payload, after_us)

    def _receive(self, _to: Address, received: Received) -> None:
        self.datagrams.append(received)
        try:
            datagram = parse_untrusted(received.payload)
            if isinstance(datagram, Retry):
                self.token = datagram.token
                if self._goes_on:
                    self.send(self.server, self.initiate(datagram.token, datagram.server_key, **self._card))
            elif isinstance(datagram, Resp) and self._goes_on and self.initiated is not None:
                self._goes_on = False
                self.link = self.initiated.finish_untrusted(self.suite, datagram)
                self.say(m.Register(self.new_id()))
            elif isinstance(datagram, Record) and self.link is not None:
                self.heard += unpack(self.link.open_untrusted(self.suite, datagram))
            elif isinstance(datagram, Letter):
                self.open(received.payload)
        except BadDatagram:
            self.world.counts["outsiders refused"] += 1
