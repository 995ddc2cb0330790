"""The server's store stays quick and small however much is in it; and the writer thread and its failures."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.net.stores.conformance import collected, new_server_state
from udpchat_core.fields import Outcome
from udpchat_core.server_requests import (
    BindUser,
    CollectLetters,
    DropReceipts,
    ExpireLetters,
    KeepLetter,
    Kept,
    MailPage,
    Quota,
    ReadMail,
    ReadReceipts,
    ServerState,
)
from udpchat_net.stores.errors import StoreCorrupt
from udpchat_net.stores.paths import server_path
from udpchat_net.stores.port import Request
from udpchat_net.stores.sqlite_file import Connection, connect
from udpchat_net.stores.sqlite_server import SqliteServerStore, create_server

QUOTA = Quota(50, 8, 20)
PEOPLE = [bytes([n]) * 32 for n in range(1, 6)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = server_path(tmp_path)
    create_server(path, new_server_state())
    return path


def keep(random: Random, quota: Quota = QUOTA) -> KeepLetter:
    owner, sender = random.choice(PEOPLE), random.choice(PEOPLE)
    slot = bytes([random.randrange(12)]) * 16
    return KeepLetter(owner, sender, slot, random.randint(1, 3), random.randbytes(200), random.randrange(100), quota)


def requests(random: Random) -> list[Request]:
    """One of each kind."""
    entries = tuple(collected(random.randrange(60), outcome) for outcome in Outcome)
    return [
        *(keep(random) for _ in range(8)),
        BindUser(random.choice(["anna", "bob"]), random.choice(PEOPLE), b"c" * 180),
        ReadMail(random.choice(PEOPLE), random.randrange(60), 32),
        CollectLetters(random.choice(PEOPLE), entries, 3),
        ReadReceipts(random.choice(PEOPLE), 64),
        DropReceipts(random.choice(PEOPLE), (bytes([random.randrange(12)]) * 16,)),
        ExpireLetters(random.randrange(20)),
    ]


def test_what_quotas_count_is_what_is_there(path: Path) -> None:
    store, random = SqliteServerStore(path), Random(3)
    with closing(sqlite3.connect(path)) as reader:
        for _ in range(150):
            assert asyncio.run(store.commit(requests(random)))[0].durable
            counted = reader.execute(
                "SELECT mailboxes.id, count(letters.entry), coalesce(sum(NOT known), 0) FROM mailboxes"
                " LEFT JOIN letters ON letters.mailbox = mailboxes.id LEFT JOIN senders ON senders.id = letters.sender"
                " GROUP BY mailboxes.id ORDER BY mailboxes.id"
            ).fetchall()
            assert counted == reader.execute("SELECT id, letters, of_strangers FROM mailboxes ORDER BY id").fetchall()
            of_senders = reader.execute(
                "SELECT senders.id, count(letters.entry) FROM senders LEFT JOIN letters ON letters.sender = senders.id"
                " GROUP BY senders.id ORDER BY senders.id"
            ).fetchall()
            assert of_senders == reader.execute("SELECT id, letters FROM senders ORDER BY id").fetchall()
            assert reader.execute("SELECT * FROM senders WHERE letters = 0 AND NOT known").fetchall() == []
    store.close()


class Explaining:
    """Notes how SQLite goes about every statement that it is given."""

    def __init__(self, connection: Connection, plans: dict[str, str]) -> None:
        self._connection, self._plans = connection, plans

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Any = (), /) -> Iterable[Any]:
        if sql.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            plan = self._connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
            self._plans[sql] = "; ".join(row[3] for row in plan)
        return self._connection.execute(sql, parameters)

    def close(self) -> None:
        self._connection.close()


def test_no_request_reads_a_whole_table_or_sorts(path: Path) -> None:
    plans: dict[str, str] = {}
    store, random = SqliteServerStore(path, lambda p, read_only: Explaining(connect(p, read_only), plans)), Random(5)
    for _ in range(40):
        assert asyncio.run(store.commit(requests(random)))[0].durable
    store.close()
    assert len(plans) > 25
    assert [(sql, plan) for sql, plan in plans.items() if "SCAN" in plan.replace("SCAN CONSTANT ROW", "")] == []
    sorted_by = [sql for sql, plan in plans.items() if "B-TREE" in plan]
    assert all("SELECT DISTINCT mailbox, sender FROM letters" in sql for sql in sorted_by)  # what is old


def test_a_hundred_thousand_letters_cost_no_memory(path: Path) -> None:
    """In a process of its own, whose highest memory the system counts: 40 MB are kept and read."""
    script = Path(__file__).with_name("many_letters.py")
    run = subprocess.run([sys.executable, str(script), str(path)], capture_output=True, text=True, check=True)
    before_kib, after_kib = map(int, run.stdout.split())
    assert path.stat().st_size > 40_000_000
    assert after_kib - before_kib < 16_384, run.stdout


def test_the_directory_is_read_a_page_at_a_time_and_again(tmp_path: Path) -> None:
    users = tuple(BindUser(f"u{n:05}", n.to_bytes(32), b"c" * 180) for n in range(2_500))
    path = server_path(tmp_path)
    create_server(path, ServerState(b"p" * 32, users))
    store = SqliteServerStore(path)
    state = store.load()
    assert tuple(state.users) == users
    assert tuple(state.users) == users
    store.close()


def test_a_store_without_a_key_is_damaged(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("DELETE FROM me")
    store = SqliteServerStore(path)
    with pytest.raises(StoreCorrupt, match="no key"):
        store.load()
    store.close()


def test_the_loop_runs_on_while_the_disk_works(path: Path) -> None:
    """The loop itself lets the commit go on: if commits ran on the loop's thread, neither could."""

    async def scenario() -> None:
        goes_on = asyncio.Event()
        loop = asyncio.get_running_loop()

        class Slow(Explaining):
            def execute(self, sql: str, parameters: Any = (), /) -> Iterable[Any]:
                if sql == "COMMIT":
                    asyncio.run_coroutine_threadsafe(goes_on.wait(), loop).result(30)
                return self._connection.execute(sql, parameters)

        store = SqliteServerStore(path, lambda p, read_only: Slow(connect(p, read_only), {}))
        commit = asyncio.create_task(store.commit([keep(Random(1))]))
        await asyncio.sleep(0)
        assert not commit.done()
        goes_on.set()
        assert (await commit)[0].durable
        store.close()

    asyncio.run(scenario())


def test_a_connection_that_cannot_even_roll_back_is_replaced(path: Path) -> None:
    class Breaking(Explaining):
        broken = False

        def execute(self, sql: str, parameters: Any = (), /) -> Iterable[Any]:
            if self.broken and sql in ("COMMIT", "ROLLBACK"):
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
                raise error
            return self._connection.execute(sql, parameters)

    opened: list[Breaking] = []

    def connect_breaking(path: Path, read_only: bool) -> Breaking:
        opened.append(Breaking(connect(path, read_only), {}))
        return opened[-1]

    store = SqliteServerStore(path, connect_breaking)
    opened[0].broken = True
    request = keep(Random(1))
    assert [reply.durable for reply in asyncio.run(store.commit([request]))] == [False]
    (reply,) = asyncio.run(store.commit([request]))
    assert reply.durable
    assert len(opened) == 2
    (page,) = asyncio.run(store.commit([ReadMail(request.owner, 0, 9)]))
    assert isinstance(page.result, MailPage)
    assert len(page.result.letters) == 1
    store.close()


def test_an_error_of_this_program_is_raised_and_rolled_back(path: Path) -> None:
    store = SqliteServerStore(path)
    wrong = KeepLetter(PEOPLE[0], PEOPLE[1], b"s" * 16, 1, None, 0, QUOTA)  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        asyncio.run(store.commit([keep(Random(1)), wrong]))
    page, kept = asyncio.run(store.commit([ReadMail(PEOPLE[1], 0, 9), keep(Random(1))]))
    assert page.result == MailPage(())
    assert isinstance(kept.result, Kept)
    store.close()
