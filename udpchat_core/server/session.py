"""What the server knows of a user and of a link, small enough for hundreds of thousands of them."""

from dataclasses import dataclass
from functools import lru_cache

from ..address import Address
from ..bodies import CardBody
from ..limits import ADDRESSES_CACHED_MAX
from ..machines.server_session import Phase
from ..secure.card import identity_in, name_in
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

    What the card says is read from it, which costs less than a microsecond and no memory.

    Attributes:
        card: signature and body, as they came.
        session: the newest link that was registered, online or not; None if there is none.
    """

    card: bytes
    session: "Session | None" = None

    @property
    def name(self) -> str:
        """What the card claims."""
        return name_in(self.card)

    @property
    def identity(self) -> bytes:
        """I."""
        return identity_in(self.card)

    @property
    def seq(self) -> int:
        """The seq of the card; this takes 5 microseconds."""
        return decode_untrusted(CardBody, self.card[SIGNATURE_BYTES:]).seq

    @property
    def online(self) -> "Session | None":
        """The session, if the user is there."""
        return self.session if self.session is not None and self.session.phase is Phase.ONLINE else None


class Session(Link):
    """A confirmed link, and the record of its machine: one object, as each costs 32 bytes before it holds anything.

    Attributes:
        heard_s: the second, rounded up, of the last authentic RECORD.
        phase: where the session stands.
        ordered: the counter of the RECORD with the last Register or Deregister; -1 before.
        user: whom it proved; shared with the directory once registered.
    """

    __slots__ = ("heard_s", "ordered", "phase", "user")

    def __init__(self, link: Link, user: User, heard_s: int) -> None:
        self.take_over(link)
        self.heard_s = heard_s
        self.phase = Phase.CONFIRMING
        self.ordered = -1
        self.user = user

    @property
    def address(self) -> bytes:
        """Where its client proved to be, packed; a link has one for all its life."""
        return self.place


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
        return self.session.seal(self.suite, plaintext)


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
