"""What is on this machine: the state folder and its files, and the port to receive at."""

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from udpchat_net import udp
from udpchat_net.stores.errors import StoreError, StoreLocked
from udpchat_net.stores.lockfile import LockFile
from udpchat_net.stores.paths import server_path
from udpchat_net.stores.reading import check_whole

from ..accounts import account_of
from ..exits import Exit
from ..values import Endpoint
from .finding import Finding, failure, good, wrong

FREE_BYTES_MIN: Final = 64 << 20
"""Room on the disk below which it is said."""


def examine_state(folder: Path) -> Iterator[Finding]:
    """The folder, its permissions, its room, and each file in it."""
    if not folder.exists():
        yield good("state folder", f"{folder} is not there yet, and will be made")
        return
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        what = "may not be written" if folder.is_dir() else "is no folder"
        yield wrong("state folder", f"{folder} {what}", "see its permissions, or choose another --state", Exit.STATE)
        return
    yield _folder(folder)
    for path in sorted([*folder.glob("client-*.db"), *(each for each in [server_path(folder)] if each.exists())]):
        yield _file(path)


def _folder(folder: Path) -> Finding:
    mode, free = stat.S_IMODE(folder.stat().st_mode), shutil.disk_usage(folder).free
    if sys.platform != "win32" and mode & 0o022:
        advice = f"chmod 700 {folder}: others could take the files' place"
        return wrong("state folder", f"others may write in {folder}", advice, Exit.STATE)
    if free < FREE_BYTES_MIN:
        text = f"{folder}: {free >> 20} MiB are left on its disk"
        return wrong("state folder", text, "make room: messages that cannot be saved are not sent", Exit.STATE)
    return good("state folder", str(folder))


def _file(path: Path) -> Finding:
    """One file: for its owner only, whole, and whether it is at work."""
    try:
        check_whole(path)
        mode = stat.S_IMODE(path.stat().st_mode)
    except (StoreError, OSError) as error:
        what, _, advice = str(error).partition(": ")
        return wrong("state file", what, advice or "see its permissions", Exit.STATE)
    if sys.platform != "win32" and mode & 0o077:
        text = f"others may read the file of {_owner(path)}, which has keys"
        return wrong("state file", text, f"chmod 600 {path}", Exit.STATE)
    return good("state file", f"{_owner(path)} is whole{', and at work now' if _is_at_work(path) else ''}")


def _owner(path: Path) -> str:
    """Whose a file is that is whole; of a server, which is nobody's, its name."""
    return path.name if path == server_path(path.parent) else str(account_of(path) or path.name)


def _is_at_work(path: Path) -> bool:
    try:
        LockFile(path).release()
    except StoreLocked:
        return True
    return False


def examine_port(bind: Endpoint | None) -> Finding:
    """Whether this machine lets a program receive, where the settings say or anywhere."""
    host, port = (bind.host, bind.port) if bind is not None else (None, None)
    try:
        bound, at = udp.bind(host or "0.0.0.0", port or 0)  # noqa: S104 - it is closed at once
    except udp.DriverError as error:
        return failure("own port", error, Exit.USAGE)
    bound.close()
    return good("own port", f"UDP port {at.port} can be had" if port else "a UDP port can be had")
