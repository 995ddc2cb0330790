"""A stage for the independent client: the real server and client, as processes: typed at, and read from."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from random import SystemRandom
from typing import IO

from .loop import Loop

REPOSITORY = Path(__file__).resolve().parents[3]
GOODBYE_S = 10.0


class Process:
    """A process of the real thing: what it printed so far, and a way to type."""

    def __init__(self, *arguments: str) -> None:
        self.loop: Loop | None = None
        self.raw, self.printed = b"", ""
        self.popen = subprocess.Popen(
            [sys.executable, "udpchat.py", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
            cwd=REPOSITORY,
        )
        assert self.popen.stdin
        assert self.popen.stdout
        self.stdin: IO[bytes] = self.popen.stdin
        self.stdout: IO[bytes] = self.popen.stdout
        os.set_blocking(self.stdout.fileno(), False)

    def attach(self, loop: Loop | None) -> None:
        """From now on, what it prints wakes up this loop, if any."""
        if self.loop:
            self.loop.forget(self.stdout)
        self.loop = loop
        if loop:
            loop.wake_up_by(self.stdout, self._read)

    def _read(self) -> None:
        data = os.read(self.stdout.fileno(), 65_536)
        if not data:
            self.attach(None)
        self.raw += data
        self.printed = self.raw.decode("utf-8", "replace")

    def type(self, line: str) -> None:
        self.stdin.write(line.encode() + b"\n")
        self.stdin.flush()

    def stop(self, kill: bool = False) -> None:
        """End it, and be sure that it ended."""
        self.attach(None)
        if self.popen.poll() is None:
            self.popen.kill() if kill else self.popen.terminate()
            try:
                self.popen.wait(GOODBYE_S)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self.stdin.close()
        self.stdout.close()


class Stage:
    """The real server, and a real client called `real`, if one is asked for."""

    def __init__(self, directory: Path, real: bool = True) -> None:
        self.directory, self.port, self.real_is_away = directory, free_port(), False
        self.server = self._start_server()
        state = ("--state", str(directory / "real"))
        client = ("-c", "real", "127.0.0.1", str(self.port), str(free_port()), *state)
        self.real = Process(*client) if real else None

    def _start_server(self) -> Process:
        return Process("-s", str(self.port), "--state", str(self.directory / "server"))

    @property
    def processes(self) -> list[Process]:
        return [self.real, self.server] if self.real else [self.server]

    def restart_server(self) -> None:
        """Kill the server, and start it on what it had on disk."""
        loop = self.server.loop
        self.server.stop(kill=True)
        self.server = self._start_server()
        self.server.attach(loop)

    def stop(self) -> None:
        for process in self.processes:
            process.stop()


class Scene:
    """The independent client on a stage: its name, its disk in `directory`, and a network that loses."""

    def __init__(self, stage: Stage, directory: Path, name: str = "second", loss: float = 0.0, seed: int = 0) -> None:
        self.stage, self.directory, self.name, self.loss, self.seed = stage, directory, name, loss, seed
        self.second = self.independent()
        for process in stage.processes:
            process.attach(self.second)
        self.mark = len(stage.real.printed) if stage.real else 0
        self.wait_for_stage()

    def independent(self) -> Loop:
        """The independent client, from what is on its disk."""
        return Loop(self.name, self.stage.port, str(self.directory / "second.sqlite"), self.loss, self.seed)

    def wait_for_stage(self) -> None:
        server, real = self.stage.server, self.stage.real
        self.second.run_until(lambda: "started on" in server.printed, "the server is there")
        if real:
            if self.stage.real_is_away:
                self.real_returns()
            self.second.run_until(lambda: "You are registered" in real.printed, "the real client is there")

    def restart_second(self) -> None:
        """End the independent client without a goodbye, and start it again from its disk, at another port."""
        before, self.second = self.second, self.independent()
        for process in self.stage.processes:
            process.attach(self.second)
        self.second.ladder = before.ladder
        before.close()

    def close(self) -> None:
        for process in self.stage.processes:
            process.attach(None)
        self.second.close()

    # --- the real client ---

    @property
    def printed(self) -> str:
        """What the real client printed in this scene."""
        assert self.stage.real
        return self.stage.real.printed[self.mark :]

    def type(self, line: str) -> None:
        assert self.stage.real
        self.stage.real.type(line)

    def real_says(self, text: str) -> None:
        self.type(f"send {self.name} {text}")

    def wait_printed(self, text: str, times: int = 1) -> None:
        self.second.run_until(lambda: self.printed.count(text) >= times, f"{times} times {text!r} printed by `real`")

    def real_leaves(self) -> None:
        self.stage.real_is_away = True
        self._real_does("dereg real", "You are Offline")

    def real_returns(self) -> None:
        self._real_does("reg real", "You are registered")
        self.stage.real_is_away = False

    def _real_does(self, line: str, printed: str) -> None:
        before = self.printed.count(printed)
        self.type(line)
        self.wait_printed(printed, before + 1)

    # --- the independent client ---

    def register(self) -> None:
        before = self.second.happened("online")
        self.second.register()
        self.wait_for_event("online", before + 1)

    def leave(self) -> None:
        before = self.second.happened("offline")
        self.second.deregister()
        self.wait_for_event("offline", before + 1)

    def say(self, text: str) -> int:
        return self.second.send("real", text)

    def wait_delivered(self, message: int) -> None:
        self.second.run_until(lambda: self.second.client.outstanding(message) == 0, f"message {message} delivered")

    def wait_shown(self, *texts: str) -> None:
        """Wait until the independent client has shown these, all that the real one said to it, in this order."""
        self.second.run_until(lambda: self.second.messages("real") == list(texts), f"shown: {texts}")

    def wait_for_event(self, kind: str, times: int = 1) -> None:
        self.second.run_until(lambda: self.second.happened(kind) >= times, f"{times} times {kind}")


def free_port() -> int:
    """One that nobody has now, of those that no system gives to a socket which names none."""
    while True:
        port = SystemRandom().randint(20_000, 32_767)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
            try:
                found.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


LONG = ("a text of 3,000 bytes " * 137)[:2999] + "."


def play(scene: Scene) -> None:
    """Registration, chat, absence both ways, mail both ways, receipts, and a long text both ways."""
    scene.register()
    scene.wait_delivered(scene.say("hello real"))
    scene.real_says("hello second")
    scene.wait_shown("hello second")
    scene.leave()
    scene.real_says("for when you are back")
    scene.wait_printed("received by the server and saved")
    scene.real_leaves()
    scene.register()
    scene.wait_shown("hello second", "for when you are back")
    message = scene.say("for when you are back, real")
    scene.wait_for_event("stored")
    scene.real_returns()
    scene.wait_printed("for when you are back, real")
    scene.wait_delivered(message)
    scene.real_says(LONG)
    message = scene.say(LONG)
    scene.wait_shown("hello second", "for when you are back", LONG)
    scene.wait_delivered(message)
    scene.wait_printed(LONG)
    scene.leave()
