"""The server of the classic form: a core, its driver, and one line for each notable event, with counts for contents."""

import asyncio
import errno
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from udpchat_core import server_events as e
from udpchat_core.address import Address
from udpchat_core.client_events import ClientEvent
from udpchat_core.events import StorageFailed, StorageRecovered
from udpchat_core.limits import LETTER_DAYS_MAX, SILENCE_S
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.server import Server, new_server_state
from udpchat_core.server.admission import OPEN, Admission
from udpchat_net import udp
from udpchat_net.clock import Clock
from udpchat_net.driver import Driver
from udpchat_net.loop import run
from udpchat_net.stores.errors import StoreLocked, StoreMissing
from udpchat_net.stores.paths import server_path, state_folder
from udpchat_net.stores.sqlite_server import SqliteServerStore, create_server

from . import schema
from .arguments import ClassicServerOptions
from .descriptors import descriptor
from .exits import Exit
from .log import Log
from .objects import of_server_event
from .signals import on_signals
from .wording import counted, fingerprint, shown


def told(event: ClientEvent | e.ServerEvent) -> str:  # noqa: PLR0912 - a row for each event
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
            line = f"{counted(letters, 'letter', 'letters')} stored"
        case e.MailCollected(name, letters):
            line = f"{counted(letters, 'letter', 'letters')} collected by {name}"
        case e.MailExpired(letters):
            line = f"{counted(letters, 'letter', 'letters')} deleted after {LETTER_DAYS_MAX} days"
        case e.InviteMade():
            line = "an invitation was made"
        case e.UserBanned(identity, name):
            line = f"{name or identity.hex()} is banned"
        case e.UserUnbanned(identity):
            line = f"{identity.hex()} is served again"
        case e.NameReleased(name):
            line = f"{name} belongs to nobody any more"
        case e.NameRotated(name):
            line = f"{name} has another key, signed with the one before"
        case StorageFailed():
            line = "the disk takes nothing at the moment: what it was asked is tried again, and not answered before"
        case StorageRecovered():
            line = "the disk works again"
    return line


class ClassicServer:
    """One server, on the running loop; `log` gets its lines, each with the object that says the same.

    Attributes:
        core: the protocol.
        driver: what runs it.
        bound: where it serves.
    """

    def __init__(
        self,
        store: SqliteServerStore,
        log: Callable[[str, Mapping[str, Any]], object],
        clock: Clock | None = None,
        admission: Admission = OPEN,
    ) -> None:
        clock = clock or Clock()
        self.core = Server(StandardSuite(os.urandom), store.load(), clock.now(), admission)
        self.driver = Driver(self.core, store, self._happened, clock)
        self.bound: list[Address] = []
        self._log = log
        self._listeners: list[Callable[[ClientEvent | e.ServerEvent], object]] = []

    def listen(self, callback: Callable[[ClientEvent | e.ServerEvent], object]) -> None:
        """Have it called with each event from now on, in the middle of a turn."""
        self._listeners.append(callback)

    def start(self, addresses: list[tuple[str, int]]) -> Address:
        """Serve at these addresses; where the first of them is. Raises `udp.DriverError`."""
        bound = [self.driver.bind(host, port) for host, port in addresses]
        self.driver.start()
        self.bound = bound
        at = [shown(address) for address in bound]
        key = self.core.public_key
        line = f"started on {' and '.join(at)}; its key is {fingerprint(key)}"
        self._log(line, schema.made("started", addresses=at, key=key.hex()))
        return bound[0]

    async def stop(self) -> None:
        """End: what is being written is written."""
        await self.driver.close()
        if self.bound:
            self._log("stopped", schema.made("stopped"))

    def _happened(self, event: ClientEvent | e.ServerEvent) -> None:
        if line := told(event):
            self._log(line, of_server_event(event))
        for listener in self._listeners:
            listener(event)


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
    await serve(ClassicServer(open_store(options.state), log.write), everywhere(options.port), log)
    return Exit.DONE


async def serve(
    server: ClassicServer,
    addresses: list[tuple[str, int]],
    log: Log,
    ready: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Run it to its end, by a signal; `ready` is called once it serves. Raises `udp.DriverError`."""
    ended = asyncio.Event()
    on_signals(ended.set)
    finished = asyncio.ensure_future(server.driver.finished())
    try:
        server.start(addresses)
        if ready is not None:
            await ready()
        await asyncio.wait([finished, asyncio.ensure_future(ended.wait())], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await server.stop()
        log.close()
    await finished


def everywhere(port: int) -> list[tuple[str, int]]:
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
