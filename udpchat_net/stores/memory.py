"""The memory adapters: durable as long as the object lives. For simulation and tests.

A simulated crash keeps the object and makes a new core from what `load` gives. `snapshot()` is a copy that shares
nothing that changes: the state file of an earlier day, or one that was closed and is open again. `apply` is
`commit` without waiting.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, assert_never, get_args

from udpchat_core.limits import EPOCHS_PER_SENDER_MAX
from udpchat_core.messages import Outcome
from udpchat_core.requests import (
    BanIdentity,
    BindUser,
    Bound,
    ClientRequest,
    ClientState,
    CollectLetters,
    DropInvite,
    DropMailKey,
    DropReceipts,
    Entered,
    EnterLetter,
    Expired,
    ExpireLetters,
    FindLetter,
    Full,
    KeepLetter,
    Kept,
    KeptReceipt,
    MailPage,
    MarkSeen,
    MarkStored,
    PinOutgoing,
    ReadMail,
    ReadReceipts,
    Receipts,
    ReleaseName,
    Result,
    SaveCardSeq,
    SaveIdentity,
    SaveInvite,
    SaveMailKey,
    SaveOutgoing,
    SavePin,
    SaveServerKey,
    SaveVerified,
    ServerRequest,
    ServerState,
    SettleOutgoing,
    StoredLetter,
    StoreReply,
)

from .letters import KeptLetter
from .port import Request


class _Memory:
    """Meets the port. Subclasses say which requests there are, and carry one out."""

    kinds: ClassVar[tuple[type, ...]]
    _closed = False

    async def commit(self, requests: Sequence[Request]) -> tuple[StoreReply, ...]:
        """See `port.Store`."""
        return self.apply(requests)

    def apply(self, requests: Sequence[Request]) -> tuple[StoreReply, ...]:
        """All of `requests`, at once."""
        if self._closed:
            raise ValueError("this store is closed")
        for request in requests:  # before the first is carried out: all of them or none
            if type(request) not in self.kinds:
                raise TypeError(f"{type(self).__name__} knows no {type(request).__name__}")
        return tuple([StoreReply(request, True, self._apply(request)) for request in requests])

    def close(self) -> None:
        """See `port.Store`."""
        self._closed = True

    def _apply(self, request: Any) -> Result:  # noqa: ANN401 - one of `kinds`
        raise NotImplementedError


# --- the client's ---


@dataclass(slots=True)
class Outgoing:
    """A row of the outbox, kept as history once it has an `outcome`."""

    saved: SaveOutgoing
    recipient: bytes | None
    stored: bool = False
    outcome: str | None = None


class ClientMemory(_Memory):
    """What a client's state file holds.

    Attributes:
        outgoing: every letter ever saved, by secret, in the order of saving.
        inbox: every letter entered, by (sender, ack), in the order of entering.
    """

    kinds = get_args(ClientRequest)

    def __init__(self, state: ClientState) -> None:
        self._name, self._identity = state.name, state.identity
        self._mail_keys = {key.private: key for key in state.mail_keys}
        self._card_seq, self._server_key = state.card_seq, state.server_key
        self._pins = {pin.name: pin for pin in state.pins}
        self._verified = set(state.verified)
        self._watermarks = {(sender, epoch): seq for sender, epoch, seq in state.watermarks}
        self._next_message = state.next_message
        self._rotation = state.rotation
        self.outgoing = {saved.secret: Outgoing(saved, saved.recipient) for saved in state.outbox}
        self.inbox: dict[tuple[bytes, bytes], EnterLetter] = {}
        self._unseen: dict[tuple[bytes, bytes], None] = {}

    def load(self) -> ClientState:
        """What a core needs at the start."""
        open_rows = [row for row in self.outgoing.values() if row.outcome is None]
        open_rows.sort(key=lambda row: (row.saved.message, row.saved.part))
        return ClientState(
            name=self._name,
            identity=self._identity,
            mail_keys=tuple(sorted(self._mail_keys.values(), key=lambda key: key.made_ms)),
            card_seq=self._card_seq,
            server_key=self._server_key,
            pins=tuple(self._pins.values()),
            verified=tuple(sorted(self._verified)),
            outbox=tuple(replace(row.saved, recipient=row.recipient) for row in open_rows),
            watermarks=tuple((sender, epoch, seq) for (sender, epoch), seq in self._watermarks.items()),
            next_message=self._next_message,
            rotation=self._rotation,
        )

    def snapshot(self) -> "ClientMemory":
        """A copy that later changes of either do not reach."""
        copy = ClientMemory(self.load())
        copy.outgoing = {secret: replace(row) for secret, row in self.outgoing.items()}
        copy.inbox, copy._unseen = dict(self.inbox), dict(self._unseen)
        return copy

    def unseen(self, after: int, letters_max: int) -> list[KeptLetter]:
        """At most so many letters that the user has not seen, with an entry number above `after`, oldest first."""
        entries = {key: entry for entry, key in enumerate(self.inbox, 1)}
        rows = [(entries[key], self.inbox[key]) for key in self._unseen if entries[key] > after]
        return [self._kept(entry, letter) for entry, letter in rows[:letters_max]]

    def _kept(self, entry: int, letter: EnterLetter) -> KeptLetter:
        pin = self._pins.get(letter.name)
        return KeptLetter(
            entry=entry,
            sender=letter.sender,
            ack=letter.ack,
            name=letter.name,
            confirmed=pin is not None and pin.identity == letter.sender,
            sent_ms=letter.sent_ms,
            received_ms=letter.received_ms,
            part=letter.part,
            parts=letter.parts,
            text=letter.text,
        )

    def _apply(self, request: ClientRequest) -> Result:  # noqa: PLR0912 - a row for each request
        match request:
            case SaveOutgoing(secret, message):
                self.outgoing.setdefault(secret, Outgoing(request, request.recipient))
                self._next_message = max(self._next_message, message + 1)
            case PinOutgoing(secret, recipient):
                row = self.outgoing.get(secret)
                if row is not None and row.recipient is None:
                    row.recipient = recipient
            case MarkStored(secret):
                row = self.outgoing.get(secret)
                if row is not None:
                    row.stored = True
            case SettleOutgoing(secret, outcome):
                row = self.outgoing.get(secret)
                if row is not None and row.outcome is None:
                    row.outcome = outcome
            case EnterLetter():
                return self._enter(request)
            case FindLetter(sender, ack):
                return Entered((sender, ack) not in self.inbox)
            case MarkSeen(letters):
                self._unseen = {key: None for key in self._unseen if key not in letters}
            case SavePin(name):
                if self._pins.get(name) != request:
                    self._verified.discard(name)
                self._pins[name] = request
            case SaveVerified(name, identity, verified):
                if self._pins.get(name) == SavePin(name, identity):
                    (self._verified.add if verified else self._verified.discard)(name)
            case SaveIdentity(private, public, rotation):
                pin = self._pins.get(self._name)
                if pin is not None and pin.identity == rotation.former:
                    self._pins[self._name] = SavePin(self._name, public)
                    self._verified.discard(self._name)
                self._identity, self._rotation = private, rotation
                self._watermarks = {}  # R-2.4-4
            case SaveServerKey(key):
                self._server_key = key
            case SaveCardSeq(seq):
                self._card_seq = seq
            case SaveMailKey(private):
                self._mail_keys.setdefault(private, request)
            case DropMailKey(private):
                self._mail_keys.pop(private, None)
            case _:
                assert_never(request)
        return None

    def _enter(self, letter: EnterLetter) -> Entered:
        if (letter.sender, letter.ack) not in self.inbox:
            self._unseen[letter.sender, letter.ack] = None
        there = self.inbox.setdefault((letter.sender, letter.ack), letter)
        self._raise_watermark(letter)
        of_this_request = (there.epoch, there.seq, there.received_ms) == (letter.epoch, letter.seq, letter.received_ms)
        return Entered(of_this_request)

    def _raise_watermark(self, letter: EnterLetter) -> None:
        marks, of = self._watermarks, (letter.sender, letter.epoch)
        if letter.seq <= marks.get(of, -1):
            return
        marks.pop(of, None)  # so that it is the one changed last
        marks[of] = letter.seq
        of_sender = [each for each in marks if each[0] == letter.sender]
        for oldest in of_sender[:-EPOCHS_PER_SENDER_MAX]:
            del marks[oldest]


# --- the server's ---


@dataclass(slots=True)
class Letter:
    """An entry of a mailbox."""

    entry: int
    sender: bytes
    slot: bytes
    attempt: int
    letter: bytes
    kept_ms: int


@dataclass(slots=True)
class Mailbox:
    """The letters of one owner, by entry number in growing order, and the senders that the owner knows."""

    letters: dict[int, Letter] = field(default_factory=dict)
    slots: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    known: dict[bytes, None] = field(default_factory=dict)

    def delete(self, letter: Letter) -> None:
        """One letter goes."""
        del self.letters[letter.entry]
        del self.slots[letter.sender, letter.slot]


class ServerMemory(_Memory):
    """What a server's database holds.

    Attributes:
        users: by name.
        mailboxes: by owner.
        receipts: by sender, by (owner, entry), oldest first.
        bans: the identities that are banned.
        invites: the invitations that nobody used yet, by hash.
    """

    kinds = get_args(ServerRequest)

    def __init__(self, state: ServerState) -> None:
        self._private = state.private
        self._last_entry = 0
        self.users = {user.name: user for user in state.users}
        self.bans = dict.fromkeys(state.bans)
        self.invites = {invite.hash: invite for invite in state.invites}
        self.mailboxes: dict[bytes, Mailbox] = {}
        self.receipts: dict[bytes, dict[tuple[bytes, int], KeptReceipt]] = {}

    def load(self) -> ServerState:
        """What a core needs at the start."""
        return ServerState(self._private, tuple(self.users.values()), tuple(self.bans), tuple(self.invites.values()))

    def snapshot(self) -> "ServerMemory":
        """A copy that later changes of either do not reach."""
        copy = ServerMemory(self.load())
        copy._last_entry = self._last_entry
        copy.mailboxes = {
            owner: Mailbox(
                {entry: replace(letter) for entry, letter in box.letters.items()}, {**box.slots}, {**box.known}
            )
            for owner, box in self.mailboxes.items()
        }
        copy.receipts = {sender: dict(kept) for sender, kept in self.receipts.items()}
        return copy

    def _apply(self, request: ServerRequest) -> Result:  # noqa: PLR0911 - a row for each request
        match request:
            case BindUser():
                return self._bind(request)
            case ReleaseName(name):
                user = self.users.pop(name, None)
                if user is not None:
                    self._forget(user.identity)
                return None
            case BanIdentity(identity, banned):
                self.bans.pop(identity, None)
                self.bans |= {identity: None} if banned else {}
                return None
            case SaveInvite(hashed):
                self.invites.setdefault(hashed, request)
                return None
            case DropInvite(hashed):
                self.invites.pop(hashed, None)
                return None
            case KeepLetter():
                return self._keep(request)
            case ReadMail(owner, after, letters_max):
                letters = self._box(owner).letters.values()
                page = [letter for letter in letters if letter.entry > after][:letters_max]
                return MailPage(tuple(StoredLetter(each.entry, each.sender, each.slot, each.letter) for each in page))
            case CollectLetters():
                return self._collect(request)
            case ReadReceipts(sender, receipts_max):
                return Receipts(tuple(self.receipts.get(sender, {}).values())[:receipts_max])
            case DropReceipts(sender, slots):
                kept = self.receipts.get(sender, {})
                self.receipts[sender] = {key: receipt for key, receipt in kept.items() if receipt.slot not in slots}
                return None
            case ExpireLetters(before_ms):
                return Expired(sum(_expire(box, before_ms) for box in self.mailboxes.values()))
        assert_never(request)

    def _box(self, owner: bytes) -> Mailbox:
        return self.mailboxes.setdefault(owner, Mailbox())

    def _bind(self, bind: BindUser) -> Bound:
        before = self.users.get(bind.name)
        if before is not None and before.identity != bind.identity:
            self._forget(before.identity)
        others = {name: user for name, user in self.users.items() if user.identity != bind.identity}
        self.users = others | {bind.name: replace(bind, invite=None)}
        if bind.invite is not None:
            self.invites.pop(bind.invite, None)
        letters = self._box(bind.identity).letters
        return Bound(len(letters), max(letters, default=0))

    def _forget(self, identity: bytes) -> None:
        """Nobody has this identity any more: its mailbox, and what it was to be told of others', go."""
        self.mailboxes.pop(identity, None)
        self.receipts.pop(identity, None)

    def _keep(self, keep: KeepLetter) -> Kept | Full:
        box, key = self._box(keep.owner), (keep.sender, keep.slot)
        if key in box.slots:
            there = box.letters[box.slots[key]]
            if keep.attempt <= there.attempt:
                return Kept(there.entry, there.attempt)
            box.delete(there)
        elif _is_full(box, keep):
            return Full()
        self._last_entry += 1  # of all mailboxes: so the numbers of each grow, and none comes again
        entry = self._last_entry
        box.letters[entry] = Letter(entry, keep.sender, keep.slot, keep.attempt, keep.letter, keep.kept_ms)
        box.slots[key] = entry
        return Kept(entry, keep.attempt)

    def _collect(self, collect: CollectLetters) -> Receipts:
        box, letters = self._box(collect.owner), 0
        for collected in collect.entries:
            letter = box.letters.get(collected.entry)
            if letter is None:
                continue
            letters += 1
            box.delete(letter)
            if collected.outcome is Outcome.ACKNOWLEDGED:
                box.known[letter.sender] = None
            if collected.outcome is not Outcome.UNWANTED:
                self._keep_receipt(collect, letter, collected.ack)
        places = dict.fromkeys((collect.owner, collected.entry) for collected in collect.entries)
        left = [kept[place] for place in places for kept in self.receipts.values() if place in kept]
        return Receipts(tuple(left), letters)

    def _keep_receipt(self, collect: CollectLetters, letter: Letter, ack: bytes | None) -> None:
        """As the newest; it takes the place of one for an earlier attempt."""
        kept = self.receipts.setdefault(letter.sender, {})
        of_owner = [place for place in kept if place[0] == collect.owner]
        others = [place for place in of_owner if kept[place].slot != letter.slot]
        staying = others[max(0, len(others) + 1 - collect.receipts_max) :]
        for place in set(of_owner) - set(staying):
            del kept[place]
        kept[collect.owner, letter.entry] = KeptReceipt(letter.sender, letter.slot, ack)


def _is_full(box: Mailbox, keep: KeepLetter) -> bool:
    quota = keep.quota
    if len(box.letters) >= quota.mailbox_letters_max:
        return True
    senders = [letter.sender for letter in box.letters.values()]
    if senders.count(keep.sender) >= quota.sender_letters_max:
        return True
    strangers = sum(sender not in box.known for sender in senders)
    return keep.sender not in box.known and strangers >= quota.strangers_letters_max


def _expire(box: Mailbox, before_ms: int) -> int:
    """Each sender's newest go first: those before one that stays stay as well."""
    staying: set[bytes] = set()
    gone = []
    for letter in reversed(box.letters.values()):
        if letter.kept_ms >= before_ms:
            staying.add(letter.sender)
        elif letter.sender not in staying:
            gone.append(letter)
    for letter in gone:
        box.delete(letter)
    return len(gone)
