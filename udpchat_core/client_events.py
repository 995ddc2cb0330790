"""What a client tells its application, in the past tense. Identities are Ed25519 public keys of 32 bytes."""

from dataclasses import dataclass

from .address import Address
from .events import StorageFailed, StorageRecovered
from .fields import Refusal


@dataclass(frozen=True, slots=True)
class Registered:
    """The client is online, seen by the server at `observed`.

    Attributes:
        observed: the address that the server gives to others.
        waiting: letters that were in the mailbox at this registration.
        renewed: whether the client was online already, and only its keys or its address are new.
    """

    observed: Address
    waiting: int
    renewed: bool


@dataclass(frozen=True, slots=True)
class Deregistered:
    """The client is offline; `confirmed` tells whether the server said so."""

    confirmed: bool


@dataclass(frozen=True, slots=True)
class RegistrationRefused:
    """The server does not take this client, for this reason; it is offline."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class ServerUnreachable:
    """The server did not answer; the client goes on trying, and `Registered` follows once it does."""


@dataclass(frozen=True, slots=True)
class ServerKeyChanged:
    """Whoever answers at the server's address has another key than the pinned one; nothing was sent to it."""

    pinned: bytes
    offered: bytes


@dataclass(frozen=True, slots=True)
class Superseded:
    """A newer client of the same identity took over; this one is offline and does not reconnect by itself."""


@dataclass(frozen=True, slots=True)
class MessageQueued:
    """Message `message` to `to` is on this disk: it will not be lost."""

    message: int
    to: str


@dataclass(frozen=True, slots=True)
class MessageUnanswered:
    """No acknowledgement came directly in time; the message goes to the mailbox."""

    message: int
    to: str


@dataclass(frozen=True, slots=True)
class MessageStored:
    """Every letter of the message is on the server's disk, or acknowledged; `online`: and pushed at once."""

    message: int
    to: str
    online: bool


@dataclass(frozen=True, slots=True)
class MessageDelivered:
    """Every letter of the message is on the recipient's disk, in order.

    Attributes:
        message: its number.
        to: the recipient's name.
        stored: whether a letter of it went through the mailbox.
        elapsed_us: microseconds since it was sent, or since this program started if that was later.
        retries: letters sent more than the message has.
    """

    message: int
    to: str
    stored: bool
    elapsed_us: int
    retries: int


@dataclass(frozen=True, slots=True)
class MessagePostponed:
    """The server does not take the message for the mailbox now, for this reason; it is kept here and tried again.

    The mailbox is full (`QUOTA`), or the server does not know the recipient any more (`UNKNOWN`). Told once a message
    and reason.
    """

    message: int
    to: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """The message will not be sent: this is why."""

    message: int
    to: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class MessageExpired:
    """Given up after 14 days: it is not confirmed that the message arrived."""

    message: int
    to: str


@dataclass(frozen=True, slots=True)
class LetterReceived:
    """A letter is on this disk, in order, once; `delivery.parts` puts the letters of a long text together.

    Attributes:
        sender: I of whoever signed it.
        name: what the sender calls itself.
        confirmed: whether that name is pinned to `sender`, or the server says so.
        sent_ms: milliseconds of Unix time, by the sender's clock.
        part: which part of a text, from 1.
        parts: how many parts the text has.
        text: of this part.
        stored: whether it came through the mailbox.
        waited: whether it was in the mailbox before this registration.
        ack: its acknowledgement, 16 bytes: with `sender`, which letter it is.
    """

    sender: bytes
    name: str
    confirmed: bool
    sent_ms: int
    part: int
    parts: int
    text: str
    stored: bool
    waited: bool
    ack: bytes


@dataclass(frozen=True, slots=True)
class PeerKeyChanged:
    """The server says that `name` belongs to another key now; messages to it wait for the user's decision.

    `vouched`: the pinned key itself signed that the name goes to the offered one. Without that, nobody but the
    server says so.
    """

    name: str
    pinned: bytes
    offered: bytes
    vouched: bool


@dataclass(frozen=True, slots=True)
class KeyChecked:
    """The directory answered what `check_key` asked, and what followed is on disk: `peer_key` tells what it is.

    `known` tells whether anybody has the name now.
    """

    name: str
    known: bool


@dataclass(frozen=True, slots=True)
class PeerVerified:
    """It is on disk that the user compared the safety number of `name`, which is `identity`; or took that back."""

    name: str
    identity: bytes
    verified: bool


@dataclass(frozen=True, slots=True)
class IdentityRotated:
    """The new identity of this user is on disk: the client is to be made anew from its store."""

    identity: bytes


@dataclass(frozen=True, slots=True)
class PeersChanged:
    """What is watched of the directory changed: (name, online) of each user that appeared, left or returned."""

    changes: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class WatchRefused:
    """The directory cannot be watched as asked, for this reason."""

    refusal: Refusal


ClientEvent = (
    StorageFailed
    | StorageRecovered
    | Registered
    | Deregistered
    | RegistrationRefused
    | ServerUnreachable
    | ServerKeyChanged
    | Superseded
    | MessageQueued
    | MessageUnanswered
    | MessageStored
    | MessageDelivered
    | MessagePostponed
    | MessageRefused
    | MessageExpired
    | LetterReceived
    | PeerKeyChanged
    | KeyChecked
    | PeerVerified
    | IdentityRotated
    | PeersChanged
    | WatchRefused
)
