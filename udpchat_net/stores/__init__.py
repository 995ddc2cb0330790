"""Stores: what makes the requests of a core durable.

Theory of operation. An adapter has one method. It carries out the requests of one commit in their order, all
or nothing, and answers each with a `StoreReply` once they are durable. A commit that fails is answered by
replies that are not durable: its outcome is unknown, and the core asks the same again, which must be harmless.
What each request does is said in `udpchat_core.requests`; every adapter passes the same conformance suite.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from udpchat_core.requests import ClientRequest, ServerRequest, StoreReply

R_contra = TypeVar("R_contra", ClientRequest, ServerRequest, contravariant=True)


class StorePort(Protocol[R_contra]):
    """A client's store is a `StorePort[ClientRequest]`, a server's a `StorePort[ServerRequest]`."""

    async def commit(self, requests: Sequence[R_contra]) -> Sequence[StoreReply]:
        """Make all of `requests` durable, or none, in their order; a reply for each, in the same order."""
        ...
