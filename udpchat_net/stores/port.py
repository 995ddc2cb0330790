"""What every store does for a core, and how it refuses to begin.

A core asks by requests (`udpchat_core.requests`) and is answered by replies. An adapter takes the requests of
a turn as one batch: they happen in their order, and all of them or none. Nothing about a batch is answered
before it would survive a power cut. What fails has an unknown outcome and is asked again: requests are
idempotent. So a full disk costs time, and never a letter. Batches come one at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from udpchat_core.requests import ClientRequest, ServerRequest, StoreReply

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


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A letter in a client's inbox, as `EnterLetter` put it there.

    Attributes:
        entry: grows from letter to letter.
        sender: I of the sender.
        ack: with `sender`, which letter it is.
        name: what the sender calls itself.
        confirmed: whether that name is pinned to the sender.
        sent_ms: by the sender's clock, milliseconds of Unix time.
        received_ms: by this one's.
        part: which part of a text, from 1.
        parts: how many parts the text has.
        text: of this part.
    """

    entry: int
    sender: bytes
    ack: bytes
    name: str
    confirmed: bool
    sent_ms: int
    received_ms: int
    part: int
    parts: int
    text: str


class StoreError(Exception):
    """A store cannot be opened or created: one sentence says what is wrong, with which file, and what to do."""


class StoreMissing(StoreError):
    """There is no store yet."""


class StoreExists(StoreError):
    """There is a store already, and it is not overwritten."""


class StoreLocked(StoreError):
    """Another process has it open."""


class StoreForeign(StoreError):
    """The file is something else."""


class StoreNewer(StoreError):
    """A newer version of this program made it."""


class StoreCorrupt(StoreError):
    """It is damaged."""


class StoreUnusable(StoreError):
    """The operating system refuses: no permission, no room, no such folder, a disk that fails."""
