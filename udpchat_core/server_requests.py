"""What a server asks of its store, what it gets back, and what the store holds of it at the start."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from .fields import CollectedEntry, Rotation


@dataclass(frozen=True, slots=True)
class BindUser:
    """`name` belongs to `identity`, whose newest card this is. Answered by `Bound`.

    Another name of the identity, and another identity of the name with its mailbox, are forgotten: the core
    has checked that this may be. With `rotation` an earlier identity of the name handed it to this one. The
    invitation with the hash `invite` is used up.
    """

    name: str
    identity: bytes
    card: bytes
    rotation: Rotation | None = None
    invite: bytes | None = None


@dataclass(frozen=True, slots=True)
class ReleaseName:
    """`name` belongs to nobody any more: its user is forgotten, with mailbox and receipts. A free name stays free."""

    name: str


@dataclass(frozen=True, slots=True)
class BanIdentity:
    """`identity` is banned from now on, or no more."""

    identity: bytes
    banned: bool


@dataclass(frozen=True, slots=True)
class SaveInvite:
    """An invitation, by its hash, good until `until_ms` (milliseconds of Unix time)."""

    hash: bytes
    until_ms: int


@dataclass(frozen=True, slots=True)
class DropInvite:
    """An invitation that nobody used in time, by its hash."""

    hash: bytes


@dataclass(frozen=True, slots=True)
class Quota:
    """Room in a mailbox, in letters: for all, for one sender, and for all senders never collected from."""

    mailbox_letters_max: int
    sender_letters_max: int
    strangers_letters_max: int


@dataclass(frozen=True, slots=True)
class KeepLetter:
    """Put a letter into the mailbox of `owner`. Answered by `Kept`, or by `Full` where the quota is used up.

    The same (owner, sender, slot) is one letter: a higher attempt takes its place under a new entry number,
    and any other changes nothing. Entry numbers of a mailbox grow and are never used twice.

    Attributes:
        owner: I of the recipient.
        sender: I of the sender, as the link proved it.
        slot: the sender's name for the letter, 16 bytes.
        attempt: which sealing of it.
        letter: the LETTER datagram.
        kept_ms: milliseconds of Unix time now, for `ExpireLetters`.
        quota: what the mailbox may hold.
    """

    owner: bytes
    sender: bytes
    slot: bytes
    attempt: int
    letter: bytes
    kept_ms: int
    quota: Quota


@dataclass(frozen=True, slots=True)
class ReadMail:
    """At most `letters_max` letters of a mailbox with an entry number above `after`. Answered by `MailPage`."""

    owner: bytes
    after: int
    letters_max: int


@dataclass(frozen=True, slots=True)
class CollectLetters:
    """Delete these entries of a mailbox, and keep a receipt for each sender. Answered by `Receipts`.

    An acknowledged entry leaves a receipt with its ack, an unopenable one a receipt without, an unwanted one
    none. An acknowledged one also makes its sender known to the owner. An entry that is not there answers with the
    receipt that it left, while that is kept, so that the same request asked again has the same answer.
    Of one sender and owner at most `receipts_max` receipts are kept, the newest.
    """

    owner: bytes
    entries: tuple[CollectedEntry, ...]
    receipts_max: int


@dataclass(frozen=True, slots=True)
class ReadReceipts:
    """At most `receipts_max` receipts for `sender`, oldest first. Answered by `Receipts`."""

    sender: bytes
    receipts_max: int


@dataclass(frozen=True, slots=True)
class DropReceipts:
    """The sender has these on its disk."""

    sender: bytes
    slots: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ExpireLetters:
    """Delete what was kept before `before_ms`, unless a later letter of its sender in the same mailbox is younger.

    Answered by `Expired`. So a letter never goes while one that comes after it stays.
    """

    before_ms: int


ServerRequest = (
    BindUser
    | ReleaseName
    | BanIdentity
    | SaveInvite
    | DropInvite
    | KeepLetter
    | ReadMail
    | CollectLetters
    | ReadReceipts
    | DropReceipts
    | ExpireLetters
)


@dataclass(frozen=True, slots=True)
class Bound:
    """The answer to `BindUser`: letters in the mailbox, and the highest entry number in it (0: none)."""

    waiting: int
    last_entry: int


@dataclass(frozen=True, slots=True)
class Kept:
    """The letter is durable, as `entry`; `attempt` is the one that the mailbox holds."""

    entry: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Full:
    """The quota has no room for this letter; nothing was kept."""


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A letter in a mailbox."""

    entry: int
    sender: bytes
    slot: bytes
    letter: bytes


@dataclass(frozen=True, slots=True)
class MailPage:
    """Letters of a mailbox, by entry number."""

    letters: tuple[StoredLetter, ...]


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """For `sender`: the letter in `slot` was acknowledged with `ack`, or (None) could not be opened."""

    sender: bytes
    slot: bytes
    ack: bytes | None


@dataclass(frozen=True, slots=True)
class Receipts:
    """Receipts that are durable: those made now, or those asked for; `letters` entries were deleted."""

    receipts: tuple[KeptReceipt, ...]
    letters: int = 0


@dataclass(frozen=True, slots=True)
class Expired:
    """So many letters were deleted."""

    letters: int


@dataclass(frozen=True, slots=True)
class ServerState:
    """Everything that a server's store holds and its core needs at the start.

    Attributes:
        private: S's private half.
        users: the directory.
        bans: the identities that are banned.
        invites: the invitations that nobody used yet.
    """

    private: bytes
    users: Iterable[BindUser] = field(default=())
    bans: Iterable[bytes] = field(default=())
    invites: Iterable[SaveInvite] = field(default=())
