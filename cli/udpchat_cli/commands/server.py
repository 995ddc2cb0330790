"""`server`: run a server, and answer its operator at a local socket."""

import asyncio
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from udpchat_core import server_events as e
from udpchat_core.actions import Actions
from udpchat_core.client_events import ClientEvent
from udpchat_core.errors import LocalProtocolError
from udpchat_core.server.admission import OPEN, Admission, Policy
from udpchat_net.loop import run as run_loop
from udpchat_net.stores.sqlite_server import SqliteServerStore

from .. import schema, settings
from ..accounts import chosen_folder
from ..arguments import Given
from ..classic_server import ClassicServer, everywhere, open_store, serve
from ..control import Control, Say
from ..descriptors import descriptor
from ..exits import Exit, Failed
from ..log import Log
from ..objects import of_server_event
from ..values import PORT_DEFAULT, Endpoint, invite_text
from ..wording import shown

LIST_BYTES_MAX: Final = 64 << 20
"""Bytes of the file with the list: more users than a server takes."""
DISK_S_MAX: Final = 10.0
"""How long what an operator wants may take to be on disk."""
Event = ClientEvent | e.ServerEvent
_KEY_DIGITS = 64
_IDENTITY_BYTES = 32


def run(given: Given) -> int:
    """Serve until a signal comes; the exit status. Raises `Failed`, `StoreError` and `udp.DriverError`."""
    arguments = given.arguments
    admission = admitted(arguments.admit)
    folder = chosen_folder(arguments, settings.load())
    return run_loop(_serve(arguments, admission, open_store(str(folder))))


async def _serve(arguments: Namespace, admission: Admission, store: SqliteServerStore) -> Exit:
    log = Log(descriptor(sys.stdout), as_json=arguments.json)
    server = ClassicServer(store, log.write, admission=admission)
    control = Control(store.path, Operator(server, store).answer)
    try:
        await serve(server, _addresses(arguments.bind), log, control.start)
    finally:
        await control.close()
    return Exit.DONE


def _addresses(binds: list[Endpoint] | None) -> list[tuple[str, int]]:
    """Where to serve: without an address everywhere, without a port at the usual one."""
    addresses = []
    for bind in binds or [Endpoint(None, None)]:
        port = PORT_DEFAULT if bind.port is None else bind.port
        addresses += everywhere(port) if bind.host is None else [(bind.host, port)]
    return addresses


def admitted(text: str) -> Admission:
    """Who may register: "open", "invite", or the keys in a file. Raises `Failed`."""
    if text in ("open", "invite"):
        return OPEN if text == "open" else Admission(Policy.INVITE)
    path = Path(text)
    try:
        if path.stat().st_size > LIST_BYTES_MAX:
            raise Failed(Exit.USAGE, f"{path} has more than {LIST_BYTES_MAX:,} bytes: that is no list of keys")
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError as error:
        raise Failed(
            Exit.USAGE, f"--admit: {text!r} is neither open nor invite nor a file that can be read ({error.strerror})"
        ) from error
    listed = set()
    for number, line in enumerate(lines, 1):
        if key := "".join(line.partition("#")[0].split()):
            try:
                identity = bytes.fromhex(key)
            except ValueError:
                identity = b""
            if len(identity) != _IDENTITY_BYTES:
                raise Failed(Exit.USAGE, f"{path}, line {number}: a key has {_KEY_DIGITS} hexadecimal digits; mend it")
            listed.add(identity)
    return Admission(Policy.LISTED, frozenset(listed))


class Operator:
    """Answers what an operator asks of a running server."""

    def __init__(self, server: ClassicServer, store: SqliteServerStore) -> None:
        self._server, self._store = server, store
        self._online: dict[str, None] = {}
        self._started_s = time.monotonic()
        self._waiting: list[tuple[Callable[[Event], bool], asyncio.Future[Event]]] = []
        server.listen(self._happened)

    async def answer(self, request: dict[str, Any], say: Say) -> None:
        """Carry out a request. Raises `Failed`."""
        core = self._server.core
        match request:
            case {"do": "status"}:
                say(await self._status())
            case {"do": "invite"}:
                made = await self._done(core.invite, lambda event: isinstance(event, e.InviteMade))
                assert isinstance(made, e.InviteMade)
                say(schema.made("invitation", token=invite_text(made.token), until_ms=made.until_ms))
            case {"do": ("ban" | "unban") as what, "who": str(who)}:
                identity = self._identity(who)
                command, kind = (core.ban, e.UserBanned) if what == "ban" else (core.unban, e.UserUnbanned)
                wanted = lambda event: isinstance(event, kind) and event.identity == identity  # noqa: E731
                say(of_server_event(await self._done(command, wanted, identity)))
            case {"do": "release", "who": str(name)}:
                self._identity(name)
                say(of_server_event(await self._done(core.release, lambda event: event == e.NameReleased(name), name)))
            case _:
                raise Failed(Exit.USAGE, "the server that runs does not know how: restart it")

    def _identity(self, who: str) -> bytes:
        """The key of a user, from its name or its digits. Raises `Failed`."""
        if len(who) == _KEY_DIGITS:
            with suppress(ValueError):
                return bytes.fromhex(who)
        identity = self._server.core.identity_of(who)
        if identity is None:
            raise Failed(Exit.UNKNOWN, f"nobody has the name {who} here")
        return identity

    async def _done(self, command: Callable[..., Actions], is_it: Callable[[Event], bool], *arguments: object) -> Event:
        """Call the core, and wait until that is durable: the event that says so. Raises `Failed`."""
        told: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._waiting.append((is_it, told))
        try:
            self._server.driver.call(command, *arguments)
            async with asyncio.timeout(DISK_S_MAX):
                return await told
        except LocalProtocolError as error:
            raise Failed(Exit.REFUSED, str(error)) from error
        except TimeoutError:
            raise Failed(
                Exit.STATE, "the server's disk takes nothing at the moment: see `udpchat server status`"
            ) from None
        finally:
            self._waiting.remove((is_it, told))

    async def _status(self) -> dict[str, Any]:
        core, driver = self._server.core, self._server.driver
        sizes = dict(core.sizes())
        return schema.made(
            "status",
            addresses=[shown(address) for address in self._server.bound],
            key=core.public_key.hex(),
            uptime_s=int(time.monotonic() - self._started_s),
            users=sizes["users"],
            online=len(self._online),
            letters=await self._store.letters(),
            dropped={reason.value: count for reason, count in sorted(driver.dropped.items())},
            refused={reason.name.lower(): count for reason, count in sorted(core.refused.items())},
            unsent=dict(driver.unsent),
            errors=dict(driver.errors),
            sizes=sizes,
        )

    def _happened(self, event: Event) -> None:
        match event:
            case e.UserRegistered(name):
                self._online[name] = None
            case e.UserLeft(name) | e.UserLapsed(name) | e.NameReleased(name) | e.UserBanned(_, str(name)):
                self._online.pop(name, None)
            case _:
                pass
        for is_it, told in self._waiting:
            if not told.done() and is_it(event):
                told.set_result(event)
                break
