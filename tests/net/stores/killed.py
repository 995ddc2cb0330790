"""For a test: kills a child that commits in a loop, again and again.

Says each time, a line a round: letters acknowledged, letters there, and whether these are the first without a gap.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from random import Random

from udpchat_core.server_requests import KeepLetter, Kept, MailPage, Quota, ReadMail
from udpchat_net.stores.sqlite_server import SqliteServerStore

QUOTA = Quota(2**40, 2**40, 2**40)
OWNER, SENDER = b"o" * 32, b"s" * 32


async def commit_forever(store: SqliteServerStore, first: int, to: int) -> None:
    """In batches of one to seven; after each the number of letters that are durable goes to `to`."""
    while True:
        batch = range(first, first + 1 + first % 7)
        requests = [KeepLetter(OWNER, SENDER, n.to_bytes(16), 1, bytes(1_000), 0, QUOTA) for n in batch]
        replies = await store.commit(requests)
        assert all(reply.durable and isinstance(reply.result, Kept) for reply in replies)
        first = batch.stop
        os.write(to, f"{first}\n".encode())


def killed_after(path: Path, first: int, commits: int) -> int:
    """What a child acknowledged that is killed about there."""
    reading, writing = os.pipe()
    child = os.fork()  # this process has no threads: a store that is closed has none
    if child == 0:
        os.close(reading)
        asyncio.run(commit_forever(SqliteServerStore(path), first, writing))
    os.close(writing)
    with os.fdopen(reading) as said:
        acknowledged = [int(said.readline()) for _ in range(commits)]
        os.kill(child, signal.SIGKILL)
        acknowledged += [int(line) for line in said]  # in the meantime
    os.waitpid(child, 0)
    return acknowledged[-1]


def slots(path: Path) -> list[int]:
    store = SqliteServerStore(path)
    (reply,) = asyncio.run(store.commit([ReadMail(OWNER, 0, 2**40)]))
    store.close()
    assert isinstance(reply.result, MailPage)
    return [int.from_bytes(letter.slot) for letter in reply.result.letters]


def main(path: Path, rounds: int) -> None:
    random, there = Random(11), 0
    for _ in range(rounds):
        acknowledged = killed_after(path, there, random.randint(1, 40))
        found = slots(path)
        there = len(found)
        sys.stdout.write(f"{acknowledged} {there} {found == list(range(there))}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
