"""Store, then acknowledge, at the server: what a commit a message costs, where one a batch would do.

The bare work commits a batch of letters at once, the other one by one; both acknowledge each over a socket when it
is durable. They wait for the disk, so they are timed by the wall clock. In one file each: a checkpoint of one
is not the other's.
"""

import asyncio
import socket
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from time import perf_counter_ns
from typing import Final

from udpchat_core.server_requests import KeepLetter, Quota, ServerState
from udpchat_net.stores.sqlite_server import SqliteServerStore, create_server

from .harness import Arguments, Pair, Work

BATCHES: Final = (8, 64)
"""Letters in a batch: some, and as many as one turn of the driver can bring."""
_LETTER_BYTES, _ACK_BYTES = 400, 19
_OWNERS = _SENDERS = 100
_QUOTA = Quota(2**40, 2**40, 2**40)
_RANDOM = Random(1)
Batch = Sequence[KeepLetter]
How = Callable[[SqliteServerStore, socket.socket, Batch], Coroutine[None, None, None]]


def pairs() -> Iterator[Pair]:
    """A pair for each size of a batch."""
    for letters in BATCHES:
        # Here and not in the system's folder for temporary files, which may be in memory.
        with tempfile.TemporaryDirectory(dir=".") as folder, asyncio.Runner() as runner:
            stores = [_store(Path(folder) / name) for name in ("together", "apart")]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as acknowledging:
                acknowledging.bind(("127.0.0.1", 0))
                acknowledging.connect(acknowledging.getsockname())
                inputs = partial(_batches, letters)
                works = [
                    Work(partial(_run, runner, how, store, acknowledging), inputs)
                    for how, store in zip((_keep_together, _keep_apart), stores, strict=True)
                ]
                yield Pair(
                    f"store-one-by-one-{letters}", f"one commit of {letters}", works[0], works[1], clock=perf_counter_ns
                )
            for store in stores:
                store.close()


def _run(
    runner: asyncio.Runner, how: How, store: SqliteServerStore, acknowledging: socket.socket, batch: Batch
) -> None:
    runner.run(how(store, acknowledging, batch))


async def _keep_together(store: SqliteServerStore, acknowledging: socket.socket, batch: Batch) -> None:
    for reply in await store.commit(batch):
        assert reply.durable
        acknowledging.send(bytes(_ACK_BYTES))  # to itself: what does not fit its buffer is lost, and costs the same


async def _keep_apart(store: SqliteServerStore, acknowledging: socket.socket, batch: Batch) -> None:
    for letter in batch:
        await _keep_together(store, acknowledging, [letter])


def _batches(letters: int, calls: int) -> Iterator[Arguments]:
    return (([_letter() for _ in range(letters)],) for _ in range(calls))


def _store(folder: Path) -> SqliteServerStore:
    create_server(folder / "server.db", ServerState(bytes(32)))
    return SqliteServerStore(folder / "server.db")


def _letter() -> KeepLetter:
    owner, sender = _RANDOM.randrange(_OWNERS), _RANDOM.randrange(_SENDERS)
    letter, slot = _RANDOM.randbytes(_LETTER_BYTES), _RANDOM.randbytes(16)
    return KeepLetter(owner.to_bytes(32), sender.to_bytes(32), slot, 1, letter, 0, _QUOTA)


if __name__ == "__main__":
    from .__main__ import main

    sys.exit(main(["store", *sys.argv[1:]]))
