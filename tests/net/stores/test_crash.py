"""After a crash at any point, and on a disk that fails, everything acknowledged is there and nothing is half done.

`UDPCHAT_CRASH_STATES=all` tries every state instead of a sample.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import apsw
import pytest

from tests.net.stores.conformance import collected, new_server_state
from tests.net.stores.disk import Disk, DiskConnect, after_crash
from udpchat_core.fields import Outcome
from udpchat_core.server_requests import (
    BindUser,
    CollectLetters,
    DropReceipts,
    ExpireLetters,
    KeepLetter,
    Quota,
    ReadMail,
    ReadReceipts,
)
from udpchat_net.stores.errors import StoreError
from udpchat_net.stores.paths import server_path
from udpchat_net.stores.port import Request
from udpchat_net.stores.sqlite_server import SqliteServerStore, create_server

OWNERS, SENDERS = [bytes([n]) * 32 for n in (1, 2)], [bytes([n]) * 32 for n in (3, 4, 5)]
SAMPLE = None if os.environ.get("UDPCHAT_CRASH_STATES") == "all" else 150


def batches() -> list[list[Request]]:
    """Work of every kind; each batch may be carried out again right after itself, and changes nothing then."""
    random, made = Random(7), []
    for number in range(14):
        batch: list[Request] = [
            KeepLetter(
                random.choice(OWNERS),
                random.choice(SENDERS),
                random.randbytes(16),
                1,
                random.randbytes(900),
                number,
                Quota(99, 99, 99),
            )
            for _ in range(random.randint(1, 6))
        ]
        if number % 3 == 1:
            entries = tuple(collected(random.randint(1, 12), random.choice(list(Outcome))) for _ in range(4))
            batch = [CollectLetters(random.choice(OWNERS), entries, 5)]
        if number % 5 == 4:
            batch = [
                BindUser(f"n{number}", OWNERS[0], b"c" * 200),
                ExpireLetters(3),
                DropReceipts(SENDERS[0], (bytes(16),)),
            ]
        made.append(batch)
    return made


def commit(store: SqliteServerStore, batch: Sequence[Request]) -> bool:
    replies = asyncio.run(store.commit(batch))
    assert len({reply.durable for reply in replies}) == 1
    return replies[0].durable


def content(store: SqliteServerStore) -> tuple[Any, ...]:
    """All that a store can be asked for."""
    asked: list[Request] = [
        *(ReadMail(owner, 0, 999) for owner in OWNERS),
        *(ReadReceipts(sender, 999) for sender in SENDERS),
    ]
    state = store.load()
    return (state.private, tuple(state.users), *(reply.result for reply in asyncio.run(store.commit(asked))))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = server_path(tmp_path)
    create_server(path, new_server_state())
    return path


@pytest.fixture
def expected(tmp_path: Path) -> list[tuple[Any, ...]]:
    """The content after so many batches."""
    path = server_path(tmp_path / "expected")
    create_server(path, new_server_state())
    store = SqliteServerStore(path)
    contents = [content(store)]
    for batch in batches():
        assert commit(store, batch)
        contents.append(content(store))
        assert commit(store, batch)
        assert content(store) == contents[-1]  # idempotent
    store.close()
    assert len(set(map(repr, contents))) > 10
    return contents


def sample(states: Sequence[Any]) -> Sequence[Any]:
    return states if SAMPLE is None or len(states) <= SAMPLE else Random(1).sample(states, SAMPLE)


def test_a_crash_at_any_write_or_sync_loses_nothing_acknowledged(path: Path, expected: list[tuple[Any, ...]]) -> None:
    disk, before = Disk(), {path.name: path.read_bytes()}
    store = SqliteServerStore(path, DiskConnect(disk))
    acknowledged = [0] * len(disk.done)  # how many batches were, when an operation began
    for number, batch in enumerate(batches()):
        assert commit(store, batch)
        acknowledged += [number] * (len(disk.done) - len(acknowledged))
    store.close()
    acknowledged += [len(batches())] * (len(disk.done) - len(acknowledged) + 1)
    assert {each.kind for each in disk.done} == {"write", "sync", "truncate", "delete"}
    assert sum(each.kind == "write" and each.name == path.name for each in disk.done) > 20  # checkpoints

    fates = (False, True, 1, 2)
    for at, fate in sample([(at, fate) for at in range(len(disk.done) + 1) for fate in fates]):
        how = fate if isinstance(fate, bool) else Random(f"{at} {fate}")
        folder = path.parent / f"{at}-{fate}"
        folder.mkdir()
        for name, left in after_crash(before, disk.done[:at], how).items():
            (folder / name).write_bytes(left)
        store = SqliteServerStore(folder / path.name)  # checks its integrity
        done = acknowledged[at]
        assert content(store) in expected[done : done + 2], (at, fate)
        if done < len(batches()):
            assert commit(store, batches()[done])
            assert content(store) == expected[done + 1], (at, fate)
        store.close()


def run_to_the_end(path: Path, disk: Disk) -> int:
    """Every batch until it is durable, on a disk that fails; how often it did. Nothing is raised."""
    failures, store = 0, None
    connect = DiskConnect(disk)
    while store is None:
        try:
            store = SqliteServerStore(path, connect)
        except StoreError:
            failures += 1
    for batch in batches():
        while not commit(store, batch):
            failures += 1
    store.close()
    return failures


@pytest.mark.parametrize("error", [apsw.SQLITE_IOERR, apsw.SQLITE_FULL], ids=["input/output", "full"])
def test_an_error_of_the_disk_at_any_operation_costs_only_time(
    path: Path, expected: list[tuple[Any, ...]], error: int
) -> None:
    before, disk = path.read_bytes(), Disk()
    assert run_to_the_end(path, disk) == 0
    failed = 0
    for at in sample(range(1, disk.count + 1)):
        path.write_bytes(before)
        failed += run_to_the_end(path, Disk(fail_at=at, error=error)) > 0
        store = SqliteServerStore(path)
        assert content(store) == expected[-1], at
        store.close()
    assert failed > 50  # some errors, as one in a checkpoint, are SQLite's own to try again


def test_a_full_disk_still_gives_out_mail_and_takes_it_again_once_there_is_room(
    path: Path, expected: list[tuple[Any, ...]]
) -> None:
    disk = Disk()
    store = SqliteServerStore(path, DiskConnect(disk))
    work, done = batches(), 1
    assert commit(store, work[0])
    disk.room_bytes = 0
    while commit(store, work[done]):  # there is some room in the log that is there
        done += 1
    assert done < len(work) - 1
    assert not commit(store, work[done])
    assert content(store) == expected[done]
    disk.room_bytes = None
    for batch in work[done:]:
        assert commit(store, batch)
    assert content(store) == expected[-1]
    store.close()
