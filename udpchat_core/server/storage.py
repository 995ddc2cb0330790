"""Asking the store, each thing once at a time and until it was done; nothing that depends on it is answered before."""

from collections.abc import Iterator, Sequence

from ..client_requests import ClientRequest
from ..errors import LocalProtocolError
from ..limits import STORE_REQUESTS_MAX
from ..persistence import FailedRequests
from ..requests import StoreReply
from ..server_requests import ServerRequest
from ..turn import Turn
from .context import Context, Timer


class Storage:
    """The requests that are not answered yet."""

    __slots__ = ("_context", "_failed", "_outstanding")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._outstanding: dict[ClientRequest | ServerRequest, None] = {}
        self._failed = FailedRequests()

    def __len__(self) -> int:
        return len(self._outstanding)

    def is_asked(self, request: ServerRequest) -> bool:
        """Whether this very request is without an answer."""
        return request in self._outstanding

    def ask(self, turn: Turn, request: ServerRequest) -> bool:
        """Ask, unless the same is asked already. False where too much is: the client has to come again."""
        if request not in self._outstanding:
            if len(self._outstanding) >= STORE_REQUESTS_MAX:  # R-8.7-2
                return False
            self._outstanding[request] = None
            turn.store(request)
        return True

    def settle(self, turn: Turn, replies: Sequence[StoreReply]) -> Iterator[StoreReply]:
        """The replies whose request is done and durable; the others are asked again later."""  # R-8.7-1
        for reply in replies:
            if reply.request not in self._outstanding or reply.request in self._failed:
                raise LocalProtocolError(f"a reply to a {type(reply.request).__name__} that was not asked for")
        for reply in self._failed.sort(replies, turn):
            del self._outstanding[reply.request]
            yield reply

    def retry(self, turn: Turn) -> None:
        """Ask again what failed, in the order in which it was asked."""
        self._failed.ask_again(turn)

    def end_turn(self, turn: Turn) -> None:
        """What this turn asks for waits behind what failed."""
        self._failed.end_turn(turn)
        if self._failed.due is not None:
            self._context.timers.set((Timer.STORAGE, None), self._failed.due)
