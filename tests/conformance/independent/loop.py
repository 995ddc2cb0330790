"""A client on a UDP socket of its own, in one thread, with a ladder of all datagrams; it can lose some.

The loss is between client and socket: what is lost on the way out is not sent, what is lost on the way in was
received by the socket and not by the client. The seed makes the same decision for the same number of a datagram.
"""

import os
import selectors
import socket
import time
from collections.abc import Callable
from random import Random
from typing import IO

from .client import Client
from .datagrams import LAYOUTS
from .ladder import Rung, draw
from .store import Store
from .world import Event

PATIENCE_S = 20.0
DATAGRAM_BUFFER_BYTES = 2048


class TooLate(AssertionError):
    """What was waited for did not happen in time."""


class Loop:
    """Drives a client called `name`; `readers` are other things to be woken up by, as the output of a process."""

    def __init__(self, name: str, server_port: int, path: str = ":memory:", loss: float = 0.0, seed: int = 0) -> None:
        self.selector = selectors.DefaultSelector()
        self.socket = self._bind()
        self.loss, self.random = loss, Random(seed)
        self.began_s = time.monotonic()
        server = (socket.inet_aton("127.0.0.1"), server_port)
        self.client = Client(name, server, Store(path, os.urandom), os.urandom, time.time())
        self.events: list[Event] = []
        self.ladder: list[Rung] = []

    def _bind(self) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.bind(("127.0.0.1", 0))
        bound.setblocking(False)
        self.selector.register(bound, selectors.EVENT_READ, self._receive)
        return bound

    def rebind(self) -> None:
        """Go on at another port, as behind a NAT that forgot; the client is not told."""
        self.selector.unregister(self.socket)
        self.socket.close()
        self.socket = self._bind()

    def now_s(self) -> float:
        return time.monotonic() - self.began_s

    def wake_up_by(self, stream: IO[bytes], read: Callable[[], None]) -> None:
        self.selector.register(stream, selectors.EVENT_READ, read)

    def forget(self, stream: IO[bytes]) -> None:
        self.selector.unregister(stream)

    def close(self) -> None:
        self.selector.close()
        self.socket.close()
        self.client.world.store.db.close()

    # --- what the user does ---

    def register(self) -> None:
        self.client.register(self.now_s())
        self._turn()

    def deregister(self) -> None:
        self.client.deregister(self.now_s())
        self._turn()

    def send(self, name: str, text: str) -> int:
        message = self.client.send(self.now_s(), name, text)
        self._turn()
        return message

    def messages(self, name: str) -> list[str]:
        """The texts of `name` that were shown, with a confirmed name."""
        return [e["text"] for e in self.events if e.kind == "message" and e["name"] == name and e["confirmed"]]

    def happened(self, kind: str) -> int:
        return sum(event.kind == kind for event in self.events)

    # --- what goes on meanwhile ---

    def run_until(self, condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
        """Go on until `condition` holds; TooLate if it does not in time."""
        end_s = self.now_s() + patience_s
        while not condition():
            now_s = self.now_s()
            if now_s >= end_s:
                raise TooLate(f"not within {patience_s} s: {what}\n{self.drawn()}")
            timeout_s = max(0.0, min(self.client.due_s(), end_s) - now_s)
            for key, _ in self.selector.select(timeout_s):
                key.data()
            self._turn()

    def _receive(self) -> None:
        try:
            data, (host, port) = self.socket.recvfrom(DATAGRAM_BUFFER_BYTES)
        except BlockingIOError:
            return
        source, now_s = (socket.inet_aton(host), port), self.now_s()
        if self._is_lost():
            self.ladder.append(Rung(now_s, False, source, len(data), LAYOUTS[data[2]][0], True))
            return
        note = self.client.receive(now_s, source, data)
        self.ladder.append(Rung(now_s, False, source, len(data), note, False))

    def _turn(self) -> None:
        self.client.tick(self.now_s())
        world = self.client.world
        for out in world.out:
            lost = self._is_lost()
            self.ladder.append(Rung(world.now_s, True, out.to, len(out.data), out.note, lost))
            if not lost:
                self.socket.sendto(out.data, (socket.inet_ntoa(out.to[0]), out.to[1]))
        self.events += world.events
        world.out, world.events = [], []

    def _is_lost(self) -> bool:
        return self.random.random() < self.loss

    def drawn(self) -> str:
        return draw(self.ladder, self.client.server)
