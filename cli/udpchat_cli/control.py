"""A local socket, beside the state file, through which other commands ask a running `chat`, `listen` or `server`.

One connection is one request: a line of JSON there, lines of JSON back, the last of which is an `end` (see `schema`).
The socket is for its owner only. Whoever holds the lock of the state may take the socket's place: one that is there
then is left over from a process that was killed. Where the path is too long for a socket (the kernel takes some 100
bytes), the socket is in a folder of the user's own in /tmp, which does not depend on the environment: cron has another.
"""

import asyncio
import json
import os
import socket
import stat
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from udpchat_net.stores.errors import StoreLocked

from . import schema
from .exits import Exit, Failed, fault

LINE_BYTES_MAX: Final = 1 << 19
"""Bytes of a line: a text of 64 KiB, all of it escaped."""
CONNECTIONS_MAX: Final = 64
"""Requests at once; a further one is closed, and its command says so."""
REQUEST_S_MAX: Final = 10.0
"""How long a request may take to arrive: it is one line, on this machine."""
CLOSE_S_MAX: Final = 1.0
"""How long an answer may take to be read, at the end."""
GRACE_S: Final = 10.0
"""How much longer than its own time-out an answer is waited for: a process that was stopped gives none."""
LOCK_S_MAX: Final = 10.0
"""How long a state that is locked is waited for."""
LOCK_LOOK_S: Final = 0.05
_PATH_BYTES_MAX = 103  # macOS has 104 with the zero at the end, Linux 108
_DIGITS = 32
_TURNS_TO_CLOSE = 8  # of the loop: asyncio takes five from accepting a connection to having closed it

T = TypeVar("T")
Say = Callable[[Mapping[str, Any]], None]
"""Sends an object back."""
Answer = Callable[[dict[str, Any], Say], Awaitable[None]]
"""Carries a request out; what it raises as `Failed` is the end."""


class NobodyThere(Exception):
    """No process answers at the socket."""


def control_path(state: Path) -> Path:
    """The socket of whoever works with this state file."""
    path = state.with_name(state.name + ".sock")
    if len(os.fsencode(path)) <= _PATH_BYTES_MAX:
        return path
    digest = sha256(os.fsencode(state.resolve())).hexdigest()
    return _short_folder() / f"{digest[:_DIGITS]}.sock"


def _short_folder() -> Path:
    return Path(f"/tmp/udpchat-{os.getuid()}")  # noqa: S108 - checked to be the user's own


class Control:
    """Answers at the socket of a state file; whoever makes one holds the state's lock. On the running loop."""

    def __init__(self, state: Path, answer: Answer) -> None:
        self._state, self._answer = state, answer
        self._path: Path | None = None
        self._is_closed = False
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. Raises `Failed`. Does nothing where there are no such sockets, as on Windows."""
        if sys.platform == "win32":
            return
        path = self._path = control_path(self._state)
        if path.parent == _short_folder():
            _check_own(path.parent, make=True)
        try:
            path.unlink(missing_ok=True)
            bound = _bound(path)
        except OSError as error:
            raise Failed(Exit.STATE, f"{path} cannot be made ({error.strerror}): see its folder") from error
        self._server = await asyncio.start_unix_server(self._connected, sock=bound, limit=LINE_BYTES_MAX)

    async def close(self) -> None:
        """Listen no more; what is under way is told that this is the end."""
        self._is_closed = True
        if self._server is not None and self._path is not None:
            self._path.unlink(missing_ok=True)
            for listening in self._server.sockets:
                asyncio.get_running_loop().remove_reader(listening.fileno())
            await _turns()  # a server that is closed leaves open what it has accepted and not begun with
            self._server.close()
            self._server = None
        for task in self._answering:
            task.cancel()
        if self._answering:
            await asyncio.wait(self._answering)
        await _turns()  # what was accepted in the last moment is closed as well

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_closed or len(self._answering) >= CONNECTIONS_MAX:
            writer.close()
            return
        task = asyncio.ensure_future(self._converse(reader, writer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        task.add_done_callback(lambda _: writer.transport.abort())  # also if it was cancelled before it began

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            _say(writer, _end(Exit.UNREACHABLE, "the udpchat that was asked has ended"))
        except ConnectionError:  # whoever asked has gone
            pass
        except Exception as error:  # a fault of this program ends one request, and no more
            _say(writer, _end(Exit.INTERNAL, fault(error)))
        writer.close()
        with suppress(ConnectionError, TimeoutError):  # whoever asked may be stopped, and read nothing
            async with asyncio.timeout(CLOSE_S_MAX):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_S_MAX):
                request = json.loads(await reader.readline())
            if not isinstance(request, dict):
                raise ValueError("no object")
        except (ValueError, RecursionError, TimeoutError):  # too long, no JSON, or nothing
            _say(writer, _end(Exit.USAGE, "the request was not understood: both udpchats have to be of one version"))
            return
        try:
            await self._answer(request, lambda thing: _say(writer, thing))
        except Failed as failed:
            _say(writer, _end(failed.status, str(failed)))
        else:
            _say(writer, _end(Exit.DONE, ""))
        await writer.drain()


async def _turns() -> None:
    """As many turns of the loop as a connection takes from being accepted to being closed."""
    for _ in range(_TURNS_TO_CLOSE):
        await asyncio.sleep(0)


def ask(state: Path, request: Mapping[str, Any], say: Callable[[dict[str, Any]], object], seconds: float) -> None:
    """Ask whoever works with this state file: `say` gets what comes back, but for the end.

    Waits `seconds` for each line, and a little more. Raises `Failed` with what the end says, if it is not good, and
    `NobodyThere`.
    """
    with _connection(state) as connected:
        connected.settimeout(seconds + GRACE_S)
        try:
            connected.sendall(f"{schema.line(request)}\n".encode())
            with connected.makefile("rb") as lines:
                while line := lines.readline(LINE_BYTES_MAX):
                    thing = json.loads(line)
                    if thing["event"] == "end":
                        return _ended(thing)
                    say(thing)
        except TimeoutError:
            raise Failed(
                Exit.STATE, "the udpchat that works with this state does not answer: is it stopped, or suspended?"
            ) from None
        except OSError:
            pass
    raise Failed(Exit.STATE, "the udpchat that works with this state has gone, and did not say how it ended: try again")


def alone(state: Path, work: Callable[[], T], through: Callable[[], T] | None = None) -> T:
    """What `work` does with the state for itself; or, if another udpchat answers at its socket, what `through` asks.

    One that does not answer is a command that has it for a moment, as `send` from cron: that one is waited for. Raises
    `StoreLocked` if that takes too long, or if somebody answers and there is nothing to ask.
    """
    until = time.monotonic() + LOCK_S_MAX
    while True:
        try:
            return work()
        except StoreLocked as error:
            locked = error
        try:
            if through is not None:
                return through()
            _connection(state).close()
        except NobodyThere:
            if time.monotonic() < until:
                time.sleep(LOCK_LOOK_S)
                continue
        raise locked


def _ended(end: dict[str, Any]) -> None:
    if end["status"] != Exit.DONE:
        raise Failed(Exit(end["status"]), end["error"])


def _connection(state: Path) -> socket.socket:
    if sys.platform == "win32":
        raise NobodyThere
    path = control_path(state)
    if path.parent == _short_folder():
        _check_own(path.parent, make=False)
    connected = socket.socket(socket.AF_UNIX)
    try:
        connected.settimeout(GRACE_S)
        connected.connect(os.fspath(path))
    except OSError as error:  # none, or one that was left over
        connected.close()
        raise NobodyThere from error
    return connected


def _bound(path: Path) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)  # from the first moment on for its owner only
    try:
        bound.bind(os.fspath(path))
    except OSError:
        bound.close()
        raise
    finally:
        os.umask(before)
    return bound


def _check_own(folder: Path, *, make: bool) -> None:
    """Others can make folders in /tmp as well: it has to be this user's, and closed to everybody else."""
    try:
        if make:
            folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except FileNotFoundError as error:
        raise NobodyThere from error
    except OSError as error:
        raise Failed(Exit.STATE, f"{folder} cannot be used ({error.strerror}): choose a shorter --state") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise Failed(Exit.STATE, f"{folder} is not yours alone: remove it, or choose a shorter --state")


def _end(status: Exit, error: str) -> dict[str, Any]:
    return schema.made("end", status=int(status), error=error)


def _say(writer: asyncio.StreamWriter, thing: Mapping[str, Any]) -> None:
    if not writer.is_closing():
        writer.write(f"{schema.line(thing)}\n".encode())
