"""A terminal: what a command shows on it, and what is typed."""

import os
import termios
from collections.abc import Callable
from typing import Any

import pexpect
import pyte

from tests.cli.processes import COMMAND, PATIENCE_S, in_time

TABLE = ">>> [Client table updated.]"
ECHO, CANONICAL = termios.ECHO, termios.ICANON


class Screen:
    """A command on a terminal of 80 columns and 24 rows, or as many as a test wants to read.

    Attributes:
        raw: everything that was written to the terminal.
    """

    def __init__(self, words: list[str], rows: int = 24, **environ: str) -> None:
        self.raw = bytearray()
        self._screen = pyte.Screen(80, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.child: Any = pexpect.spawn(
            COMMAND[0],
            [*COMMAND[1:], *words],
            dimensions=(rows, 80),
            env=os.environ | {"TERM": "xterm"} | environ,
            timeout=PATIENCE_S,
        )

    def _feed(self) -> None:
        came = self.child.read_nonblocking(65_536, timeout=PATIENCE_S)
        self.raw += came
        self._stream.feed(came)

    def resize(self, columns: int) -> None:
        """As a user does with the mouse."""
        self._screen.resize(columns=columns)
        self.child.setwinsize(self._screen.lines, columns)

    @property
    def rows(self) -> list[str]:
        """What is shown, without the empty rows below."""
        rows = [row.rstrip() for row in self._screen.display]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    @property
    def title(self) -> str:
        return str(self._screen.title)

    @property
    def column(self) -> int:
        """Where the cursor is."""
        return int(self._screen.cursor.x)

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until the screen shows that."""
        while not condition():
            try:
                self._feed()
            except (pexpect.EOF, pexpect.TIMEOUT) as error:
                raise AssertionError("\n".join(self.rows)) from error

    def type(self, keys: str) -> None:
        self.child.send(keys.encode())

    def shows(self, *rows: str) -> Callable[[], bool]:
        """Whether these are the last rows, `in_time`, but for the table, which comes whenever it comes."""
        return lambda: in_time(row for row in self.rows if row != TABLE)[-len(rows) :] == list(rows)

    @property
    def modes(self) -> int:
        """The terminal's local modes."""
        return int(termios.tcgetattr(self.child.child_fd)[3])

    def ended(self) -> int:
        """Wait for the end; the exit status."""
        self.until_end()
        self.child.close()
        return int(self.child.exitstatus)

    def until_end(self) -> None:
        """Show everything that comes until then."""
        try:
            while True:
                self._feed()
        except pexpect.EOF:
            pass
