"""Where a datagram comes from or goes to."""

from typing import Annotated

from annotated_types import Ge, Len, Lt
from pydantic.dataclasses import dataclass

from .fields import STRICT

_V4_BYTES, _V6_BYTES = 4, 16
_V4_MAPPED = bytes(10) + b"\xff\xff"


@dataclass(frozen=True, slots=True, config=STRICT)
class Address:
    """A UDP address: one class in the core and on the wire.

    Attributes:
        host: the IP address in network byte order, 4 bytes (IPv4) or 16 (IPv6).
        port: the UDP port, 1 to 65535.
    """

    host: Annotated[bytes, Len(_V4_BYTES, _V6_BYTES)]
    port: Annotated[int, Ge(1), Lt(65_536)]

    def __post_init__(self) -> None:
        if len(self.host) not in (_V4_BYTES, _V6_BYTES) or self.host.startswith(_V4_MAPPED):  # R-5.1-3
            raise ValueError("an IPv4 address has 4 bytes, an IPv6 address 16 and is none that maps IPv4")
