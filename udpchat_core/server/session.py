"""What the server knows of a user and of a link, small enough for hundreds of thousands of them."""

from dataclasses import dataclass, field
from functools import lru_cache

from ..address import Address
from ..limits import ADDRESSES_CACHED_MAX
from ..machines.server_session import Phase, SessionRecord
from ..messages import CardBody
from ..secure.keys import SIGNATURE_BYTES
from ..secure.link import Link
from ..secure.suite import Suite
from ..wire import decode_untrusted

_PORT_BYTES = 2
_V4_BYTES, _V6_PREFIX_BYTES = 4, 7
_V4_LOOPBACK, _V6_LOOPBACK = b"\x7f", bytes(15) + b"\1"


@dataclass(slots=True, eq=False)
class User:
    """Whom a link proved; one of the directory once a Register of it was durable.

    Attributes:
        name: what the card claims.
        identity: I.
        card: signature and body, as they came.
        session: the newest link that was registered, online or not; None if there is none.
    """

    name: str
    identity: bytes
    card: bytes
    session: "Session | None" = None

    @property
    def seq(self) -> int:
        """The seq of the card; read from it, which costs 5 microseconds and no memory."""
        return decode_untrusted(CardBody, self.card[SIGNATURE_BYTES:]).seq

    @property
    def online(self) -> "Session | None":
        """The session, if the user is there."""
        return self.session if self.session is not None and self.session.phase is Phase.ONLINE else None


@dataclass(slots=True, eq=False)
class Session(SessionRecord):
    """A confirmed link.

    Attributes:
        link: its keys and counters.
        user: whom it proved; shared with the directory once registered.
    """

    link: Link = field(kw_only=True)
    user: User = field(kw_only=True)

    @property
    def address(self) -> bytes:
        """Where its client proved to be, packed; a link has one for all its life."""
        return self.link.place


@dataclass(frozen=True, slots=True)
class Outlet:
    """The server's end of a session, as a turn wants it."""

    suite: Suite
    session: Session

    @property
    def address(self) -> Address:
        """The proven address, and no other."""
        return unpacked(self.session.address)  # R-8.1-6

    def seal(self, plaintext: bytes) -> bytes:
        """The RECORD around `plaintext`."""
        return self.session.link.seal(self.suite, plaintext)


def packed(address: Address) -> bytes:
    """An address as 6 bytes (IPv4) or 18 (IPv6)."""
    return address.host + address.port.to_bytes(_PORT_BYTES)


def prefix(address: Address) -> bytes | None:
    """What one subscriber has: an IPv4 address, or an IPv6 /56; None for a loopback address, which nobody else has."""
    if len(address.host) == _V4_BYTES:
        return None if address.host.startswith(_V4_LOOPBACK) else address.host
    return None if address.host == _V6_LOOPBACK else address.host[:_V6_PREFIX_BYTES]


@lru_cache(ADDRESSES_CACHED_MAX)
def unpacked(address: bytes) -> Address:
    """The inverse of `packed`."""
    return Address(address[:-_PORT_BYTES], int.from_bytes(address[-_PORT_BYTES:]))
