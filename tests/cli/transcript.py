"""Golden transcripts: what people do, and every line that everybody prints because of it.

A transcript is a text file of blocks. A block begins with a step, `> ...`, and has the lines that are printed within a
few (virtual) seconds after it, by client in the order of their names, the server's first. Steps:

    > server starts          > server stops           with what it keeps from one run to the next
    > alice starts           > mallory starts as alice     a client, with what it kept; or one that takes a name
    > server forgets everything
    > alice: send bob hi     a line that is typed
    > alice x 40: send ...   so often, with {n} for the number
    > alice ends             the end of its input
    > alice is interrupted   SIGINT
    > alice crashes          without a word
    > 60 s pass
    > server stops; 1 s      any of these, with so long until the next one

`<2000 bytes>` in a typed line stands for such a text, and so it does in what is printed. With the environment variable
REWRITE set the file is written anew: read the difference before you believe it.
"""

import asyncio
import os
import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from random import Random
from shutil import rmtree

from tests.cli.virtual_time import VirtualTimeLoop
from udpchat_cli import classic_server
from udpchat_cli.classic_client import ClassicClient
from udpchat_cli.classic_server import ClassicServer
from udpchat_cli.exits import Exit
from udpchat_cli.opening import open_store
from udpchat_cli.values import Account
from udpchat_net.stores.paths import state_path

STEP_S = 4.0
"""Long enough for five tries of 500 ms after 500 ms of direct ones."""
_ALPHABET = 'a word, żółw, 亀, 🐢 and "quotes"  \' '


def text_of(size: int) -> str:
    """A text of so many bytes with characters of one to four of them."""
    alphabet = f"{_ALPHABET}{size} "  # so that no text is in another
    text = (alphabet * (size // len(_ALPHABET) + 1)).encode()[:size].decode(errors="ignore")
    return text + "." * (size - len(text.encode()))


class Typist:
    """A console without a terminal."""

    is_broken = False

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.typed: deque[str | None] = deque()
        self.printed: list[str] = []
        self._on_change = on_change

    @property
    def has_line(self) -> bool:
        return bool(self.typed)

    def take(self) -> str | None:
        return self.typed.popleft()

    def say(self, line: str) -> None:
        self.printed.append(line)

    def type(self, line: str | None) -> None:
        self.typed.append(line)
        self._on_change()

    def ready(self) -> None:
        pass

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


class Person:
    """A client at work."""

    def __init__(self, name: str, folder: Path, port: int, loop: VirtualTimeLoop, seed: str) -> None:
        store = open_store(Account(name, "127.0.0.1", port), state_path(folder, name, "127.0.0.1", port))
        seeded = Random(seed).randbytes  # the pings, above all, come at the same times in every run
        self.client = ClassicClient(name, store, ("127.0.0.1", port), self._console, loop.clock(), seeded)
        self.task = loop.create_task(self.client.run("127.0.0.1", 0))
        self.task.add_done_callback(self._ended)

    def _console(self, on_change: Callable[[], None]) -> Typist:
        self.console = Typist(on_change)
        return self.console

    def _ended(self, task: asyncio.Task[Exit]) -> None:
        if not task.cancelled():
            self.console.say(f"exits with {task.result()}")


class Stage:
    """Server and people, on one machine."""

    def __init__(self, folder: Path, loop: VirtualTimeLoop) -> None:
        self._folder, self._loop = folder, loop
        self._server: ClassicServer | None = None
        self._port = self._starts = 0
        self._log: list[str] = []
        self._people: dict[str, Person] = {}
        self._texts: dict[str, str] = {}
        self._steps: tuple[tuple[str, Callable[..., None]], ...] = (
            (r"server starts", self._start_server),
            (r"(\w+) starts", self._start),
            (r"(\w+) starts as (\w+)", self._start),
            (r"server forgets everything", lambda: rmtree(self._folder / "server")),
            (r"(\w+): (.*)", self._type),
            (r"(\w+) x (\d+): (.*)", self._type_often),
            (r"(\w+) ends", lambda name: self._people[name].console.type(None)),
            (r"(\w+) is interrupted", lambda name: self._people[name].client.interrupt()),
        )

    async def play(self, step: str) -> list[str]:
        """Do it; the lines that are printed because of it."""
        seconds = STEP_S
        if match := re.fullmatch(r"(.*); (\d+) s", step):
            step, seconds = match[1], int(match[2])
        if step == "server stops":
            await self._stop_server()
        elif match := re.fullmatch(r"(\w+) crashes", step):
            person = self._people.pop(match[1])
            person.task.cancel()
            await asyncio.wait([person.task])
        elif match := re.fullmatch(r"(\d+) s pass", step):
            seconds = int(match[1])
        else:
            self._do(step)
        await asyncio.sleep(seconds)
        return self._printed()

    async def close(self) -> None:
        """The end of it all."""
        for person in self._people.values():
            person.task.cancel()
        if self._people:
            await asyncio.wait([person.task for person in self._people.values()])
        await self._stop_server()

    def _do(self, step: str) -> None:
        for pattern, action in self._steps:
            if match := re.fullmatch(pattern, step):
                action(*match.groups())
                return
        raise ValueError(f"no such step: {step}")

    def _start_server(self) -> None:
        store = classic_server.open_store(str(self._folder / "server"))
        self._server = ClassicServer(store, lambda line, _: self._log.append(line), self._loop.clock())
        self._port = self._server.start([("127.0.0.1", self._port)]).port

    async def _stop_server(self) -> None:
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop()

    def _start(self, who: str, name: str | None = None) -> None:
        self._starts += 1
        seed = f"{who} {self._starts}"  # nobody draws the same secrets in another life
        self._people[who] = Person(name or who, self._folder / who, self._port, self._loop, seed)

    def _type(self, name: str, line: str) -> None:
        for label in re.findall(r"<\d+ bytes>", line):
            self._texts[label] = text_of(int(re.sub(r"\D", "", label)))
            line = line.replace(label, self._texts[label])
        self._people[name].console.type(line)

    def _type_often(self, name: str, times: str, line: str) -> None:
        for number in range(1, int(times) + 1):
            self._type(name, line.replace("{n}", str(number)))

    def _printed(self) -> list[str]:
        lines = [f"server: {line}" for line in summed(self._log)]
        self._log.clear()
        for name, person in sorted(self._people.items()):
            lines += [f"{name}: {line}" for line in person.console.printed]
            person.console.printed.clear()
        return [self._plain(line) for line in lines]

    def _plain(self, line: str) -> str:
        """Without what is different in each run."""
        for label, text in self._texts.items():
            line = line.replace(text, label)
        line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", line)
        line = re.sub(r"[0-9a-f]{8}( [0-9a-f]{8}){7}", "KEY", line)
        return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", line)


def summed(log: list[str]) -> list[str]:
    """The lines, counts of the same as one: how many letters share a commit is the disk's matter."""
    lines = list[str]()
    count = before = 0
    for line in log:
        match = re.fullmatch(r"(\d+) letters? (.*)", line)
        if match and lines and lines[-1].endswith(f" {match[2]}") and before:
            count = before + int(match[1])
            lines.pop()
        else:
            count = int(match[1]) if match else 0
        lines.append(f"{count} letter{'s' if count > 1 else ''} {match[2]}" if match else line)
        before = count
    return lines


def check(path: Path, folder: Path) -> None:
    """Play a transcript, and compare."""
    expected = path.read_text(encoding="utf-8")
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualTimeLoop)
        played = runner.run(_play(expected, Stage(folder, loop)))
    if os.environ.get("REWRITE"):
        path.write_text(played, encoding="utf-8")
    assert played.splitlines() == expected.splitlines()


async def _play(script: str, stage: Stage) -> str:
    played = list[str]()
    try:
        for line in script.splitlines():
            if line.startswith("#"):
                played.append(line)
            elif line.startswith("> "):
                played += ["", line, *await stage.play(line[2:])]
    finally:
        await stage.close()
    return "\n".join(played) + "\n"
