"""What a store should do, said as simply as it can be: the oracle of the conformance suite.

Written from the docstrings of `client_requests` and `server_requests` alone. Entry numbers are the store's to choose,
so the model takes them from the answers, and checks that they grow and never come again.
"""

from dataclasses import astuple, dataclass, field, replace

from udpchat_core.client_requests import (
    ClientState,
    DropMailKey,
    Entered,
    EnterLetter,
    FindLetter,
    MarkSeen,
    MarkStored,
    PinOutgoing,
    SaveCardSeq,
    SaveIdentity,
    SaveMailKey,
    SaveOutgoing,
    SavePin,
    SaveServerKey,
    SaveVerified,
    SettleOutgoing,
)
from udpchat_core.fields import Outcome
from udpchat_core.limits import EPOCHS_PER_SENDER_MAX
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
    ServerState,
    StoredLetter,
)
from udpchat_net.stores.letters import KeptLetter
from udpchat_net.stores.reading import SentLetter


class ClientModel:
    """A client's store."""

    def __init__(self, state: ClientState) -> None:
        self.state = state
        self.sent = {each.secret: sent_letter(each) for each in state.outbox}
        self.inbox: dict[tuple[bytes, bytes], EnterLetter] = {}
        self.seen: set[tuple[bytes, bytes]] = set()

    def check(self, reply: StoreReply) -> None:
        """The reply is the right one; from here on its request counts."""
        assert reply.durable
        assert reply.result == self._apply(reply.request), reply

    def check_state(self, state: ClientState) -> None:
        """The state is what the requests made; pins are in no particular order."""
        by_name = tuple(sorted(state.pins, key=lambda pin: pin.name))
        assert replace(state, pins=by_name) == self.state

    def check_sent(self, letters: list[SentLetter]) -> None:
        """The history of what was sent, in the order of sending, whatever became of it."""
        assert letters == sorted(self.sent.values(), key=lambda each: (each.message, each.part))

    def check_unseen(self, kept: list[KeptLetter]) -> None:
        """These are the letters that were entered and not seen, in their order."""
        pins = {(pin.name, pin.identity) for pin in self.state.pins}
        assert [entry for entry, *_ in map(astuple, kept)] == sorted({letter.entry for letter in kept})
        assert [astuple(letter)[1:] for letter in kept] == [
            (
                each.sender, each.ack, each.name, (each.name, each.sender) in pins,
                each.sent_ms, each.received_ms, each.part, each.parts, each.text,
            )
            for key, each in self.inbox.items()
            if key not in self.seen
        ]  # fmt: skip

    def _apply(self, request: object) -> Result:  # noqa: PLR0912 - a row for each request
        state = self.state
        match request:
            case SaveOutgoing():
                if request.secret not in self.sent:
                    self.sent[request.secret] = sent_letter(request)
                    outbox = sorted((*state.outbox, request), key=lambda p: (p.message, p.part))
                    state = replace(state, outbox=tuple(outbox))
                self.state = replace(state, next_message=max(state.next_message, request.message + 1))
            case PinOutgoing(secret, recipient):
                self.state = replace(
                    state,
                    outbox=tuple(
                        replace(each, recipient=each.recipient or recipient) if each.secret == secret else each
                        for each in state.outbox
                    ),
                )
            case MarkStored(secret) if secret in self.sent:
                self.sent[secret] = replace(self.sent[secret], stored=True)
            case SettleOutgoing(secret, outcome):
                if secret in {each.secret for each in state.outbox}:
                    self.sent[secret] = replace(self.sent[secret], outcome=outcome)
                self.state = replace(state, outbox=tuple(each for each in state.outbox if each.secret != secret))
            case EnterLetter(sender, ack, epoch, seq):
                first = self.inbox.setdefault((sender, ack), request)
                self._raise_watermark(sender, epoch, seq)
                same = (first.epoch, first.seq, first.received_ms) == (epoch, seq, request.received_ms)
                return Entered(same)
            case FindLetter(sender, ack):
                return Entered((sender, ack) not in self.inbox)
            case MarkSeen(letters):
                self.seen |= set(letters) & set(self.inbox)
            case SavePin(name):
                pins = {pin.name: pin for pin in state.pins} | {name: request}
                verified = tuple(each for each in state.verified if each != name or request in state.pins)
                self.state = replace(state, pins=tuple(pins[each] for each in sorted(pins)), verified=verified)
            case SaveVerified(name, identity, compared) if SavePin(name, identity) in state.pins:
                others = {each for each in state.verified if each != name}
                self.state = replace(state, verified=tuple(sorted(others | ({name} if compared else set()))))
            case SaveIdentity(private, public, rotation):
                own = SavePin(state.name, rotation.former)
                renewed = [SavePin(state.name, public) if pin == own else pin for pin in state.pins]
                verified = tuple(each for each in state.verified if own not in state.pins or each != state.name)
                self.state = replace(
                    state,
                    identity=private,
                    rotation=rotation,
                    pins=tuple(renewed),
                    verified=verified,
                    watermarks=(),
                )
            case SaveServerKey(key):
                self.state = replace(state, server_key=key)
            case SaveCardSeq(seq):
                self.state = replace(state, card_seq=seq)
            case SaveMailKey():
                if request.private not in [key.private for key in state.mail_keys]:
                    keys = sorted((*state.mail_keys, request), key=lambda key: key.made_ms)
                    self.state = replace(state, mail_keys=tuple(keys))
            case DropMailKey(private):
                self.state = replace(state, mail_keys=tuple(key for key in state.mail_keys if key.private != private))
        return None

    def _raise_watermark(self, sender: bytes, epoch: int, seq: int) -> None:
        marks = {(each, of): height for each, of, height in self.state.watermarks}
        if seq > marks.get((sender, epoch), -1):
            marks.pop((sender, epoch), None)
            marks[sender, epoch] = seq
        for each in [key for key in marks if key[0] == sender][:-EPOCHS_PER_SENDER_MAX]:
            del marks[each]
        self.state = replace(self.state, watermarks=tuple((*key, height) for key, height in marks.items()))


def sent_letter(letter: SaveOutgoing) -> SentLetter:
    """How the history has it at the beginning."""
    return SentLetter(
        letter.message, letter.part, letter.parts, letter.to, letter.sent_ms, letter.text, outcome=None, stored=False
    )


@dataclass
class MailboxModel:
    """Letters by entry number, in growing order; the highest number ever given out."""

    letters: dict[int, KeepLetter] = field(default_factory=dict)
    known: set[bytes] = field(default_factory=set)
    last: int = 0

    def find(self, asked: KeepLetter) -> int | None:
        """The entry of the letter in this slot of its sender."""
        return next(
            (e for e, kept in self.letters.items() if (kept.sender, kept.slot) == (asked.sender, asked.slot)), None
        )


class ServerModel:
    """A server's store."""

    def __init__(self, state: ServerState) -> None:
        self.private = state.private
        self.users = {user.name: user for user in state.users}
        self.bans = set(state.bans)
        self.invites = {invite.hash: invite for invite in state.invites}
        self.mailboxes: dict[bytes, MailboxModel] = {}
        self.receipts: list[tuple[bytes, int, KeptReceipt]] = []  # with owner and entry; oldest first

    def check(self, reply: StoreReply) -> None:
        """The reply is the right one; from here on its request counts."""
        assert reply.durable
        match reply.request:
            case KeepLetter():
                self._check_kept(reply.request, reply.result)
            case request:
                assert reply.result == self._apply(request), reply

    def check_state(self, state: ServerState) -> None:
        """The state is what the requests made; users are in no particular order."""
        assert state.private == self.private
        assert {user.name: user for user in state.users} == self.users
        assert len(list(state.users)) == len(self.users)
        assert sorted(state.bans) == sorted(self.bans)
        assert {invite.hash: invite for invite in state.invites} == self.invites

    def _box(self, owner: bytes) -> MailboxModel:
        return self.mailboxes.setdefault(owner, MailboxModel())

    def _check_kept(self, asked: KeepLetter, result: Result) -> None:
        box, quota = self._box(asked.owner), asked.quota
        there = box.find(asked)
        if there is not None and box.letters[there].attempt >= asked.attempt:
            assert result == Kept(there, box.letters[there].attempt)
            return
        if there is None:
            senders = [kept.sender for kept in box.letters.values()]
            full = len(senders) >= quota.mailbox_letters_max or senders.count(asked.sender) >= quota.sender_letters_max
            strangers = sum(sender not in box.known for sender in senders)
            if full or (asked.sender not in box.known and strangers >= quota.strangers_letters_max):
                assert result == Full()
                return
        assert isinstance(result, Kept)
        assert result.attempt == asked.attempt
        assert result.entry > box.last
        box.last = result.entry
        box.letters.pop(there or 0, None)
        box.letters[result.entry] = asked

    def _apply(self, request: object) -> Result:
        match request:
            case BindUser(name, identity):
                before = self.users.pop(name, None)
                if before is not None and before.identity != identity:
                    self._forget(before.identity)
                self.users = {each: user for each, user in self.users.items() if user.identity != identity}
                self.users[name] = replace(request, invite=None)
                self.invites.pop(request.invite or b"", None)
                return Bound(len(self._box(identity).letters), max(self._box(identity).letters, default=0))
            case ReleaseName(name):
                if name in self.users:
                    self._forget(self.users.pop(name).identity)
                return None
            case BanIdentity(identity, banned):
                self.bans = (self.bans - {identity}) | ({identity} if banned else set())
                return None
            case SaveInvite(hashed):
                self.invites.setdefault(hashed, request)
                return None
            case DropInvite(hashed):
                self.invites.pop(hashed, None)
                return None
            case ReadMail(owner, after, letters_max):
                rows = [(entry, kept) for entry, kept in self._box(owner).letters.items() if entry > after]
                return MailPage(tuple(StoredLetter(e, k.sender, k.slot, k.letter) for e, k in rows[:letters_max]))
            case CollectLetters():
                return self._collect(request)
            case ReadReceipts(sender, receipts_max):
                mine = [receipt for _, _, receipt in self.receipts if receipt.sender == sender]
                return Receipts(tuple(mine[:receipts_max]))
            case DropReceipts(sender, slots):
                self.receipts = [
                    each for each in self.receipts if each[2].sender != sender or each[2].slot not in slots
                ]
                return None
            case ExpireLetters(before_ms):
                return Expired(sum(self._expire(box, before_ms) for box in self.mailboxes.values()))
        raise AssertionError(request)

    def _forget(self, identity: bytes) -> None:
        self.mailboxes[identity] = MailboxModel(last=self._box(identity).last)
        self.receipts = [each for each in self.receipts if each[2].sender != identity]

    def _collect(self, asked: CollectLetters) -> Receipts:
        box, letters = self._box(asked.owner), 0
        for collected in asked.entries:
            if (kept := box.letters.pop(collected.entry, None)) is None:
                continue
            letters += 1
            if collected.outcome is Outcome.ACKNOWLEDGED:
                box.known.add(kept.sender)
            if collected.outcome is not Outcome.UNWANTED:
                receipt = KeptReceipt(kept.sender, kept.slot, collected.ack)
                self._keep_receipt(asked.owner, collected.entry, receipt, asked.receipts_max)
        entries = list(dict.fromkeys(collected.entry for collected in asked.entries))
        left = [(entries.index(e), r) for o, e, r in self.receipts if o == asked.owner and e in entries]
        return Receipts(tuple(receipt for _, receipt in sorted(left, key=lambda each: each[0])), letters)

    def _keep_receipt(self, owner: bytes, entry: int, receipt: KeptReceipt, receipts_max: int) -> None:
        place = (owner, receipt.sender, receipt.slot)
        self.receipts = [each for each in self.receipts if (each[0], each[2].sender, each[2].slot) != place]
        self.receipts.append((owner, entry, receipt))
        of_pair = [each for each in self.receipts if each[0] == owner and each[2].sender == receipt.sender]
        too_many = of_pair[: max(0, len(of_pair) - receipts_max)]
        self.receipts = [each for each in self.receipts if each not in too_many]

    @staticmethod
    def _expire(box: MailboxModel, before_ms: int) -> int:
        gone = [
            entry
            for entry, kept in box.letters.items()
            if kept.kept_ms < before_ms
            and not any(
                later > entry and other.sender == kept.sender and other.kept_ms >= before_ms
                for later, other in box.letters.items()
            )
        ]
        for entry in gone:
            del box.letters[entry]
        return len(gone)
