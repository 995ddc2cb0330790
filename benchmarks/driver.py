"""An echo through the driver, against the barest echoes that there are in Python.

Each server is a process of its own and answers the same client, which has 64 datagrams of 150 bytes in flight. The
clock is the processor's time of the servers (the one that is not measured just then uses none), so the client
and others on the machine do not count.
"""

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from udpchat_core.actions import Actions, Received, SendDatagram
from udpchat_core.instant import Instant
from udpchat_core.requests import StoreReply
from udpchat_core.server_requests import ServerState
from udpchat_net.driver import BATCH_DATAGRAMS_MAX, Driver
from udpchat_net.loop import run
from udpchat_net.stores.paths import server_path
from udpchat_net.stores.sqlite_server import SqliteServerStore, create_server

from .harness import Clock, Pair, same

IN_FLIGHT: Final = 64
PAYLOAD_BYTES: Final = 150
ECHOES: Final = {"drained": "bare drained echo, uvloop", "protocol": "bare asyncio DatagramProtocol echo"}
_PATIENCE_S = 10.0


def pairs() -> Iterator[Pair]:
    """The driver against each: a drained socket on the same loop, and what asyncio offers by itself."""
    for name, against in (("driver-drained", "drained"), ("driver-asyncio", "protocol")):
        with serving(against) as bare, serving("driver") as ours:
            yield Pair(
                name, ECHOES[against], same(_exchange, bare[0]), same(_exchange, ours[0]), used_by(bare[1], ours[1])
            )


def _exchange(client: socket.socket) -> None:
    """What is in flight there and back, from an echo."""
    payload = bytes(PAYLOAD_BYTES)
    for _ in range(IN_FLIGHT):
        client.send(payload)
    for _ in range(IN_FLIGHT):
        assert client.recv(PAYLOAD_BYTES) == payload


def used_by(*pids: int) -> Clock:
    """The processor's time that these processes used, by clocks whose numbers Linux makes of theirs."""
    return lambda: sum(time.clock_gettime_ns(~pid << 3 | 2) for pid in pids)


@contextmanager
def serving(kind: str, module: str = "benchmarks.driver") -> Iterator[tuple[socket.socket, int]]:
    """A socket that is connected to a server of this kind, and the number of the server's process."""
    command = [sys.executable, "-m", module, "serve", kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(_PATIENCE_S)
                client.connect(("127.0.0.1", port))
                yield client, server.pid
        finally:
            server.kill()


# --- the servers ---


class _Echo:
    """The least core."""

    def start(self, _: Instant) -> Actions:
        return ()

    def receive_datagrams(self, received: Sequence[Received], _: Instant) -> Actions:
        return tuple([SendDatagram(source, payload) for source, payload in received])

    def handle_stored(self, _: Sequence[StoreReply], __: Instant) -> Actions:
        return ()

    def handle_timeout(self, _: Instant) -> Actions:
        return ()

    def next_timeout(self) -> Instant | None:
        return None

    def handle_clock(self, _: int, __: Instant) -> Actions:
        return ()


async def _driver() -> None:
    with tempfile.TemporaryDirectory() as folder:
        create_server(server_path(Path(folder)), ServerState(bytes(32)))
        driver = Driver(_Echo(), SqliteServerStore(server_path(Path(folder))), print)
        say(driver.bind("127.0.0.1", 0).port)
        driver.start()
        await driver.finished()


async def _drained() -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setblocking(False)
    server.bind(("127.0.0.1", 0))

    def drain() -> None:
        received = []
        for _ in range(BATCH_DATAGRAMS_MAX):
            try:
                received.append(server.recvfrom(2_048))
            except BlockingIOError:
                break
        for payload, source in received:
            server.sendto(payload, source)

    asyncio.get_running_loop().add_reader(server, drain)
    say(server.getsockname()[1])
    await asyncio.Event().wait()


async def _protocol() -> None:
    class Protocol(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._transport = cast(asyncio.DatagramTransport, transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self._transport.sendto(data, addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Protocol, ("127.0.0.1", 0))
    say(transport.get_extra_info("sockname")[1])
    await asyncio.Event().wait()


def say(port: int) -> None:
    """Tell whoever started this server where it is."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


_SERVERS: dict[str, Callable[[], None]] = {
    "driver": lambda: run(_driver()),
    "drained": lambda: run(_drained()),
    "protocol": lambda: asyncio.run(_protocol()),
}

if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        _SERVERS[sys.argv[2]]()
    from .__main__ import main

    sys.exit(main(["driver", *sys.argv[1:]]))
