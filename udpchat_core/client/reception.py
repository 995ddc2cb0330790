"""What comes to a client from the network: datagrams, and the messages in the server's RECORDs, each to its part.

Nothing that is refused stops what is in the same datagram besides, and nothing that is refused raises.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .. import messages as m
from ..actions import Received
from ..address import Address
from ..client_events import Registered, RegistrationRefused, WatchRefused
from ..datagrams import Acks, Letter, Record, Resp, Retry
from ..errors import BadDatagram, Reason
from ..fields import Refusal
from ..instant import MS, Instant, after
from ..limits import EXPIRY_CHECK_US_MIN, PING_JITTER_US, PING_US
from ..machines.client_session import Session
from ..turn import Turn
from ..wire import parse_untrusted
from .connection import ServerLink
from .parts import Parts
from .shared import Shared


class Reception:
    """Takes what comes.

    Attributes:
        heard: when the server last said something authentic.
    """

    def __init__(self, parts: Parts, now: Instant) -> None:
        self._parts = parts
        self.heard = now

    def receive(self, received: Sequence[Received], turn: Turn) -> None:
        """Take datagrams; whatever they are, nothing is raised."""
        for source, payload in received:
            with _refusing(source, turn):
                self._receive_untrusted(source, payload, turn)

    def _receive_untrusted(self, source: Address, payload: bytes, turn: Turn) -> None:
        match parse_untrusted(payload):
            case Record() as record if source == self._parts.connection.server:  # R-3.1-8
                messages, route = self._parts.connection.record_untrusted(record)
                self.heard = turn.now
                for message in messages:
                    with _refusing(source, turn):
                        self._message_untrusted(message, route, turn)
            case Letter() as letter if self._parts.connection.is_wanted:  # R-9.1-7
                self._parts.inbox.letter_untrusted(letter, source, turn)
            case Acks(acks):
                for ack in acks:
                    with _refusing(source, turn):
                        self._parts.outbox.acknowledged_untrusted(ack, turn)
            case Retry() as retry if source == self._parts.connection.server:
                self._parts.connection.retry_untrusted(retry, turn)
            case Resp() as resp if source == self._parts.connection.server:
                self._parts.connection.resp_untrusted(resp, turn)
            case _:  # R-3.1-7
                raise BadDatagram(Reason.TYPE)

    def _message_untrusted(self, message: m.Message, route: ServerLink, turn: Turn) -> None:
        match message:
            case m.Mail():
                if self._parts.connection.is_wanted:
                    self._parts.inbox.mail_untrusted(message, turn)
            case m.Receipt(slot, ack):
                self._parts.outbox.receipt_untrusted(slot, ack, turn)
            case m.Returned(slot):
                self._parts.outbox.returned(slot, turn)
            case m.RosterChanged(version):
                self._parts.roster.hinted(version, turn)
            case m.Superseded():
                self._parts.connection.superseded(route, turn)
            case m.Registered():
                self._registered(message, turn)
            case m.Deregistered(id_) if self._parts.connection.is_leaving(id_):
                self._parts.connection.step(Session.deregistered, turn)
            case m.Refused():
                self._refused_untrusted(message, turn)
            case m.Found() | m.Stored() | m.Roster() | m.Pong():
                self._answered_untrusted(message, turn)
            case _:  # R-5.1-6
                raise BadDatagram(Reason.MESSAGE)

    def _answered_untrusted(self, answer: m.Found | m.Stored | m.Roster | m.Pong, turn: Turn) -> None:
        asked = self._parts.requester.answered_untrusted
        match answer:
            case m.Found(id_):
                self._found_untrusted(asked(id_, m.Lookup, turn).name, answer, turn)
            case m.Stored(id_, online, attempt):
                self._parts.outbox.stored(asked(id_, m.Store, turn).slot, online, attempt, turn)
            case m.Roster(id_):
                asked(id_, m.Watch, turn)
                for name, seq in self._parts.roster.page(answer, turn):
                    self._parts.contacts.shown(name, seq, turn)
            case _:
                asked(answer.id, m.Ping, turn)
                self._parts.roster.hinted(answer.version, turn)

    def _found_untrusted(self, name: str, found: m.Found, turn: Turn) -> None:
        try:
            contact = self._parts.contacts.found_untrusted(name, found, turn)
        except BadDatagram:
            self._parts.contacts.ask_later(name, turn)
            raise
        if contact.address is not None:
            self._parts.inbox.sources.learn(contact.address)
        self._parts.outbox.pin(contact, turn)
        self._parts.outbox.resolved(contact, turn)
        self._parts.inbox.display.named(name, turn)

    def _refused_untrusted(self, refused: m.Refused, turn: Turn) -> None:
        if self._parts.connection.is_registering(refused.id):
            self._registration_refused(refused, turn)
            return
        if refused.refusal is Refusal.BUSY:
            self._parts.requester.postpone_untrusted(refused.id, refused.wait_s, turn)
            return
        match self._parts.requester.refused_untrusted(refused.id, turn):
            case m.Lookup(_, name) if refused.refusal is Refusal.UNKNOWN:
                self._not_found(name, refused, turn)
            case m.Lookup(_, name):
                self._parts.contacts.ask_later(name, turn)
            case m.Store() as asked:
                self._parts.outbox.store_refused(asked.slot, refused.refusal, turn)
            case m.Watch():
                if refused.refusal is not Refusal.NOT_REGISTERED:  # else it was on the way when this client left
                    turn.emit(WatchRefused(refused.refusal))
                self._parts.roster.refused(refused.refusal, turn)
            case _:
                pass  # a Ping: what matters is that the server answers

    def _not_found(self, name: str, refused: m.Refused, turn: Turn) -> None:
        contact = self._parts.contacts.unknown(name, refused.wait_s, turn)
        if contact.identity is not None:  # known before: a server that lost its directory learns it again
            self._parts.contacts.ask_later(name, turn)
        else:
            self._parts.outbox.resolved(contact, turn)
        self._parts.inbox.display.named(name, turn)

    def _registered(self, registered: m.Registered, turn: Turn) -> None:
        if not self._parts.connection.is_registering(registered.id):
            raise BadDatagram(Reason.MESSAGE)
        renewed = self._parts.connection.is_online
        self._parts.roster.restart(registered.limits.watched_names_max, turn)
        self._parts.connection.step(Session.registered, turn)
        if not self._parts.connection.is_wanted:  # the user changed its mind meanwhile
            return
        self._parts.shared.server_offset_ms = registered.time_ms - turn.now // MS
        self._parts.keyring.registered(turn, registered.waiting)
        if not renewed:
            self._parts.inbox.display.waiting = registered.waiting
        self._parts.shared.set_timer(("ping", None), next_ping(self._parts.shared, turn.now))
        self._parts.shared.set_timer(("expiry", None), after(turn.now, EXPIRY_CHECK_US_MIN))
        turn.emit(Registered(registered.observed, registered.waiting, renewed))
        self._parts.roster.pull(turn)

    def _registration_refused(self, refused: m.Refused, turn: Turn) -> None:
        connection = self._parts.connection
        if refused.refusal is Refusal.BUSY:
            connection.postpone(refused.wait_s, turn)
        elif refused.refusal is not Refusal.STALE_CARD or not connection.outdo(refused.card_seq, turn):
            connection.step(Session.rejected, turn)
            turn.emit(RegistrationRefused(refused.refusal))


def next_ping(shared: Shared, now: Instant) -> Instant:
    """When to say again that this client is there: not when everybody else does."""
    jitter_us = int.from_bytes(shared.suite.random(4)) % PING_JITTER_US
    return after(now, PING_US - jitter_us)


@contextmanager
def _refusing(source: Address, turn: Turn) -> Iterator[None]:
    """The one place where remote bytes that are refused end: what is in the same datagram besides goes on."""
    try:
        yield
    except BadDatagram as error:
        turn.drop(source, error.reason)
