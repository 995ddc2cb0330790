"""What was typed before, across sessions: a file beside the state, for its owner only, of the last lines."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import History

LINES_MAX = 1_000
"""Lines that are kept when the file is read; until then it may have as many more as one session types."""
LINE_CHARS_MAX = 4_096
"""Characters of a line that is kept: what is longer was pasted."""


class Recall(History):
    """A JSON string a line: a text that was pasted may have several lines.

    Attributes:
        trouble: why the file cannot be used, if it cannot.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.trouble: OSError | None = None

    def load_history_strings(self) -> Iterable[str]:
        """What was typed, newest first; the file is cut to the newest lines if it has too many."""
        try:
            lines = self.path.read_text("utf-8", "replace").split("\n")[:-1]
            if len(lines) > LINES_MAX:
                lines = lines[-LINES_MAX:]
                temporary = self.path.with_name(self.path.name + ".new")
                temporary.unlink(missing_ok=True)
                _append(temporary, "".join(f"{line}\n" for line in lines))
                temporary.replace(self.path)
        except FileNotFoundError:
            lines = []
        except OSError as error:
            self.trouble, lines = error, []
        typed: list[str] = []
        for line in lines:
            with suppress(ValueError):  # cut off by a crash
                text = json.loads(line)
                typed += [text] if isinstance(text, str) else []
        return reversed(typed)

    def store_string(self, string: str) -> None:
        """Keep a line."""
        if len(string) <= LINE_CHARS_MAX:
            try:
                _append(self.path, f"{json.dumps(string)}\n")
            except OSError as error:
                self.trouble = error


def _append(path: Path, text: str) -> None:
    at = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(at, "w", encoding="utf-8") as file:
        file.write(text)
