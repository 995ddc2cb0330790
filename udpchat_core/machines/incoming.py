"""One letter being received."""

from dataclasses import dataclass, field
from enum import StrEnum

from statemachine import Event
from statemachine.states import States

from ..address import Address
from ..bodies import LetterBody
from ..instant import Instant
from ..table import Machine, Table, ignored, read, stays


class Phase(StrEnum):
    """Where a letter is on its way in."""

    HELD = "held"  # ahead of a gap: in memory, unanswered
    COMMITTING = "committing"  # on its way to the disk, with the watermark
    CHECKING = "checking"  # its number was passed: the history is asked whether it has it
    SHOWN = "shown"  # in the history, and acknowledged
    DROPPED = "dropped"  # forgotten, unanswered: it comes again if its sender still has it


class Do(StrEnum):
    """What a row asks the client to do."""

    ENTER = "enter it in the history, with the watermark"
    FIND = "ask whether the history has it"
    ACKNOWLEDGE = "acknowledge every copy"
    DECLINE = "tell the mailbox that it is not wanted"
    SHOW = "tell the user"


@dataclass(slots=True, eq=False)
class IncomingLetter:
    """The record of `Incoming`.

    Attributes:
        body: what the sender wrote.
        ack: its acknowledgement.
        phase: where it is.
        sources: where copies came from directly; all are acknowledged.
        entries: under which numbers copies are in the mailbox; all are collected.
        sought: whether the history is being asked for it while it is held.
    """

    body: LetterBody
    ack: bytes
    phase: Phase = Phase.HELD
    sources: dict[Address, None] = field(default_factory=dict)
    entries: dict[int, None] = field(default_factory=dict)
    sought: bool = False


def enter(record: IncomingLetter, peer: None, now: Instant) -> tuple[Do, ...]:
    """It is the next of its sender."""
    return (Do.ENTER,)


def check(record: IncomingLetter, peer: None, now: Instant) -> tuple[Do, ...]:
    """Letters after it are in the history: either it is as well, or its sender had given it up."""
    return (Do.FIND,)


def check_early(record: IncomingLetter, peer: None, now: Instant) -> tuple[Do, ...]:
    """It came from the mailbox ahead of a gap: perhaps the history has it from another epoch of its sender."""
    if record.sought:
        return ()
    record.sought = True
    return (Do.FIND,)


def hold_on(record: IncomingLetter, peer: None, now: Instant) -> tuple[Do, ...]:
    """The history does not have it, so far."""
    record.sought = False
    return ()


def show(record: IncomingLetter, peer: None, now: Instant) -> tuple[Do, ...]:
    """It is on disk, in order: only now may it be acknowledged."""
    return (Do.ACKNOWLEDGE, Do.SHOW)  # R-9.4-1


def acknowledge(record: IncomingLetter, peer: None, now: Instant) -> tuple[Do, ...]:
    """It was in the history already: shown once, acknowledged again."""
    return (Do.ACKNOWLEDGE,)


def decline(record: IncomingLetter, peer: None, now: Instant) -> tuple[Do, ...]:
    """Its sender had given it up and said so: too late."""
    return (Do.DECLINE,)


class Incoming(Machine):
    """One letter being received.

    It is held, unanswered, while letters before it are missing. When it is next, it is entered in the history
    together with its sender's watermark, and only when that is durable it is acknowledged and shown. Copies
    that come meanwhile, directly or from the mailbox, are acknowledged with it. A letter whose number was
    passed is acknowledged if the history has it, and not wanted if it does not.
    """

    p = States.from_enum(Phase, initial=Phase.HELD, final={Phase.SHOWN, Phase.DROPPED})
    reached = Event(p.HELD.to(p.COMMITTING, on=enter))  # everything before it is in the history, or was given up
    passed = Event(p.HELD.to(p.CHECKING, on=check))  # it came with a number that was passed already
    early = Event(stays(p.HELD, on=check_early))  # a copy came from the mailbox, ahead of a gap
    repeated = Event(ignored(p.HELD, p.COMMITTING, p.CHECKING))  # another copy came
    entered = Event(p.COMMITTING.to(p.SHOWN, on=show))  # the store entered it
    found = Event(  # the history has it already
        p.HELD.to(p.SHOWN, on=acknowledge)
        | p.COMMITTING.to(p.SHOWN, on=acknowledge)
        | p.CHECKING.to(p.SHOWN, on=acknowledge)
    )
    missing = Event(p.CHECKING.to(p.DROPPED, on=decline) | stays(p.HELD, on=hold_on))  # the history does not have it
    evicted = Event(p.HELD.to(p.DROPPED))  # its room is needed
    impossible = {
        Phase.HELD: frozenset({"entered"}),
        Phase.COMMITTING: frozenset({"reached", "passed", "early", "missing", "evicted"}),
        Phase.CHECKING: frozenset({"reached", "passed", "early", "entered", "evicted"}),
    }


INCOMING: Table[IncomingLetter, None] = read(Incoming)
