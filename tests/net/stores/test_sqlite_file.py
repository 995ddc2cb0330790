"""A file is made whole or not at all, and what is not ours, not known or not sound is refused and left as it was."""

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.net.stores.conformance import busy_client_state, new_client_state
from udpchat_core.client_requests import DropMailKey, SaveMailKey, SaveOutgoing
from udpchat_net.stores import errors, sqlite_file
from udpchat_net.stores.schemas import CLIENT, Schema
from udpchat_net.stores.sqlite import SqliteStore
from udpchat_net.stores.sqlite_client import SqliteClientStore, create_client
from udpchat_net.stores.sqlite_server import SqliteServerStore

LETTER = SaveOutgoing(b"s" * 16, 1, 1, 1, "bob", 0, "hi", None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "client.db"
    create_client(path, busy_client_state(), "localhost:10001")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but SQLite's shared memory, which holds nothing that lasts, and our lock file, which is empty."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix not in (".lock",) and "-shm" not in p.name}


KEYS = [f"INSERT INTO mail_keys VALUES (x'{number:064x}', {number})" for number in range(1, 41)]


def leave_uncleanly(path: Path, *statements: str) -> None:
    """What a process that is killed leaves: some commits in the log, none of them in the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        for statement in statements or KEYS:
            writer.execute(statement)
        for name in (path.name, path.name + "-wal"):
            shutil.copy(path.with_name(name), path.with_name("copy of " + name))
    for name in (path.name, path.name + "-wal"):
        path.with_name("copy of " + name).rename(path.with_name(name))


def refuses(path: Path, error: type[errors.StoreError], *words: str) -> None:
    before = contents(path.parent)
    with pytest.raises(error) as caught:
        SqliteClientStore(path)
    assert type(caught.value) is error
    assert contents(path.parent) == before
    for word in (str(path), *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_file_and_what_stands_beside_it_are_for_the_owner_only(path: Path) -> None:
    store = SqliteClientStore(path)
    asyncio.run(store.commit([LETTER]))
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    store.close()
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    path.chmod(0o644)
    SqliteClientStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_durable_by_the_settings_that_sqlite_reports(path: Path) -> None:
    with closing(sqlite_file.open_checked(path, CLIENT, sqlite_file.connect)) as connection:
        assert [*connection.execute("PRAGMA journal_mode"), *connection.execute("PRAGMA synchronous")] == [
            ("wal",),
            (2,),
        ]


def test_a_setting_that_sqlite_does_not_take_is_noticed(path: Path) -> None:
    class Deaf(sqlite3.Connection):
        def execute(self, sql: str, parameters: object = (), /) -> sqlite3.Cursor:
            return super().execute("PRAGMA synchronous" if sql == "PRAGMA synchronous = 2" else sql)

    def connect(path: Path, read_only: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(path, factory=Deaf, isolation_level=None)
        sqlite3.Connection.execute(connection, "PRAGMA synchronous = 1")
        return connection

    with pytest.raises(errors.StoreUnusable, match="synchronous to 2 but to 1"):
        SqliteClientStore(path, connect)


def test_nothing_is_overwritten_by_creating(path: Path) -> None:
    before = contents(path.parent)
    with pytest.raises(errors.StoreExists, match="is there already"):
        create_client(path, new_client_state(), "localhost:10001")
    assert contents(path.parent) == before


def test_what_an_interrupted_creation_left_is_not_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "client.db"

    class Interrupted(Exception):
        pass

    def fill(connection: sqlite_file.Connection) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        sqlite_file.create(path, CLIENT, fill)
    assert not path.exists()
    create_client(path, busy_client_state(), "localhost:10001")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["client.db", "client.db.lock"]
    store = SqliteClientStore(path)
    assert store.load() == busy_client_state()
    store.close()


def test_a_missing_file_is_said_to_be_missing_and_is_not_made(tmp_path: Path) -> None:
    refuses(tmp_path / "client.db", errors.StoreMissing, "create")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"keys\n" * 100, b"SQLite format 2\0" * 10], ids=["empty", "text", "almost"])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "client.db"
    path.write_bytes(content)
    refuses(path, errors.StoreForeign, "not a udpchat client's store")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["client.db"]


def test_the_database_of_another_program_is_refused_even_while_that_runs(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = wal")
        other.execute("CREATE TABLE places (url TEXT)")
        refuses(path, errors.StoreForeign, "not a udpchat client's store")


def test_a_servers_store_is_no_clients_store(path: Path) -> None:
    with pytest.raises(errors.StoreForeign, match="not a udpchat server's store"):
        SqliteServerStore(path)


@pytest.mark.parametrize("clean", [True, False])
def test_a_newer_file_is_refused(path: Path, clean: bool) -> None:
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA user_version = 99")
    if not clean:
        leave_uncleanly(path)
    refuses(path, errors.StoreNewer, "99", str(CLIENT.version))


def test_a_newer_version_that_only_the_log_tells_is_refused(path: Path) -> None:
    leave_uncleanly(path, "PRAGMA user_version = 99")
    sqlite_file.check_header(path, CLIENT)  # sees nothing wrong
    refuses(path, errors.StoreNewer, "99")


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("keep_bytes", [50, 4_096, 6_000])
def test_a_file_that_is_cut_off_is_refused(path: Path, clean: bool, keep_bytes: int) -> None:
    os.truncate(path, keep_bytes)
    if not clean:
        path.with_name(path.name + "-wal").write_bytes(b"\0" * 5_000)
    refuses(path, errors.StoreCorrupt, "damaged", "backup")


def test_damage_inside_is_found_after_an_unclean_end(path: Path) -> None:
    leave_uncleanly(path)
    damage(path)
    refuses(path, errors.StoreCorrupt, "damaged", "backup")


def test_damage_that_a_clean_end_hides_is_found_by_loading(path: Path) -> None:
    damage(path)
    store = SqliteClientStore(path)
    with pytest.raises(errors.StoreCorrupt, match="damaged"):
        store.load()
    assert not asyncio.run(store.commit([SaveMailKey(b"k", 1)]))[0].durable
    store.close()


def damage(path: Path) -> None:
    """Spoil the root pages of the tables that are read at the start."""
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as reader:
        roots = [
            root
            for (root,) in reader.execute("SELECT rootpage FROM sqlite_schema WHERE tbl_name IN ('pins', 'mail_keys')")
        ]
    with path.open("r+b") as file:
        for root in roots:
            file.seek((root - 1) * 4_096)
            file.write(os.urandom(64))


def test_a_second_store_is_refused_until_the_first_is_closed(path: Path) -> None:
    first = SqliteClientStore(path)
    refuses(path, errors.StoreLocked, "in use by another udpchat", "stop")
    first.close()
    SqliteClientStore(path).close()


def test_a_lock_ends_with_its_process_however_that_ends(path: Path) -> None:
    script = (
        "import sys, pathlib; from udpchat_net.stores.sqlite_client import SqliteClientStore\n"
        "store = SqliteClientStore(pathlib.Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        refuses(path, errors.StoreLocked)
        other.kill()
    SqliteClientStore(path).close()


def test_a_store_that_another_program_writes_to_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "_BUSY_S", 0)
    leave_uncleanly(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refuses(path, errors.StoreLocked, "in use by another program")


def test_a_backup_may_read_while_we_write(path: Path) -> None:
    store = SqliteClientStore(path)
    with closing(sqlite3.connect(path)) as reader, closing(sqlite3.connect(path.with_name("backup"))) as backup:
        reader.execute("BEGIN").execute("SELECT * FROM me").fetchall()
        assert asyncio.run(store.commit([LETTER]))[0].durable
        reader.backup(backup)
    store.close()


def test_what_the_system_refuses_is_said(tmp_path: Path) -> None:
    with pytest.raises(errors.StoreUnusable, match="File name too long"):
        SqliteClientStore(tmp_path / ("x" * 300))


def test_a_folder_in_place_of_the_file_or_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.StoreUnusable, match="Is a directory"):
        SqliteClientStore(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(errors.StoreUnusable, match="choose another"):
        create_client(tmp_path / "file" / "client.db", new_client_state(), "localhost:10001")


class Renamed(SqliteStore):
    """Two versions later."""

    schema = Schema(
        CLIENT.application_id,
        CLIENT.what,
        (
            *CLIENT.steps,
            ("ALTER TABLE pins ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0",),
            ("ALTER TABLE pins RENAME TO contacts", "CREATE INDEX by_identity ON contacts (identity)"),
        ),
    )
    handlers = MappingProxyType({})


@pytest.mark.parametrize("clean", [True, False])
def test_an_older_file_is_brought_forward_and_then_the_older_program_refuses_it(path: Path, clean: bool) -> None:
    if not clean:
        leave_uncleanly(path)
    Renamed(path).close()
    with closing(sqlite3.connect(path)) as reader:
        assert reader.execute("SELECT name, since_ms FROM contacts ORDER BY name").fetchall() == [
            ("bob", 0),
            ("carol", 0),
        ]
        assert reader.execute("PRAGMA user_version").fetchall() == [(CLIENT.version + 2,)]
    refuses(path, errors.StoreNewer, str(CLIENT.version + 2))


def test_a_migration_that_fails_leaves_the_older_version(path: Path) -> None:
    class Wrong(Renamed):
        schema = Schema(
            CLIENT.application_id, CLIENT.what, (*CLIENT.steps, ("DROP TABLE pins",), ("DROP TABLE no_such",))
        )

    with pytest.raises(errors.StoreUnusable, match="no such table"):
        Wrong(path)
    store = SqliteClientStore(path)
    assert store.load() == busy_client_state()
    store.close()


def test_a_key_that_is_dropped_leaves_the_disk(path: Path) -> None:
    key = bytes(range(32))
    store = SqliteClientStore(path)
    asyncio.run(store.commit([SaveMailKey(key, 5)]))
    store.close()
    assert key in path.read_bytes()
    store = SqliteClientStore(path)
    asyncio.run(store.commit([DropMailKey(key)]))
    store.close()
    assert not any(key in content for content in contents(path.parent).values())
