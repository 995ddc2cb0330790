"""What a core asks of its store, and what it gets back.

All requests of a turn are one commit: all or nothing of it is durable before the replies. Requests become
durable in the order in which they were made: when a commit fails, whatever the driver was asked for after it
fails too, untried. A failure means that the outcome is unknown; requests are idempotent, and the same ones come
again, in their order. A reply carries its request, so that a core keeps nothing about what it asked for. What a
store holds at the start is a state, given to the core when it is made.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from .messages import CollectedEntry, Rotation

# --- the client's ---


@dataclass(frozen=True, slots=True)
class SaveOutgoing:
    """A letter to send, in the outbox under its secret.

    Attributes:
        secret: the letter's identity, 16 bytes.
        message: the number of the message that it is of; grows.
        part: which part of the message, from 1.
        parts: how many parts the message has.
        to: the recipient's name, as typed.
        sent_ms: milliseconds of Unix time when the user sent it.
        text: of this part.
        recipient: I of the recipient, if the name is pinned; else `PinOutgoing` follows.
    """

    secret: bytes
    message: int
    part: int
    parts: int
    to: str
    sent_ms: int
    text: str
    recipient: bytes | None


@dataclass(frozen=True, slots=True)
class PinOutgoing:
    """The letter is for this identity, and never for another."""

    secret: bytes
    recipient: bytes


@dataclass(frozen=True, slots=True)
class MarkStored:
    """The server said that the letter is on its disk. A note for who reads the history; nothing waits for it.

    It stays as it was told to the user: a mailbox may lose the letter, or the recipient give it back unopened, and then
    it is stored again. Once the letter is settled its outcome counts, whatever came first.
    """

    secret: bytes


@dataclass(frozen=True, slots=True)
class SettleOutgoing:
    """The letter leaves the outbox: `outcome` is "delivered", "refused" or "expired"."""

    secret: bytes
    outcome: str


@dataclass(frozen=True, slots=True)
class EnterLetter:
    """In one: an inbox row, unseen, unless there is one of this sender and acknowledgement, and the watermark.

    Answered by `Entered`.

    Attributes:
        sender: I of the sender.
        ack: the letter's acknowledgement, 16 bytes.
        epoch: of the sender.
        seq: the watermark of (sender, epoch) becomes this; it never falls.
        name: what the sender calls itself.
        sent_ms: by the sender's clock.
        received_ms: by this one's.
        part: which part of a text, from 1.
        parts: how many parts the text has.
        text: of this part.
    """

    sender: bytes
    ack: bytes
    epoch: int
    seq: int
    name: str
    sent_ms: int
    received_ms: int
    part: int
    parts: int
    text: str


@dataclass(frozen=True, slots=True)
class FindLetter:
    """Whether the inbox has a row of this sender and acknowledgement. Answered by `Entered`."""

    sender: bytes
    ack: bytes


@dataclass(frozen=True, slots=True)
class MarkSeen:
    """The user has seen these letters, each (sender, ack); until then a store tells of them as unseen."""

    letters: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class SavePin:
    """From here on `name` is `identity` for this user; takes the place of an earlier pin of the name."""

    name: str
    identity: bytes


@dataclass(frozen=True, slots=True)
class SaveVerified:
    """The user compared the safety number of `name` while it was pinned to `identity`, or takes that back.

    Nothing if the name is pinned to another identity by then; `SavePin` with another one forgets it.
    """

    name: str
    identity: bytes
    verified: bool


@dataclass(frozen=True, slots=True)
class SaveIdentity:
    """The identity of this user from now on, by its private key, and the word of the one before for it.

    A pin of the user's own name to the identity before becomes one to this one. The watermarks go: they are of letters
    for the identity before, and senders number those for this one from the beginning.
    """

    private: bytes
    public: bytes
    rotation: Rotation


@dataclass(frozen=True, slots=True)
class SaveServerKey:
    """The public key S that this client takes the server to have."""

    key: bytes


@dataclass(frozen=True, slots=True)
class SaveCardSeq:
    """The seq of the card now in use."""

    seq: int


@dataclass(frozen=True, slots=True)
class SaveMailKey:
    """A private mail key, made at `made_ms` (milliseconds of Unix time)."""

    private: bytes
    made_ms: int


@dataclass(frozen=True, slots=True)
class DropMailKey:
    """A mail key that no letter is sealed to any more."""

    private: bytes


ClientRequest = (
    SaveOutgoing
    | PinOutgoing
    | MarkStored
    | SettleOutgoing
    | EnterLetter
    | FindLetter
    | MarkSeen
    | SavePin
    | SaveVerified
    | SaveIdentity
    | SaveServerKey
    | SaveCardSeq
    | SaveMailKey
    | DropMailKey
)


@dataclass(frozen=True, slots=True)
class Entered:
    """The answer to `EnterLetter` and to `FindLetter`.

    `fresh`: there was no such row in the history, or (to `EnterLetter`) it is of this very request, asked again
    because its first outcome was not known: the same epoch, seq and `received_ms`.
    """

    fresh: bool


@dataclass(frozen=True, slots=True)
class ClientState:
    """Everything that a client's store holds and its core needs at the start.

    Attributes:
        name: the name that this client registers.
        identity: the private identity key.
        mail_keys: oldest first; at least one.
        card_seq: of the last card.
        server_key: S as pinned, or None before the first contact.
        pins: (name, identity).
        verified: the names among them whose safety number was compared, in their order.
        outbox: in the order of sending, each with the recipient that it was pinned to.
        watermarks: (sender, epoch, seq), least recently changed first.
        next_message: the number of the next message.
        rotation: the word of the identity before for this one; None if it is the first.
    """

    name: str
    identity: bytes
    mail_keys: tuple[SaveMailKey, ...]
    card_seq: int = 0
    server_key: bytes | None = None
    pins: tuple[SavePin, ...] = ()
    verified: tuple[str, ...] = ()
    outbox: tuple[SaveOutgoing, ...] = ()
    watermarks: tuple[tuple[bytes, int, int], ...] = ()
    next_message: int = 1
    rotation: Rotation | None = None


# --- the server's ---


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


# --- replies ---

Result = Entered | Bound | Kept | Full | MailPage | Receipts | Expired | None


@dataclass(frozen=True, slots=True)
class StoreReply:
    """What became of a request: done and durable, with its answer, or failed, outcome unknown."""

    request: ClientRequest | ServerRequest
    durable: bool
    result: Result = None
