"""A disk that notes what is written and synced, that fails when told to, and what a crash leaves of it.

The standard library's `sqlite3` cannot be given a VFS of ours, so apsw (with its own SQLite) stands in for it
under the same adapter. The state after a crash is then opened by the adapter as it is. Until a file is synced,
each of its writes may be on the disk, or not, or in part, by sectors, and in any order.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import apsw

SECTOR_BYTES = 512


@dataclass(frozen=True)
class Operation:
    """What the disk was asked: "write", "truncate" (to `at`), "sync" or "delete"; "read" is only counted."""

    kind: str
    name: str
    at: int = 0
    data: bytes = b""


@dataclass
class Disk:
    """What is under the files of one store.

    Attributes:
        done: every operation that changed something, or synced it.
        count: operations so far, reads too.
        fail_at: the number of the operation that fails with `error`; None for none.
        room_bytes: how long the files may become together; None for any length.
    """

    done: list[Operation] = field(default_factory=list)
    count: int = 0
    fail_at: int | None = None
    error: int = apsw.SQLITE_IOERR
    room_bytes: int | None = None
    sizes: dict[str, int] = field(default_factory=dict)

    def begin(self, kind: str, name: str, at: int = 0, data: bytes = b"") -> None:
        """Count it, and fail if this is the one."""
        self.count += 1
        if self.count == self.fail_at:
            raise apsw.exception_for(self.error)
        if kind == "write":
            sizes = self.sizes | {name: max(self.sizes.get(name, 0), at + len(data))}
            if self.room_bytes is not None and sum(sizes.values()) > max(self.room_bytes, sum(self.sizes.values())):
                raise apsw.exception_for(apsw.SQLITE_FULL)
            self.sizes = sizes
        if kind != "read":
            self.done.append(Operation(kind, name, at, data))


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, filename: Any, flags: list[int]) -> None:
        super().__init__("", filename, flags)
        self._disk = disk
        self._name = Path(filename.filename() if isinstance(filename, apsw.URIFilename) else filename).name

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.begin("read", self._name)
        return super().xRead(amount, offset)

    def xWrite(self, data: Any, offset: int) -> None:
        self._disk.begin("write", self._name, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        self._disk.begin("truncate", self._name, newsize)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        self._disk.begin("sync", self._name)  # and not the real disk: this is what makes many states quick


class _Vfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self.name = f"disk-{id(disk)}"
        super().__init__(self.name, "")
        self._disk = disk

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _File(self._disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self._disk.begin("delete", Path(filename).name)
        super().xDelete(filename, syncdir)


class ApswConnection:
    """Looks like a `sqlite3.Connection` in autocommit mode, errors included."""

    def __init__(self, path: Path, read_only: bool, vfs: str, checkpoint_pages: int) -> None:
        flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE
        with _as_sqlite3():
            self._connection = apsw.Connection(str(path), flags=flags, vfs=vfs)
        self.execute("PRAGMA locking_mode = exclusive")  # no shared memory, which a VFS in Python does not have
        self.execute(f"PRAGMA wal_autocheckpoint = {checkpoint_pages}")

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Iterable[Any]:
        with _as_sqlite3():
            return list(self._connection.execute(sql, tuple(parameters)))

    def close(self) -> None:
        with suppress(apsw.Error):  # closing succeeds even where its checkpoint does not, and sqlite3 is silent then
            self._connection.close()


@contextmanager
def _as_sqlite3() -> Any:
    try:
        yield
    except apsw.Error as error:
        as_sqlite3 = sqlite3.OperationalError(str(error))
        as_sqlite3.sqlite_errorcode = getattr(error, "extendedresult", apsw.SQLITE_IOERR)
        raise as_sqlite3 from error


class DiskConnect:
    """Opens files on `disk`; with a checkpoint after so many pages, so that a short run has some."""

    def __init__(self, disk: Disk, checkpoint_pages: int = 12) -> None:
        self._vfs, self._checkpoint_pages = _Vfs(disk), checkpoint_pages

    def __call__(self, path: Path, read_only: bool) -> ApswConnection:
        return ApswConnection(path, read_only, self._vfs.name, self._checkpoint_pages)


def after_crash(before: dict[str, bytes], done: Sequence[Operation], fate: Random | bool) -> dict[str, bytes]:
    """The files after `done` and a power cut: of what was not synced nothing, all (True) or what chance says."""
    durable = {name: bytearray(content) for name, content in before.items()}
    pending: dict[str, list[Operation]] = {}
    for operation in done:
        match operation.kind:
            case "sync":
                for each in pending.pop(operation.name, []):
                    _apply(durable, each)
            case "delete":
                durable.pop(operation.name, None)
                pending.pop(operation.name, None)
            case _:
                pending.setdefault(operation.name, []).append(operation)
    for each in (each for name in pending for each in pending[name]):
        if fate is True:
            _apply(durable, each)
        elif isinstance(fate, Random):
            for part in _torn(each, fate):
                _apply(durable, part)
    return {name: bytes(content) for name, content in durable.items()}


def _apply(files: dict[str, bytearray], operation: Operation) -> None:
    content = files.setdefault(operation.name, bytearray())
    if operation.kind == "truncate":
        del content[operation.at :]
    else:
        content.extend(bytes(max(0, operation.at - len(content))))
        content[operation.at : operation.at + len(operation.data)] = operation.data


def _torn(operation: Operation, fate: Random) -> list[Operation]:
    """None of it, all of it, or some of the sectors that it touches."""
    if operation.kind == "truncate" or fate.random() < 0.5:
        return [operation] if fate.random() < 0.5 else []
    parts, at = [], operation.at
    end = operation.at + len(operation.data)
    while at < end:
        until = min(end, (at // SECTOR_BYTES + 1) * SECTOR_BYTES)
        parts.append(Operation("write", operation.name, at, operation.data[at - operation.at : until - operation.at]))
        at = until
    return [part for part in parts if fate.random() < 0.5]
