"""Standard input and output, whatever they are: terminal, pipe, file or /dev/null.

Input is read by a daemon thread, because an event loop can wait for neither files nor /dev/null; it reads on only
when most of what it read was taken. On a terminal the half line being typed is kept here, in one row below
everything else: a line that comes in is printed in its place, and the row drawn again below.
"""

import asyncio
import codecs
import os
import shutil
import signal
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .descriptors import descriptor, write_all
from .display import PROMPT, escaped
from .editor import Editor, Lines
from .pieces import Pieces

if sys.platform != "win32":
    import termios

_LINES_WAITING_MAX = 64
_CLEAR_ROW = "\r\x1b[K"


class Terminal:
    """Made and used on the loop's thread.

    Attributes:
        is_edited: whether lines are typed on a terminal, and drawn here.
        is_broken: whether nothing can be written any more.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.is_broken = self._is_ready = False
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._in = descriptor(sys.stdin)
        self._out = descriptor(sys.stdout)
        self._encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lines = Lines()
        self._editor = Editor()
        self._waiting: deque[str | None] = deque()
        self._pieces = Pieces(self._in, self._came)
        self._attributes: list[Any] | None = None
        self.is_edited = (
            sys.platform != "win32"
            and os.environ.get("TERM", "dumb") != "dumb"
            and self._in is not None
            and self._out is not None
            and os.isatty(self._in)
            and os.isatty(self._out)
        )

    def start(self) -> None:
        """Take over the terminal, and read."""
        if self.is_edited:
            self._take_over()
            self._loop.add_signal_handler(signal.SIGCONT, self._take_over)
            self._loop.add_signal_handler(signal.SIGWINCH, self._draw)
        self._pieces.start()

    def stop(self) -> None:
        """Give the terminal back as it was."""
        if self._attributes is not None and self._in is not None and sys.platform != "win32":
            self._loop.remove_signal_handler(signal.SIGCONT)
            self._loop.remove_signal_handler(signal.SIGWINCH)
            self._write(_CLEAR_ROW)
            with suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self._in, termios.TCSADRAIN, self._attributes)
            self._attributes = None

    # --- out ---

    def say(self, line: str) -> None:
        """Print a line after the prompt."""
        if self._attributes is not None:
            self._write(f"{_CLEAR_ROW}{PROMPT}{line}\n{self._shown()}")
        else:
            self._write(f"{PROMPT}{line}\n")

    def ready(self) -> None:
        """What was typed is done: the prompt returns."""
        self._is_ready = True
        if self._attributes is not None:
            self._draw()

    def _draw(self) -> None:
        self._write(_CLEAR_ROW + self._shown())

    def _shown(self) -> str:
        return self._editor.shown(shutil.get_terminal_size().columns, PROMPT if self._is_ready else "")

    def _write(self, text: str) -> None:
        if self._out is not None and not self.is_broken:
            try:
                write_all(self._out, text, self._encoding)
            except OSError:  # nobody reads it any more
                self.is_broken = True
                self._on_change()

    # --- in ---

    @property
    def has_line(self) -> bool:
        """Whether a line, or the end of the input, waits to be taken."""
        return bool(self._waiting)

    def take(self) -> str | None:
        """The next line; None is the end of the input."""
        line = self._waiting.popleft()
        self._is_ready = False
        if len(self._waiting) == _LINES_WAITING_MAX:
            self._pieces.go_on()
        return line

    def _came(self, data: bytes) -> None:
        text = self._decoder.decode(data, final=not data)
        if self._attributes is not None:
            self._typed(text)
        else:
            self._waiting.extend(self._lines.feed(text))
        if not data:
            rest = self._lines.end()
            self._waiting.extend([None] if rest is None else [rest, None])
        if len(self._waiting) <= _LINES_WAITING_MAX:
            self._pieces.go_on()
        self._on_change()

    def _typed(self, text: str) -> None:
        for line in self._editor.feed(text):
            self._waiting.append(line)
            if line is not None:  # in full, so that it can be read above
                self._write(f"{_CLEAR_ROW}{PROMPT}{escaped(line)}\n")
                self._is_ready = False
        self._draw()

    def _take_over(self) -> None:
        """No echo and no editing by the terminal; its signal keys stay."""
        assert self._in is not None
        if self._attributes is None:
            self._attributes = termios.tcgetattr(self._in)
        changed = termios.tcgetattr(self._in)
        changed[3] &= ~(termios.ECHO | termios.ICANON)
        changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._in, termios.TCSADRAIN, changed)
        self._draw()
