"""Running programs in this process: the real cores, sealing, sockets and disks, each under its own driver.

An end that is closed and made again in the same folder is a program that was started again.
"""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, Generic, TypeVar

from tests.net.udp_peers import until
from udpchat_core.address import Address
from udpchat_core.client import Client, new_client_state
from udpchat_core.client_events import LetterReceived, MessageDelivered, Registered
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.server import Server, new_server_state
from udpchat_net.clock import Clock
from udpchat_net.driver import Driver
from udpchat_net.stores.paths import server_path, state_path
from udpchat_net.stores.port import Store
from udpchat_net.stores.sqlite_client import SqliteClientStore, create_client
from udpchat_net.stores.sqlite_server import SqliteServerStore, create_server

SERVER_HOST = "127.0.0.1"
C = TypeVar("C", Client, Server)
E = TypeVar("E")
Where = Callable[[], AbstractContextManager[Any]]
"""Entered to make a socket: the network that the socket is in."""


class End(Generic[C]):
    """One running program.

    Attributes:
        core: of it.
        driver: of it.
        events: what it was told.
        address: where it is.
    """

    def __init__(
        self, core: C, store: Store, clock: Clock, host: str = "127.0.0.1", where: Where = nullcontext
    ) -> None:
        self.core: C = core
        self.events: list[Any] = []
        self.driver = Driver(core, store, self.events.append, clock)
        with where():
            self.address = self.driver.bind(host, 0)
        self.driver.start()

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def call(self, command: Callable[..., Any], *arguments: object) -> None:
        self.driver.call(command, *arguments)


def server_core(folder: Path) -> tuple[Server, SqliteServerStore, Clock]:
    """The server whose file is in this folder; a new one the first time."""
    suite, path, clock = StandardSuite(os.urandom), server_path(folder), Clock()
    if not path.exists():
        create_server(path, new_server_state(suite))
    store = SqliteServerStore(path)
    return Server(suite, store.load(), clock.now()), store, clock


def client_core(folder: Path, name: str, at: Address) -> tuple[Client, SqliteClientStore, Clock]:
    """The client of this name whose file is in this folder; a new one the first time."""
    suite, path, clock = StandardSuite(os.urandom), client_path(folder, name), Clock()
    if not path.exists():
        create_client(path, new_client_state(suite, name, time.time_ns() // 1_000_000), "127.0.0.1:10001")
    store = SqliteClientStore(path)
    return Client(suite, store.load(), at, clock.now()), store, clock


@asynccontextmanager
async def server(folder: Path, host: str = SERVER_HOST, where: Where = nullcontext) -> AsyncIterator[End[Server]]:
    """The server of this folder at work."""
    end = End(*server_core(folder), host, where)
    try:
        yield end
    finally:
        await end.driver.close()


@asynccontextmanager
async def client(
    folder: Path, name: str, at: Address, host: str = "127.0.0.1", where: Where = nullcontext
) -> AsyncIterator[End[Client]]:
    """A client of the server `at`, online."""
    end = End(*client_core(folder, name, at), host, where)
    try:
        end.call(end.core.register)
        await until(lambda: end.of(Registered))
        yield end
    finally:
        await end.driver.close()


def client_path(folder: Path, name: str) -> Path:
    """The file of a client."""
    return state_path(folder, name, "127.0.0.1", 10_001)


def say(end: End[Client], to: str, *texts: str) -> None:
    """Send messages."""
    for text in texts:
        end.call(end.core.send, to, text)


def heard(end: End[Client], sender: str) -> list[str]:
    """What was shown of this sender."""
    return [letter.text for letter in end.of(LetterReceived) if letter.name == sender]


def delivered(end: End[Client]) -> int:
    """Messages that are on their recipients' disks."""
    return len(end.of(MessageDelivered))
