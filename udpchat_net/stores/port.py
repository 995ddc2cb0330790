"""What every store does for a core.

A core asks by requests (`client_requests`, `server_requests`) and is answered by replies. An adapter takes the
requests of a turn as one batch: they happen in their order, and all of them or none. Nothing about a batch is
answered before it would survive a power cut. What fails has an unknown outcome and is asked again: requests are
idempotent. So a full disk costs time, and never a letter. Batches come one at a time.
"""

from collections.abc import Sequence
from typing import Protocol

from udpchat_core.client_requests import ClientRequest
from udpchat_core.requests import StoreReply
from udpchat_core.server_requests import ServerRequest

Request = ClientRequest | ServerRequest


class Store(Protocol):
    """A store of one client or of one server, open."""

    async def commit(self, requests: Sequence[Request]) -> tuple[StoreReply, ...]:
        """Carry out a batch: one reply a request, in their order.

        Either every reply is durable, or none is, and then it is unknown what the disk holds of the batch.
        Never raises for what a disk does; raises for a request that this store does not know, and once closed.
        """
        ...

    def close(self) -> None:
        """Let go of what is held, after a batch under way; a second time nothing happens."""
        ...
