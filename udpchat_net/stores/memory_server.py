"""A server's store in memory."""

from dataclasses import dataclass, field, replace
from typing import assert_never, get_args

from udpchat_core.fields import Outcome
from udpchat_core.requests import Result
from udpchat_core.server_requests import (
    BanIdentity,
    BindUser,
    Bound,
    CollectLetters,
    DropInvite,
    DropReceipts,
    Expired,
    ExpireLetters,
    Full,
    KeepLetter,
    Kept,
    KeptReceipt,
    MailPage,
    ReadMail,
    ReadReceipts,
    Receipts,
    ReleaseName,
    SaveInvite,
    ServerRequest,
    ServerState,
    StoredLetter,
)

from .memory import Memory


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


class ServerMemory(Memory):
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
