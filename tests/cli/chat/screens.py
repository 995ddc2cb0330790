"""People who chat on terminals."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.cli.processes import Server
from tests.cli.screen import Screen
from tests.cli.user import User


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
    return [command, *User(name, server, server.folder).words]


@contextmanager
def chat(server: Server, name: str, rows: int = 24, **environ: str) -> Iterator[ChatScreen]:
    """A chat that is online."""
    screen = ChatScreen(words(server, name), rows, **environ)
    try:
        screen.until(lambda: screen.toolbar.startswith(f"{name} online"))
        yield screen
    finally:
        screen.child.close(force=True)


def command(server: Server, name: str, *words: str, typed: str = "") -> tuple[str, int]:
    """What a command prints that is given this, and its exit status."""
    printed, complaint, status = User(name, server, server.folder).run(*words, typed=typed)
    return printed + complaint, status
