"""Our client or server as a peer of the kit: core, driver and SQLite store, as the command has them."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from udpchat_core import client_events as e
from udpchat_core.address import Address
from udpchat_core.client import Client, new_client_state
from udpchat_core.delivery.parts import Assembler, Part
from udpchat_core.errors import LocalProtocolError
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.server import Server, new_server_state
from udpchat_core.server_events import ServerEvent
from udpchat_net.clock import Clock
from udpchat_net.driver import Driver
from udpchat_net.stores.sqlite_client import SqliteClientStore, create_client
from udpchat_net.stores.sqlite_server import SqliteServerStore, create_server

from .door import Json

SIMPLE: Final[dict[type, str]] = {
    e.Registered: "registered",
    e.Deregistered: "offline",
    e.RegistrationRefused: "refused",
    e.ServerUnreachable: "unreachable",
    e.ServerKeyChanged: "server key changed",
    e.Superseded: "superseded",
}
MESSAGE: Final[dict[type, str]] = {
    e.MessageStored: "stored",
    e.MessageDelivered: "delivered",
    e.MessageRefused: "message refused",
    e.MessagePostponed: "postponed",
}


def say(said: Json) -> None:
    """One line."""
    print(json.dumps(said), flush=True)


def run_peer(request: Json) -> None:
    """Be the peer that `request` asks for until the input ends."""
    asyncio.run(_client(request) if request["role"] == "client" else _server(request))


async def _server(request: Json) -> None:
    path = Path(request["state"]) / "server.db"
    suite = StandardSuite(os.urandom)
    if not path.exists():
        create_server(path, new_server_state(suite))
    store, clock = SqliteServerStore(path), Clock()
    state = store.load()
    driver = Driver(Server(suite, state, clock.now()), store, lambda _: None, clock)
    bound = driver.bind("127.0.0.1", request["port"])
    driver.start()
    say({"id": request["id"], "ok": {"port": bound.port, "S": suite.dh_public(state.private).hex()}})
    await _read_commands({})
    await driver.close()


async def _client(request: Json) -> None:
    path, (host, port) = Path(request["state"]) / "client.db", request["server"]
    suite, clock = StandardSuite(os.urandom), Clock()
    if not path.exists():
        create_client(path, new_client_state(suite, request["name"], clock.wall_ms()), f"{host}:{port}")
    store = SqliteClientStore(path)
    server = Address(socket.inet_aton(host), port)
    core = Client(suite, store.load(), server, clock.now())
    teller = Teller(Assembler())
    for part in store.begun(seen=True):
        teller.begin(part)
    for kept in store.unseen(0, 1_000_000):
        teller.letter(kept.sender, kept.name, kept.confirmed, kept.sent_ms, kept.part, kept.parts, kept.text, kept.ack)
    driver = Driver(core, store, teller.happened, clock)
    teller.seen = lambda letters: driver.call(core.mark_seen, letters)
    bound = driver.bind("127.0.0.1", request["port"])
    driver.start()
    teller.tell_seen()
    say({"id": request["id"], "ok": {"port": bound.port, "identity": core.identity.hex()}})

    def send(to: str, text: str) -> Json:
        number = core.next_message
        driver.call(core.send, to, text)
        return {"message": number}

    def done(command: Callable[..., Any], *arguments: object) -> Json:
        driver.call(command, *arguments)
        return {}

    await _read_commands(
        {
            "register": lambda _: done(core.register),
            "deregister": lambda _: done(core.deregister),
            "send": lambda r: send(r["to"], r["text"]),
            "accept key": lambda r: done(core.accept_key, r["name"]),
            "accept server key": lambda _: done(core.accept_server_key),
        }
    )
    await driver.close()


class Teller:
    """Tells what happens, and of whole texts; a letter counts as seen when its text was told."""

    def __init__(self, texts: Assembler) -> None:
        self._texts = texts
        self._letters: dict[bytes, list[tuple[bytes, bytes]]] = {}
        self._names: dict[bytes, tuple[str, bool]] = {}
        self._told: list[tuple[bytes, bytes]] = []
        self.seen: Callable[[list[tuple[bytes, bytes]]], object] | None = None

    def begin(self, part: Part) -> None:
        """A part of a text that was told in parts before this start."""
        for _ in self._texts.add(part):
            pass

    def happened(self, event: e.ClientEvent | ServerEvent) -> None:
        """The driver's callback."""
        if type(event) in SIMPLE:
            say({"event": SIMPLE[type(event)]})
        elif isinstance(event, e.PeerKeyChanged):
            say({"event": "key changed", "name": event.name})
        elif isinstance(event, e.MessageStored | e.MessageDelivered | e.MessageRefused | e.MessagePostponed):
            say({"event": MESSAGE[type(event)], "message": event.message})
        elif isinstance(event, e.LetterReceived):
            about = (event.name, event.confirmed, event.sent_ms, event.part, event.parts, event.text, event.ack)
            self.letter(event.sender, *about)
            self.tell_seen()

    def letter(
        self, sender: bytes, name: str, confirmed: bool, sent_ms: int, part: int, parts: int, text: str, ack: bytes
    ) -> None:
        """A letter that is on the disk."""
        self._letters.setdefault(sender, []).append((sender, ack))
        for _, whole in self._texts.add(Part(sender, sent_ms, part, parts, text)):
            about = {"from": name, "identity": sender.hex(), "confirmed": confirmed}
            say({"event": "received", **about, "text": whole})
            self._told += self._letters.pop(sender, [])

    def tell_seen(self) -> None:
        """Mark what was told."""
        if self._told and self.seen is not None:
            self.seen(self._told)
            self._told = []


async def _read_commands(commands: dict[str, Callable[[Json], Json]]) -> None:
    """Carry out what is asked for until the input ends."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        request = json.loads(line)
        command = commands.get(request["do"])
        if command is None:
            say({"id": request["id"], "unsupported": True})
            continue
        try:
            say({"id": request["id"], "ok": command(request)})
        except LocalProtocolError as refused:
            say({"id": request["id"], "refused": str(refused)})
