"""Server and clients as they will run: real cores, sealing, sockets and disks, and a bad network between them."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.net.udp_peers import until
from udpchat_core.address import Address
from udpchat_core.client import Client, new_client_state
from udpchat_core.events import LetterReceived, MessageDelivered, MessageStored, Registered
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.server import Server, new_server_state
from udpchat_net.clock import Clock
from udpchat_net.driver import Driver, run
from udpchat_net.proxy import Proxy, Weather
from udpchat_net.stores.paths import server_path, state_path
from udpchat_net.stores.sqlite_client import SqliteClientStore, create_client
from udpchat_net.stores.sqlite_server import SqliteServerStore, create_server

E = TypeVar("E")


class End:
    """One running program."""

    def __init__(self, core: Client | Server, store: Any, clock: Clock) -> None:
        self.core, self.events = core, list[Any]()
        self.driver = Driver(core, store, self.events.append, clock)
        self.address = self.driver.bind("127.0.0.1", 0)
        self.driver.start()

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def call(self, command: Callable[..., Any], *arguments: object) -> None:
        self.driver.call(command, *arguments)


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[End]:
    suite, path, clock = StandardSuite(os.urandom), server_path(folder), Clock()
    if not path.exists():
        create_server(path, new_server_state(suite))
    store = SqliteServerStore(path)
    end = End(Server(suite, store.load(), clock.now()), store, clock)
    yield end
    await end.driver.close()


@asynccontextmanager
async def client(folder: Path, name: str, at: Address) -> AsyncIterator[End]:
    suite, path, clock = StandardSuite(os.urandom), state_path(folder, name, "127.0.0.1", 10_001), Clock()
    if not path.exists():
        create_client(path, new_client_state(suite, name, time.time_ns() // 1_000_000), "127.0.0.1:10001")
    store = SqliteClientStore(path)
    core = Client(suite, store.load(), at, clock.now())
    end = End(core, store, clock)
    end.call(core.register)
    await until(lambda: end.of(Registered))
    yield end
    await end.driver.close()


def texts(end: End) -> list[str]:
    return [letter.text for letter in end.of(LetterReceived)]


def test_messages_go_directly_and_once_each_in_order_over_a_bad_network(tmp_path: Path) -> None:
    async def scenario() -> None:
        proxy = Proxy(5, Weather(loss=0.1, duplication=0.1, reordering=0.1, delay_s_max=0.01))
        async with server(tmp_path) as at:
            face = proxy.face(at.address)
            async with client(tmp_path, "alice", face) as alice, client(tmp_path, "bob", face) as bob:
                assert isinstance(alice.core, Client)
                for number in range(30):
                    alice.call(alice.core.send, "bob", f"no. {number}")
                await until(lambda: len(alice.of(MessageDelivered)) == 30)
                assert texts(bob) == [f"no. {number}" for number in range(30)]
                assert proxy.counts["lost"] > 0
        proxy.close()

    run(scenario())


def test_a_message_waits_in_the_mailbox_through_restarts_of_everybody(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with server(tmp_path) as at:
            async with client(tmp_path, "bob", at.address):
                pass
            async with client(tmp_path, "alice", at.address) as alice:
                assert isinstance(alice.core, Client)
                alice.call(alice.core.send, "bob", "are you there?")
                await until(lambda: alice.of(MessageStored))
        async with server(tmp_path) as at, client(tmp_path, "bob", at.address) as bob:
            await until(lambda: texts(bob) == ["are you there?"])
            async with client(tmp_path, "alice", at.address) as alice:
                await until(lambda: [message.to for message in alice.of(MessageDelivered)] == ["bob"])
        async with (
            server(tmp_path) as at,
            client(tmp_path, "bob", at.address) as bob,
            client(tmp_path, "alice", at.address) as alice,
        ):
            assert isinstance(alice.core, Client)
            alice.call(alice.core.send, "bob", "and now?")
            await until(lambda: texts(bob))
            assert texts(bob) == ["and now?"]  # and nothing a second time

    asyncio.run(scenario())
