"""A file of ours: made whole or not at all, opened only if it is ours, of a version we know, and sound.

What is refused is left as it was, byte for byte. The first 100 bytes are read before SQLite sees the file. If the last
process did not end cleanly, which shows by a write-ahead log that is left, then a read-only connection looks it
over, log included: such a one never writes what it recovers. Only then it is opened for writing, and the log is
moved into the file and emptied. That matters: a sync that failed may leave a log in the kernel's memory which
its disk does not have (the kernel forgets that it was not written), and nothing may build on that.

A schema is a list of steps. A new file runs all of them, an older one those that it lacks, in one
transaction with the number of the version, so that it is never between two versions.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from .errors import (
    StoreCorrupt,
    StoreError,
    StoreExists,
    StoreForeign,
    StoreLocked,
    StoreMissing,
    StoreNewer,
    StoreUnusable,
)
from .lockfile import LockFile
from .schemas import Schema

_MAGIC, _HEADER_BYTES, _WORD_BYTES = b"SQLite format 3\0", 100, 4
_VERSION_AT, _APPLICATION_AT = 60, 68  # https://www.sqlite.org/fileformat2.html#the_database_header
_BUSY_S = 2.0  # how long a reader from outside, as a backup is, may hold up a commit before it counts as failed
_PRIMARY_CODE = 0xFF

_PRAGMAS = (
    ("journal_mode", "wal"),  # one sync a commit, and readers do not wait
    ("synchronous", 2),  # FULL: a commit is on the disk before it returns
    ("fullfsync", 1),  # and on macOS off the disk's own cache
    ("secure_delete", 1),  # a key or a text that is deleted is overwritten
    ("trusted_schema", 0),  # the schema runs nothing but what SQLite itself brings
    ("cell_size_check", 1),  # damage is noticed early
)


class Connection(Protocol):
    """What is used of a `sqlite3.Connection` in autocommit mode; another may stand in and raise the same errors."""

    @property
    def in_transaction(self) -> bool:
        """Whether BEGIN has been executed, and no end of it."""
        ...

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Iterable[Any]:
        """Run one statement."""
        ...

    def close(self) -> None:
        """The end."""
        ...


Connect = Callable[[Path, bool], Connection]
"""Opens the file that is there; the flag: for reading only."""


def connect(path: Path, read_only: bool) -> Connection:
    """The standard library's connection."""
    mode = "ro" if read_only else "rw"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=_BUSY_S)


def create(path: Path, schema: Schema, fill: Callable[[Connection], None], connect: Connect = connect) -> None:
    """Make the file, for its owner only, with what `fill` puts in; its folder too. Raises `StoreError`.

    It is made beside and renamed, so that it is there whole or not at all.
    """
    _make_folder(path.parent)
    lock = LockFile(path)
    try:
        if path.exists():
            raise StoreExists(f"{path} is there already: open it, or move it away first")
        made = path.with_name(path.name + ".new")
        for left in (made, made.with_name(made.name + "-wal"), made.with_name(made.name + "-shm")):
            left.unlink(missing_ok=True)  # by a process that ended before it was done
        os.close(os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(connect(made, False)) as connection:
            _set_pragmas(connection)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"PRAGMA application_id = {schema.application_id}")
            _migrate(connection, schema, 0)
            fill(connection)
            connection.execute("COMMIT")
            _empty_log(made, connection)
        made.rename(path)
        _sync_folder(path.parent)
    except (sqlite3.Error, OSError) as error:
        raise as_store_error(path, error) from error
    finally:
        lock.release()


def open_checked(path: Path, schema: Schema, connect: Connect) -> Connection:
    """The file, ready for work, if it is what it should be; whoever calls holds the lock. Raises `StoreError`."""
    connection = None
    try:
        check_header(path, schema)
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            with closing(connect(path, True)) as looking:
                _check_version(path, schema, _number(looking, "user_version"))
                if (found := next(iter(looking.execute("PRAGMA quick_check(1)")))[0]) != "ok":
                    raise _corrupt(path, found)
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        connection = connect(path, False)
        connection.execute("BEGIN IMMEDIATE")  # nobody else writes
        connection.execute("ROLLBACK")
        _set_pragmas(connection)
        _empty_log(path, connection)
        if (version := _number(connection, "user_version")) < schema.version:
            connection.execute("BEGIN IMMEDIATE")
            _migrate(connection, schema, version)
            connection.execute("COMMIT")
        return connection
    except (sqlite3.Error, OSError, StoreError) as error:
        if connection is not None:
            connection.close()
        raise as_store_error(path, error) from error


def check_header(path: Path, schema: Schema) -> None:
    """Refuse what is not ours, is newer than we are, or is no whole database, without touching it."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError as error:
        raise StoreMissing(f"{path} is not there: create {schema.what} first") from error
    except OSError as error:
        raise as_store_error(path, error) from error
    if not header.startswith(_MAGIC):
        raise StoreForeign(f"{path} is not {schema.what}: choose another state folder, or move that file away")
    if len(header) < _HEADER_BYTES:
        raise _corrupt(path, "it is cut off")
    if int.from_bytes(header[_APPLICATION_AT : _APPLICATION_AT + _WORD_BYTES]) != schema.application_id:
        raise StoreForeign(f"{path} is not {schema.what}: choose another state folder, or move that file away")
    _check_version(path, schema, int.from_bytes(header[_VERSION_AT : _VERSION_AT + _WORD_BYTES]))


def as_store_error(path: Path, error: Exception) -> StoreError:
    """The error, in one sentence for the user."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, OSError):
        return StoreUnusable(f"{path} cannot be used ({error.strerror}): see its folder, its permissions and its disk")
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreLocked(f"{path} is in use by another program: wait until that is done")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _corrupt(path, str(error))
    return StoreUnusable(f"{path} cannot be used ({error}): see its folder, its permissions and its disk")


def _corrupt(path: Path, what: str) -> StoreCorrupt:
    what = " ".join(what.split())
    return StoreCorrupt(f"{path} is damaged ({what}): keep a copy, and put back a backup or begin with a new one")


def _check_version(path: Path, schema: Schema, version: int) -> None:
    if version > schema.version:
        raise StoreNewer(
            f"{path} is of a newer udpchat (its version is {version}, this program knows {schema.version}): "
            "install that one, or choose another state folder"
        )
    if version < 1:
        raise StoreForeign(f"{path} is not {schema.what}: choose another state folder, or move that file away")


def _set_pragmas(connection: Connection) -> None:
    for name, value in _PRAGMAS:
        list(connection.execute(f"PRAGMA {name} = {value}"))
        if (now := next(iter(connection.execute(f"PRAGMA {name}")))[0]) != value:
            raise sqlite3.OperationalError(f"this SQLite does not set {name} to {value} but to {now}")


def _migrate(connection: Connection, schema: Schema, version: int) -> None:
    for step in schema.steps[version:]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {schema.version}")


def _empty_log(path: Path, connection: Connection) -> None:
    """Move the log into the file. A reader from outside that stays can stop that half way, which harms nothing."""
    busy, _, _ = next(iter(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")))
    if busy:
        raise StoreLocked(f"{path} is in use by another program: wait until that is done")


def _number(connection: Connection, pragma: str) -> int:
    return int(next(iter(connection.execute(f"PRAGMA {pragma}")))[0])


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(f"{folder} cannot be made ({error.strerror}): choose another state folder") from error


def _sync_folder(folder: Path) -> None:
    """The new name is on the disk too; Windows has no such call, and keeps names in its journal."""
    if os.name == "posix":
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
