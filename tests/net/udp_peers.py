"""For tests over loopback: peers with plain sockets, a store that does as told, and waiting for conditions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.net.echo import Echo
from udpchat_core.address import Address
from udpchat_core.requests import StoreReply
from udpchat_net import udp
from udpchat_net.clock import Clock
from udpchat_net.driver import Driver
from udpchat_net.stores.port import Request

T = TypeVar("T")
PATIENCE_S = 120  # of a machine that has much else to do
_LOOK_S = 0.001  # the threads of stores and other processes need the processor too
HOSTS = ("127.0.0.1", "::1")


def soon(awaitable: Awaitable[T]) -> Awaitable[T]:
    """It, or a failure instead of a test that hangs."""
    return asyncio.wait_for(awaitable, PATIENCE_S)


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until it is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(_LOOK_S)


class Peer:
    """A plain socket that keeps what it gets."""

    def __init__(self, host: str) -> None:
        self._socket, self.address = udp.bind(host, 0)
        self.got: asyncio.Queue[tuple[Address | None, bytes]] = asyncio.Queue()
        asyncio.get_running_loop().add_reader(self._socket, self._receive)

    def _receive(self) -> None:
        payload, name = self._socket.recvfrom(65_535)
        self.got.put_nowait((udp.address_of(name), payload))

    def send(self, to: Address, *payloads: bytes) -> None:
        for payload in payloads:
            self._socket.sendto(payload, udp.name_of(to))

    async def next(self) -> tuple[Address | None, bytes]:
        return await soon(self.got.get())

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


class FakeStore:
    """Commits when `open` is set, but for the first `failures` times, which fail; keeps what it was asked."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.failures = 0
        self.raises: Exception | None = None
        self.batches: list[tuple[Request, ...]] = []
        self.closed = 0

    async def commit(self, requests: Sequence[Request]) -> tuple[StoreReply, ...]:
        self.batches.append(tuple(requests))
        await self.open.wait()
        if self.raises is not None:
            raise self.raises
        self.failures -= 1
        return tuple(StoreReply(request, durable=self.failures < 0) for request in requests)

    def close(self) -> None:
        self.closed += 1


@dataclass
class Driven:
    """A driver at work, with what is around it."""

    driver: Driver
    core: Echo
    store: FakeStore
    address: Address
    peer: Peer
    events: list[Any] = field(default_factory=list)


@asynccontextmanager
async def driven(host: str = "127.0.0.1", clock: Clock | None = None) -> AsyncIterator[Driven]:
    core, store, peer, events = Echo(), FakeStore(), Peer(host), list[Any]()
    driver = Driver(core, store, events.append, clock)
    address = driver.bind(host, 0)
    driver.start()
    try:
        yield Driven(driver, core, store, address, peer, events)
    finally:
        await soon(driver.close())
        peer.close()
