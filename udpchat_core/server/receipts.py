"""Receipts: what became of stored letters, told to their senders until they noted it.

Receipts are in the store. While a sender is online, a page of them is pushed, again and again, until the
sender noted each; then the next page. Those that are made while the sender is online join the page at once,
if it has room.
"""

from dataclasses import dataclass, field

from ..instant import after
from ..limits import RECEIPT_PAGES_MAX, RECEIPT_TRY_US, RECEIPT_TRY_US_MAX, RECEIPTS_PAGE
from ..messages import Noted, Receipt, Returned
from ..server_requests import DropReceipts, KeptReceipt, ReadReceipts, Receipts
from ..turn import Turn
from .context import Context, Line, Timer
from .directory import Directory
from .session import Session, User
from .storage import Storage


@dataclass(slots=True)
class Page:
    """The receipts under way to a user who is online.

    Attributes:
        user: the sender of the letters.
        receipts: by slot: what is not noted yet.
        reading: whether the store is asked for more.
        more: whether there may be more in the store.
        wait_us: the wait after the next push.
    """

    user: User
    receipts: dict[bytes, KeptReceipt] = field(default_factory=dict)
    reading: bool = False
    more: bool = True
    wait_us: int = RECEIPT_TRY_US


class ReceiptBook:
    """The pages under way."""

    __slots__ = ("_context", "_directory", "_line", "_pages", "_storage")

    def __init__(self, context: Context, storage: Storage, directory: Directory) -> None:
        self._context = context
        self._storage = storage
        self._directory = directory
        self._pages: dict[bytes, Page] = {}  # by identity
        self._line: Line[bytes] = Line(RECEIPT_PAGES_MAX)

    def __len__(self) -> int:
        return len(self._pages)

    def start(self, turn: Turn, user: User) -> None:
        """The user came online, or is at another link: tell it what is in the store."""
        self.stop(turn, user.identity)
        page = self._pages[user.identity] = Page(user)
        self._read(turn, page)

    def stop(self, turn: Turn, identity: bytes) -> None:
        """Nobody is there to tell, or there is nothing to tell."""
        if self._pages.pop(identity, None) is not None:
            self._context.timers.cancel((Timer.RECEIPTS, identity))
            self._let_in(turn, self._line.leave(identity))

    def _read(self, turn: Turn, page: Page) -> None:
        identity = page.user.identity
        self._context.timers.cancel((Timer.RECEIPTS, identity))
        if not self._line.enter(identity):
            return
        request = ReadReceipts(identity, RECEIPTS_PAGE)
        page.more = self._storage.is_asked(request)  # by an earlier page: what came since is not in the answer
        page.reading = self._storage.ask(turn, request)
        if not page.reading:
            page.more = True
            self._wait(turn, page)

    def read(self, turn: Turn, request: ReadReceipts, result: Receipts) -> None:
        """A page was read."""
        page = self._pages.get(request.sender)
        if page is None or not page.reading:
            return
        page.reading = False
        page.more |= len(result.receipts) == RECEIPTS_PAGE
        self._tell(turn, page, result.receipts)
        self._go_on(turn, page)

    def push(self, turn: Turn, receipts: tuple[KeptReceipt, ...]) -> None:
        """Receipts that just became durable: tell those senders that are online."""
        for each in receipts:  # R-8.6-1
            user = self._directory.user(each.sender)
            if user is None or user.online is None:
                continue
            page = self._pages.get(each.sender)
            if page is None:
                page = self._pages[each.sender] = Page(user, more=False)
            if len(page.receipts) < RECEIPTS_PAGE and self._line.enter(each.sender):
                self._tell(turn, page, (each,))
            else:
                page.more = True

    def _tell(self, turn: Turn, page: Page, receipts: tuple[KeptReceipt, ...]) -> None:
        for each in receipts:
            page.receipts[each.slot] = each
            self._say(turn, page, each)
        if receipts:
            page.wait_us = RECEIPT_TRY_US
            self._wait(turn, page)

    def _say(self, turn: Turn, page: Page, each: KeptReceipt) -> None:
        session = page.user.online
        assert session is not None, "there is a page only while its user is online"
        self._context.say(turn, session, Returned(each.slot) if each.ack is None else Receipt(each.slot, each.ack))

    def _wait(self, turn: Turn, page: Page) -> None:
        self._context.timers.set((Timer.RECEIPTS, page.user.identity), after(turn.now, page.wait_us))
        page.wait_us = min(2 * page.wait_us, RECEIPT_TRY_US_MAX)

    def timed_out(self, turn: Turn, identity: bytes) -> None:
        """Not noted in time: push again. Who notes nothing for long gives its place up, if others wait for one."""
        page = self._pages[identity]
        if not page.receipts:
            self._read(turn, page)
        elif page.wait_us == RECEIPT_TRY_US_MAX and self._line.is_long:
            page.receipts.clear()
            self._let_in(turn, self._line.pause(identity))
            self._read(turn, page)
        else:
            for each in page.receipts.values():
                self._say(turn, page, each)
            self._wait(turn, page)

    def note(self, turn: Turn, session: Session, asked: Noted) -> None:
        """A Noted; where the store has too much to do, its receipts are pushed and noted again."""
        self._storage.ask(turn, DropReceipts(session.user.identity, asked.slots))

    def dropped(self, turn: Turn, request: DropReceipts) -> None:
        """The sender has these on its disk, and the store has them no more."""
        page = self._pages.get(request.sender)
        if page is None:
            return
        for slot in request.slots:  # R-8.6-2
            page.receipts.pop(slot, None)
        self._go_on(turn, page)

    def _go_on(self, turn: Turn, page: Page) -> None:
        if page.receipts or page.reading:
            return
        if page.more:
            self._read(turn, page)
        else:
            self.stop(turn, page.user.identity)

    def _let_in(self, turn: Turn, follower: bytes | None) -> None:
        if follower is not None:
            self._read(turn, self._pages[follower])
