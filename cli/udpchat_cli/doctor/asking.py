"""One question to one address by UDP, and what became of it: an answer, silence, or a refusal.

Theory of operation. The socket is connected, so the system hands on what routers and the other machine say about its
datagrams (ICMP): a port where nobody listens, a network that cannot be reached, a datagram that is too long for the
path. Datagrams are not cut into fragments on the way where the system lets a program ask for that, as a fragment that
gets through today may not tomorrow.
"""

import asyncio
import errno
import socket
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeVar

from udpchat_core.address import Address
from udpchat_net import udp

TRIES: Final = 4
WAIT_S: Final = 0.5
"""Wait for an answer before the next try: longer than a satellite takes."""
DATAGRAM_BYTES: Final = 2_048
T = TypeVar("T")
_V4_BYTES = 4
_LINUX_IP_MTU_DISCOVER, _LINUX_IPV6_MTU_DISCOVER, _LINUX_PMTUDISC_DO = 10, 23, 2


class Trouble(StrEnum):
    """What came instead of an answer."""

    SILENT = "no answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FORBIDDEN = "forbidden"
    TOO_LONG = "too long"


class Asking:
    """Asks at `address`, from a port of its own. Raises `udp.DriverError` if there is no such network here."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.rtt_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._socket, _ = udp.bind("0.0.0.0" if len(address.host) == _V4_BYTES else "::", 0)  # noqa: S104 - any of ours
        try:
            self._forbid_fragments()
            self._socket.connect(udp.name_of(address))
        except OSError as error:
            self._socket.close()
            raise udp.DriverError(f"there is no way to {udp.name_of(address)[0]} ({error.strerror})") from error

    @property
    def own(self) -> Address | None:
        """The address of this machine on the way there."""
        return udp.address_of(self._socket.getsockname())

    def close(self) -> None:
        """The end."""
        self._socket.close()

    async def ask(self, payload: bytes, answer: Callable[[bytes], T | None]) -> T | Trouble:
        """Send it, again if need be, until `answer` makes something of what comes. Remembers how long that took."""
        for _ in range(TRIES):
            try:
                sent_s = self._loop.time()
                self._socket.send(payload)
                async with asyncio.timeout(WAIT_S):
                    while True:
                        got = answer(await self._loop.sock_recv(self._socket, DATAGRAM_BYTES))
                        if got is not None:
                            self.rtt_s = self._loop.time() - sent_s
                            return got
            except TimeoutError:
                continue
            except OSError as error:
                return _trouble(error)
        return Trouble.SILENT

    def _forbid_fragments(self) -> None:
        if sys.platform == "linux":
            if len(self.address.host) == _V4_BYTES:
                self._socket.setsockopt(socket.IPPROTO_IP, _LINUX_IP_MTU_DISCOVER, _LINUX_PMTUDISC_DO)
            else:
                self._socket.setsockopt(socket.IPPROTO_IPV6, _LINUX_IPV6_MTU_DISCOVER, _LINUX_PMTUDISC_DO)


def _trouble(error: OSError) -> Trouble:
    match error.errno:
        case errno.ECONNREFUSED | errno.ECONNRESET:  # the latter on Windows
            return Trouble.REFUSED
        case errno.EMSGSIZE:
            return Trouble.TOO_LONG
        case errno.EPERM | errno.EACCES:
            return Trouble.FORBIDDEN
    return Trouble.UNREACHABLE
