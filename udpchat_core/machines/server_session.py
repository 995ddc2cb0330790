"""One link of a client at the server, from its first authentic RECORD on.

The link is confirmed, and waits for a Register that is durable (CONFIRMING). Then its user is there (ONLINE)
until nothing authentic was heard for a minute (LAPSED), which the next RECORD mends, or until it says that it
leaves (LEFT), which only another Register mends. It is over (ENDED) when a newer link of the same identity is
online, or when it was silent for too long to be worth its memory.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from statemachine import Event
from statemachine.states import States

from ..instant import Instant
from ..limits import LINK_KEPT_S
from ..table import Machine, Table, ignored, read, stays


class Phase(StrEnum):
    """Where a session stands."""

    CONFIRMING = "confirming"  # confirmed by its first RECORD, not registered yet
    ONLINE = "online"  # registered, and heard lately
    LAPSED = "lapsed"  # registered, and not heard for a minute
    LEFT = "left"  # deregistered
    ENDED = "ended"  # forgotten


class Do(StrEnum):
    """What a row asks the server to do."""

    COME_ONLINE = "come online"
    LEAVE = "leave"
    LAPSE = "lapse"
    SAY_SUPERSEDED = "say superseded"
    FORGET = "forget"


class SessionRecord(Protocol):
    """What the machine is about.

    Attributes:
        heard_s: the second, rounded up, of the last authentic RECORD.
        phase: where the session stands.
    """

    heard_s: int
    phase: Phase


class Clock(Protocol):
    """The seconds in which sessions are counted."""

    @property
    def second(self) -> int:
        """The second that it is, rounded up: one object for all that happens in it, so that records may share it."""
        ...


def is_over(record: SessionRecord, peer: Clock, now: Instant) -> bool:
    """Whether the link was silent for so long that it is not kept."""
    return peer.second - record.heard_s >= LINK_KEPT_S


def note(record: SessionRecord, peer: Clock, now: Instant) -> tuple[Do, ...]:
    """It was heard."""
    record.heard_s = peer.second
    return ()


def come_online(record: SessionRecord, peer: Clock, now: Instant) -> tuple[Do, ...]:
    """Its user is there."""
    record.heard_s = peer.second
    return (Do.COME_ONLINE,)


def leave(record: SessionRecord, peer: Clock, now: Instant) -> tuple[Do, ...]:
    """Its user left."""
    return (Do.LEAVE,)


def lapse(record: SessionRecord, peer: Clock, now: Instant) -> tuple[Do, ...]:
    """Its user is gone, as far as anybody knows."""
    return (Do.LAPSE,)


def expel(record: SessionRecord, peer: Clock, now: Instant) -> tuple[Do, ...]:
    """Its user is not served any more: not told, for its next RECORD finds no link, and its next Register says why."""
    return (Do.LEAVE, Do.FORGET)


def give_way(record: SessionRecord, peer: Clock, now: Instant) -> tuple[Do, ...]:
    """A newer link of its identity takes its place: whoever is at this one is told."""
    return (Do.SAY_SUPERSEDED, Do.FORGET)


def forget(record: SessionRecord, peer: Clock, now: Instant) -> tuple[Do, ...]:
    """Nobody is at this link any more."""
    return (Do.FORGET,)


class ServerSession(Machine):
    """A link of a client at the server."""

    p = States.from_enum(Phase, initial=Phase.CONFIRMING, final={Phase.ENDED})
    # R-8.2-10: no RECORD but a Register mends having left.
    heard = Event(  # an authentic RECORD came
        stays(p.CONFIRMING, on=note)
        | stays(p.ONLINE, on=note)
        | p.LAPSED.to(p.ONLINE, on=come_online)  # R-8.2-9
        | ignored(p.LEFT)
    )
    registered = Event(  # a Register is durable
        p.CONFIRMING.to(p.ONLINE, on=come_online) | p.LEFT.to(p.ONLINE, on=come_online) | ignored(p.ONLINE, p.LAPSED)
    )
    deregistered = Event(p.ONLINE.to(p.LEFT, on=leave) | ignored(p.CONFIRMING, p.LEFT))  # a Deregister came
    quiet = Event(  # nothing was heard for too long
        p.CONFIRMING.to(p.ENDED, on=forget)
        | p.ONLINE.to(p.LAPSED, on=lapse)
        | p.LAPSED.to(p.ENDED, cond=is_over, on=forget)
        | p.LEFT.to(p.ENDED, cond=is_over, on=forget)
        | ignored(p.LAPSED, p.LEFT)
    )
    superseded = Event(  # a newer link of this identity takes over
        p.CONFIRMING.to(p.ENDED, on=give_way)
        | p.ONLINE.to(p.ENDED, on=give_way)
        | p.LAPSED.to(p.ENDED, on=give_way)
        | p.LEFT.to(p.ENDED, on=forget)
    )
    expelled = Event(  # the identity is banned, or has its name no more
        p.CONFIRMING.to(p.ENDED, on=forget)
        | p.ONLINE.to(p.ENDED, on=expel)
        | p.LAPSED.to(p.ENDED, on=forget)
        | p.LEFT.to(p.ENDED, on=forget)
    )
    # A RECORD with a Deregister is heard first, which mends a lapse.
    impossible = MappingProxyType({Phase.LAPSED: frozenset({"deregistered"})})


SERVER_SESSION: Table[SessionRecord, Clock] = read(ServerSession)
