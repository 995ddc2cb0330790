"""Asking the store, once at a time and until it did what it was asked.

A failure means that the outcome is unknown. Requests are idempotent, so the same comes again, with all that
failed meanwhile, after a wait that doubles; nothing that depends on it is answered before.
"""

from ..errors import LocalProtocolError
from ..events import StorageFailed, StorageRecovered
from ..instant import after
from ..limits import STORAGE_RETRY_US, STORAGE_RETRY_US_MAX, STORE_REQUESTS_MAX
from ..requests import ClientRequest, ServerRequest, StoreReply
from ..turn import Turn
from .context import Context, Timer


class Storage:
    """The requests that are not answered yet."""

    __slots__ = ("_context", "_failed", "_outstanding", "_wait_us")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._outstanding: dict[ClientRequest | ServerRequest, None] = {}
        self._failed: dict[ClientRequest | ServerRequest, None] = {}
        self._wait_us = 0  # while the store works

    def is_asked(self, request: ServerRequest) -> bool:
        """Whether this very request is without an answer."""
        return request in self._outstanding

    def ask(self, turn: Turn, request: ServerRequest) -> bool:
        """Ask, unless the same is asked already. False where too much is: the client has to come again."""
        if request not in self._outstanding:
            if len(self._outstanding) >= STORE_REQUESTS_MAX:  # R-8.7-2
                return False
            self._outstanding[request] = None
            if self._failed:  # it waits behind what failed: an old card must not follow a new one
                self._failed[request] = None
            else:
                turn.store(request)
        return True

    def settle(self, turn: Turn, reply: StoreReply) -> bool:
        """Whether the request of `reply` is done and durable; else it is asked again later."""
        request = reply.request
        if request not in self._outstanding or request in self._failed:
            raise LocalProtocolError(f"a reply to a {type(request).__name__} that was not asked for")
        if reply.durable:
            del self._outstanding[request]
            if self._wait_us:
                self._wait_us = 0
                turn.emit(StorageRecovered())
            return True
        if not self._wait_us:
            self._wait_us = STORAGE_RETRY_US
            turn.emit(StorageFailed())
        if not self._failed:
            self._context.timers.set((Timer.STORAGE, None), after(turn.now, self._wait_us))
        self._failed[request] = None  # R-8.7-1
        return False

    def retry(self, turn: Turn) -> None:
        """Ask again what failed, in the order in which it did."""
        failed, self._failed = self._failed, {}
        self._wait_us = min(2 * self._wait_us, STORAGE_RETRY_US_MAX)
        for request in failed:
            turn.store(request)
