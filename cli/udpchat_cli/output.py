"""Where a command prints: lines for people, safe to show, or with `--json` an object a line."""

import errno
import os
import stat
import sys
from collections.abc import Callable, Mapping
from typing import Any

from .descriptors import descriptor, write_all
from .display import escaped
from .exits import Exit, Failed, ReaderGone


class Output:
    """Standard output, or another file descriptor; None is for nobody."""

    def __init__(self, as_json: bool, out: int | None = None) -> None:
        self.as_json = as_json
        self._out = descriptor(sys.stdout) if out is None else out
        self._failed: Failed | None = None
        self._encoding = "utf-8" if as_json else getattr(sys.stdout, "encoding", None) or "utf-8"

    @property
    def is_terminal(self) -> bool:
        """Whether somebody looks at it."""
        return self._out is not None and os.isatty(self._out)

    @property
    def columns(self) -> int | None:
        """How wide the terminal is; None for anything else, where lines are as long as they are."""
        if not self.is_terminal:
            return None
        import shutil  # noqa: PLC0415 - help does without

        return shutil.get_terminal_size().columns

    def when_gone(self, callback: Callable[[], object]) -> None:
        """Have it called, on the running loop, once nobody reads the pipe any more: else only writing tells."""
        if self._out is not None and stat.S_ISFIFO(os.fstat(self._out).st_mode):
            import asyncio  # noqa: PLC0415 - only who waits needs it

            out, loop = self._out, asyncio.get_running_loop()

            def gone() -> None:
                loop.remove_reader(out)
                callback()

            loop.add_reader(out, gone)

    def say(self, line: str, thing: Mapping[str, Any] | None = None) -> None:
        """Print a line, or with `--json` the object, if there is one. It is written when this returns.

        Raises `ReaderGone`.
        """
        if self.as_json:
            if thing is not None:
                from . import schema  # noqa: PLC0415 - takes as long as all the rest here

                self._write(schema.line(thing))
        else:
            self._write("\n".join(escaped(each) for each in line.split("\n")))

    def _write(self, line: str) -> None:
        if self._out is not None:
            try:
                write_all(self._out, f"{line}\n", self._encoding)
            except OSError as error:
                self._failed = unwritable(self._out, error)
                raise ReaderGone(self._failed) from error

    def check(self) -> None:
        """For whoever went on after `ReaderGone`. Raises `Failed` if that was a trouble."""
        if self._failed is not None:
            raise self._failed


def unwritable(out: int, error: OSError) -> Failed | None:
    """What is to be said of this; None if a reader went, as `head` does, or the terminal was closed."""
    is_hung_up = error.errno == errno.EIO and stat.S_ISCHR(os.fstat(out).st_mode)
    if isinstance(error, ConnectionError) or is_hung_up:
        return None
    why = f"standard output cannot be written: {error.strerror}; see where it goes to, and that disk"
    return Failed(Exit.STATE, why)


def complain(why: str) -> None:
    """One line on standard error, safe to show."""
    print(f"udpchat: {escaped(why)}", file=sys.stderr)
