"""The classic command as people use it: three on terminals, a server, and processes that are killed in between."""

import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import permutations
from pathlib import Path

from tests.cli.processes import BYE, WELCOME, Server, first_line, running, start
from tests.cli.screen import Screen

SAVED = "[Messages received by the server and saved]"


@contextmanager
def chatting(server: Server, name: str) -> Iterator[Screen]:
    """A client on a terminal, registered."""
    screen = Screen(server.words(name))
    try:
        screen.until(showing(screen, re.escape(WELCOME)))
        yield screen
    finally:
        screen.child.close(force=True)


def shown(screen: Screen, line: str) -> int:
    """How often this line, a regular expression, was printed."""
    return sum(bool(re.fullmatch(f">>> {line}", row)) for row in screen.rows)


def showing(screen: Screen, line: str, times: int = 1) -> Callable[[], bool]:
    """Whether it was printed so often."""
    return lambda: shown(screen, line) == times


def say(screen: Screen, to: str, text: str) -> None:
    screen.type(f"send {to} {text}\r")


def killed_and_started_again(server: Server) -> None:
    server.process.kill()
    server.process.communicate()
    words = ["-s", str(server.port), "--state", str(server.folder / "server")]
    server.process = start(*words, stdin=subprocess.DEVNULL)
    first_line(server.process)


def test_three_people_chat_leave_and_return_while_processes_are_killed(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running(tmp_path))
        people = {name: stack.enter_context(chatting(server, name)) for name in ("xan", "yes", "zoe")}
        for name, to in permutations(people, 2):
            say(people[name], to, f"from {name} to {to}")
            people[to].until(showing(people[to], f"{name}: from {name} to {to}"))
            people[name].until(showing(people[name], rf"\[(Message received by {to}\.|Client {to} exists!!)\]"))
        xan, yes, zoe = people.values()

        xan.type("dereg xan\r")
        xan.until(showing(xan, re.escape(BYE)))
        say(yes, "xan", "before the server died")
        yes.until(showing(yes, re.escape(SAVED)))
        killed_and_started_again(server)
        say(zoe, "xan", "after it")
        zoe.until(showing(zoe, re.escape(SAVED)))
        xan.type("reg xan\r")
        xan.until(showing(xan, "yes: .* before the server died"))
        xan.until(showing(xan, "zoe: .* after it"))
        assert showing(xan, r"\[You have messages\]")()

        zoe.child.kill(signal.SIGKILL)  # without a word to anybody
        zoe.until_end()
        exists = r"\[Client zoe exists!!\]"
        before = shown(yes, exists)  # none, if each answer came within half a second
        say(yes, "zoe", "where are you?")
        yes.until(showing(yes, exists, before + 1))
        zoe = stack.enter_context(chatting(server, "zoe"))
        zoe.until(showing(zoe, "yes: .*where are you\\?"))
        say(zoe, "yes", "back again")
        yes.until(showing(yes, "zoe: back again"))

        for screen in (xan, yes, zoe):
            screen.type("\x04")
            assert screen.ended() == 0
            assert screen.rows[-1] == f">>> {BYE}"
        for text in ("before the server died", "after it"):
            assert sum(row.endswith(text) for row in xan.rows) == 1
        assert server.end()[1] == 0
