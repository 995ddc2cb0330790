"""For a test: keep and page through 100,000 letters, and print the highest memory before and after, in KiB."""

import asyncio
import resource
import sys
from pathlib import Path
from random import Random

from udpchat_core.server_requests import KeepLetter, Kept, MailPage, Quota, ReadMail
from udpchat_net.stores.sqlite_server import SqliteServerStore

LETTERS, BATCH, OWNERS, SENDERS = 100_000, 4_000, 50, 100
QUOTA = Quota(4_096, 256, 4_096)


async def main(store: SqliteServerStore) -> None:
    random = Random(1)
    owners = [random.randbytes(32) for _ in range(OWNERS)]
    senders = [random.randbytes(32) for _ in range(SENDERS)]
    for begin in range(0, LETTERS, BATCH):
        batch = range(begin, begin + BATCH)
        replies = await store.commit([keep(random, owners[n % OWNERS], random.choice(senders), n) for n in batch])
        assert all(isinstance(reply.result, Kept) for reply in replies)
        if not begin:
            say_memory()
    for owner in owners:
        after = read = 0
        while letters := await page(store, owner, after):
            after, read = letters.letters[-1].entry, read + len(letters.letters)
        assert read == LETTERS // len(owners)
    say_memory()


def keep(random: Random, owner: bytes, sender: bytes, now_ms: int) -> KeepLetter:
    return KeepLetter(owner, sender, random.randbytes(16), 1, random.randbytes(300), now_ms, QUOTA)


def say_memory() -> None:
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}\n")


async def page(store: SqliteServerStore, owner: bytes, after: int) -> MailPage | None:
    (reply,) = await store.commit([ReadMail(owner, after, 32)])
    assert isinstance(reply.result, MailPage)
    return reply.result if reply.result.letters else None


store = SqliteServerStore(Path(sys.argv[1]))
asyncio.run(main(store))
store.close()
