"""People who chat on terminals."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.cli.processes import COMMAND, PATIENCE_S, Server
from tests.cli.test_terminal import Screen


def until_shown(screen: Screen, name: str, count: int) -> None:
    """Wait until there are so many messages of somebody."""
    screen.until(lambda: sum(bool(re.match(rf"(\S+ )?\d\d:\S+ <{name}>", row)) for row in screen.rows) == count)


class ChatScreen(Screen):
    """A chat: lines, and below them what is being typed, and the toolbar."""

    @property
    def lines(self) -> list[str]:
        """What was printed, without times."""
        return [re.sub(r"^\d\d:\d\d ", "", row) for row in self.rows[:-2]]

    @property
    def typed(self) -> str:
        """The row of the prompt."""
        return self.rows[-2] if len(self.rows) > 1 else ""

    @property
    def toolbar(self) -> str:
        return self.rows[-1].strip() if self.rows else ""

    def says(self, pattern: str, times: int = 1) -> Callable[[], bool]:
        """Whether so many lines are as this regular expression has it."""
        return lambda: sum(bool(re.fullmatch(pattern, line)) for line in self.lines) == times

    def turn_to(self, name: str) -> None:
        self.type(f"/to {name}\r")
        self.until(lambda: self.typed == f"{name}>")


def words(server: Server, name: str, command: str = "chat") -> list[str]:
    """The arguments of a command of this user."""
    return [command, "--as", f"{name}@127.0.0.1:{server.port}", "--state", str(server.folder / name)]


@contextmanager
def chat(server: Server, name: str, rows: int = 24, **environ: str) -> Iterator[ChatScreen]:
    """A chat that is online."""
    screen = ChatScreen(words(server, name), rows, **environ)
    try:
        screen.until(lambda: screen.toolbar.startswith(f"{name} online"))
        yield screen
    finally:
        screen.child.close(force=True)


def command(server: Server, name: str, what: str, *more: str, typed: str = "") -> tuple[str, int]:
    """What a command prints that is given this, and its exit status."""
    ended = subprocess.run(
        [*COMMAND, *words(server, name, what), *more],
        input=typed,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return ended.stdout + ended.stderr, ended.returncode
