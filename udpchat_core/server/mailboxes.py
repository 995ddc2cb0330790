"""Mailboxes: keeping letters, pushing them to owners that are online, deleting what was collected.

Theory of operation. Letters are in the store and nowhere else. While an owner with mail is online there is a
`Round` through its mailbox: letters are read, as many as may be under way at once, and pushed, each by its own
machine; when some of them are collected, or were pushed a few times without an answer and are passed over, the
next ones are read. At the end of the mailbox the round is over, and nothing is left of it here; if letters
were passed over, it begins again at the first after a pause. So nothing that an owner leaves unanswered holds
up what comes after it. A letter kept for an owner that is online makes a round, or wakes the one that is there.
"""

from dataclasses import dataclass, field

from ..fields import Outcome, Refusal
from ..instant import after
from ..limits import (
    BUSY_WAIT_S,
    LETTER_DAYS_MAX,
    LOOKUP_NEGATIVE_TTL_S,
    MAIL_PAGE_LETTERS,
    MAIL_PAGES_MAX,
    MAIL_PAUSE_US_MAX,
    MAIL_PAUSE_US_MIN,
    MAILBOX_LETTERS_MAX,
    MAILBOX_SENDER_LETTERS_MAX,
    MAILBOX_STRANGERS_LETTERS_MAX,
    QUOTA_WAIT_S,
    RECEIPTS_PER_PAIR_MAX,
)
from ..machines.mailbox_entry import MAILBOX_ENTRY, Do, MailboxEntry, MailboxLetter
from ..messages import Collected, Mail, Store, Stored
from ..server_events import MailCollected, MailExpired
from ..server_requests import CollectLetters, ExpireLetters, Full, KeepLetter, Kept, MailPage, Quota, ReadMail, Receipts
from ..table import step
from ..turn import Turn
from .admission import Gate
from .context import Context, Line, Timer
from .directory import Directory
from .receipts import ReceiptBook
from .session import Session, User
from .storage import Storage

_QUOTA = Quota(MAILBOX_LETTERS_MAX, MAILBOX_SENDER_LETTERS_MAX, MAILBOX_STRANGERS_LETTERS_MAX)  # R-8.5-4
_DAY_MS = 86_400_000
_EVENTS = {
    Outcome.ACKNOWLEDGED: MailboxEntry.collected,
    Outcome.UNWANTED: MailboxEntry.collected,
    Outcome.UNOPENABLE: MailboxEntry.returned,
}


@dataclass(slots=True)
class Round:
    """A way through the mailbox of a user who is online.

    Attributes:
        user: the owner.
        after: the last entry read.
        more: whether there may be letters after it.
        asked: how they are asked for, if they are.
        letters: those under way, by entry.
        passed_over: whether letters were left without an answer.
        pause_us: the next wait before the beginning.
    """

    user: User
    after: int = 0
    more: bool = True
    asked: ReadMail | None = None
    letters: dict[int, MailboxLetter] = field(default_factory=dict)
    passed_over: bool = False
    pause_us: int = MAIL_PAUSE_US_MIN


class Mailboxes:
    """The rounds under way, and who waits for what was asked to be kept."""

    __slots__ = ("_context", "_directory", "_gate", "_keeping", "_line", "_receipts", "_rounds", "_storage")

    def __init__(
        self, context: Context, storage: Storage, gate: Gate, directory: Directory, receipts: ReceiptBook
    ) -> None:
        self._context = context
        self._storage = storage
        self._gate = gate
        self._directory = directory
        self._receipts = receipts
        self._keeping: dict[tuple[bytes, bytes, bytes, int], tuple[Session, int]] = {}
        self._rounds: dict[bytes, Round] = {}  # by identity
        self._line: Line[bytes] = Line(MAIL_PAGES_MAX)

    def __len__(self) -> int:
        return len(self._rounds)

    # --- keeping ---

    def store(self, turn: Turn, session: Session, asked: Store) -> None:
        """A Store: answered when the letter is durable."""
        context, sender = self._context, session.user.identity
        if self._gate.is_banned(asked.recipient):  # R-8.9-1
            context.refuse(turn, session, asked.id, Refusal.BANNED)
            return
        if self._directory.user(asked.recipient) is None:  # R-8.5-1
            context.refuse(turn, session, asked.id, Refusal.UNKNOWN, LOOKUP_NEGATIVE_TTL_S)
            return
        key = (asked.recipient, sender, asked.slot, asked.attempt)
        if key not in self._keeping:  # R-8.5-3
            letter, now_ms = asked.letter, context.wall_ms(turn.now)
            if not self._storage.ask(turn, KeepLetter(*key, letter, now_ms, _QUOTA)):
                context.refuse(turn, session, asked.id, Refusal.BUSY, BUSY_WAIT_S)
                return
        self._keeping[key] = (session, asked.id)

    def kept(self, turn: Turn, request: KeepLetter, result: Kept | Full) -> bool:
        """Whether the letter is durable, as asked; whoever asked last is told, and an owner that is there gets it."""
        session, id_ = self._keeping.pop((request.owner, request.sender, request.slot, request.attempt))
        if isinstance(result, Full):
            self._context.refuse(turn, session, id_, Refusal.QUOTA, QUOTA_WAIT_S)
            return False
        owner = self._directory.user(request.owner)
        online = owner is not None and owner.online is not None
        self._context.say(turn, session, Stored(id_, online, result.attempt))  # R-8.5-2
        if owner is not None and online:
            self._wake(turn, owner)  # R-8.5-5
        return result.attempt == request.attempt

    # --- a round ---

    def start(self, turn: Turn, user: User) -> None:
        """The user came online, or is at another link: its mailbox is gone through from the beginning."""
        self.stop(turn, user.identity)
        self._wake(turn, user)

    def stop(self, turn: Turn, identity: bytes) -> None:
        """Nobody is there to push letters to."""
        if self._rounds.pop(identity, None) is not None:
            self._context.timers.cancel((Timer.MAIL, identity))
            self._let_in(turn, self._line.leave(identity))

    def _wake(self, turn: Turn, user: User) -> None:
        this = self._rounds.get(user.identity)
        if this is None:
            this = self._rounds[user.identity] = Round(user)
        this.more = True
        self._go_on(turn, this)

    def _go_on(self, turn: Turn, this: Round) -> None:
        """Read what there is room for; at the end of the mailbox be done, or begin again later."""
        if this.asked is not None:
            return
        if this.more and (not this.letters or not self._line.is_long):
            if len(this.letters) < MAIL_PAGE_LETTERS:
                self._read(turn, this)
        elif not this.letters and this.passed_over:
            self._pause(turn, this)
        elif not this.letters:
            self.stop(turn, this.user.identity)

    def _read(self, turn: Turn, this: Round) -> None:
        identity = this.user.identity
        if not this.letters:
            self._context.timers.cancel((Timer.MAIL, identity))
            self._let_in(turn, self._line.pause(identity))
        if not self._line.enter(identity):  # R-8.5-8
            return
        request = ReadMail(identity, this.after, MAIL_PAGE_LETTERS - len(this.letters))
        this.more = self._storage.is_asked(request)  # for an earlier round: what came since is not in the answer
        if self._storage.ask(turn, request):
            this.asked = request
            return
        this.more = True
        if not this.letters:
            self._context.timers.set((Timer.MAIL, identity), after(turn.now, MAIL_PAUSE_US_MIN))

    def page(self, turn: Turn, request: ReadMail, result: MailPage) -> None:
        """Letters were read: push them."""
        this = self._rounds.get(request.owner)
        if this is None or this.asked != request:
            return
        this.asked = None
        if result.letters:
            this.after = result.letters[-1].entry
            this.more |= len(result.letters) == request.letters_max
        for each in result.letters:
            letter = this.letters[each.entry] = MailboxLetter(each.entry, each.slot, each.letter)
            self._step(turn, this, letter, MailboxEntry.offered)
        self._wait(this)
        self._go_on(turn, this)

    def _pause(self, turn: Turn, this: Round) -> None:
        identity = this.user.identity
        self._context.timers.set((Timer.MAIL, identity), after(turn.now, this.pause_us))
        this.pause_us = min(2 * this.pause_us, MAIL_PAUSE_US_MAX)
        self._let_in(turn, self._line.pause(identity))

    def _wait(self, this: Round) -> None:
        due = min((letter.due for letter in this.letters.values() if letter.due is not None), default=None)
        if due is not None:
            self._context.timers.set((Timer.MAIL, this.user.identity), due)

    def timed_out(self, turn: Turn, identity: bytes) -> None:
        """Letters were not answered in time, or the pause is over."""
        this = self._rounds[identity]
        if not this.letters:
            this.after, this.more, this.passed_over = 0, True, False
        for letter in list(this.letters.values()):
            if letter.due is not None and letter.due <= turn.now:
                self._step(turn, this, letter, MailboxEntry.timed_out)
        self._wait(this)
        self._go_on(turn, this)

    def _step(self, turn: Turn, this: Round, letter: MailboxLetter, event: str) -> None:
        session = this.user.online
        assert session is not None, "there is a round only while its owner is online"
        for do in step(MAILBOX_ENTRY, letter, event, None, turn.now):
            if do is Do.PUSH:
                self._context.say(turn, session, Mail(letter.entry, letter.slot, letter.letter))
            else:  # R-8.5-6
                this.passed_over = True
                del this.letters[letter.entry]

    def _let_in(self, turn: Turn, follower: bytes | None) -> None:
        if follower is not None:
            self._read(turn, self._rounds[follower])

    # --- deleting ---

    def collect(self, turn: Turn, session: Session, asked: Collected) -> None:
        """A Collected; where the store has too much to do, its letters are pushed and collected again."""
        # R-8.5-7: what was listed, and nothing else.
        self._storage.ask(turn, CollectLetters(session.user.identity, asked.entries, RECEIPTS_PER_PAIR_MAX))

    def collected(self, turn: Turn, request: CollectLetters, result: Receipts) -> None:
        """The letters are gone from the mailbox, and their receipts durable."""
        self._receipts.push(turn, result.receipts)
        user = self._directory.user(request.owner)
        if user is not None and result.letters:
            turn.emit(MailCollected(user.name, result.letters))
        this = self._rounds.get(request.owner)
        if this is None:
            return
        # By entry: a client may list one twice. The first is what the store went by.
        listed = {each.entry: each.outcome for each in reversed(request.entries)}
        under_way = [entry for entry in listed if entry in this.letters]
        for entry in under_way:
            self._step(turn, this, this.letters.pop(entry), _EVENTS[listed[entry]])
        if under_way:
            this.pause_us = MAIL_PAUSE_US_MIN
            self._go_on(turn, this)

    def expire(self, turn: Turn) -> None:
        """Delete the letters past their days."""  # R-8.5-7
        self._storage.ask(turn, ExpireLetters(self._context.wall_ms(turn.now) - LETTER_DAYS_MAX * _DAY_MS))

    def expired(self, turn: Turn, letters: int) -> None:
        """So many are gone; as it is not known which, the rounds under way begin again with what is there."""
        if not letters:
            return
        turn.emit(MailExpired(letters))
        for this in list(self._rounds.values()):
            for letter in this.letters.values():
                self._step(turn, this, letter, MailboxEntry.expired)
            self.start(turn, this.user)
