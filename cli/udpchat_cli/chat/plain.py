"""Chatting line by line: for pipes and files, for terminals that can do nothing else, and for screen readers.

Lines are only ever added. There is no prompt, no colour, and no code that moves the cursor. A terminal edits and
echoes what is typed by itself.
"""

import codecs
import os
import shutil
import sys
from collections import deque
from collections.abc import Iterable

from ..descriptors import descriptor, write_all
from ..editor import Lines
from ..exits import Failed
from ..output import unwritable
from ..pieces import Pieces
from .front import Closed, Desk
from .lines import Line

LINES_WAITING_MAX = 64
"""Lines read ahead of what is done with them."""
_BELL = "\a"


class Plain:
    """Standard input and output, whatever they are; made and used on the loop's thread.

    Attributes:
        desk: the chat.
        is_broken: whether nothing can be written any more.
        trouble: why, if it is not that the reader had enough.
    """

    def __init__(self) -> None:
        self.desk: Desk = Closed()
        self.is_broken = False
        self.trouble: Failed | None = None
        self._in, self._out = descriptor(sys.stdin), descriptor(sys.stdout)
        self._encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lines = Lines()
        self._waiting: deque[str | None] = deque()
        self._pieces = Pieces(self._in, self._came)

    @property
    def is_patient(self) -> bool:
        """Whether the input is no terminal."""
        return self._in is None or not os.isatty(self._in)

    async def start(self) -> None:
        """Read."""
        self._pieces.start()

    async def stop(self) -> None:
        """The thread ends with the program."""

    # --- out ---

    def show(self, lines: Iterable[Line], *, ring: bool = False) -> None:
        """Print lines."""
        columns = shutil.get_terminal_size().columns if self._is_terminal else None
        rows = ["".join(text for _, text in row) for line in lines for row in line.rows(columns)]
        self._write("".join(f"{row.rstrip()}\n" for row in rows) + (_BELL if ring and self._is_terminal else ""))

    def refresh(self) -> None:
        """There is nothing around the lines."""

    @property
    def _is_terminal(self) -> bool:
        return self._out is not None and os.isatty(self._out)

    def _write(self, text: str) -> None:
        if self._out is not None and text and not self.is_broken:
            try:
                write_all(self._out, text, self._encoding)
            except OSError as error:
                self.is_broken, self.trouble = True, unwritable(self._out, error)
                self.desk.changed()

    # --- in ---

    @property
    def has_line(self) -> bool:
        """Whether a line, or the end of the input, waits."""
        return bool(self._waiting)

    def take(self) -> str | None:
        """The next line; None is the end of the input."""
        line = self._waiting.popleft()
        if len(self._waiting) == LINES_WAITING_MAX:
            self._pieces.go_on()
        return line

    def _came(self, data: bytes) -> None:
        self._waiting.extend(self._lines.feed(self._decoder.decode(data, final=not data)))
        if not data:
            rest = self._lines.end()
            self._waiting.extend([None] if rest is None else [rest, None])
        if len(self._waiting) <= LINES_WAITING_MAX:
            self._pieces.go_on()
        self.desk.active()
        self.desk.changed()
