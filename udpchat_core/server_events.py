"""What a server tells its application, in the past tense. Identities are Ed25519 public keys of 32 bytes."""

from dataclasses import dataclass

from .address import Address
from .events import StorageFailed, StorageRecovered


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
