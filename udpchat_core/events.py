"""What the application is told, in the past tense. Identities are Ed25519 public keys of 32 bytes."""

from dataclasses import dataclass

from .address import Address
from .fields import Refusal

# --- by both ---


@dataclass(frozen=True, slots=True)
class StorageFailed:
    """The store could not do what it was asked; it is asked again until it can. Said once until it can."""


@dataclass(frozen=True, slots=True)
class StorageRecovered:
    """The store works again."""


# --- by the client ---


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

# --- by the server ---


@dataclass(frozen=True, slots=True)
class UserRegistered:
    """A user is online at this address; `new` if the name was bound just now."""

    name: str
    address: Address
    new: bool


@dataclass(frozen=True, slots=True)
class UserLeft:
    """A user deregistered."""

    name: str


@dataclass(frozen=True, slots=True)
class UserLapsed:
    """Nothing authentic was heard of a user for too long."""

    name: str


@dataclass(frozen=True, slots=True)
class MailKept:
    """So many letters became durable in mailboxes in one commit."""

    letters: int


@dataclass(frozen=True, slots=True)
class MailCollected:
    """So many letters left the mailbox of a user, who has them or does not want them."""

    name: str
    letters: int


@dataclass(frozen=True, slots=True)
class InviteMade:
    """An invitation is durable: its token, which is not kept, may be used once until `until_ms` of Unix time."""

    token: bytes
    until_ms: int


@dataclass(frozen=True, slots=True)
class UserBanned:
    """An identity is not served here any more; `name` is the one that it has, if any."""

    identity: bytes
    name: str | None


@dataclass(frozen=True, slots=True)
class UserUnbanned:
    """An identity is served here again."""

    identity: bytes


@dataclass(frozen=True, slots=True)
class NameReleased:
    """A name belongs to nobody any more, and its mailbox is gone."""

    name: str


@dataclass(frozen=True, slots=True)
class NameRotated:
    """The identity of a name handed it to another; the mailbox of the former is gone."""

    name: str


@dataclass(frozen=True, slots=True)
class MailExpired:
    """So many letters were in mailboxes for longer than they are kept."""

    letters: int


ServerEvent = (
    StorageFailed
    | StorageRecovered
    | UserRegistered
    | UserLeft
    | UserLapsed
    | MailKept
    | MailCollected
    | MailExpired
    | InviteMade
    | UserBanned
    | UserUnbanned
    | NameReleased
    | NameRotated
)
