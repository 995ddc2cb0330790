"""The client of the classic form: a core, its driver, and somebody who types.

Commands are carried out one after another, and then the prompt returns: `send` is over when the message is on disk,
`dereg` and `reg` when the server answered, so what comes through a pipe means what it would mean typed by hand.
Everything that is waited for is a condition, looked at again whenever something happens.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Final, Protocol

from udpchat_core.client import Client
from udpchat_core.client_events import ClientEvent, LetterReceived, ServerKeyChanged, ServerUnreachable
from udpchat_core.errors import LocalProtocolError
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.server_events import ServerEvent
from udpchat_net import udp
from udpchat_net.clock import Clock
from udpchat_net.driver import Driver
from udpchat_net.loop import run
from udpchat_net.stores.paths import state_folder, state_path
from udpchat_net.stores.sqlite_client import SqliteClientStore

from .arguments import ClassicClientOptions
from .classic import AcceptKey, Classic, Command, Leave, Misuse, Return, Send, Standing
from .exits import Exit
from .opening import open_store
from .signals import on_signals
from .terminal import Terminal
from .values import Account

SETTLE_S_MAX: Final = 30.0
"""After the end of the input: what was sent is delivered or stored by then on any network that lets it through."""
LEAVE_S_MAX: Final = 3.0
"""At `dereg` and at a signal: as long as direct tries and one to the server may take."""
GOODBYE_S_MAX: Final = 5.0
"""For the server to answer a Deregister: twice as long as the core tries."""


class Console(Protocol):
    """Where lines are typed and printed."""

    @property
    def is_broken(self) -> bool:
        """Whether nobody reads any more what is printed."""
        ...

    @property
    def has_line(self) -> bool:
        """Whether `take` has something."""
        ...

    def take(self) -> str | None:
        """The next line that was typed; None: there are no more."""
        ...

    def say(self, line: str) -> None:
        """Print a line."""
        ...

    def ready(self) -> None:
        """What was typed is done: the prompt returns."""
        ...

    def start(self) -> None:
        """Begin to take lines."""
        ...

    def stop(self) -> None:
        """Nothing is taken or printed any more."""
        ...


class ClassicClient:
    """One client, on the running loop.

    Attributes:
        classic: what its user sees.
        core: the protocol.
        driver: what runs the core.
    """

    def __init__(
        self,
        name: str,
        store: SqliteClientStore,
        server: tuple[str, int],
        console: Callable[[Callable[[], None]], Console],
        clock: Clock | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        clock = clock or Clock()
        address = udp.address_of(server)
        assert address is not None, "a server's port is checked where it is typed"
        self.classic = Classic(name, store.begun())
        self.core = Client(StandardSuite(random), store.load(), address, clock.now(), watch_all=True)
        self.driver = Driver(self.core, store, self._happened, clock)
        self._changed = asyncio.Event()
        self._console = console(self._changed.set)
        self._signals = 0
        self._finished = asyncio.ensure_future(self.driver.finished())
        self._finished.add_done_callback(lambda _: self._changed.set())

    def interrupt(self) -> None:
        """A signal: end in order, and the second time at once."""
        self._signals += 1
        self._changed.set()

    async def run(self, host: str, port: int) -> Exit:
        """Chat, receiving at this address, until the input ends. Raises `udp.DriverError`."""
        try:
            self.driver.bind(host, port)
            self._console.start()
            self.driver.start()
            self.driver.call(self.core.register)
            await self._until(lambda: self.classic.standing is not Standing.REGISTERING)
            while (line := await self._next_line()) is not None:
                await self._obey(line)
            await self._finish()
        finally:
            self._console.stop()
            await self.driver.close()
            await self._finished
        return self._status()

    # --- what is typed ---

    async def _next_line(self) -> str | None:
        self._console.ready()
        typed = await self._until(lambda: self._console.has_line)
        return self._console.take() if typed else None

    async def _obey(self, line: str) -> None:
        try:
            command = self.classic.commanded(line)
            if command is not None:
                await self._carry_out(command)
        except Misuse as misuse:
            self._console.say(str(misuse))

    async def _carry_out(self, command: Command) -> None:
        match command:
            case Send(to, text):
                message = self.core.next_message
                self._call(self.core.send, to, text)
                self.classic.sent(message)
                await self._until(lambda: message not in self.classic.unsaved or self.classic.disk_fails)
            case Leave():
                await self._settle(LEAVE_S_MAX)
                await self._leave()
            case Return():
                await self._register()
            case AcceptKey(None):
                self._call(self.core.accept_server_key)
                self.classic.asks_for_server_key = False
                if self.classic.standing is not Standing.ONLINE:
                    await self._register()
            case AcceptKey(str() as name):
                self._call(self.core.accept_key, name)

    async def _register(self) -> None:
        self.classic.standing = Standing.REGISTERING
        self.driver.call(self.core.register)
        await self._until(lambda: self.classic.standing is not Standing.REGISTERING)

    def _call(self, command: Callable[..., tuple[object, ...]], *arguments: object) -> None:
        try:
            self.driver.call(command, *arguments)  # type: ignore[arg-type]
        except LocalProtocolError as error:
            raise Misuse(f"[Not done: {error}]") from error

    # --- the end ---

    async def _finish(self) -> None:
        """Let what was sent arrive, say goodbye, and tell what is left."""
        if self.classic.standing is Standing.ONLINE:
            await self._settle(LEAVE_S_MAX if self._stops else SETTLE_S_MAX)
        await self._leave()
        if self.classic.unsaved:
            self._console.say(f"[Not saved, and so not sent: {_messages(len(self.classic.unsaved))}.]")
        elif self.classic.unsettled:
            many = _messages(len(self.classic.unsettled))
            self._console.say(f"[Not delivered yet: {many}; kept here, and sent at the next start.]")

    async def _settle(self, seconds: float) -> None:
        """Wait until what was sent is delivered or stored; one more that asks to stop ends the wait."""
        await self._until(lambda: not self.classic.unsettled, seconds, self._stops)

    async def _leave(self) -> None:
        if self.classic.standing is Standing.OFFLINE or self.classic.ended is not None:
            return
        self.classic.standing = Standing.LEAVING
        self.driver.call(self.core.deregister)
        await self._until(lambda: self.classic.standing is Standing.OFFLINE, GOODBYE_S_MAX, max(self._stops, 1))

    def _status(self) -> Exit:
        classic = self.classic
        if classic.unsaved:
            return Exit.STATE
        if self._signals:
            return Exit.DONE if self._signals == 1 else Exit.INTERRUPTED
        if classic.ended is not None:
            return classic.ended
        if classic.asks_for_server_key:
            return Exit.KEY_CHANGED
        return Exit.QUEUED if classic.unsettled else Exit.DONE

    # --- what happens ---

    def _happened(self, event: ClientEvent | ServerEvent) -> None:
        for line in self.classic.told(event):
            self._console.say(line)
        if isinstance(event, LetterReceived):
            self.driver.call(self.core.mark_seen, ((event.sender, event.ack),))
        self._changed.set()
        if isinstance(event, ServerKeyChanged | ServerUnreachable) and self.classic.standing is Standing.OFFLINE:
            self.driver.call(self.core.deregister)  # until the user decides

    @property
    def _stops(self) -> int:
        """How many asked to stop: signals, and a reader who went away."""
        return self._signals + self._console.is_broken

    async def _until(self, condition: Callable[[], bool], seconds: float | None = None, stops: int = 0) -> bool:
        """Wait until it is so; False if the time is over, the client has to end, or more asked to stop than so many."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    if self._finished.done():
                        self._finished.result()  # a fault of this program
                    if self.classic.ended is not None or self._stops > stops:
                        return False
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count:,} messages"


def main(options: ClassicClientOptions) -> int:
    """Run a client to its end; the exit status. Raises `StoreError` and `udp.DriverError`."""
    return run(_main(options))


async def _main(options: ClassicClientOptions) -> Exit:
    host, port = options.server
    folder = state_folder({"UDPCHAT_STATE": options.state}) if options.state else state_folder()
    store = open_store(Account(options.name, host, port), state_path(folder, options.name, host, port))
    client = ClassicClient(options.name, store, options.server, Terminal)
    on_signals(client.interrupt)
    return await client.run("::" if ":" in host else "0.0.0.0", options.port)  # noqa: S104 - peers are anywhere
