"""What a core asks of its store, and what it gets back.

All requests of a turn are one commit: all or nothing of it is durable before the replies. Requests become
durable in the order in which they were made: when a commit fails, whatever the driver was asked for after it
fails too, untried. A failure means that the outcome is unknown; requests are idempotent, and the same ones come
again, in their order. A reply carries its request, so that a core keeps nothing about what it asked for. What a
store holds at the start is a state, given to the core when it is made.
"""

from dataclasses import dataclass

from .client_requests import ClientRequest, Entered
from .server_requests import Bound, Expired, Full, Kept, MailPage, Receipts, ServerRequest

Result = Entered | Bound | Kept | Full | MailPage | Receipts | Expired | None


@dataclass(frozen=True, slots=True)
class StoreReply:
    """What became of a request: done and durable, with its answer, or failed, outcome unknown."""

    request: ClientRequest | ServerRequest
    durable: bool
    result: Result = None
