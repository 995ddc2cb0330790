"""Lines for whoever runs a server: to read, or as JSON.

They are written by a thread: a terminal that was stopped, or a pipe that nobody reads, must not stop the server. What
does not fit meanwhile is left out, and its number said.
"""

from collections.abc import Mapping
from datetime import datetime
from queue import Full, Queue
from threading import Thread
from typing import Any, Final

from . import schema
from .descriptors import write_all
from .display import escaped

LINES_WAITING_MAX: Final = 1_000
"""Lines kept while nobody reads: a few minutes of a busy server."""
_CLOSE_S_MAX = 1.0


class Log:
    """Takes lines, at once, for the file descriptor `out`; without one they are for nobody."""

    def __init__(self, out: int | None, *, as_json: bool = False) -> None:
        self._out, self._as_json = out, as_json
        self._lines: Queue[str | None] = Queue(LINES_WAITING_MAX)
        self._left_out = 0
        self._thread = Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: str, thing: Mapping[str, Any]) -> None:
        """Print a line, or the object that says the same, with the time."""
        now = datetime.now().astimezone()
        try:
            if self._left_out:
                left_out = f"{self._left_out:,} lines were left out: nobody read them"
                self._put(now, left_out, schema.made("left_out", lines=self._left_out))
                self._left_out = 0
            self._put(now, line, thing)
        except Full:
            self._left_out += 1

    def _put(self, now: datetime, line: str, thing: Mapping[str, Any]) -> None:
        if self._as_json:
            self._lines.put_nowait(schema.line({"time": now.isoformat(timespec="milliseconds"), **thing}))
        else:
            self._lines.put_nowait(f"{now:%Y-%m-%d %H:%M:%S} {escaped(line)}")

    def close(self) -> None:
        """Print what waits, if somebody reads it."""
        try:
            self._lines.put(None, timeout=_CLOSE_S_MAX)
        except Full:
            return
        self._thread.join(_CLOSE_S_MAX)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None and self._out is not None:
            try:
                write_all(self._out, f"{line}\n")
            except OSError:  # nobody reads it any more: the server goes on without
                return
