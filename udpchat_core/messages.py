"""The messages of a RECORD: one class for each, validated once, at the boundary.

On the wire each is a CBOR array of its code and its fields in their order. Requests carry an `id`, which their
answer repeats and every retry keeps. `spec/05-messages.md` is generated from here.
"""

from typing import Annotated, ClassVar

from annotated_types import Len
from pydantic.dataclasses import dataclass

from .address import Address
from .fields import (
    STRICT,
    Bytes16,
    Bytes32,
    CollectedEntry,
    Name,
    Number,
    Refusal,
    RosterEntry,
    Rotation,
    Scope,
    ServerLimits,
    TimeMs,
    Version,
)
from .limits import (
    CARD_BYTES_MAX,
    CARD_BYTES_MIN,
    COLLECTED_ENTRIES_MAX,
    LETTER_BYTES_MAX,
    LETTER_BYTES_MIN,
    NOTED_SLOTS_MAX,
    PADDING_BYTES_MAX,
    ROSTER_ENTRIES_MAX,
    WATCH_NAMES_MAX,
)


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
