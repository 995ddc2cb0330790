"""What was typed, in lines: of a pipe or a file as they come, of a terminal with what its line editing would do.

The terminal's own editing cannot be used, for nobody can ask it for the half line that is being typed, which has to be
drawn again below a line that comes in; it also cuts lines at 4,095 bytes.
"""

import re
import unicodedata
from collections.abc import Iterator

from .display import PROMPT, escaped, tail

LINE_CHARS_MAX = 1 << 17
"""Characters of a line: any message with its command is shorter; what is longer is cut, and so refused as too long."""

_BACKSPACE, _END, _KILL, _KILL_WORD, _ESCAPE = "\x7f\b", "\x04", "\x15", "\x17", "\x1b"
_SEQUENCE_BEGUN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?")


class Lines:
    """Lines of text that comes in pieces: what stands between line feeds, and at last what has none."""

    def __init__(self) -> None:
        self.begun = ""

    def feed(self, text: str) -> Iterator[str]:
        """Take a piece: the lines that it ends."""
        *whole, rest = text.split("\n")
        for line in whole:
            self._add(line)
            yield self.end() or ""
        self._add(rest)

    def end(self) -> str | None:
        """The line that was begun, if it was."""
        line, self.begun = self.begun, ""
        return line.removesuffix("\r") if line else None

    def _add(self, text: str) -> None:
        self.begun += text[: LINE_CHARS_MAX - len(self.begun)]


class Editor:
    """The line being typed on a terminal that neither echoes nor edits.

    It is edited at its end; keys that would move in it do nothing.

    Attributes:
        line: what stands there.
    """

    def __init__(self) -> None:
        self.line = ""
        self._sequence = ""

    def feed(self, text: str) -> Iterator[str | None]:
        """Take keys: lines as they are finished, None for the end of the input."""
        for char in text:
            if self._sequence or char == _ESCAPE:
                self._continue_sequence(char)
            elif char in "\r\n":
                line, self.line = self.line, ""
                yield line
            elif char == _END:
                if not self.line:
                    yield None
            else:
                self._edit(char)

    def shown(self, columns: int, prompt: str = PROMPT) -> str:
        """The prompt and as much of the end of the line as fits in one row."""
        return prompt + tail(escaped(self.line), max(columns - len(prompt) - 1, 2))

    def _edit(self, char: str) -> None:
        if char in _BACKSPACE:
            while self.line:
                gone, self.line = self.line[-1], self.line[:-1]
                if not unicodedata.combining(gone):
                    return
        elif char == _KILL:
            self.line = ""
        elif char == _KILL_WORD:
            self.line = re.sub(r"[^ \t]+[ \t]*\Z|[ \t]+\Z", "", self.line)
        elif len(self.line) < LINE_CHARS_MAX and (char == "\t" or unicodedata.category(char) != "Cc"):
            self.line += char

    def _continue_sequence(self, char: str) -> None:
        """Keys beside the letters come as escape sequences: they are swallowed whole."""
        self._sequence += char
        if not _SEQUENCE_BEGUN.fullmatch(self._sequence):
            self._sequence = _ESCAPE if char == _ESCAPE else ""
