"""The session of a client with its server."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from statemachine import Event
from statemachine.states import States

from ..instant import Instant, after
from ..limits import (
    LIVE_KEY_US,
    RENEWAL_RETRY_US,
    SERVER_TRIES_MAX,
    SERVER_TRY_US,
    UNREACHABLE_RETRY_US_MAX,
    UNREACHABLE_RETRY_US_MIN,
)
from ..table import Machine, Table, ignored, read, stays


class Phase(StrEnum):
    """Where the session is."""

    OFFLINE = "offline"  # by the user's will, or refused; the mailbox takes what comes
    GREETING = "greeting"  # HELLO sent
    INITIATING = "initiating"  # INIT sent
    REGISTERING = "registering"  # Register sent on the new link
    ONLINE = "online"  # registered
    LEAVING = "leaving"  # Deregister sent
    SUPERSEDED = "superseded"  # a newer client of the same identity took over
    UNREACHABLE = "unreachable"  # the server does not answer; greeted again from time to time


class Do(StrEnum):
    """What a row asks the client to do."""

    GREET = "send HELLO"
    BEGIN = "begin a handshake with a new live key and card"
    INITIATE = "send the INIT"
    REGISTER = "ask to be registered, on the new link"
    GO_ONLINE = "use the new link, and ask again what is not answered"
    DEREGISTER = "ask to be deregistered"
    DROP_LINKS = "forget the links"
    REPORT_LEFT = "tell the user that the client is offline"
    REPORT_VANISHED = "tell the user that the client is offline, and that the server did not say so"
    REPORT_UNREACHABLE = "tell the user that the server does not answer"
    REPORT_SUPERSEDED = "tell the user that another client took over"


@dataclass(slots=True, eq=False)
class ClientSession:
    """The record of `Session`.

    Attributes:
        phase: where it is.
        wanted: whether the user wants to be online.
        online: whether the server answers: a renewal beside a good link does not change that.
        tries: of what was last sent.
        waits: how often an unreachable server was greeted.
        doubted: whether HELLO was asked since an INIT beside a good link went unanswered.
        due: when `timed_out` comes next; None: never.
    """

    phase: Phase = Phase.OFFLINE
    wanted: bool = False
    online: bool = False
    tries: int = 0
    waits: int = 0
    doubted: bool = False
    due: Instant | None = None


class Links(Protocol):
    """What guards and actions ask about the links."""

    @property
    def has_link(self) -> bool:
        """Whether there is a link that the server confirmed, or may have."""
        ...

    @property
    def patience_us(self) -> int:
        """How long the server asked to wait."""
        ...


def may_try_again(record: ClientSession, peer: Links, now: Instant) -> bool:
    """Tries are left."""
    return record.tries < SERVER_TRIES_MAX


def is_wanted(record: ClientSession, peer: Links, now: Instant) -> bool:
    """The user still wants to be online."""
    return record.wanted


def may_be_misled(record: ClientSession, peer: Links, now: Instant) -> bool:
    """It is beside a good link: the hint that began it may have been forged, with a token that is none."""
    return record.wanted and record.online and not record.doubted


def is_renewing(record: ClientSession, peer: Links, now: Instant) -> bool:
    """It is beside a good link."""
    return record.wanted and record.online


def has_link(record: ClientSession, peer: Links, now: Instant) -> bool:
    """There is a link to say goodbye on."""
    return peer.has_link


def _first(record: ClientSession, now: Instant) -> None:
    record.tries = 1
    record.due = after(now, SERVER_TRY_US)


def _next(record: ClientSession, now: Instant) -> None:
    record.tries += 1
    record.due = after(now, SERVER_TRY_US)


def greet(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """Ask for a token, because the user wants to be online."""
    record.wanted = True
    _first(record, now)
    return (Do.GREET,)


def renew(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """The live key is old: a new handshake beside the link."""
    _first(record, now)
    return (Do.GREET,)


def doubt(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """No RESP: ask for a token that is good for sure."""
    record.doubted = True
    _first(record, now)
    return (Do.GREET,)


def stay(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """The server gives tokens and does no handshakes now: the link that there is has to do for a while."""  # R-9.1-12
    record.doubted = False
    record.tries = 0
    record.due = after(now, RENEWAL_RETRY_US)
    return ()


def greet_again(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """No RETRY yet."""
    _next(record, now)
    return (Do.GREET,)


def knock(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """Greet an unreachable server, less and less often."""
    record.due = after(now, min(UNREACHABLE_RETRY_US_MIN << min(record.waits, 16), UNREACHABLE_RETRY_US_MAX))
    record.waits += 1
    return (Do.GREET,)


def want(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """What is under way leads there already."""
    record.wanted = True
    return ()


def want_now(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """Greet an unreachable server at once."""
    record.wanted = True
    record.waits = 0
    return knock(record, peer, now)


def begin(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """There is a token: begin a handshake."""
    _first(record, now)
    return (Do.BEGIN, Do.INITIATE)


def initiate_again(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """No RESP yet: the same INIT."""
    _next(record, now)
    return (Do.INITIATE,)


def register_link(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """The handshake is done: confirm it."""
    _first(record, now)
    return (Do.REGISTER,)


def register_again(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """No answer yet."""
    _next(record, now)
    return (Do.REGISTER,)


def wait(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """The server asks for patience: the tries begin anew after that."""  # R-9.1-10
    record.tries = 0
    record.due = after(now, peer.patience_us)
    return ()


def go_online(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """Registered: until the live key is old."""
    record.online = True
    record.doubted = False
    record.tries = record.waits = 0
    record.due = after(now, LIVE_KEY_US)
    return (Do.GO_ONLINE,)


def leave(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """Say goodbye."""
    record.wanted = False
    _first(record, now)
    return (Do.DEREGISTER,)


def leave_again(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """No answer yet."""
    _next(record, now)
    return (Do.DEREGISTER,)


def leave_new_link(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """Registered, but the user has changed its mind meanwhile."""
    _first(record, now)
    return (Do.GO_ONLINE, Do.DEREGISTER)


def give_up(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """The server does not answer: say so, and knock from time to time."""
    record.online = False
    record.waits = 1
    record.due = after(now, UNREACHABLE_RETRY_US_MIN)
    return (Do.REPORT_UNREACHABLE,)


def _stay_away(record: ClientSession) -> None:
    record.wanted = record.online = False
    record.due = None


def end(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """Offline by the user's will."""
    _stay_away(record)
    return (Do.DROP_LINKS, Do.REPORT_LEFT)


def vanish(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """Offline by the user's will, but the server may not know; it will in a minute."""
    _stay_away(record)
    return (Do.DROP_LINKS, Do.REPORT_VANISHED)


def stop(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """Offline by the server's will; the refusal is told where it is read."""
    _stay_away(record)
    return (Do.DROP_LINKS,)


def yield_to_newer(record: ClientSession, peer: Links, now: Instant) -> tuple[Do, ...]:
    """Another client of this identity is online."""
    _stay_away(record)
    return (Do.DROP_LINKS, Do.REPORT_SUPERSEDED)


class Session(Machine):
    """The session of a client with its server.

    HELLO and RETRY give a token, INIT and RESP a link, Register on that link makes the client online. This
    one path serves the first registration, the hourly renewal of the live key, a restarted server and a new
    address: a RETRY that answers a RECORD is a hint to take it, beside the old link, which is used until the
    new one is confirmed. A server that does not answer five tries is unreachable, and is greeted again, less
    and less often.
    """

    p = States.from_enum(Phase, initial=Phase.OFFLINE)
    register = Event(  # the user wants to be online
        p.OFFLINE.to(p.GREETING, on=greet)
        | p.SUPERSEDED.to(p.GREETING, on=greet)
        | stays(p.UNREACHABLE, on=want_now)
        | p.LEAVING.to(p.GREETING, on=greet)
        | stays(p.GREETING, on=want)
        | stays(p.INITIATING, on=want)
        | stays(p.REGISTERING, on=want)
        | ignored(p.ONLINE)
    )
    deregister = Event(  # the user wants to be offline
        p.ONLINE.to(p.LEAVING, on=leave)
        | p.GREETING.to(p.LEAVING, cond=has_link, on=leave)
        | p.GREETING.to(p.OFFLINE, on=end)
        | p.INITIATING.to(p.LEAVING, cond=has_link, on=leave)
        | p.INITIATING.to(p.OFFLINE, on=end)
        | p.REGISTERING.to(p.LEAVING, on=leave)
        | p.UNREACHABLE.to(p.OFFLINE, on=vanish)
        | ignored(p.LEAVING)
        | stays(p.OFFLINE, on=end)
        | p.SUPERSEDED.to(p.OFFLINE, on=end)
    )
    greeted = Event(  # a RETRY that answers HELLO
        p.GREETING.to(p.INITIATING, on=begin)
        | p.UNREACHABLE.to(p.INITIATING, on=begin)
        | ignored(p.OFFLINE, p.INITIATING, p.REGISTERING, p.ONLINE, p.LEAVING, p.SUPERSEDED)
    )
    hinted = Event(  # a RETRY that answers an INIT or a RECORD
        p.ONLINE.to(p.INITIATING, on=begin)
        | stays(p.INITIATING, on=begin)
        | p.REGISTERING.to(p.INITIATING, on=begin)
        | p.UNREACHABLE.to(p.INITIATING, on=begin)
        | p.LEAVING.to(p.INITIATING, on=begin)
        | ignored(p.OFFLINE, p.GREETING, p.SUPERSEDED)
    )
    answered = Event(  # a RESP that proves the server's key
        p.INITIATING.to(p.REGISTERING, on=register_link)
        | ignored(p.OFFLINE, p.GREETING, p.REGISTERING, p.ONLINE, p.LEAVING, p.SUPERSEDED, p.UNREACHABLE)
    )
    registered = Event(  # the server has registered this client
        p.REGISTERING.to(p.ONLINE, cond=is_wanted, on=go_online)
        | p.REGISTERING.to(p.LEAVING, on=leave_new_link)
        | ignored(p.OFFLINE, p.GREETING, p.INITIATING, p.ONLINE, p.LEAVING, p.SUPERSEDED, p.UNREACHABLE)
    )
    postponed = Event(  # the server asks for patience
        stays(p.REGISTERING, on=wait)
        | ignored(p.OFFLINE, p.GREETING, p.INITIATING, p.ONLINE, p.LEAVING, p.SUPERSEDED, p.UNREACHABLE)
    )
    stale = Event(  # the server knows a newer card of this identity
        p.REGISTERING.to(p.INITIATING, on=begin)
        | ignored(p.OFFLINE, p.GREETING, p.INITIATING, p.ONLINE, p.LEAVING, p.SUPERSEDED, p.UNREACHABLE)
    )
    rejected = Event(  # the server does not register this client
        p.REGISTERING.to(p.OFFLINE, on=stop)
        | ignored(p.OFFLINE, p.GREETING, p.INITIATING, p.ONLINE, p.LEAVING, p.SUPERSEDED, p.UNREACHABLE)
    )
    timed_out = Event(  # it is due
        stays(p.GREETING, cond=may_try_again, on=greet_again)
        | p.GREETING.to(p.UNREACHABLE, on=give_up)
        | stays(p.INITIATING, cond=may_try_again, on=initiate_again)
        | p.INITIATING.to(p.GREETING, cond=may_be_misled, on=doubt)
        | p.INITIATING.to(p.ONLINE, cond=is_renewing, on=stay)
        | p.INITIATING.to(p.UNREACHABLE, cond=is_wanted, on=give_up)
        | p.INITIATING.to(p.OFFLINE, on=vanish)
        | stays(p.REGISTERING, cond=may_try_again, on=register_again)
        | p.REGISTERING.to(p.UNREACHABLE, cond=is_wanted, on=give_up)
        | p.REGISTERING.to(p.OFFLINE, on=vanish)
        | p.ONLINE.to(p.GREETING, on=renew)
        | stays(p.LEAVING, cond=may_try_again, on=leave_again)
        | p.LEAVING.to(p.OFFLINE, on=vanish)
        | stays(p.UNREACHABLE, on=knock)
    )
    silent = Event(  # requests on the link were tried for long enough
        p.ONLINE.to(p.UNREACHABLE, on=give_up)
        | ignored(p.OFFLINE, p.GREETING, p.INITIATING, p.REGISTERING, p.LEAVING, p.SUPERSEDED, p.UNREACHABLE)
    )
    deregistered = Event(  # the server confirms the goodbye
        p.LEAVING.to(p.OFFLINE, on=end)
        | ignored(p.OFFLINE, p.GREETING, p.INITIATING, p.REGISTERING, p.ONLINE, p.SUPERSEDED, p.UNREACHABLE)
    )
    superseded = Event(  # the server ended the link for a newer one
        p.ONLINE.to(p.SUPERSEDED, on=yield_to_newer)
        | p.GREETING.to(p.SUPERSEDED, on=yield_to_newer)
        | p.INITIATING.to(p.SUPERSEDED, on=yield_to_newer)
        | p.REGISTERING.to(p.SUPERSEDED, on=yield_to_newer)
        | p.UNREACHABLE.to(p.SUPERSEDED, on=yield_to_newer)
        | p.LEAVING.to(p.OFFLINE, on=end)
        | ignored(p.OFFLINE, p.SUPERSEDED)
    )
    impossible = {Phase.OFFLINE: frozenset({"timed_out"}), Phase.SUPERSEDED: frozenset({"timed_out"})}


SESSION: Table[ClientSession, Links] = read(Session)
