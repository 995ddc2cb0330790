"""What a client asks of its store, what it gets back, and what the store holds of it at the start."""

from dataclasses import dataclass

from .fields import Rotation


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
