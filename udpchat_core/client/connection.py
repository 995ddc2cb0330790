"""The client's side of the Link: the session machine, handshakes, and RECORDs in and out.

Up to three links are kept: the current one, on which everything is said; a new one, from RESP until
Registered; and the one before, on which answers may still be under way.
"""

from collections import deque
from dataclasses import dataclass

from ..address import Address
from ..client_events import Deregistered, ServerKeyChanged, ServerUnreachable, Superseded
from ..client_requests import SaveServerKey
from ..datagrams import NONCE_BYTES, Record, Resp, Retry
from ..errors import BadDatagram, LocalProtocolError, Reason
from ..instant import SECOND, Instant, after
from ..limits import HINT_US, POSTPONED_S_MAX, SENT_RECORDS_REMEMBERED, STALE_CARDS_MAX
from ..machines.client_session import SESSION, ClientSession, Do, Phase, Session
from ..messages import Deregister, Message, Register
from ..secure.link import INDEX_BYTES, Initiated, Link, hello, initiate_untrusted
from ..table import step
from ..turn import Turn
from ..wire import unpack_untrusted
from .keyring import Keyring
from .requester import Requester
from .shared import Shared

_ECHO = slice(3, 3 + NONCE_BYTES)
"""The bytes of a datagram that a RETRY repeats."""


class ServerLink:
    """A link to the server; the `Outlet` that its RECORDs are sealed by, which remembers how they began."""

    def __init__(self, connection: "Connection", link: Link) -> None:
        self.link = link
        self._connection = connection

    @property
    def address(self) -> Address:
        """The server's."""
        return self._connection.server

    def seal(self, plaintext: bytes) -> bytes:
        """The RECORD around `plaintext`."""
        return self._connection.sealed(self.link.seal(self._connection.shared.suite, plaintext))


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a RETRY offers: a token, and the key of whoever made it."""

    token: bytes
    server_key: bytes


class Connection:
    """The session with the server.

    Attributes:
        record: of the session machine.
        current: the link that is registered, or was until the server stopped answering.
        invite: the token of an invitation, if the user has one.
        pinned: the server's key, once it is known.
        patience_us: how long the server asked to wait.
    """

    def __init__(
        self, shared: Shared, server: Address, keyring: Keyring, requester: Requester, server_key: bytes | None
    ) -> None:
        self.shared = shared
        self.server = server
        self.record = ClientSession()
        self.current: ServerLink | None = None
        self.invite: bytes | None = None
        self._keyring = keyring
        self._requester = requester
        self.pinned = server_key
        self._other_key: bytes | None = None  # of a RETRY since the last good one
        self._offered: bytes | None = None
        self._offered_at: Instant | None = None
        self._offer: _Offer | None = None
        self.patience_us = 0
        self._greeting = b""
        self._stale_cards = 0
        self._initiated: Initiated | None = None
        self._new: ServerLink | None = None
        self._previous: ServerLink | None = None
        self._register_id = self._deregister_id = 0
        self._sent: deque[bytes] = deque(maxlen=SENT_RECORDS_REMEMBERED)
        self._hinted_at: Instant | None = None

    @property
    def has_link(self) -> bool:
        """Whether there is a link that the server confirmed, or may have."""
        return self.current is not None

    @property
    def is_online(self) -> bool:
        """Whether the server answers: a renewal beside a good link does not change that."""
        return self.record.online

    @property
    def is_wanted(self) -> bool:
        """Whether the user wants to be online: else letters are ignored, and the mailbox has them."""
        return self.record.wanted

    def step(self, event: str, turn: Turn) -> None:
        """Run the session machine, and carry out what it asks for."""
        for do in step(SESSION, self.record, event, self, turn.now):
            self._carry_out(do, turn)
        self.shared.set_timer(("session", None), self.record.due)

    def accept_server_key(self, turn: Turn) -> None:
        """The user takes the other key for the server's; `LocalProtocolError` if there is none."""
        if self._offered is None:
            raise LocalProtocolError("the key of the server did not change: there is nothing to accept")
        self._pin(self._offered, turn)
        self._offered = self._other_key = None

    # --- what comes ---

    def retry_untrusted(self, retry: Retry, turn: Turn) -> None:
        """A RETRY: what it echoes tells whether it was asked for, is a hint, or is nobody's."""
        if self._greeting and retry.echo == self._greeting[_ECHO]:
            event = Session.greeted
        elif self._is_echo_of_ours(retry.echo) and self._may_follow(turn.now):
            event = Session.hinted
        else:
            raise BadDatagram(Reason.LINK)
        if self.pinned is not None and retry.server_key != self.pinned:  # R-9.1-1
            self._other_key = retry.server_key
            if self.record.phase is Phase.UNREACHABLE:
                self._tell_other_key(turn)
            raise BadDatagram(Reason.KEY)
        self._offer = _Offer(retry.token, retry.server_key)
        self.step(event, turn)

    def resp_untrusted(self, resp: Resp, turn: Turn) -> None:
        """A RESP: the handshake is done, and proves that the server has the key that it offered."""
        if self.record.phase is not Phase.INITIATING or self._initiated is None:
            raise BadDatagram(Reason.LINK)
        link = self._initiated.finish_untrusted(self.shared.suite, resp)
        if self.pinned is None:
            assert self._offer is not None
            self._pin(self._offer.server_key, turn)
        self._initiated = None
        self._new = ServerLink(self, link)
        self._register_id = self._requester.new_id()
        self.step(Session.answered, turn)

    def record_untrusted(self, record: Record) -> tuple[tuple[Message, ...], ServerLink]:
        """The messages of a RECORD, and the link that they came on."""
        for route in (self.current, self._new, self._previous):
            if route is not None and route.link.index == record.index:
                return unpack_untrusted(route.link.open_untrusted(self.shared.suite, record)), route
        raise BadDatagram(Reason.LINK)

    def is_registering(self, id_: int) -> bool:
        """Whether an answer with this id is about the Register under way."""
        return id_ == self._register_id and self.record.phase is Phase.REGISTERING

    def postpone(self, wait_s: int, turn: Turn) -> None:
        """The server asks for patience before the next Register."""
        self.patience_us = min(max(wait_s, 1), POSTPONED_S_MAX) * SECOND
        self.step(Session.postponed, turn)

    def outdo(self, highest: int, turn: Turn) -> bool:
        """The server knows a card of this identity with seq `highest`: try a newer one. False if that is no use."""
        if self._stale_cards >= STALE_CARDS_MAX or not self._keyring.jump_ahead(highest):  # R-9.1-3
            self._stale_cards = 0
            return False
        self._stale_cards += 1
        self.step(Session.stale, turn)
        return True

    def is_leaving(self, id_: int) -> bool:
        """Whether an answer with this id is about the Deregister under way."""
        return id_ == self._deregister_id and self.record.phase is Phase.LEAVING

    def superseded(self, route: ServerLink, turn: Turn) -> None:
        """The server ended a link for a newer one: another client's, if it is the newest of this one."""
        if route is (self._new or self.current):  # R-9.1-6
            self.step(Session.superseded, turn)

    def sealed(self, payload: bytes) -> bytes:
        """Remember how a RECORD began, so that a RETRY that answers it is known."""
        self._sent.append(payload[_ECHO])
        return payload

    # --- what the machine asks for ---

    def _carry_out(self, do: Do, turn: Turn) -> None:
        match do:
            case Do.GREET:
                self._greeting = self._greeting or hello(self.shared.suite)  # R-9.1-11
                turn.send(self.server, self._greeting)
            case Do.BEGIN:
                self._begin(turn)
            case Do.INITIATE:
                if self._initiated is not None:
                    turn.send(self.server, self._initiated.init)
            case Do.REGISTER:
                assert self._new is not None
                turn.say(self._new, Register(self._register_id, self.invite, self._keyring.rotation))
            case Do.GO_ONLINE:
                assert self._new is not None
                self._previous, self.current, self._new = self.current, self._new, None
                self._stale_cards = 0
                self._requester.connect(self.current, turn)
            case Do.DEREGISTER:
                self._say_goodbye(turn)
            case Do.DROP_LINKS:
                self.current = self._new = self._previous = self._initiated = None
                self._greeting = b""
                self._requester.disconnect()
            case Do.REPORT_LEFT:
                turn.emit(Deregistered(confirmed=True))
            case Do.REPORT_VANISHED:
                turn.emit(Deregistered(confirmed=False))
            case Do.REPORT_UNREACHABLE:
                self._requester.disconnect()
                self._tell_other_key(turn)
                turn.emit(ServerUnreachable())
            case _:
                turn.emit(Superseded())

    def _begin(self, turn: Turn) -> None:
        """A handshake with a new live key and card; a hostile key in the offer is a server that never answers."""
        assert self._offer is not None
        live, card = self._keyring.new_card(turn)
        index = self.shared.suite.random(INDEX_BYTES)
        self._greeting, self._other_key = b"", None
        try:
            self._initiated = initiate_untrusted(
                self.shared.suite, self._offer.server_key, self._offer.token, index, live, card
            )
        except BadDatagram as error:
            self._initiated = None
            turn.drop(self.server, error.reason)

    def _say_goodbye(self, turn: Turn) -> None:
        """On both links while it is not known which of them the server has registered."""
        if self.record.tries <= 1:
            self._deregister_id = self._requester.new_id()
        for route in (self._new, self.current):
            if route is not None:
                turn.say(route, Deregister(self._deregister_id))

    def _tell_other_key(self, turn: Turn) -> None:
        """Tell the user of another key, once the pinned one did not answer: anybody on the path can make a RETRY.

        Of ever other ones, only now and then.
        """  # R-9.1-13
        other = self._other_key
        if other is None or other == self._offered or self.pinned is None:
            return
        if self._offered_at is None or turn.now >= after(self._offered_at, HINT_US):
            self._offered, self._offered_at = other, turn.now
            turn.emit(ServerKeyChanged(self.pinned, other))

    def _pin(self, key: bytes, turn: Turn) -> None:
        self.pinned = key
        turn.store(SaveServerKey(key))

    def _is_echo_of_ours(self, echo: bytes) -> bool:
        """Whether a RETRY answers our INIT or one of our last RECORDs: only who saw it can make one."""
        return echo in self._sent or (self._initiated is not None and echo == self._initiated.init[_ECHO])

    def _may_follow(self, now: Instant) -> bool:
        if self._hinted_at is not None and now < after(self._hinted_at, HINT_US):  # R-9.1-4
            return False
        self._hinted_at = now
        return True
