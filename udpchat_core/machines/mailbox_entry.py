"""One stored letter while the server pushes it to its owner.

It was read from the mailbox (STORED) and is pushed (OFFERED), a few times. It is done with when the store
deleted it: because the owner has it or does not want it (COLLECTED), could not open it (RETURNED), or its days
are over (EXPIRED). A letter that the owner leaves without an answer is STORED again, and passed over for now:
a client does not answer what it holds ahead of a gap, and the letter that fills the gap may come later.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from statemachine import Event
from statemachine.states import States

from ..instant import Instant, after
from ..limits import MAIL_TRIES_MAX, MAIL_TRY_US
from ..table import Machine, Table, read, stays


class Phase(StrEnum):
    """Where a stored letter stands."""

    STORED = "stored"  # read from the mailbox, or passed over for now
    OFFERED = "offered"  # pushed, and not answered
    COLLECTED = "collected"  # deleted: its owner has it, or does not want it
    RETURNED = "returned"  # deleted: its owner could not open it
    EXPIRED = "expired"  # deleted: its days are over


class Do(StrEnum):
    """What a row asks the server to do."""

    PUSH = "push"
    PASS_OVER = "pass over"  # noqa: S105 - no password


@dataclass(slots=True, eq=False)
class MailboxLetter:
    """What the machine is about.

    Attributes:
        entry: the letter's number in its mailbox.
        slot: the sender's name for it, 16 bytes.
        letter: the LETTER datagram.
        phase: where it stands.
        tries: how often it was pushed.
        due: when it is pushed again or passed over.
    """

    entry: int
    slot: bytes
    letter: bytes
    phase: Phase = Phase.STORED
    tries: int = 0
    due: Instant | None = None


def may_push(record: MailboxLetter, peer: None, now: Instant) -> bool:
    """Whether the letter may be pushed once more."""
    return record.tries < MAIL_TRIES_MAX


def push(record: MailboxLetter, peer: None, now: Instant) -> tuple[Do, ...]:
    """Push it, and wait for twice as long as before."""
    record.due = after(now, MAIL_TRY_US << record.tries)
    record.tries += 1
    return (Do.PUSH,)


def pass_over(record: MailboxLetter, peer: None, now: Instant) -> tuple[Do, ...]:
    """Leave it in the mailbox, and go on."""
    record.due = None
    return (Do.PASS_OVER,)


def finish(record: MailboxLetter, peer: None, now: Instant) -> tuple[Do, ...]:
    """It is in the mailbox no more."""
    record.due = None
    return ()


class MailboxEntry(Machine):
    """A stored letter under way to its owner."""

    p = States.from_enum(Phase, initial=Phase.STORED, final={Phase.COLLECTED, Phase.RETURNED, Phase.EXPIRED})
    offered = Event(p.STORED.to(p.OFFERED, on=push))  # it is its turn
    timed_out = Event(stays(p.OFFERED, cond=may_push, on=push) | p.OFFERED.to(p.STORED, on=pass_over))  # it is due
    collected = Event(p.OFFERED.to(p.COLLECTED, on=finish))  # its owner has it, or does not want it
    returned = Event(p.OFFERED.to(p.RETURNED, on=finish))  # its owner could not open it
    expired = Event(p.OFFERED.to(p.EXPIRED, on=finish))  # its days are over
    impossible = MappingProxyType(
        {
            # What is not on offer is not in memory but for the moment between reading and pushing it.
            Phase.STORED: frozenset({"timed_out", "collected", "returned", "expired"}),
            Phase.OFFERED: frozenset({"offered"}),
        }
    )


MAILBOX_ENTRY: Table[MailboxLetter, None] = read(MailboxEntry)
