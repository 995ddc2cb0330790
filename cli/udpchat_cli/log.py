"""Lines for whoever runs a server.

They are written by a thread: a terminal that was stopped, or a pipe that nobody reads, must not stop the server. What
does not fit meanwhile is left out, and its number said.
"""

from datetime import datetime
from queue import Full, Queue
from threading import Thread
from typing import Final

from .descriptors import write_all

LINES_WAITING_MAX: Final = 1_000
"""Lines kept while nobody reads: a few minutes of a busy server."""
_CLOSE_S_MAX = 1.0


class Log:
    """Takes lines, at once, for the file descriptor `out`; without one they are for nobody."""

    def __init__(self, out: int | None) -> None:
        self._out = out
        self._lines: Queue[str | None] = Queue(LINES_WAITING_MAX)
        self._left_out = 0
        self._thread = Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Print a line, with the time of day."""
        stamp = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")
        try:
            if self._left_out:
                self._lines.put_nowait(f"{stamp} {self._left_out:,} lines were left out: nobody read them")
                self._left_out = 0
            self._lines.put_nowait(f"{stamp} {line}")
        except Full:
            self._left_out += 1

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
