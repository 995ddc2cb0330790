"""A server's store in memory: it does what `requests` says, at once or when it is told to, and can fail."""

from collections import Counter
from dataclasses import replace
from typing import Any

from udpchat_core.client_requests import ClientRequest
from udpchat_core.fields import Outcome
from udpchat_core.limits import LETTER_DAYS_MAX
from udpchat_core.requests import Result, StoreReply
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
    StoredLetter,
)

DAYS_MS = LETTER_DAYS_MAX * 86_400_000


class MemoryStore:
    """Users, mailboxes and receipts.

    Attributes:
        is_slow: whether answers wait until the test lets the world settle.
        failures: how many of the next commits fail.
        forgets: whether a failed commit was done nevertheless, or not: the outcome is unknown.
        asked: what was asked and is not answered yet.
        log: everything that was ever asked.
    """

    def __init__(self) -> None:
        self.is_slow = False
        self.failures = 0
        self.forgets = True
        self.asked: list[ServerRequest] = []
        self.log: list[ServerRequest] = []
        self.users: dict[bytes, BindUser] = {}
        self.bans: list[bytes] = []
        self.invites: dict[bytes, SaveInvite] = {}
        self.mail: dict[bytes, dict[int, KeepLetter]] = {}
        self.receipts: dict[bytes, list[tuple[bytes, KeptReceipt]]] = {}  # by sender: (owner, receipt)
        self._entries: Counter[bytes] = Counter()
        self._known: set[tuple[bytes, bytes]] = set()

    def ask(self, request: ClientRequest | ServerRequest) -> None:
        assert isinstance(request, ServerRequest)
        self.asked.append(request)
        self.log.append(request)

    def replies(self) -> list[StoreReply]:
        """The answers to what was asked, as one commit."""
        asked, self.asked = self.asked, []
        fails = bool(asked) and self.failures > 0
        if fails:
            self.failures -= 1
        if fails and self.forgets:
            return [StoreReply(request, False) for request in asked]
        done = [StoreReply(request, True, self.do(request)) for request in asked]
        return [StoreReply(request, False) for request in asked] if fails else done

    def picture(self) -> Any:
        """All of it, to compare."""
        mail = {owner: dict(letters) for owner, letters in self.mail.items()}
        return dict(self.users), mail, {sender: list(kept) for sender, kept in self.receipts.items()}

    def do(self, request: ServerRequest) -> Result:
        match request:
            case BindUser(name, identity):
                for other in [each for each in self.users.values() if each.name == name and each.identity != identity]:
                    self._forget(other.identity)
                self.users[identity] = replace(request, invite=None)
                self.invites.pop(request.invite or b"", None)
                box = self.mail.get(identity, {})
                return Bound(len(box), max(box, default=0))
            case ReleaseName(name):
                for user in [each for each in self.users.values() if each.name == name]:
                    self._forget(user.identity)
                return None
            case BanIdentity(identity, banned):
                self.bans = [each for each in self.bans if each != identity] + [identity] * banned
                return None
            case SaveInvite(hashed) | DropInvite(hashed):
                self.invites.pop(hashed, None)
                self.invites |= {hashed: request} if isinstance(request, SaveInvite) else {}
                return None
            case KeepLetter():
                return self._keep(request)
            case ReadMail(owner, after, letters_max):
                box = self.mail.get(owner, {})
                entries = sorted(entry for entry in box if entry > after)[:letters_max]
                return MailPage(tuple(StoredLetter(e, box[e].sender, box[e].slot, box[e].letter) for e in entries))
            case CollectLetters():
                return self._collect(request)
            case ReadReceipts(sender, receipts_max):
                return Receipts(tuple(each for _, each in self.receipts.get(sender, [])[:receipts_max]))
            case DropReceipts(sender, slots):
                kept = self.receipts.get(sender, [])
                self.receipts[sender] = [each for each in kept if each[1].slot not in slots]
                return None
            case ExpireLetters(before_ms):
                return self._expire(before_ms)

    def _forget(self, identity: bytes) -> None:
        del self.users[identity]
        self.mail.pop(identity, None)
        self.receipts.pop(identity, None)

    def _keep(self, request: KeepLetter) -> Kept | Full:
        box = self.mail.setdefault(request.owner, {})
        for entry, letter in box.items():
            if (letter.sender, letter.slot) == (request.sender, request.slot):
                if request.attempt <= letter.attempt:
                    return Kept(entry, letter.attempt)
                del box[entry]
                break
        else:
            of_sender = sum(letter.sender == request.sender for letter in box.values())
            if len(box) >= request.quota.mailbox_letters_max or of_sender >= request.quota.sender_letters_max:
                return Full()
            strangers = sum((request.owner, letter.sender) not in self._known for letter in box.values())
            is_stranger = (request.owner, request.sender) not in self._known
            if is_stranger and strangers >= request.quota.strangers_letters_max:
                return Full()
        self._entries[request.owner] += 1
        box[self._entries[request.owner]] = request
        return Kept(self._entries[request.owner], request.attempt)

    def _collect(self, request: CollectLetters) -> Receipts:
        box, made, gone = self.mail.get(request.owner, {}), [], 0
        for each in request.entries:
            if (letter := box.pop(each.entry, None)) is None:
                continue
            gone += 1
            if each.outcome is Outcome.ACKNOWLEDGED:
                self._known.add((request.owner, letter.sender))
            if each.outcome is not Outcome.UNWANTED:
                receipt = KeptReceipt(letter.sender, letter.slot, each.ack)
                kept = self.receipts.setdefault(letter.sender, [])
                kept.append((request.owner, receipt))
                made.append(receipt)
                mine = [item for item in kept if item[0] == request.owner]
                for item in mine[: -request.receipts_max]:
                    kept.remove(item)
        return Receipts(tuple(made), gone)

    def _expire(self, before_ms: int) -> Expired:
        gone = 0
        for box in self.mail.values():
            youngest: dict[bytes, int] = {}
            for letter in box.values():
                youngest[letter.sender] = max(youngest.get(letter.sender, 0), letter.kept_ms)
            for entry in [e for e, letter in box.items() if youngest[letter.sender] < before_ms]:
                del box[entry]
                gone += 1
        return Expired(gone)
