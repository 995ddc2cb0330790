"""Standard input, a piece at a time, read on a thread: an event loop can wait for neither files nor /dev/null."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from .descriptors import read_some


class Pieces:
    """Reads a file descriptor, and calls `came` on the running loop with each piece; nothing is the end.

    The next piece is read once `go_on` was called for the one before: so no more is read than is done something with.
    """

    def __init__(self, at: int | None, came: Callable[[bytes], object]) -> None:
        self._at, self._came = at, came
        self._read_on = threading.Semaphore(1)
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Begin. The thread ends with the program."""
        threading.Thread(target=self._read, name="input", daemon=True).start()

    def go_on(self) -> None:
        """Read the next piece."""
        self._read_on.release()

    def _read(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: the program is about to end
            while True:
                self._read_on.acquire()
                data = read_some(self._at)
                self._loop.call_soon_threadsafe(self._came, data)
                if not data:
                    return
