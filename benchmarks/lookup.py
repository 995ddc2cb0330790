"""The server's authenticated lookup, RECORD in and RECORD out, against the barest echoes that there are in Python.

The server is whole: core, sealing, driver and disk. 64 clients at a time have one Lookup in flight, each from a socket
of its own, so that no two answers share a RECORD; so have those of the echo. Hundreds take turns, as a session may
ask 50 times a second. As with the driver's echo, each server is
a process of its own, and the clock is the processor's time of the servers: what the clients do does not count.
"""

import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from itertools import cycle, islice
from pathlib import Path

from udpchat_core.bodies import CardBody
from udpchat_core.datagrams import Record, Resp, Retry
from udpchat_core.limits import CARD_LIFE_S
from udpchat_core.messages import Found, Lookup, Message, Register, Registered
from udpchat_core.secure.card import make_card
from udpchat_core.secure.link import Link, hello, initiate_untrusted
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.server import Server, new_server_state
from udpchat_core.wire import RECORD_PLAINTEXT_BYTES_MIN, encode, pack, parse_untrusted, unpack_untrusted
from udpchat_net.clock import Clock
from udpchat_net.driver import Driver
from udpchat_net.loop import run
from udpchat_net.stores.paths import server_path
from udpchat_net.stores.sqlite_server import SqliteServerStore, create_server

from .driver import ECHOES, IN_FLIGHT, PAYLOAD_BYTES, say, serving, used_by
from .harness import Arguments, Pair, Work, same

_RECEIVED_BYTES_MAX = 2_048
_PATIENCE_S = 10.0
_CLIENTS = 8 * IN_FLIGHT  # enough for 25,600 Lookups a second


def pairs() -> Iterator[Pair]:
    """The server against each echo."""
    for name, against in (("lookup-drained", "drained"), ("lookup-asyncio", "protocol")):
        with ExitStack() as stack:
            bare, bare_pid = stack.enter_context(serving(against))
            ours, ours_pid = stack.enter_context(serving("server", __name__))
            work = Work(_exchange, Crowd(ours.getpeername(), stack).inputs)
            echoed = [stack.enter_context(_connected(bare.getpeername())) for _ in range(IN_FLIGHT)]
            yield Pair(name, ECHOES[against], same(_echo, echoed), work, used_by(bare_pid, ours_pid))


class Crowd:
    """Clients of a server, registered once they are needed, until the stack ends."""

    def __init__(self, server: tuple[str, int], stack: ExitStack) -> None:
        self._server, self._stack = server, stack

    @cached_property
    def _clients(self) -> list["Client"]:
        return [self._stack.enter_context(Client(number, self._server)) for number in range(_CLIENTS)]

    @cached_property
    def _turns(self) -> Iterator[list["Client"]]:
        """Goes on where the last round stopped, so that each client has its turn as often as any other."""
        return cycle([self._clients[at : at + IN_FLIGHT] for at in range(0, _CLIENTS, IN_FLIGHT)])

    def inputs(self, calls: int) -> list[Arguments]:
        """Clients, in turn, each of which asks for the next one."""
        return [
            (asking, [each.sealed(Lookup(1, _name((each.number + 1) % _CLIENTS))) for each in asking])
            for asking in islice(self._turns, calls)
        ]


def _echo(clients: list[socket.socket]) -> None:
    payload = bytes(PAYLOAD_BYTES)
    for client in clients:
        client.send(payload)
    for client in clients:
        assert client.recv(PAYLOAD_BYTES) == payload


def _connected(server: tuple[str, int]) -> socket.socket:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(_PATIENCE_S)
    client.connect(server)
    return client


def _exchange(clients: list["Client"], asked: list[bytes]) -> None:
    for client, payload in zip(clients, asked, strict=True):
        client.send(payload)
    for client in clients:
        (found,) = client.answer()
        assert isinstance(found, Found)


def _name(number: int) -> str:
    return f"person-{number:05}"


class Client(socket.socket):
    """A registered client, as bare as can be."""

    def __init__(self, number: int, server: tuple[str, int]) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_DGRAM)
        self.settimeout(_PATIENCE_S)
        self.connect(server)
        self.number, self._suite = number, StandardSuite(os.urandom)
        self._link = self._linked()
        self.send(self.sealed(Register(1)))
        (registered,) = self.answer()
        assert isinstance(registered, Registered)

    def _linked(self) -> Link:
        suite, identity, live, mail = self._suite, *(os.urandom(32) for _ in range(3))
        publics = suite.sign_public(identity), suite.dh_public(live), suite.dh_public(mail)
        body = CardBody(1, 1, int(time.time()) + CARD_LIFE_S, *publics, _name(self.number))
        self.send(hello(suite))
        retry = parse_untrusted(self.recv(_RECEIVED_BYTES_MAX))
        assert isinstance(retry, Retry)
        index = self.number.to_bytes(4)
        begun = initiate_untrusted(suite, retry.server_key, retry.token, index, live, make_card(suite, identity, body))
        self.send(begun.init)
        resp = parse_untrusted(self.recv(_RECEIVED_BYTES_MAX))
        assert isinstance(resp, Resp)
        return begun.finish_untrusted(suite, resp)

    def sealed(self, message: Message) -> bytes:
        """A RECORD."""
        return self._link.seal(self._suite, pack([encode(message)], RECORD_PLAINTEXT_BYTES_MIN))

    def answer(self) -> list[Message]:
        """The messages of the next RECORD."""
        record = parse_untrusted(self.recv(_RECEIVED_BYTES_MAX))
        assert isinstance(record, Record)
        return list(unpack_untrusted(self._link.open_untrusted(self._suite, record)))


async def _serve() -> None:
    suite, clock = StandardSuite(os.urandom), Clock()
    with tempfile.TemporaryDirectory() as folder:
        create_server(server_path(Path(folder)), new_server_state(suite))
        store = SqliteServerStore(server_path(Path(folder)))
        driver = Driver(Server(suite, store.load(), clock.now()), store, lambda _: None, clock)
        say(driver.bind("127.0.0.1", 0).port)
        driver.start()
        await driver.finished()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        run(_serve())
    from .__main__ import main

    sys.exit(main(["lookup", *sys.argv[1:]]))
