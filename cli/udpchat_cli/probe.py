"""Whether a server answers at an address: one HELLO, which it answers with a RETRY, and keeps nothing about it."""

import asyncio
import os
import socket
from collections.abc import Sequence
from typing import Final

from udpchat_core.address import Address
from udpchat_core.datagrams import Hello, Retry
from udpchat_core.errors import BadDatagram
from udpchat_core.limits import DATAGRAM_BYTES_MAX
from udpchat_core.wire import parse_untrusted, serialize
from udpchat_net import udp

PROBE_TRIES: Final = 4
PROBE_WAIT_S: Final = 0.25
"""Wait for answers before the next try."""
_NONCE_BYTES = 16
_V4_BYTES = 4


async def greet(addresses: Sequence[Address]) -> tuple[Address, bytes] | None:
    """The first of these addresses that answers, and the server's key; None if there is no answer within a second.

    Raises `udp.DriverError` if this machine has no UDP.
    """
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[tuple[Address, bytes]] = loop.create_future()
    nonces = {address: os.urandom(_NONCE_BYTES) for address in addresses}
    sockets: dict[int, socket.socket] = {}

    def receive(bound: socket.socket) -> None:
        try:
            payload, name = bound.recvfrom(DATAGRAM_BYTES_MAX + 1)
            source, retry = udp.address_of(name), parse_untrusted(payload)
        except (OSError, BadDatagram):  # an ICMP error, or not from a server
            return
        if source in nonces and isinstance(retry, Retry) and retry.echo == nonces[source] and not answered.done():
            answered.set_result((source, retry.server_key))

    try:
        for width in {len(address.host): None for address in addresses}:
            sockets[width], _ = udp.bind("0.0.0.0" if width == _V4_BYTES else "::", 0)  # noqa: S104 - any of ours
            loop.add_reader(sockets[width], receive, sockets[width])
        for _ in range(PROBE_TRIES):
            for address, nonce in nonces.items():
                _send(sockets[len(address.host)], address, nonce)
            done, _ = await asyncio.wait([answered], timeout=PROBE_WAIT_S)
            if done:
                return answered.result()
        return None
    finally:
        for bound in sockets.values():
            loop.remove_reader(bound)
            bound.close()


def _send(bound: socket.socket, to: Address, nonce: bytes) -> None:
    try:
        bound.sendto(serialize(Hello(nonce)), udp.name_of(to))
    except OSError:  # no way there: that is an answer too, and another address may do
        return
