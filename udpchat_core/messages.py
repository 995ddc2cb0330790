"""The typed wire vocabulary: one class for everything that is sealed, validated once, at the boundary.

On the wire each is a CBOR array of its fields in their order; a message begins with its code. Requests
carry an `id`, which their answer repeats and every retry keeps. `spec/05-messages.md` is generated from here.
"""

from enum import IntEnum
from typing import Annotated, ClassVar, Final

from annotated_types import Ge, Le, Len
from pydantic.dataclasses import dataclass

from .address import Address
from .fields import STRICT, Bytes8, Bytes16, Bytes32, Bytes64, Name, Number, Ordinal, Text, TimeMs, TimeS
from .limits import (
    CARD_BYTES_MAX,
    CARD_BYTES_MIN,
    COLLECTED_ENTRIES_MAX,
    LETTER_BYTES_MAX,
    LETTER_BYTES_MIN,
    NOTED_SLOTS_MAX,
    PADDING_BYTES_MAX,
    PARTS_MAX,
    ROSTER_ENTRIES_MAX,
    WATCH_NAMES_MAX,
)

CARD_VERSION: Final = 1


@dataclass(frozen=True, slots=True, config=STRICT)
class CardBody:
    """What an identity signs about itself: the directory entry, without the signature.

    Attributes:
        version: of the card's form; 1.
        seq: counts the cards of this identity; of two, the higher holds.
        expires_s: seconds of Unix time after which the card no longer holds, but for a day's grace.
        identity: I, the Ed25519 public key that owns the name.
        live: L, the X25519 public key for direct letters and the Link.
        mail: M, the X25519 public key for stored letters.
        name: the name that the identity claims.
    """

    version: Annotated[int, Ge(CARD_VERSION), Le(CARD_VERSION)]  # no Literal: that takes True and 1.0 for 1
    seq: Ordinal  # R-2.3-8
    expires_s: TimeS
    identity: Bytes32
    live: Bytes32
    mail: Bytes32
    name: Name


@dataclass(frozen=True, slots=True, config=STRICT)
class LetterBody:
    """What a letter says, sealed for its recipient alone.

    Attributes:
        sender: I of the sender.
        name: the sender's name; shown only if pinned to `sender` or confirmed by Lookup.
        epoch: random, new at every start of the sender.
        seq: orders the messages of one sender to one recipient within the epoch, from 1.
        floor: the lowest seq of the epoch that is neither acknowledged nor given up; at most `seq`.
        secret: 16 random bytes, the message's identity: equal in every copy.
        sent_ms: milliseconds of Unix time when the user sent it, by the sender's clock.
        part: which part of a text this is, from 1.
        parts: how many parts the text has.
        text: 1 to 800 bytes of UTF-8.
    """

    sender: Bytes32
    name: Name
    epoch: Number
    seq: Ordinal
    floor: Ordinal
    secret: Bytes16
    sent_ms: TimeMs
    part: Annotated[int, Ge(1), Le(PARTS_MAX)]
    parts: Annotated[int, Ge(1), Le(PARTS_MAX)]
    text: Text

    def __post_init__(self) -> None:
        if self.floor > self.seq or self.part > self.parts:  # R-6.2-4
            raise ValueError("floor is at most seq, part at most parts")


@dataclass(frozen=True, slots=True, config=STRICT)
class Version:
    """How new a view of the directory is: `counter` grows within one `boot` of the server."""

    boot: Bytes8
    counter: Number


@dataclass(frozen=True, slots=True, config=STRICT)
class ServerLimits:
    """What this server allows.

    Attributes:
        mailbox_letters_max: letters in one mailbox.
        sender_letters_max: letters of one sender in one mailbox.
        watched_names_max: names that one client watches.
        watch_all_users_max: users of the directory up to which all may be watched.
        requests_per_s_max: requests a second on one link.
    """

    mailbox_letters_max: Number
    sender_letters_max: Number
    watched_names_max: Number
    watch_all_users_max: Number
    requests_per_s_max: Number


@dataclass(frozen=True, slots=True, config=STRICT)
class Rotation:
    """An identity hands its name to another: `signature`, by `former`, is over the one that follows and the name."""

    former: Bytes32
    signature: Bytes64


@dataclass(frozen=True, slots=True, config=STRICT)
class RosterEntry:
    """One user of the directory: whether online, and the seq of the card that the server holds."""

    name: Name
    online: bool
    card_seq: Number


class Outcome(IntEnum):
    """What became of a stored letter at its recipient."""

    ACKNOWLEDGED = 1  # its owner has it on disk
    UNOPENABLE = 2  # no key of its owner opens it: its sender may seal it anew
    UNWANTED = 3  # no letter, or one that was given up and passed over


@dataclass(frozen=True, slots=True, config=STRICT)
class CollectedEntry:
    """One stored letter the server may delete; `ack` is there exactly if it was acknowledged."""

    entry: Number
    outcome: Outcome
    ack: Bytes16 | None

    def __post_init__(self) -> None:
        if (self.ack is not None) != (self.outcome is Outcome.ACKNOWLEDGED):
            raise ValueError("an acknowledged letter has an ack, no other has")


class Refusal(IntEnum):
    """Why a request was refused. The first two ask for patience, the others are answers."""

    QUOTA = 1  # the mailbox has no room for this sender
    BUSY = 2  # the server asks for patience
    UNKNOWN = 3  # nobody has this name or identity
    KEY_CHANGED = 4  # the name belongs to another identity now
    STALE_CARD = 5  # a card with a lower seq than the highest known, or one too far ahead of it
    TOO_LONG = 6  # more than this server keeps
    BANNED = 7  # this identity or name is not served here
    NAME_TAKEN = 8  # the name belongs to another identity
    TOO_MANY = 9  # more names watched, users, or new users from one network, than this server allows
    NOT_ADMITTED = 10  # this server takes invited or listed identities only
    NOT_REGISTERED = 11  # Register comes first on a link


class Scope(IntEnum):
    """What a Watch is about."""

    ALL = 1  # every user of the directory
    ADD = 2  # these names, besides those already watched
    REMOVE = 3  # these names no longer
    WATCHED = 4  # the names already watched


@dataclass(frozen=True, slots=True, config=STRICT)
class Padding:
    """Both ways: zeros that make a RECORD long enough to be answered by a RETRY; means nothing."""

    code: ClassVar[int] = 0
    zeros: Annotated[bytes, Len(0, PADDING_BYTES_MAX)]

    def __post_init__(self) -> None:
        if self.zeros.strip(b"\0"):  # R-5.1-4
            raise ValueError("padding is zero")


@dataclass(frozen=True, slots=True, config=STRICT)
class Register:
    """C to S: I am here, under the card of this link. The first message of a link.

    `invite` is the token of an invitation, where a new identity needs one; `rotation` says that the identity that
    had the name hands it to this one.
    """

    code: ClassVar[int] = 1
    id: Number
    invite: Bytes16 | None = None
    rotation: Rotation | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Registered:
    """S to C: you are online, seen at `observed`, with `waiting` letters stored; the server's limits and clock."""

    code: ClassVar[int] = 2
    id: Number
    observed: Address
    waiting: Number
    limits: ServerLimits
    time_ms: TimeMs


@dataclass(frozen=True, slots=True, config=STRICT)
class Deregister:
    """C to S: I leave; from here on my letters go to the mailbox."""

    code: ClassVar[int] = 3
    id: Number


@dataclass(frozen=True, slots=True, config=STRICT)
class Deregistered:
    """S to C: you are offline."""

    code: ClassVar[int] = 4
    id: Number


@dataclass(frozen=True, slots=True, config=STRICT)
class Lookup:
    """C to S: who and where is the user with this name."""

    code: ClassVar[int] = 5
    id: Number
    name: Name


@dataclass(frozen=True, slots=True, config=STRICT)
class Found:
    """S to C: the user's card, the address while online, and for how many seconds this may be kept.

    `rotation` is there if an identity that had the name before handed it to this one.
    """

    code: ClassVar[int] = 6
    id: Number
    card: Annotated[bytes, Len(CARD_BYTES_MIN, CARD_BYTES_MAX)]
    address: Address | None
    ttl_s: Number
    rotation: Rotation | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Refused:
    """S to C: no.

    Attributes:
        id: of the request.
        refusal: why.
        wait_s: seconds to wait before asking again, or for which `UNKNOWN` may be believed.
        card_seq: the highest seq known where the card was stale, else 0.
    """

    code: ClassVar[int] = 7
    id: Number
    refusal: Refusal
    wait_s: Number
    card_seq: Number


@dataclass(frozen=True, slots=True, config=STRICT)
class Watch:
    """C to S: tell me about these users; the page after `after`, of what changed since `since` if that is known."""

    code: ClassVar[int] = 8
    id: Number
    scope: Scope
    names: Annotated[tuple[Name, ...], Len(0, WATCH_NAMES_MAX)]
    since: Version | None
    after: Name | None

    def __post_init__(self) -> None:
        if (self.scope in (Scope.ADD, Scope.REMOVE)) != bool(self.names):
            raise ValueError("who adds or removes says which names, who does not says none")


@dataclass(frozen=True, slots=True, config=STRICT)
class Roster:
    """S to C: one page of the directory, in the order of names.

    Attributes:
        id: of the request.
        version: of the directory at this moment.
        entries: of the users asked about: of all that there are if `full`, else of those that changed.
        more: whether another page follows.
        full: whether `since` was not known, so that who is not on the pages is not in the directory.
    """

    code: ClassVar[int] = 9
    id: Number
    version: Version
    entries: Annotated[tuple[RosterEntry, ...], Len(0, ROSTER_ENTRIES_MAX)]
    more: bool
    full: bool


@dataclass(frozen=True, slots=True, config=STRICT)
class RosterChanged:
    """S to C: a hint that what is watched has this version now; the client pulls."""

    code: ClassVar[int] = 10
    version: Version


@dataclass(frozen=True, slots=True, config=STRICT)
class Store:
    """C to S: keep this letter for `recipient`, under `slot`; a higher `attempt` replaces a lower one."""

    code: ClassVar[int] = 11
    id: Number
    recipient: Bytes32
    slot: Bytes16
    attempt: Number
    letter: Annotated[bytes, Len(LETTER_BYTES_MIN, LETTER_BYTES_MAX)]


@dataclass(frozen=True, slots=True, config=STRICT)
class Stored:
    """S to C: it is on disk here, as of `attempt`; `online` says whether the recipient is there, and gets it at once.

    An `attempt` above the one asked for means that the mailbox holds a later sealing of an earlier life of
    this client, which may be numbered in an epoch that is over: the client stores again with a higher one.
    """

    code: ClassVar[int] = 12
    id: Number
    online: bool
    attempt: Number


@dataclass(frozen=True, slots=True, config=STRICT)
class Mail:
    """S to C: a stored letter, pushed until it is collected; `entry` is its number in the mailbox."""

    code: ClassVar[int] = 13
    entry: Number
    slot: Bytes16
    letter: Annotated[bytes, Len(LETTER_BYTES_MIN, LETTER_BYTES_MAX)]


@dataclass(frozen=True, slots=True, config=STRICT)
class Collected:
    """C to S: these entries may be deleted: each listed, never "up to"."""

    code: ClassVar[int] = 14
    entries: Annotated[tuple[CollectedEntry, ...], Len(1, COLLECTED_ENTRIES_MAX)]


@dataclass(frozen=True, slots=True, config=STRICT)
class Receipt:
    """S to C: the recipient acknowledged the letter that you stored under this slot."""

    code: ClassVar[int] = 15
    slot: Bytes16
    ack: Bytes16


@dataclass(frozen=True, slots=True, config=STRICT)
class Returned:
    """S to C: the recipient could not open the letter that you stored under this slot."""

    code: ClassVar[int] = 16
    slot: Bytes16


@dataclass(frozen=True, slots=True, config=STRICT)
class Noted:
    """C to S: these Receipts and Returned are on my disk."""

    code: ClassVar[int] = 17
    slots: Annotated[tuple[Bytes16, ...], Len(1, NOTED_SLOTS_MAX)]


@dataclass(frozen=True, slots=True, config=STRICT)
class Ping:
    """C to S: I am still here."""

    code: ClassVar[int] = 18
    id: Number


@dataclass(frozen=True, slots=True, config=STRICT)
class Pong:
    """S to C: so am I; and the version of the last change of what you watch."""

    code: ClassVar[int] = 19
    id: Number
    version: Version


@dataclass(frozen=True, slots=True, config=STRICT)
class Superseded:
    """S to C: a newer link of your identity was confirmed; this one ends, and is not to be tried again unasked."""

    code: ClassVar[int] = 20


Message = (
    Padding
    | Register
    | Registered
    | Deregister
    | Deregistered
    | Lookup
    | Found
    | Refused
    | Watch
    | Roster
    | RosterChanged
    | Store
    | Stored
    | Mail
    | Collected
    | Receipt
    | Returned
    | Noted
    | Ping
    | Pong
    | Superseded
)
