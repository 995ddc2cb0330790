"""Servers and clients as processes, for tests of the command."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.ports import free_port

COMMAND = (sys.executable, "-m", "udpchat_cli")
PATIENCE_S = 120  # of a machine that has much else to do
WELCOME, BYE = "[Welcome, You are registered.]", "[You are Offline. Bye.]"


def start(*words: str, stdin: int | IO[str], **more: Any) -> subprocess.Popen[str]:
    command = [*COMMAND, *words]
    return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


class Server:
    """A server that runs, and clients of it with a folder each."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        self.begin()

    def begin(self, state: str = "server") -> None:
        """Start, also after an end; with another state, as another server at the same address."""
        words = ("-s", str(self.port), "--state", str(self.folder / state))
        self.process = start(*words, stdin=subprocess.DEVNULL)
        self.first = first_line(self.process)

    def line(self) -> str:
        """The next line that it prints, without its time."""
        return first_line(self.process).rstrip("\n").split(" ", 2)[2]

    def end(self) -> tuple[list[str], int]:
        """What it printed since, without times; and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE_S)
        assert self.process.stdout is not None
        printed = self.process.stdout.read()  # `communicate` would pass over what `line` has read ahead
        self.process.communicate(timeout=PATIENCE_S)  # and only closes it
        return [line.split(" ", 2)[2] for line in printed.splitlines()], status

    def words(self, name: str) -> list[str]:
        """The arguments of a client."""
        return ["-c", name, "127.0.0.1", str(self.port), str(free_port()), "--state", str(self.folder / name)]

    def client(self, name: str, stdin: int | IO[str] = subprocess.PIPE, **more: Any) -> subprocess.Popen[str]:
        """A client that runs."""
        return start(*self.words(name), stdin=stdin, **more)

    def chat(self, name: str, typed: str) -> tuple[list[str], int]:
        """What a client prints whose input is this, through a pipe; and its exit status."""
        process = self.client(name)
        printed, _ = process.communicate(typed, timeout=PATIENCE_S)
        return without_table(printed), process.returncode


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    server = Server(folder)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.process.communicate()


def first_line(process: subprocess.Popen[str]) -> str:
    """Wait for it."""
    assert process.stdout is not None
    return process.stdout.readline()


def without_table(printed: str) -> list[str]:
    """The lines, but for those that come whenever the server gets round to it, `in_time`."""
    lines = printed.splitlines()
    assert all(line.startswith(">>> ") for line in lines), printed
    return in_time(line.removeprefix(">>> ") for line in lines if line != ">>> [Client table updated.]")


def in_time(lines: Iterable[str]) -> list[str]:
    """The lines as they are if who is there answers a letter within half a second: a busy machine may take longer."""
    told = [re.sub(r"\[Client (\S+) exists!!\]", r"[Message received by \1.]", line) for line in lines]
    return [line for line in told if "[No ACK from " not in line]
