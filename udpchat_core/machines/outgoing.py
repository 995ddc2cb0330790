"""One letter being sent: a message, or one part of a long one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from statemachine import Event
from statemachine.states import States

from ..instant import Instant, after
from ..limits import (
    DIRECT_RETRY_US,
    DIRECT_WAIT_US_MAX,
    LOOKUP_PATIENCE_US,
    RESEAL_RETRY_US,
    STORE_BACKOFF_US_MAX,
    STORE_BACKOFF_US_MIN,
    STORED_RETRY_US_MAX,
    STORED_RETRY_US_MIN,
)
from ..table import Machine, Table, ignored, read, stays


class Phase(StrEnum):
    """Where a letter is on its way."""

    QUEUED = "queued"  # on this disk; waits for room in its window
    RESOLVING = "resolving"  # the directory is asked for the recipient's card
    DIRECT = "direct"  # sent to the recipient, not acknowledged
    STORING = "storing"  # handed to the server, which did not say yet that it is on its disk
    STORED = "stored"  # on the server's disk; kept here as well
    DELIVERED = "delivered"  # acknowledged by the recipient
    REFUSED = "refused"  # nobody has that name, or the server or the user does not want it sent
    EXPIRED = "expired"  # given up


class Do(StrEnum):
    """What a row asks the client to do."""

    LOOK_UP = "look up the recipient"
    BELIEVE = "go on with what is known of the recipient"
    SEND = "send the letter directly"
    STORE = "ask the server to store the letter"
    CANCEL = "ask nothing more about it"
    REPORT = "tell the user"
    FORGET = "settle it in the outbox"


@dataclass(slots=True, eq=False)
class OutgoingLetter:
    """The record of `Outgoing`.

    Attributes:
        secret: the letter's identity, 16 bytes, equal in every copy.
        message: the number of the message that it is of.
        part: which part, from 1.
        parts: how many parts the message has.
        to: the recipient's name.
        sent_ms: milliseconds of Unix time when the user sent it.
        text: of this part.
        phase: where it is.
        recipient: I that it is pinned to, once resolved.
        seq: its number in this epoch, 0 before it was first sent.
        attempt: which sealing for the mailbox; a higher one takes a lower one's place.
        card_seq: of the card whose mail key it was last sealed to.
        floor: in that sealing.
        tries: how many of its direct tries passed since it was admitted, sent or held back.
        waits: how often it was put off, or tried again while stored.
        sent: how often it was sent in any way.
        due: when `timed_out` comes next; None: never.
        first_sent: when it was first sent, in this run of the program.
        came_back: whether the recipient could not open it, and no newer card was there yet.
        stored_once: whether the server ever had it on disk.
    """

    secret: bytes
    message: int
    part: int
    parts: int
    to: str
    sent_ms: int
    text: str
    phase: Phase = Phase.QUEUED
    recipient: bytes | None = None
    seq: int = 0
    attempt: int = 0
    card_seq: int = 0
    floor: int = 0
    tries: int = 0
    waits: int = 0
    sent: int = 0
    due: Instant | None = None
    first_sent: Instant | None = None
    came_back: bool = False
    stored_once: bool = False


class Peer(Protocol):
    """What guards and actions ask about the recipient."""

    @property
    def is_known(self) -> bool:
        """Whether there is a card to believe."""
        ...

    @property
    def has_card(self) -> bool:
        """Whether there is a card of the recipient at all."""
        ...

    @property
    def is_online(self) -> bool:
        """Whether there is an address to try."""
        ...

    @property
    def card_seq(self) -> int:
        """The seq of the newest card, 0 if there is none."""
        ...

    @property
    def pto_us(self) -> int:
        """How long an acknowledgement may take on the direct path; 0 if not known."""
        ...

    def has_retry_room(self, record: OutgoingLetter) -> bool:
        """Whether the window of direct letters, as it is by now, has room for another copy of this one."""
        ...

    def is_answering(self, now: Instant) -> bool:
        """Whether the recipient acknowledged any letter within the wait after a last try."""
        ...

    def has_store_room(self, record: OutgoingLetter) -> bool:
        """Whether the window of stored letters has room for this one."""
        ...


def is_online(record: OutgoingLetter, peer: Peer, now: Instant) -> bool:
    """There is an address to try."""
    return peer.is_known and peer.is_online


def is_known(record: OutgoingLetter, peer: Peer, now: Instant) -> bool:
    """There is a card to seal for."""
    return peer.is_known


def must_hold_back(record: OutgoingLetter, peer: Peer, now: Instant) -> bool:
    """Direct tries are left, and the window has become too small for this one."""
    return may_try_again(record, peer, now) and not peer.has_retry_room(record)


def may_try_again(record: OutgoingLetter, peer: Peer, now: Instant) -> bool:
    """Direct tries are left, or the recipient answers others: this one is in a queue, or its turn comes."""
    return record.tries < len(DIRECT_RETRY_US) or peer.is_answering(now)  # R-9.3-3


def has_store_room(record: OutgoingLetter, peer: Peer, now: Instant) -> bool:
    """The window of stored letters has room."""
    return peer.has_store_room(record)


def has_newer_card(record: OutgoingLetter, peer: Peer, now: Instant) -> bool:
    """It came back, and there is a card that it was not sealed for."""
    return record.came_back and peer.card_seq > record.card_seq  # R-9.3-6


def has_come_back(record: OutgoingLetter, peer: Peer, now: Instant) -> bool:
    """It came back unopened."""
    return record.came_back


def send_directly(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """Send, and wait as long as the path needs, within the budget."""
    record.due = _next_try(record, peer, now)
    return (Do.SEND,)


def hold_back(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """Let this try pass unsent, within the same budget: letters before it were not answered either."""
    record.due = _next_try(record, peer, now)  # R-9.3-15
    return ()


def wait_for_room(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """Send once more, while the mailbox may not take it yet."""
    record.due = after(now, DIRECT_WAIT_US_MAX)
    return (Do.SEND,)


def look_up(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """Ask the directory; if there is an older card, not for long."""
    record.due = after(now, LOOKUP_PATIENCE_US) if peer.has_card else None
    return (Do.LOOK_UP,)


def believe(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """The directory does not answer: people who know each other can talk without it."""
    record.due = None
    return (Do.BELIEVE,)  # R-9.3-11


def stop_asking(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """The directory answered."""
    record.due = None
    return ()


def turn_to_mailbox(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """No answer in the budget: store, ask where the recipient is now, and say so."""
    record.due = None
    return (Do.REPORT, Do.STORE, Do.LOOK_UP)


def store(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """Store; the request is made again until it is answered."""
    record.due = None
    return (Do.STORE,)


def store_again(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """The mailbox had no room: ask again, and try directly too while the recipient is there."""
    record.due = None
    ask: tuple[Do, ...] = () if peer.is_known else (Do.LOOK_UP,)
    return (*ask, Do.SEND, Do.STORE) if peer.is_online else (*ask, Do.STORE)


def back_off(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """The server has no room or no time: wait, longer each time."""
    record.due = after(now, min(STORE_BACKOFF_US_MIN << min(record.waits, 16), STORE_BACKOFF_US_MAX))
    record.waits += 1
    return ()


def settle_down(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """Stored: say so once, and remind the server from time to time."""
    record.due = after(now, STORED_RETRY_US_MIN)
    record.waits = 0
    said, record.stored_once = record.stored_once, True
    return () if said else (Do.REPORT,)


def remind(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """Store it again, in case the mailbox lost it; try directly too, and more often, while the recipient is there."""
    ask: tuple[Do, ...] = () if peer.is_known else (Do.LOOK_UP,)
    if peer.is_online:  # R-9.3-4
        record.due = after(now, STORED_RETRY_US_MIN)
        return (*ask, Do.SEND, Do.STORE)
    record.due = after(now, min(STORED_RETRY_US_MIN << min(record.waits, 16), STORED_RETRY_US_MAX))
    record.waits += 1
    return (*ask, Do.STORE)


def note_return(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """The recipient could not open it: a newer card is needed."""
    record.came_back = True
    record.due = after(now, STORE_BACKOFF_US_MIN)
    return (Do.LOOK_UP,)


def ask_for_card(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """No newer card yet."""
    record.due = after(now, RESEAL_RETRY_US)
    return (Do.LOOK_UP,)


def reseal(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """Seal for the newer card, in the place of the one that came back."""
    record.came_back = False
    record.attempt += 1
    record.due = None
    return (Do.STORE,)


def finish(record: OutgoingLetter, peer: Peer, now: Instant) -> tuple[Do, ...]:
    """Over: settle it in the outbox, and say so."""  # R-9.3-1
    record.due = None
    return (Do.CANCEL, Do.FORGET, Do.REPORT)


def _next_try(record: OutgoingLetter, peer: Peer, now: Instant) -> Instant:
    wait_us = max(DIRECT_RETRY_US[min(record.tries, len(DIRECT_RETRY_US) - 1)], peer.pto_us)
    record.tries += 1
    return after(now, min(wait_us, DIRECT_WAIT_US_MAX))  # R-9.3-3


class Outgoing(Machine):
    """One letter being sent.

    It is queued on this disk until its window has room, sent directly while the recipient is online, and
    handed to the mailbox when no acknowledgement came in time or the recipient is away. Being stored slows
    the retries and never ends them: a mailbox may lose mail, the sender does not. It is over when the
    recipient acknowledged it, when it is refused, or when it is given up.
    """

    p = States.from_enum(Phase, initial=Phase.QUEUED, final={Phase.DELIVERED, Phase.REFUSED, Phase.EXPIRED})
    admitted = Event(  # it is the next of its contact, and its window has room
        p.QUEUED.to(p.DIRECT, cond=is_online, on=send_directly)
        | p.QUEUED.to(p.STORING, cond=is_known, on=store)
        | p.QUEUED.to(p.RESOLVING, on=look_up)
    )
    resolved = Event(  # the directory answered, or the disk has its recipient
        p.RESOLVING.to(p.QUEUED, on=stop_asking) | ignored(p.QUEUED, p.DIRECT, p.STORING, p.STORED)
    )
    timed_out = Event(  # it is due
        p.RESOLVING.to(p.QUEUED, on=believe)
        | stays(p.DIRECT, cond=must_hold_back, on=hold_back)
        | stays(p.DIRECT, cond=may_try_again, on=send_directly)
        | p.DIRECT.to(p.STORING, cond=has_store_room, on=turn_to_mailbox)
        | stays(p.DIRECT, on=wait_for_room)
        | stays(p.STORING, on=store_again)
        | p.STORED.to(p.STORING, cond=has_newer_card, on=reseal)
        | stays(p.STORED, cond=has_come_back, on=ask_for_card)
        | stays(p.STORED, on=remind)
    )
    kept = Event(  # the server has it on its disk
        p.STORING.to(p.STORED, on=settle_down) | ignored(p.QUEUED, p.RESOLVING, p.DIRECT, p.STORED)
    )
    put_off = Event(  # the server has no room or no time for it now
        stays(p.STORING, on=back_off) | ignored(p.QUEUED, p.RESOLVING, p.DIRECT, p.STORED)
    )
    returned = Event(  # the recipient could not open it
        p.STORED.from_(p.STORING, on=note_return)
        | stays(p.STORED, on=note_return)
        | ignored(p.QUEUED, p.RESOLVING, p.DIRECT)
    )
    acknowledged = Event(p.DELIVERED.from_.any(on=finish))  # by the recipient, directly or with a receipt
    refused = Event(p.REFUSED.from_.any(on=finish))  # it must not be sent
    expired = Event(p.EXPIRED.from_.any(on=finish))  # it was tried for long enough
    impossible = {
        Phase.QUEUED: frozenset({"timed_out"}),
        Phase.RESOLVING: frozenset({"admitted"}),
        **{phase: frozenset({"admitted"}) for phase in (Phase.DIRECT, Phase.STORING, Phase.STORED)},
    }


OUTGOING: Table[OutgoingLetter, Peer] = read(Outgoing)
