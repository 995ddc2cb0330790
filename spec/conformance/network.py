"""Loopback UDP on which a check plays its part: ports, what came in at them, and delays by script.

A check runs in one thread. `until` takes what comes, datagrams and what the implementation says, and hands each to
whoever it is for, until a condition holds. There are no fixed sleeps but where a check is about what does not come.
"""

import heapq
import selectors
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from random import Random
from struct import Struct
from typing import Final

from udpchat_core.address import Address
from udpchat_core.datagrams import Datagram
from udpchat_core.errors import BadDatagram
from udpchat_core.wire import parse_untrusted

from .door import CheckFailed, Door, Json, result_of

PATIENCE_S: Final = 12.0
"""For what has to come: ten times what it takes on a machine that has nothing else to do."""
BUFFER_BYTES: Final = 2_048
SO_TIMESTAMPNS: Final = 35
"""Of Linux; Python has no name for it."""
TIMESPEC: Final = Struct("@ll")
BAD: Final = 0.2
BAD_DELAY_S_MAX: Final = 0.03
SOCKET_BUFFER_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Came:
    """A datagram that came in, when (seconds of Unix time), and from where."""

    at_s: float
    source: tuple[str, int]
    data: bytes
    datagram: Datagram


class Network:
    """See the module.

    Attributes:
        delay_s: added to everything that is sent from here on.
        bad: chance, by which a fifth is lost each way, a fifth doubled, and all delayed by up to 30 ms; None: not.
        malformed: what came that the specification has refused.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()
        self._ports: list[Port] = []
        self.peers: list[Peer] = []
        self.delay_s = 0.0
        self.bad: Random | None = None
        self.malformed: list[str] = []

    def port(self, take: Callable[[Came], object]) -> "Port":
        """A port of its own, on 127.0.0.1."""
        made = Port(self, take)
        self._ports.append(made)
        self._selector.register(made.socket, selectors.EVENT_READ, made.receive)
        return made

    def watch(self, peer: "Peer") -> None:
        """Take what an implementation says."""
        self.peers.append(peer)
        self._selector.register(peer.door.stdout, selectors.EVENT_READ, peer.door.read)

    def forget(self, peer: "Peer") -> None:
        """It is about to end."""
        if peer in self.peers:
            self.peers.remove(peer)
            self._selector.unregister(peer.door.stdout)

    def later(self, delay_s: float, do: Callable[[], object]) -> None:
        """Do it then, if a check is still waiting."""
        heapq.heappush(self._later, (time.monotonic() + delay_s, next(self._numbers), do))

    def until(self, condition: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
        """Go on until it is so; `CheckFailed`, with `what` was expected, if it is not in time."""
        if not self._run(condition, within_s):
            raise CheckFailed(f"not within {within_s:g} s: {what}")

    def watch_for(self, seconds: float, wrong: Callable[[], bool], what: str) -> None:
        """`CheckFailed` with `what` if something wrong happens in that time."""
        if self._run(wrong, seconds):
            raise CheckFailed(what)

    def _run(self, condition: Callable[[], bool], seconds: float) -> bool:
        end_s = time.monotonic() + seconds
        while not condition():
            now_s = time.monotonic()
            if now_s >= end_s:
                return False
            due_s = self._later[0][0] if self._later else end_s
            for key, _ in self._selector.select(max(0.0, min(end_s, due_s) - now_s)):
                key.data()
            while self._later and self._later[0][0] <= time.monotonic():
                heapq.heappop(self._later)[2]()
        return True

    def close(self) -> None:
        """End what was started."""
        for peer in list(self.peers):
            peer.close()
        for port in self._ports:
            port.socket.close()
        self._selector.close()


class Port:
    """A UDP port of the kit."""

    def __init__(self, network: Network, take: Callable[[Came], object]) -> None:
        self.network, self._take = network, take
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
        if sys.platform == "linux":
            self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.number: int = self.socket.getsockname()[1]

    @property
    def address(self) -> Address:
        """As messages have it."""
        return Address(socket.inet_aton("127.0.0.1"), self.number)

    def receive(self) -> None:
        """Take one datagram; one that the specification has refused is noted, as whoever sent it is under test."""
        try:
            data, stamps, _, source = self.socket.recvmsg(BUFFER_BYTES, socket.CMSG_SPACE(TIMESPEC.size))
        except (BlockingIOError, ConnectionRefusedError):
            return
        try:
            datagram = parse_untrusted(data)
        except BadDatagram as refused:
            self.network.malformed.append(
                f"a datagram of {len(data)} bytes ({refused.reason.value}): {data[:24].hex()}"
            )
            return
        if self.network.bad is not None and self.network.bad.random() < BAD:
            return
        self._take(Came(_arrived_s(stamps), source, data, datagram))

    def send(self, data: bytes, to: tuple[str, int]) -> None:
        """Send it, now or as late as the network is slow."""
        bad = self.network.bad
        if bad is not None:
            for _ in range((bad.random() >= BAD) + (bad.random() < BAD)):
                self.network.later(bad.random() * BAD_DELAY_S_MAX, partial(self._send, data, to))
        elif self.network.delay_s:
            self.network.later(self.network.delay_s, partial(self._send, data, to))
        else:
            self._send(data, to)

    def _send(self, data: bytes, to: tuple[str, int]) -> None:
        try:
            self.socket.sendto(data, to)
        except ConnectionRefusedError:
            return  # the answer to an earlier one: nobody was there


def _arrived_s(stamps: list[tuple[int, int, bytes]]) -> float:
    """When the system got the datagram, where it tells; this process may have looked a while later."""
    for level, kind, data in stamps:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = TIMESPEC.unpack(data)
            return float(seconds + nanoseconds / 1e9)
    return time.time()


class Peer:
    """The implementation under test, as a client or a server on a port of its own."""

    def __init__(self, network: Network, command: tuple[str, ...], request: Json) -> None:
        self.network, self.door = network, Door(command)
        network.watch(self)
        self.about = self.do("peer", **request)
        self.address = ("127.0.0.1", int(self.about["port"]))

    @property
    def udp(self) -> Address:
        """Where it is, as messages have it."""
        return Address(socket.inet_aton(self.address[0]), self.address[1])

    def do(self, what: str, **about: object) -> Json:
        """Ask for something, and wait for the answer while the network goes on."""
        asked = self.door.write({"do": what, **about})
        answers: list[Json] = []

        def answered() -> bool:
            if (answer := self.door.answer(asked)) is not None:
                answers.append(answer)
            return bool(answers)

        self.network.until(answered, f"an answer to {what!r}", 20.0)
        return result_of(answers[0])

    def events(self, kind: str) -> list[Json]:
        """What it told of this kind."""
        return [event for event in self.door.events if event["event"] == kind]

    def wait_for(self, kind: str, times: int = 1, within_s: float = PATIENCE_S) -> None:
        """Until it told it so many times."""
        self.network.until(
            lambda: len(self.events(kind)) >= times,
            f"the event {kind!r}{f' {times} times' if times > 1 else ''}; told: {self._told()}",
            within_s,
        )

    def _told(self) -> str:
        return ", ".join(event["event"] for event in self.door.events[-6:]) or "nothing"

    def texts(self) -> list[str]:
        """The texts that it showed, in order."""
        return [event["text"] for event in self.events("received")]

    def close(self, *, kill: bool = False) -> None:
        """End it."""
        self.network.forget(self)
        self.door.close(kill=kill)
