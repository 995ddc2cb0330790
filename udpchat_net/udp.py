"""UDP sockets and addresses, for IPv4 and IPv6: one socket for each address that is bound.

An IPv6 socket takes IPv6 only, so one peer never has two addresses (`::ffff:192.0.2.1` and `192.0.2.1`), and an
address of the core is what is on the wire (R-5.1-3).
"""

import errno
import socket
from functools import lru_cache

from udpchat_core.address import Address

SOCKET_BUFFER_BYTES = 4 << 20
"""Asked of the system for what arrives while the process is busy; it gives what its own limits allow."""
_ADDRESSES_CACHED = 4_096  # both ways; making one costs two microseconds
_V4_BYTES = 4


class DriverError(Exception):
    """A socket cannot be had: one sentence says why, for which address, and what to do."""


def bind(host: str, port: int) -> tuple[socket.socket, Address]:
    """A non-blocking socket at an IP address and port (0: any that is free), and where it is. Raises `DriverError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    where = f"[{host}]:{port}" if family is socket.AF_INET6 else f"{host}:{port}"
    try:
        socket.inet_pton(family, host)
    except OSError as error:
        raise DriverError(f"{host} is no IP address: give one, as 127.0.0.1 or ::1") from error
    bound = None
    try:
        bound = socket.socket(family, socket.SOCK_DGRAM)
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
        if family is socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        if bound is not None:
            bound.close()
        raise DriverError(_why(where, error)) from error
    at = address_of(bound.getsockname())
    assert at is not None
    return bound, at


def _why(where: str, error: OSError | OverflowError) -> str:
    match getattr(error, "errno", None):
        case errno.EADDRINUSE:
            return f"{where} is in use by another program: stop that one, or choose another port"
        case errno.EACCES | errno.EPERM:
            return f"{where} may not be used without special rights: choose a port of 1024 or higher"
        case errno.EADDRNOTAVAIL:
            return f"{where} is no address of this machine: choose one that it has, or 0.0.0.0 or :: for all"
        case errno.EAFNOSUPPORT:
            return f"{where} cannot be used, this machine has no such network: choose an address of the other kind"
        case None:
            return f"{where} has no such port: choose one from 1024 to 65535"
    return f"{where} cannot be used: {error}"


@lru_cache(_ADDRESSES_CACHED)
def address_of(name: tuple[str, int] | tuple[str, int, int, int]) -> Address | None:
    """The address that a socket names so; None if nothing could be sent back there (port 0)."""
    host, port = name[0], name[1]
    if not port:
        return None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return Address(socket.inet_pton(family, host.partition("%")[0]), port)


@lru_cache(_ADDRESSES_CACHED)
def name_of(address: Address) -> tuple[str, int]:
    """What a socket calls this address."""
    family = socket.AF_INET if len(address.host) == _V4_BYTES else socket.AF_INET6
    return socket.inet_ntop(family, address.host), address.port
