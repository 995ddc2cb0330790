"""A stage for the independent client: the real server and real clients, as processes that are only typed at and read from."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO

from .loop import Loop

REPOSITORY = Path(__file__).resolve().parents[3]
GOODBYE_S = 10.0


class Process:
    """A process of the real thing: what it printed so far, and a way to type."""

    def __init__(self, loop: Loop, *arguments: str) -> None:
        self.loop, self.printed = loop, ""
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
        self.raw = b""
        loop.wake_up_by(self.stdout, self._read)

    def _read(self) -> None:
        data = os.read(self.stdout.fileno(), 65_536)
        if not data:
            self.loop.forget(self.stdout)
        self.raw += data
        self.printed = self.raw.decode("utf-8", "replace")

    def type(self, line: str) -> None:
        self.stdin.write(line.encode() + b"\n")
        self.stdin.flush()

    def wait_for(self, text: str, times: int = 1) -> None:
        self.loop.run_until(lambda: self.printed.count(text) >= times, f"{text!r} {times} times in:\n{self.printed}")

    def stop(self, kill: bool = False) -> None:
        """End it, and be sure that it ended."""
        if self.popen.poll() is None:
            self.popen.kill() if kill else self.popen.terminate()
            try:
                self.popen.wait(GOODBYE_S)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        if self.stdout in [key.fileobj for key in self.loop.selector.get_map().values()]:
            self.loop.forget(self.stdout)
        self.stdin.close()
        self.stdout.close()


class Scene:
    """The real server, a real client called `real`, and the independent client called `second`, whose network loses."""

    def __init__(self, directory: Path, loss: float, seed: int = 0) -> None:
        self.directory, self.loss, self.seed = directory, loss, seed
        self.port = free_port()
        self.second = self.independent()
        self.processes: list[Process] = []
        self.server = self.start("-s", str(self.port), "--state", str(directory / "server"))
        self.server.wait_for("started on")
        self.real = self.start(
            *("-c", "real", "127.0.0.1", str(self.port), str(free_port()), "--state", str(directory / "real"))
        )
        self.real.wait_for("You are registered")

    def independent(self) -> Loop:
        """The independent client, from what is on its disk."""
        return Loop("second", self.port, str(self.directory / "second.sqlite"), self.loss, self.seed)

    def start(self, *arguments: str) -> Process:
        self.processes.append(Process(self.second, *arguments))
        return self.processes[-1]

    def restart_server(self) -> None:
        """Kill the server, and start it on what it had on disk."""
        self.server.stop(kill=True)
        self.server = self.start("-s", str(self.port), "--state", str(self.directory / "server"))
        self.server.wait_for("started on")

    def restart_second(self) -> None:
        """End the independent client without a goodbye, and start it again from its disk, at another port."""
        before, self.second = self.second, self.independent()
        for process in self.processes:
            if process.popen.poll() is None:
                before.forget(process.stdout)
                process.loop = self.second
                self.second.wake_up_by(process.stdout, process._read)
        self.second.ladder = before.ladder
        before.close()

    # --- what is played ---

    def register(self) -> None:
        before = self.second.happened("online")
        self.second.register()
        self.second.run_until(lambda: self.second.happened("online") > before, "online")

    def leave(self) -> None:
        before = self.second.happened("offline")
        self.second.deregister()
        self.second.run_until(lambda: self.second.happened("offline") > before, "offline")

    def say(self, text: str) -> int:
        return self.second.send("real", text)

    def wait_delivered(self, message: int) -> None:
        self.second.run_until(lambda: self.second.client.outstanding(message) == 0, f"message {message} delivered")

    def wait_shown(self, *texts: str) -> None:
        """Wait until the independent client has shown these, all that the real one ever sent, in this order."""
        self.second.run_until(lambda: self.second.messages("real") == list(texts), f"shown: {texts}")

    def wait_for_event(self, kind: str) -> None:
        self.second.run_until(lambda: self.second.happened(kind) > 0, kind)

    def __enter__(self) -> "Scene":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self.processes):
            process.stop()
        self.second.close()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


LONG = ("a text of 3,000 bytes " * 137)[:2999] + "."


def play(scene: Scene) -> None:
    """Registration, chat, absence both ways, mail both ways, receipts, and a long text both ways."""
    scene.register()
    scene.wait_delivered(scene.say("hello real"))
    scene.real.type("send second hello second")
    scene.wait_shown("hello second")
    scene.leave()
    scene.real.type("send second for when you are back")
    scene.real.wait_for("received by the server and saved")
    scene.real.type("dereg real")
    scene.real.wait_for("You are Offline")
    scene.register()
    scene.wait_shown("hello second", "for when you are back")
    message = scene.say("for when you are back, real")
    scene.wait_for_event("stored")
    scene.real.type("reg real")
    scene.real.wait_for("for when you are back, real")
    scene.wait_delivered(message)
    scene.real.type("send second " + LONG)
    message = scene.say(LONG)
    scene.wait_shown("hello second", "for when you are back", LONG)
    scene.wait_delivered(message)
    scene.real.wait_for(LONG)
    scene.leave()
