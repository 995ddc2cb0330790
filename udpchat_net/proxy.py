"""A bad network on this machine, for tests and demonstrations: a UDP proxy that loses, doubles, delays and reorders.

Theory of operation. Each real address gets a face, a socket of the proxy on the loopback interface, and everybody
knows everybody by face. A datagram that comes to the face of B from the real address of A goes to the real
address of B from the face of A. So a program needs to be told one face only, the server's: the server sees its
clients' faces, hands these out, and what clients send to each other passes here as well. An address that is new gets
its face when something comes from it. A datagram's fate follows from the seed, the two ends and how many
went that way before, not from what else goes on.
"""

import asyncio
import socket
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Final

from udpchat_core.address import Address

from . import udp

FACES_MAX: Final = 1_024
"""Real addresses that have a face; what comes from further ones is lost."""
_DATAGRAM_BYTES_MAX = 65_535
_BATCH_DATAGRAMS_MAX = 64
_LOOPBACK = {4: "127.0.0.1", 16: "::1"}


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad the network is.

    Attributes:
        loss: the part of all datagrams that is lost, 0 to 1.
        duplication: the part that arrives twice.
        reordering: the part that is held back for `delay_s_max` more, so that others overtake it.
        delay_s_min: the least time on the way, in seconds.
        delay_s_max: the most, but for what is held back.
    """

    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    delay_s_min: float = 0.0
    delay_s_max: float = 0.0


class Proxy:
    """Made and used on the loop's thread.

    Attributes:
        weather: may be changed at any time.
        counts: datagrams "sent", "lost", "doubled" and "held back".
    """

    def __init__(self, seed: int, weather: Weather) -> None:
        self.weather = weather
        self.counts: Counter[str] = Counter()
        self._seed = seed
        self._loop = asyncio.get_running_loop()
        self._faces: dict[Address, tuple[int, socket.socket, Address]] = {}  # of the real address
        self._passed: Counter[tuple[int, int]] = Counter()  # from one to the other

    def face(self, real: Address) -> Address:
        """Where `real` is reached through this proxy. Raises `udp.DriverError`."""
        if real not in self._faces:
            if len(self._faces) == FACES_MAX:
                raise udp.DriverError(f"this proxy has {FACES_MAX} faces already: it takes no more")
            bound, at = udp.bind(_LOOPBACK[len(real.host)], 0)
            self._faces[real] = (len(self._faces), bound, at)
            self._loop.add_reader(bound, self._receive, bound, real)
        return self._faces[real][2]

    def close(self) -> None:
        """Everything under way is lost."""
        for _, bound, _ in self._faces.values():
            self._loop.remove_reader(bound)
            bound.close()
        self._faces = {}

    def _receive(self, bound: socket.socket, to: Address) -> None:
        for _ in range(_BATCH_DATAGRAMS_MAX):
            try:
                payload, name = bound.recvfrom(_DATAGRAM_BYTES_MAX)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error for something sent: nobody is there, and the datagram is lost
                self.counts["lost"] += 1
                continue
            source = udp.address_of(name)
            if source is None or (source not in self._faces and len(self._faces) == FACES_MAX):
                self.counts["lost"] += 1
                continue
            self.face(source)
            self._pass(source, to, payload)

    def _pass(self, source: Address, to: Address, payload: bytes) -> None:
        ends = self._faces[source][0], self._faces[to][0]
        self._passed[ends] += 1
        weather, fate = self.weather, Random(f"{self._seed} {ends} {self._passed[ends]}")  # noqa: S311 - no secret
        lost, doubled, held_back = fate.random(), fate.random(), fate.random()
        if lost < weather.loss:
            self.counts["lost"] += 1
            return
        times, more_s = 1, 0.0
        if doubled < weather.duplication:
            times = 2
            self.counts["doubled"] += 1
        if held_back < weather.reordering:
            more_s = weather.delay_s_max
            self.counts["held back"] += 1
        for _ in range(times):
            if delay_s := fate.uniform(weather.delay_s_min, weather.delay_s_max) + more_s:
                self._loop.call_later(delay_s, self._send, source, to, payload)
            else:
                self._send(source, to, payload)

    def _send(self, source: Address, to: Address, payload: bytes) -> None:
        if source not in self._faces:  # closed meanwhile
            return
        try:
            self._faces[source][1].sendto(payload, udp.name_of(to))
            self.counts["sent"] += 1
        except OSError:  # the system's buffer is full, or nobody is there: networks lose datagrams
            self.counts["lost"] += 1
