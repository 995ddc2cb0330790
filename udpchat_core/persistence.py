"""Requests to the store that failed: made again, less and less often, until the store works.

A failure means that the outcome is unknown, so nothing may be said of it; requests are idempotent, so the
same one is made again. Until then whatever else is asked waits behind it: what is durable is always the
beginning of what was asked, so that no watermark is ahead of its letters and no old card follows a new one.
The application is told once that the store fails, and once that it works again.
"""

from collections.abc import Iterator, Sequence

from .client_requests import ClientRequest
from .events import StorageFailed, StorageRecovered
from .instant import Instant, after
from .limits import STORAGE_RETRY_US, STORAGE_RETRY_US_MAX
from .requests import StoreReply
from .server_requests import ServerRequest
from .turn import Turn


class FailedRequests:
    """What is to be asked again.

    Attributes:
        due: when; None if nothing failed.
    """

    def __init__(self) -> None:
        self._requests: list[ClientRequest | ServerRequest] = []
        self._failures = 0
        self.due: Instant | None = None

    def __len__(self) -> int:
        return len(self._requests)

    def __contains__(self, request: object) -> bool:
        return request in self._requests

    def sort(self, replies: Sequence[StoreReply], turn: Turn) -> Iterator[StoreReply]:
        """The replies that say durable; the others are kept, to be asked again."""
        failed = [reply.request for reply in replies if not reply.durable]
        if failed:
            if not self._failures:
                turn.emit(StorageFailed())
            wait_us = min(STORAGE_RETRY_US << min(self._failures, 16), STORAGE_RETRY_US_MAX)
            self._failures += 1
            self._requests += failed
            self.due = after(turn.now, wait_us)
        elif self._failures and replies:
            self._failures = 0
            turn.emit(StorageRecovered())
        yield from (reply for reply in replies if reply.durable)

    def ask_again(self, turn: Turn) -> None:
        """Ask the store for all of it, in the order in which it was first asked."""
        requests, self._requests = self._requests, []
        self.due = None
        for request in requests:
            turn.store(request)

    def end_turn(self, turn: Turn) -> None:
        """What this turn asks for waits behind what failed."""
        if self._requests:
            self._requests += turn.withhold()
