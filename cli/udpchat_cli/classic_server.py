"""The server of the classic form: a core, its driver, and one line for each notable event, with counts for contents."""

import asyncio
import errno
import os
import sys
from collections.abc import Callable

from udpchat_core import events as e
from udpchat_core.address import Address
from udpchat_core.limits import LETTER_DAYS_MAX, SILENCE_S
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.server import Server, new_server_state
from udpchat_net import udp
from udpchat_net.clock import Clock
from udpchat_net.driver import Driver, run
from udpchat_net.stores.paths import server_path, state_folder
from udpchat_net.stores.port import StoreLocked, StoreMissing
from udpchat_net.stores.sqlite_server import SqliteServerStore, create_server

from .arguments import ClassicServerOptions
from .classic_client import on_signals
from .descriptors import descriptor
from .exits import Exit
from .log import Log


def told(event: e.ClientEvent | e.ServerEvent) -> str:
    """The line for an event; empty if it has none."""
    line = ""
    match event:
        case e.UserRegistered(name, address, new):
            line = f"{name} registered at {shown(address)}" + (", a new name" if new else "")
        case e.UserLeft(name):
            line = f"{name} left"
        case e.UserLapsed(name):
            line = f"{name} lapsed: nothing was heard for {SILENCE_S} s"
        case e.MailKept(letters):
            line = f"{_letters(letters)} stored"
        case e.MailCollected(name, letters):
            line = f"{_letters(letters)} collected by {name}"
        case e.MailExpired(letters):
            line = f"{_letters(letters)} deleted after {LETTER_DAYS_MAX} days"
        case e.StorageFailed():
            line = "the disk takes nothing at the moment: what it was asked is tried again, and not answered before"
        case e.StorageRecovered():
            line = "the disk works again"
    return line


def shown(address: Address) -> str:
    """As `127.0.0.1:10001`."""
    host, port = udp.name_of(address)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _letters(count: int) -> str:
    return "1 letter" if count == 1 else f"{count:,} letters"


class ClassicServer:
    """One server, on the running loop; `log` gets its lines."""

    def __init__(self, store: SqliteServerStore, log: Callable[[str], None], clock: Clock | None = None) -> None:
        clock = clock or Clock()
        self.core = Server(StandardSuite(os.urandom), store.load(), clock.now())
        self.driver = Driver(self.core, store, self._happened, clock)
        self._log = log
        self._started = False

    def start(self, addresses: list[tuple[str, int]]) -> Address:
        """Serve at these addresses; where the first of them is. Raises `udp.DriverError`."""
        bound = [self.driver.bind(host, port) for host, port in addresses]
        self.driver.start()
        self._started = True
        self._log(f"started on {' and '.join(map(shown, bound))}")
        return bound[0]

    async def stop(self) -> None:
        """End: what is being written is written."""
        await self.driver.close()
        if self._started:
            self._log("stopped")

    def _happened(self, event: e.ClientEvent | e.ServerEvent) -> None:
        if line := told(event):
            self._log(line)


def open_store(folder: str | None) -> SqliteServerStore:
    """The store of the server, made if it is not there. Raises `StoreError`."""
    path = server_path(state_folder({"UDPCHAT_STATE": folder}) if folder else state_folder())
    try:
        try:
            return SqliteServerStore(path)
        except StoreMissing:
            create_server(path, new_server_state(StandardSuite(os.urandom)))
            return SqliteServerStore(path)
    except StoreLocked as error:
        raise StoreLocked(f"{error}, or choose another folder with --state") from error


def main(options: ClassicServerOptions) -> int:
    """Run a server until a signal ends it; the exit status. Raises `StoreError` and `udp.DriverError`."""
    return run(_main(options))


async def _main(options: ClassicServerOptions) -> Exit:
    log = Log(descriptor(sys.stdout))
    server = ClassicServer(open_store(options.state), log.write)
    ended = asyncio.Event()
    on_signals(ended.set)
    finished = asyncio.ensure_future(server.driver.finished())
    try:
        server.start(_everywhere(options.port))
        await asyncio.wait([finished, asyncio.ensure_future(ended.wait())], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await server.stop()
        log.close()
    await finished
    return Exit.DONE


def _everywhere(port: int) -> list[tuple[str, int]]:
    """All addresses of this machine, of IPv6 as well if it has that."""
    addresses = [("0.0.0.0", port)]  # noqa: S104 - a server is for others
    try:
        probe, _ = udp.bind("::", 0)
    except udp.DriverError as error:
        if getattr(error.__cause__, "errno", None) not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
        return addresses
    probe.close()
    return [*addresses, ("::", port)]
