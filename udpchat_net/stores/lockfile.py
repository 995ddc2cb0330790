"""One process at a time: an advisory lock on a file beside the store.

The lock is the kernel's (flock; on Windows a locked byte), on an open file, so it ends with the process,
however that ends: a crash leaves no stale lock. The file stays, for deleting it would let two processes lock two
files of one name. It is not the store itself that is locked: SQLite has locks of its own on that, which
another open file of this process would undo (POSIX), and an exclusive one of them would keep readers out, as
a backup is, or a look at the history while the chat runs.
"""

import os
import sys
from errno import EACCES, EAGAIN
from pathlib import Path

from .errors import StoreLocked, StoreUnusable


class LockFile:
    """Holds the lock of the store at `path` from its making to `release`.

    Raises `StoreLocked` if another process, or another `LockFile` of this one, holds it, and `StoreUnusable` if
    the operating system does not let it have the file.
    """

    def __init__(self, path: Path) -> None:
        lock = path.with_name(path.name + ".lock")
        try:
            self._file = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except OSError as error:
            raise StoreUnusable(f"{lock} cannot be made ({error.strerror}): see who may write there") from error
        try:
            _lock(self._file)
        except OSError as error:
            os.close(self._file)
            if error.errno in (EAGAIN, EACCES):
                raise StoreLocked(f"{path} is in use by another udpchat: stop that one first") from error
            raise StoreUnusable(f"{lock} cannot be locked ({error.strerror}): use a folder of a local disk") from error

    def release(self) -> None:
        """Let others have it."""
        os.close(self._file)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
