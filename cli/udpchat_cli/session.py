"""A client at its server, for commands: store, core and driver, and what is waited for.

Theory of operation. Whoever uses a session gives it callbacks, and waits with `until` for a condition, which is
looked at again whenever something happened. A letter is on the disk, unseen, before its event comes, and it counts as
seen only once `seen` was called for its text, after that was shown: an end at any moment costs no message. So mail is
what `unseen` finds at the start, before anything is received, and what events bring from then on; one `Texts` takes
both. A callback that waits for its reader holds everything up: mail then waits in the mailbox, not in memory.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

from udpchat_core import client_events as e
from udpchat_core.actions import Actions
from udpchat_core.address import Address
from udpchat_core.client import Client
from udpchat_core.errors import LocalProtocolError
from udpchat_core.fields import Refusal
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.server_events import ServerEvent
from udpchat_net import udp
from udpchat_net.clock import Clock
from udpchat_net.driver import Driver
from udpchat_net.stores.sqlite_client import SqliteClientStore

from .accounts import Speaker
from .exits import Exit, Failed
from .mail import Text, Texts
from .opening import open_store
from .probe import greet
from .signals import on_signals
from .values import Account, endpoint_text
from .wording import fingerprint, reason

GOODBYE_S_MAX: Final = 5.0
"""For the server to answer a Deregister: twice as long as the core tries."""

LET_IN_LOOK_S: Final = 0.02
LET_IN_LOOKS_MAX: Final = 100
"""Two seconds: a disk, and the second in which the directory says a name."""
UNSEEN_PAGE_LETTERS: Final = 256
"""Letters read from the disk at once: a quarter of a megabyte at most."""

NOWHERE: Final = Address(bytes(4), 1)
"""The server's, while its name has no address."""

Event = e.ClientEvent | ServerEvent


class Session:
    """One client, on the running loop. Closes `store` at its end.

    Attributes:
        account: who it is.
        is_new: whether its keys were made now.
        core: the protocol.
        driver: what runs the core.
        is_online: whether it is registered, and the server answers.
        trouble: why it is not online, with the status for whoever gives up over it; None if that is not known.
        changed_keys: of names whose messages wait for a decision.
        changed_server_key: the server's, until the user decides; None if it did not change.
        texts: what puts texts together.
    """

    def __init__(
        self,
        account: Account,
        store: SqliteClientStore,
        server: Address,
        *,
        watch_all: bool = False,
        clock: Clock | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        clock = clock or Clock()
        self.account, self.is_new = account, False
        self.core = Client(StandardSuite(random), store.load(), server, clock.now(), watch_all=watch_all)
        self.driver = Driver(self.core, store, self._happened, clock)
        self.is_online = False
        self.trouble: Failed | None = None
        self.changed_keys: dict[str, e.PeerKeyChanged] = {}
        self.changed_server_key: e.ServerKeyChanged | None = None
        self._server, self._store = server, store
        self.texts = Texts(store.begun(seen=True))
        self._listeners: list[Callable[[Event], object]] = []
        self._changed = asyncio.Event()
        self._signals = 0
        self._finished = asyncio.ensure_future(self.driver.finished())
        self._finished.add_done_callback(lambda _: self._changed.set())

    # --- begin and end ---

    def start(self, host: str | None = None, port: int = 0, invite: bytes | None = None) -> Address:
        """Receive at this address (else: any), register, and go on with the outbox. Raises `udp.DriverError`.

        `invite` is an invitation of whoever runs the server. Returns where it receives; `NOWHERE` if nothing began, as
        the server's name has no address.
        """
        if self._server == NOWHERE:
            return NOWHERE
        everywhere = "0.0.0.0" if len(self._server.host) == 4 else "::"  # noqa: S104, PLR2004 - peers are anywhere
        bound = self.driver.bind(host or everywhere, port)
        self.driver.start()
        self.register(invite)
        return bound

    def register(self, invite: bytes | None = None) -> None:
        """Be online, if need be with an invitation."""
        self.driver.call(lambda now: self.core.register(now, invite))

    async def online(self) -> None:
        """Wait until registered. Raises `Failed` if that does not work."""
        await self.until(lambda: self.is_online or self.trouble is not None)
        if self.trouble is not None:
            raise self.trouble

    async def end(self) -> None:
        """Say goodbye, so that nobody waits for this client, unless one more signal comes; what is to be saved is.

        What is coming in is let in before, and the directory says who wrote it: the next session shows it under that
        name.
        """
        try:
            if self.is_online and not self._finished.done():
                with suppress(Failed):
                    await self._let_in()
                    self.driver.call(self.core.deregister)
                    await self.until(lambda: not self.is_online, GOODBYE_S_MAX, stops=self._signals)
        finally:
            await self.driver.close()
            await self._finished

    async def _let_in(self) -> None:
        """Wait until nothing is on its way to the disk, or waits for a name; not all of it ends in an event."""
        for _ in range(LET_IN_LOOKS_MAX):
            if await self.until(self._is_all_in, LET_IN_LOOK_S, self._signals):
                return

    def _is_all_in(self) -> bool:
        sizes = self.core.sizes()
        return not sizes["entering"] and not sizes["unnamed"]

    # --- what happens ---

    @contextmanager
    def listening(self, callback: Callable[[Event], object]) -> Iterator[None]:
        """Have it called with each event meanwhile, in the middle of a turn."""
        self._listeners.append(callback)
        try:
            yield
        finally:
            self._listeners.remove(callback)

    def interrupt(self) -> None:
        """A signal: whoever waits with `until` is told."""
        self._signals += 1
        self._changed.set()

    def changed(self) -> None:
        """Look at conditions again: something happened that was no event."""
        self._changed.set()

    async def until(self, condition: Callable[[], bool], seconds: float | None = None, stops: int = 0) -> bool:
        """Wait until it is so; False if the time is over. Raises `Failed` when more signals than `stops` came."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    if self._finished.done():
                        self._finished.result()  # a fault of this program
                        return False
                    if self._signals > stops:
                        raise Failed(Exit.INTERRUPTED, "interrupted")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return condition()
        return True

    def unseen(self) -> Iterator[Text]:
        """Texts that nobody has seen yet, read from the disk some at a time; before `start`."""
        after = 0
        while page := self._store.unseen(after, UNSEEN_PAGE_LETTERS):
            for letter in page:
                yield from self.texts.add(letter)
            after = page[-1].entry

    def seen(self, text: Text) -> None:
        """Mark this text: it was shown."""
        self.driver.call(self.core.mark_seen, text.letters)

    def accept_key(self, name: str) -> None:
        """Take the key that this name has now. Raises `Failed` if it did not change."""
        self.call(self.core.accept_key, name)
        self.changed_keys.pop(name, None)

    def accept_server_key(self) -> None:
        """Take the key that the server has now. Raises `Failed` if it did not change."""
        self.call(self.core.accept_server_key)
        self.changed_server_key = self.trouble = None

    def call(self, command: Callable[..., Actions], *arguments: object) -> None:
        """Call the core. Raises `Failed` for what it does not take."""
        try:
            self.driver.call(command, *arguments)
        except LocalProtocolError as error:
            raise Failed(Exit.USAGE, str(error)) from error

    def _happened(self, event: Event) -> None:
        self._stood(event)
        for listener in tuple(self._listeners):
            listener(event)
        self._changed.set()

    def _stood(self, event: Event) -> None:
        where = endpoint_text(self.account.host, self.account.port)
        match event:
            case e.Registered():
                self.is_online, self.trouble = True, None
            case e.Deregistered():
                self.is_online = False
            case e.PeerKeyChanged(name):
                self.changed_keys[name] = event
            case e.ServerUnreachable():
                self.is_online = False
                self.trouble = self.trouble or Failed(Exit.UNREACHABLE, f"{where} does not answer: is a server there?")
            case e.RegistrationRefused(refusal):
                self.is_online = False
                why = f"{where} refused {self.account.name}: {reason(refusal)}"
                if refusal is Refusal.NOT_ADMITTED:
                    why += f"; for its list, the key of {self.account.name} is {self.core.identity.hex()}"
                self.trouble = Failed(Exit.REFUSED, why)
            case e.Superseded():
                self.is_online = False
                self.trouble = Failed(
                    Exit.REFUSED,
                    f"{self.account} came online at another place, so it is offline here: stop one of them",
                )
            case e.ServerKeyChanged(_, offered):
                self.changed_server_key = event
                self.trouble = Failed(
                    Exit.KEY_CHANGED,
                    f"{where} has another key than before, {fingerprint(offered)}, so nothing is sent to it: ask "
                    f"whoever runs it, and if it is right accept it with `udpchat verify --server --accept`",
                )


@asynccontextmanager
async def session(who: Speaker, *, watch_all: bool = False, offline: bool = False) -> AsyncIterator[Session]:
    """A session of this user, to be started, that ends in order whatever happens; signals interrupt it.

    A new identity is made once its server's address is known. With `offline`, a known one whose server has no address
    at the moment is in trouble, but can be sent with. Raises `Failed`, and `StoreError` for a state that is in use.
    """
    host, port, trouble = who.account.host, who.account.port, None
    is_new = not who.is_known
    server = await resolved(host, port) if is_new else None
    store = open_store(who.account, who.path)
    try:
        try:
            server = server or await resolved(host, port)
        except Failed as failed:
            if not offline:
                raise
            server, trouble = NOWHERE, failed
        running = Session(who.account, store, server, watch_all=watch_all)
        running.is_new, running.trouble = is_new, trouble
    except BaseException:
        store.close()
        raise
    on_signals(running.interrupt)
    try:
        yield running
    finally:
        await running.end()


async def resolved(host: str, port: int) -> Address:
    """The address of a server: of several the first that answers, else the system's choice. Raises `Failed`."""
    addresses = await addresses_of(host, port)
    answer = await greet(addresses) if len(addresses) > 1 else None
    return addresses[0] if answer is None else answer[0]


async def addresses_of(host: str, port: int) -> list[Address]:
    """All addresses of a server, the system's choice first. Raises `Failed`."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
            why = f"the address of {host} cannot be found now: no name server answers; try again, or give an IP address"
        else:
            why = f"{host} has no address: see whether the name is right, or give an IP address"
        raise Failed(Exit.UNREACHABLE, why) from error
    addresses = [udp.address_of((str(name[0]), int(name[1]))) for _, _, _, _, name in found]
    return list(dict.fromkeys(address for address in addresses if address is not None))
