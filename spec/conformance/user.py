"""A client by script, for a server under test: it says what a check wants, when it wants, and keeps what it hears."""

import os
import time
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from udpchat_core import messages as m
from udpchat_core.bodies import CardBody
from udpchat_core.datagrams import Record, Resp, Retry
from udpchat_core.errors import BadDatagram
from udpchat_core.fields import Rotation
from udpchat_core.messages import Message
from udpchat_core.secure.card import make_card
from udpchat_core.secure.link import Initiated, Link, hello, initiate_untrusted
from udpchat_core.wire import RECORD_PLAINTEXT_BYTES_MIN, encode, pack, unpack_untrusted

from .door import CheckFailed
from .friend import CARD_LIFE_S
from .network import Came, Network, Peer
from .suite import SUITE

TRY_S: Final = 0.5
M = TypeVar("M")


@dataclass(frozen=True)
class Heard:
    """A message of the server, and the link that it came on."""

    at_s: float
    link: Link
    message: Message


class User:
    """See the module. `link` is the newest that was made; `links` are all of them."""

    def __init__(self, network: Network, server: Peer, name: str) -> None:
        self.network, self.server, self.name = network, server, name
        self.port = network.port(self._take)
        self.private, self.live, self.mail = os.urandom(32), os.urandom(32), os.urandom(32)
        self.seq, self.ids = 1_000, 0
        self.retries: list[Came] = []
        self.resps: list[Came] = []
        self.records: list[Came] = []
        self.heard: list[Heard] = []
        self.links: list[Link] = []
        self.sent = b""

    @property
    def identity(self) -> bytes:
        """I."""
        return SUITE.sign_public(self.private)

    @property
    def link(self) -> Link:
        """The newest."""
        return self.links[-1]

    def card(self, **changes: Any) -> bytes:  # noqa: ANN401 - fields of a card
        """Signed, of the next seq, with other fields if asked for."""
        self.seq += 1
        keys = (self.identity, SUITE.dh_public(self.live), SUITE.dh_public(self.mail))
        body = CardBody(1, self.seq, int(time.time()) + CARD_LIFE_S, *keys, self.name)
        return make_card(SUITE, self.private, replace(body, **changes))

    # --- what comes ---

    def _take(self, came: Came) -> None:
        datagram = came.datagram
        if isinstance(datagram, Retry):
            self.retries.append(came)
        elif isinstance(datagram, Resp):
            self.resps.append(came)
        elif isinstance(datagram, Record):
            self.records.append(came)
            self._record(came, datagram)
        else:
            self.network.malformed.append(f"a {type(datagram).__name__} to a client")

    def _record(self, came: Came, record: Record) -> None:
        link = next((link for link in self.links if link.index == record.index), None)
        if link is None:
            self.network.malformed.append("a RECORD for a link that there is not")
            return
        try:
            messages = unpack_untrusted(link.open_untrusted(SUITE, record))
        except BadDatagram as refused:
            self.network.malformed.append(f"a RECORD that is refused ({refused.reason.value})")
            return
        self.heard += [Heard(came.at_s, link, message) for message in messages]

    def got(self, kind: type[M]) -> list[M]:
        """The messages of this kind that came."""
        return [heard.message for heard in self.heard if isinstance(heard.message, kind)]

    # --- the handshake, a step each ---

    def send(self, data: bytes) -> None:
        """To the server."""
        self.sent = data
        self.port.send(data, self.server.address)

    def greet(self) -> Retry:
        """HELLO, until a RETRY comes."""
        greeting = hello(SUITE)
        before = len(self.retries)
        self._try(greeting, lambda: len(self.retries) > before, "a RETRY to a HELLO")
        retry = self.retries[before].datagram
        assert isinstance(retry, Retry)
        return retry

    def initiate(self, retry: Retry, card: bytes | None = None, live: bytes | None = None) -> Initiated:
        """An INIT, which is not sent."""
        index = os.urandom(4)
        card = card or self.card()
        return initiate_untrusted(SUITE, retry.server_key, retry.token, index, live or self.live, card)

    def connect(self, card: bytes | None = None) -> Link:
        """A new link, which nothing was said on."""
        begun = self.initiate(self.greet(), card)
        before = len(self.resps)
        self._try(begun.init, lambda: len(self.resps) > before, "a RESP to an INIT")
        self.finish(begun, self.resps[before])
        return self.link

    def finish(self, begun: Initiated, resp: Came) -> None:
        """The link that a RESP makes; `CheckFailed` if it does not hold."""
        assert isinstance(resp.datagram, Resp)
        try:
            self.links.append(begun.finish_untrusted(SUITE, resp.datagram))
        except BadDatagram as refused:
            raise CheckFailed(f"the RESP does not hold: {refused.reason.value}") from None

    def _try(self, data: bytes, condition: Any, what: str) -> None:  # noqa: ANN401 - a callable
        for _ in range(10):
            self.send(data)
            try:
                self.network.until(condition, what, TRY_S)
            except CheckFailed:
                continue
            return
        raise CheckFailed(f"no answer to ten tries: {what}")

    # --- what is said ---

    def record(self, *messages: Message, link: Link | None = None) -> bytes:
        """A RECORD, which is not sent."""
        encoded = [encode(message) for message in messages]
        return (link or self.link).seal(SUITE, pack(encoded, RECORD_PLAINTEXT_BYTES_MIN))

    def say(self, *messages: Message, link: Link | None = None) -> bytes:
        """Say this on the newest link, or another."""
        data = self.record(*messages, link=link)
        self.send(data)
        return data

    def next_id(self) -> int:
        """Of a request."""
        self.ids += 1
        return self.ids

    def ask(self, kind: Any, *fields: Any, link: Link | None = None) -> Any:  # noqa: ANN401 - of the table of messages
        """Ask, with the same id until it is answered, and the answer."""
        request = kind(self.next_id(), *fields)
        return self.ask_again(request, link)

    def ask_again(self, request: Any, link: Link | None = None) -> Any:  # noqa: ANN401
        """Ask this, until there is an answer that was not there before."""
        before = len(self.heard)

        def answers() -> list[Message]:
            later = [heard.message for heard in self.heard[before:]]
            return [message for message in later if getattr(message, "id", None) == request.id]

        for _ in range(10):
            self.say(request, link=link)
            try:
                self.network.until(lambda: bool(answers()), "an answer", TRY_S)
            except CheckFailed:
                continue
            return answers()[0]
        raise CheckFailed(f"no answer to ten tries of a {type(request).__name__}")

    def register(self, card: bytes | None = None, rotation: Rotation | None = None) -> m.Registered:
        """A new link, and Register on it; `CheckFailed` if it is refused."""
        answer = self.try_to_register(card, rotation)
        if not isinstance(answer, m.Registered):
            raise CheckFailed(f"{self.name} was not registered: {answer}")
        return answer

    def try_to_register(self, card: bytes | None = None, rotation: Rotation | None = None) -> Message:
        """A new link, and the answer to Register on it."""
        self.connect(card)
        answer: Message = self.ask(m.Register, None, rotation)
        return answer

    def hint_to(self, data: bytes) -> Came | None:
        """The RETRY that answers this datagram, if one came."""
        return next((came for came in self.retries if came.data[3:19] == data[3:19]), None)
