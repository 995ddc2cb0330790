"""Chatting line by line, where there is no terminal that can do more, and for screen readers."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.chat.screens import command, until_shown, words
from tests.cli.escapes import ESCAPES, FAKED
from tests.cli.processes import COMMAND, PATIENCE_S, Server
from tests.cli.screen import Screen
from tests.tools import FULL, needs_full

DELIVERED = r"        #1 delivered to \w+ \(.*\)"


class Pipe:
    """A chat whose input and output are pipes."""

    def __init__(self, server: Server, name: str) -> None:
        pipe = subprocess.PIPE
        command = [*COMMAND, *words(server, name)]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)
        self.lines: list[str] = []

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def until(self, pattern: str) -> None:
        """Read lines, without times, until one is as this regular expression has it."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            self.lines.append(re.sub(r"^\d\d:\d\d ", "", line.rstrip("\n")))
            if re.fullmatch(pattern, self.lines[-1]):
                return
        raise AssertionError(self.lines)


@contextmanager
def piped(server: Server, name: str) -> Iterator[Pipe]:
    pipe = Pipe(server, name)
    try:
        pipe.until("You are online, at .*")
        yield pipe
    finally:
        pipe.process.kill()
        pipe.process.communicate()


def test_lines_are_only_added_and_have_no_codes(server: Server) -> None:
    with piped(server, "gil") as gil, piped(server, "heinz") as heinz:
        gil.type("/to heinz")
        gil.until("You write to heinz now.*")
        gil.type("is the build green?")
        heinz.until("<gil> is the build green\\?")
        gil.until(DELIVERED)
        assert "<gil> #1 is the build green?" in gil.lines
        heinz.type("no peer yet")
        heinz.until("Nothing was sent, as it is not clear to whom: /to NAME says it\\.")
        assert all(line.isprintable() for line in gil.lines + heinz.lines)


def test_the_end_of_the_input_waits_for_what_was_sent(server: Server) -> None:
    printed, status = command(server, "inge", "chat", typed="/to inge\nhello\nlast, without an end of line")
    assert status == 0
    assert re.search(r"#1 delivered to inge", printed)
    assert re.search(r"#2 delivered to inge", printed)


def test_what_cannot_be_sent_is_kept_and_said(server: Server) -> None:
    assert command(server, "jan", "chat", typed="")[1] == 0
    elsewhere = ["chat", "jan@127.0.0.1:9", "--state", str(server.folder / "jan")]
    ended = subprocess.run(
        [*COMMAND, *elsewhere],
        input="/to bob\nhello\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 9
    assert "#1 queued for bob" in ended.stdout
    assert ended.stdout.endswith("1 message is not delivered yet; kept here, and sent at the next start.\n")
    assert not ended.stderr


def test_a_server_that_does_not_answer_is_an_error_with_a_status(server: Server) -> None:
    elsewhere = ["chat", "--as", "joe@127.0.0.1:9", "--state", str(server.folder / "joe")]
    ended = subprocess.run(
        [*COMMAND, *elsewhere], input="", capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ended.returncode == 4
    assert ended.stderr == "udpchat: 127.0.0.1:9 does not answer: is a server there?\n"


def test_a_name_that_is_taken_is_an_error_with_a_status(server: Server) -> None:
    with piped(server, "kurt"):
        state = ["--state", str(server.folder / "kurt, another")]
        printed, status = command(server, "kurt", "chat", *state)
    assert status == 6
    assert "somebody else has this name; choose another one" in printed


@needs_full
def test_a_chat_whose_lines_cannot_be_written_says_so_and_what_came_stays_unread(server: Server) -> None:
    assert command(server, "lia", "chat")[1] == 0
    assert command(server, "leo", "chat")[1] == 0
    assert command(server, "leo", "send", "lia", "kept", "--wait", "stored")[1] == 0
    with FULL.open("w") as full:
        ended = subprocess.run(
            [*COMMAND, *words(server, "lia")],
            input="",
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert ended.returncode == 8
    assert ended.stderr == (
        "udpchat: standard output cannot be written: No space left on device; see where it goes to, and that disk\n"
    )
    assert "<leo> kept" in command(server, "lia", "chat")[0]


def test_programs_are_sent_elsewhere(server: Server) -> None:
    printed, status = command(server, "lew", "chat", "--json")
    assert (printed, status) == (
        "udpchat: chat is for people: programs have `udpchat listen --json` and `udpchat send --json`\n",
        2,
    )


def test_an_invitation_that_is_none_is_a_wrong_argument(server: Server) -> None:
    printed, status = command(server, "lars", "chat", "--invite", "nonsense")
    assert (status, printed.count("\n")) == (2, 1)
    assert "is no invitation" in printed


def test_nobody_is_made_somebody_at_a_server_whose_name_has_no_address(server: Server) -> None:
    folder = server.folder / "mona"
    first = [*COMMAND, "chat", "mona@nowhere.invalid", "--state", str(folder)]
    ended = subprocess.run(first, input="", capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 4
    assert "nowhere.invalid has no address" in ended.stderr
    assert not folder.exists()


@pytest.mark.parametrize(("option", "term"), [(["--ui", "plain"], "xterm"), ([], "dumb")])
def test_a_terminal_that_shall_or_can_do_no_more_gets_lines_only(server: Server, option: list[str], term: str) -> None:
    name = f"nora-{term}"
    screen = Screen([*words(server, name), *option], TERM=term)
    try:
        screen.until(lambda: any(row.startswith("You are online, at ") for row in screen.rows))
        screen.type(f"/to {name}\n")
        screen.type("hello\n")
        screen.until(lambda: any(row.startswith(f"        #1 delivered to {name}") for row in screen.rows))
        screen.type("\x04")
        screen.until_end()
        assert b"\x1b" not in screen.raw
        assert screen.ended() == 0
    finally:
        screen.child.close(force=True)


def test_no_message_does_anything_but_be_read(server: Server) -> None:
    screen = Screen([*words(server, "olga"), "--ui", "plain"], 400)
    try:
        screen.until(lambda: any(row.startswith("You are online, at ") for row in screen.rows))
        assert command(server, "trudy", "chat")[1] == 0
        for number, text in enumerate(ESCAPES.values(), 1):
            assert command(server, "trudy", "send", "olga", "-", typed=text)[1] == 0
            until_shown(screen, "trudy", number)
        assert screen.title == ""
        assert b"\x1b" not in screen.raw
        assert len([row for row in screen.rows if FAKED.match(row)]) == len(ESCAPES)
    finally:
        screen.child.close(force=True)
