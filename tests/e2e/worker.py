"""A program to be killed: a server or a client that talks without end, as a process of its own.

It is started by `Worker.start`, tells what it acknowledged (to its user, who is the test) as tuples through a pipe,
and takes orders from there: ("say", to, text), ("enough",) (say nothing new; tell "idle" whenever nothing waits),
("close",).
"""

import asyncio
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

from tests.e2e.ends import SERVER_HOST, client_core, server_core
from udpchat_core.address import Address
from udpchat_core.client import Client
from udpchat_core.client_events import LetterReceived, MessageDelivered, MessageQueued, MessageStored, Registered
from udpchat_net.driver import Driver
from udpchat_net.loop import run

NAMES: Final = ("ann", "bob", "cat")
UNDER_WAY_MAX: Final = 2
"""Messages of one client to another that are not delivered yet: more of them would fill the mailbox of who is away."""
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.e2e.worker"])  # so that a start takes milliseconds


@dataclass(frozen=True)
class Worker:
    """A process at work, and the pipe to it."""

    process: ForkServerProcess
    pipe: Connection

    @classmethod
    def start(cls, folder: Path, name: str, life: int, port: int) -> "Worker":
        """A client of this name, or the server."""
        ours, theirs = _PROCESSES.Pipe()
        process = _PROCESSES.Process(target=_main, args=(folder, name, life, port, theirs), daemon=True)
        process.start()
        theirs.close()
        return cls(process, ours)

    def told(self) -> list[tuple[Any, ...]]:
        """What it told since."""
        told = []
        try:
            while self.pipe.poll():
                told.append(self.pipe.recv())
        except (EOFError, ConnectionError):  # it is dead, perhaps in the middle of a word
            pass
        return told

    def kill(self) -> list[tuple[Any, ...]]:
        """Kill it, with no time for anything; what it told before."""
        self.process.kill()
        self.process.join()
        told = self.told()
        self.pipe.close()
        return told


def _main(folder: Path, name: str, life: int, port: int, pipe: Connection) -> None:
    run(_serve(folder, port, pipe) if name == "server" else _talk(folder, name, life, port, pipe))


async def _serve(folder: Path, port: int, pipe: Connection) -> None:
    core, store, clock = server_core(folder)
    driver = Driver(core, store, lambda _: None, clock)
    driver.bind(SERVER_HOST, port)
    driver.start()
    pipe.send(("up",))
    await _until_closed(driver, pipe, {})


async def _talk(folder: Path, name: str, life: int, port: int, pipe: Connection) -> None:
    core, store, clock = client_core(folder, name, Address(bytes((127, 0, 0, 1)), port))
    talker = Talker(core, name, life, pipe)
    talker.texts = {saved.message: saved.text for saved in store.load().outbox}
    talker.under_way = Counter(saved.to for saved in store.load().outbox)
    driver = talker.driver = Driver(core, store, talker.on_event, clock)
    driver.bind("127.0.0.1", 0)
    driver.start()
    driver.call(core.register)
    await _until_closed(driver, pipe, {"say": talker.say, "enough": talker.stop})


async def _until_closed(driver: Driver, pipe: Connection, orders: dict[str, Callable[..., None]]) -> None:
    """Take orders until the last; what ends the driver before, ends the process, and is seen."""
    ordered: asyncio.Queue[tuple[str, ...]] = asyncio.Queue()
    asyncio.get_running_loop().add_reader(pipe.fileno(), lambda: ordered.put_nowait(pipe.recv()))
    os.set_blocking(pipe.fileno(), True)  # uvloop changed that, and what is told must not be lost

    async def obey() -> None:
        while (order := await ordered.get()) != ("close",):
            orders[order[0]](*order[1:])
        await driver.close()

    obeying = asyncio.create_task(obey())
    await driver.finished()
    await obeying
    pipe.send(("closed",))


class Talker:
    """What a client's user does: has messages under way to everybody, all the time."""

    driver: Driver

    def __init__(self, core: Client, name: str, life: int, pipe: Connection) -> None:
        self._core, self._name, self._life, self._pipe = core, name, life, pipe
        self._others = [other for other in NAMES if other != name]
        self._talks = life > 1  # in the first it makes itself known, so that nobody writes to a name that nobody has
        self.texts: dict[int, str] = {}
        self.under_way: Counter[str] = Counter()

    def say(self, to: str, text: str) -> None:
        """Send a message, whatever is under way."""
        self.under_way[to] += 1
        self.texts[self._core.next_message] = text
        self.driver.call(self._core.send, to, text)

    def stop(self) -> None:
        """Nothing new; tells when nothing is under way."""
        self._talks = False
        self._tell_idle()

    def on_event(self, event: object) -> None:
        """Tell what the user would see, and go on talking."""
        match event:
            case Registered():
                self._tell("registered")
            case MessageQueued(message):
                self._tell("queued", self.texts[message])
            case MessageStored(message, to):
                self._tell("stored", to, self.texts[message])
            case MessageDelivered(message, to):
                self.under_way[to] -= 1
                self._tell("delivered", to, self.texts[message])
                self._tell_idle()
            case LetterReceived(name=name, text=text):
                self._tell("shown", name, text)
        self._talk()

    def _talk(self) -> None:
        for to in self._others:
            while self._talks and self.under_way[to] < UNDER_WAY_MAX:
                self.say(to, f"no. {self._core.next_message} of life {self._life} from {self._name} to {to}")

    def _tell(self, *what: str) -> None:
        self._pipe.send(what)

    def _tell_idle(self) -> None:
        if not self._talks and not self.under_way.total():
            self._tell("idle")
