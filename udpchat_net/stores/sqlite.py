"""A store in an SQLite file: one batch, one transaction, one sync, on a thread of its own.

The loop never waits for a disk: everything that touches the connection runs on the writer thread, in the
order asked for. A failure of the disk (or no room on it) is rolled back and answered as not durable. Even a
rolled back batch may be found on the disk after a power cut, if its sync failed half way: that is what
"outcome unknown" means, and why requests are idempotent.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from udpchat_core.requests import Result, StoreReply

from .errors import StoreError
from .lockfile import LockFile
from .port import Request
from .schemas import Schema
from .sqlite_file import Connect, Connection, as_store_error, check_header, connect, open_checked

T = TypeVar("T")
Handler = Callable[[Connection, Any], Result]
"""Carries out one kind of request inside a transaction."""

_PRIMARY_CODE = 0xFF
_DISK_CODES = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    )
)
"""What may be the machine's fault; any other error is this program's, and is raised."""


class SqliteStore:
    """Meets the port. Raises `StoreError` if the file cannot be opened; then it is left as it was.

    Subclasses say which file it is and how requests are carried out.
    """

    schema: ClassVar[Schema]
    handlers: ClassVar[Mapping[type, Handler]]

    def __init__(self, path: Path, connect: Connect = connect) -> None:
        self.path = path
        self._connect = connect
        self._connection: Connection | None = None
        check_header(path, self.schema)  # before a lock file is made beside somebody else's file
        self._lock = LockFile(path)
        self._writer: ThreadPoolExecutor | None = ThreadPoolExecutor(1, "store")
        try:
            self._writer.submit(self._connected).result()
        except BaseException:
            self.close()
            raise

    async def commit(self, requests: Sequence[Request]) -> tuple[StoreReply, ...]:
        """See `port.Store`."""
        if self._writer is None:
            raise ValueError(f"{self.path} is closed")
        batch = tuple(requests)
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._commit, batch)

    def close(self) -> None:
        """See `port.Store`. After it the file needs no log, and others may open it."""
        if self._writer is None:
            return
        self._writer.submit(self._disconnect).result()
        self._writer.shutdown()
        self._writer = None
        self._lock.release()

    def _ask(self, question: Callable[[Connection], T]) -> T:
        """Run it on the writer thread, waiting for it: at the start, when nothing else goes on yet."""
        if self._writer is None:
            raise ValueError(f"{self.path} is closed")
        return self._writer.submit(self._answer, question).result()

    def _answer(self, question: Callable[[Connection], T]) -> T:
        try:
            return question(self._connected())
        except sqlite3.Error as error:
            raise as_store_error(self.path, error) from error

    def _commit(self, batch: tuple[Request, ...]) -> tuple[StoreReply, ...]:
        handlers = [self._handler(request) for request in batch]
        try:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            results = [handle(connection, request) for handle, request in zip(handlers, batch, strict=True)]
            connection.execute("COMMIT")
        except Exception as error:
            self._roll_back()
            if not _is_of_the_disk(error):
                raise
            return tuple(StoreReply(request, durable=False) for request in batch)
        return tuple(
            StoreReply(request, durable=True, result=result) for request, result in zip(batch, results, strict=True)
        )

    def _handler(self, request: Request) -> Handler:
        if (handler := self.handlers.get(type(request))) is None:
            raise TypeError(f"{self.schema.what} knows no {type(request).__name__}")
        return handler

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = open_checked(self.path, self.schema, self._connect)
        return self._connection

    def _roll_back(self) -> None:
        """A connection that cannot even do that is given up, and a new one is opened for the next batch."""
        if self._connection is not None and self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()


def _is_of_the_disk(error: Exception) -> bool:
    if isinstance(error, StoreError):
        return True
    return isinstance(error, sqlite3.Error) and (getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE) in _DISK_CODES
