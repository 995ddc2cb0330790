"""What goes into a core and what comes out of it, beside time: datagrams in, actions out."""

from dataclasses import dataclass
from typing import NamedTuple

from .address import Address
from .client_events import ClientEvent
from .client_requests import ClientRequest
from .errors import Reason
from .server_events import ServerEvent
from .server_requests import ServerRequest


class Received(NamedTuple):
    """A datagram as it came from the network."""

    source: Address
    payload: bytes


@dataclass(frozen=True, slots=True)
class SendDatagram:
    """Put `payload`, at most 1,200 bytes, on the network."""

    to: Address
    payload: bytes


@dataclass(frozen=True, slots=True)
class Store:
    """Make `request` durable, or read it, and answer with a `StoreReply`; all requests of a turn in one commit."""

    request: ClientRequest | ServerRequest


@dataclass(frozen=True, slots=True)
class Emit:
    """Tell the application."""

    event: ClientEvent | ServerEvent


@dataclass(frozen=True, slots=True)
class Dropped:
    """A datagram, or a part of one, was refused: count it by `reason`, never log it."""

    source: Address
    reason: Reason


Action = SendDatagram | Store | Emit | Dropped
Actions = tuple[Action, ...]
"""In the order to carry them out. A crash may come between any two."""
