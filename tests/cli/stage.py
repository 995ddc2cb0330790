"""A server and sessions of users on one loop, whose time is virtual."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tests.cli.virtual_time import VirtualTimeLoop
from udpchat_cli import accounts, classic_server
from udpchat_cli.classic_server import ClassicServer
from udpchat_cli.opening import open_store
from udpchat_cli.session import Session
from udpchat_cli.settings import Settings
from udpchat_cli.values import Account
from udpchat_core.requests import StoreReply
from udpchat_core.server.admission import OPEN, Admission
from udpchat_net import udp
from udpchat_net.stores.paths import state_path
from udpchat_net.stores.port import Request
from udpchat_net.stores.sqlite_client import SqliteClientStore

T = TypeVar("T")
HOST = "127.0.0.1"


def opened(who: accounts.Speaker) -> SqliteClientStore:
    """The store of whoever speaks, made if need be."""
    return open_store(who.account, who.path)


class Stage:
    """Made on the loop. Users are known by name; each has a state file in `folder`."""

    def __init__(self, folder: Path, admission: Admission = OPEN) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        self.folder, self.loop = folder, loop
        self.logged: list[dict[str, Any]] = []
        self.port = 0
        self.start_server(admission)

    def start_server(self, admission: Admission = OPEN) -> None:
        self.store = classic_server.open_store(str(self.folder / "server"))
        self.server = ClassicServer(
            self.store, lambda _, thing: self.logged.append(dict(thing)), self.loop.clock(), admission
        )
        self.address = self.server.start([(HOST, self.port)])
        self.port = self.address.port

    def who(self, name: str) -> accounts.Speaker:
        return speaker(self.folder, name, self.port)

    def session(
        self, name: str, opening: Callable[[accounts.Speaker], SqliteClientStore] = opened, **how: Any
    ) -> Session:
        """A session that was not started yet; whoever makes it ends it."""
        who = self.who(name)
        return Session(who.account, opening(who), self.address, clock=self.loop.clock(), **how)

    async def online(self, name: str, **how: Any) -> Session:
        session = self.session(name, **how)
        session.start(HOST)
        try:
            await session.online()
        except BaseException:
            await session.end()
            raise
        return session

    async def known(self, *names: str) -> None:
        """They were here, and are away."""
        for name in names:
            await (await self.online(name)).end()

    def silence(self) -> None:
        """From now on nobody answers at the server's address."""
        self._bound, _ = udp.bind(HOST, 0)
        self.address = udp.address_of(self._bound.getsockname()) or self.address

    async def end(self) -> None:
        await self.server.stop()
        if hasattr(self, "_bound"):
            self._bound.close()


def speaker(folder: Path, name: str, port: int = 10_001) -> accounts.Speaker:
    account = Account(name, HOST, port)
    return accounts.Speaker(account, state_path(folder, name, HOST, port), Settings())


def play(scene: Callable[[Stage], Awaitable[T]], folder: Path, **how: Any) -> T:
    """Run it in virtual time."""

    async def run() -> T:
        stage = Stage(folder, **how)
        try:
            return await scene(stage)
        finally:
            await stage.end()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(run())


class FullDisk(SqliteClientStore):
    """A disk that takes nothing while `is_full`."""

    is_full = False

    async def commit(self, requests: Sequence[Request]) -> tuple[StoreReply, ...]:
        if self.is_full:
            return tuple(StoreReply(request, durable=False) for request in requests)
        return await super().commit(requests)
