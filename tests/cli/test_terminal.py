"""On a terminal: what comes in does not tear what is being typed, and nothing that comes in is obeyed."""

import signal
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.processes import BYE, PATIENCE_S, WELCOME, Server
from tests.cli.screen import CANONICAL, ECHO, TABLE, Screen


@contextmanager
def on_screen(server: Server, name: str) -> Iterator[Screen]:
    screen = Screen(server.words(name))
    try:
        screen.until(lambda: f">>> {WELCOME}" in screen.rows)
        screen.until(lambda: TABLE in screen.rows)
        yield screen
    finally:
        screen.child.close(force=True)


def test_what_comes_in_does_not_tear_what_is_being_typed(server: Server) -> None:
    with on_screen(server, "anna") as screen:
        screen.type("send anna half a 亀")
        screen.until(screen.shows(">>> send anna half a 亀"))
        process = server.client("berta")
        assert process.stdin is not None
        process.stdin.write("send anna hello\n")
        process.stdin.flush()
        screen.until(screen.shows(">>> berta: hello", ">>> send anna half a 亀"))
        screen.until(lambda: screen.column == len(">>> send anna half a ") + 2)
        screen.type("!\x7f?\r")
        screen.until(
            screen.shows(">>> send anna half a 亀?", ">>> anna: half a 亀?", ">>> [Message received by anna.]", ">>>")
        )
        process.communicate(timeout=PATIENCE_S)


def test_a_long_line_stays_in_its_row_and_is_shown_in_full_once_it_is_sent(server: Server) -> None:
    with on_screen(server, "clara") as screen:
        text = "".join(f"{number} and " for number in range(30))
        screen.type(f"send clara {text}")
        screen.until(lambda: screen.rows[-1].endswith("29 and"))
        assert screen.rows[-1].startswith(">>> <")
        assert len(screen.rows[-1]) < 80
        screen.type("more\r")
        screen.until(screen.shows(">>> [Message received by clara.]", ">>>"))
        assert "".join(row.ljust(80) for row in screen.rows).count(text + "more") == 2  # typed, and received


def test_a_line_longer_than_a_terminal_takes_is_sent_whole(server: Server) -> None:
    with on_screen(server, "doris") as screen:
        for _ in range(10):
            screen.type("x" * 1_000)  # a terminal's own buffer holds 4,095
            screen.until(lambda: screen.rows[-1].endswith("xxx"))
        screen.type("\x15send doris " + "y" * 2_000)
        screen.until(lambda: screen.rows[-1].endswith("yyy"))
        screen.type("y" * 3_000 + "\r")
        screen.until(screen.shows(">>> [Message received by doris.]", ">>>"))


def test_a_message_does_not_command_the_terminal(server: Server) -> None:
    with on_screen(server, "emma") as screen:
        assert server.chat("edgar", "send emma \x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil")[1] == 0
        screen.until(lambda: any("edgar: " in row for row in screen.rows))
        assert r">>> edgar: \x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil" in screen.rows
        assert f">>> {WELCOME}" in screen.rows
        assert screen.title == ""


@pytest.mark.parametrize(("name", "key"), [("frida", "\x04"), ("gerda", "\x03")])
def test_the_end_leaves_the_terminal_as_it_was(server: Server, name: str, key: str) -> None:
    with on_screen(server, name) as screen:
        assert not screen.modes & (ECHO | CANONICAL)
        screen.type(key)
        screen.until(lambda: f">>> {BYE}" in screen.rows)
        assert screen.ended() == 0
        assert screen.rows[-1] == f">>> {BYE}"  # and no prompt after it


def test_the_prompt_returns_when_what_was_typed_is_done(server: Server) -> None:
    with on_screen(server, "ilse") as screen:
        server.process.send_signal(signal.SIGSTOP)
        try:
            screen.type("dereg ilse\rtyped ahead")
            screen.until(screen.shows(">>> dereg ilse", "typed ahead"))
        finally:
            server.process.send_signal(signal.SIGCONT)
        screen.until(screen.shows(">>> dereg ilse", f">>> {BYE}", ">>> typed ahead"))


def test_after_being_stopped_it_takes_the_terminal_again(server: Server) -> None:
    with on_screen(server, "hilda") as screen:
        screen.type("half")
        screen.until(screen.shows(">>> half"))
        screen.child.kill(signal.SIGSTOP)
        modes = termios.tcgetattr(screen.child.child_fd)
        modes[3] |= ECHO | CANONICAL  # as a shell has it
        termios.tcsetattr(screen.child.child_fd, termios.TCSANOW, modes)
        screen.child.kill(signal.SIGCONT)
        screen.until(lambda: not screen.modes & (ECHO | CANONICAL))
        screen.type(" and half\x04\x15\x04")
        screen.until(lambda: f">>> {BYE}" in screen.rows)
