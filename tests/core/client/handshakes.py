"""What the tests of the connection look at: datagrams to the server, and those that go astray."""

from collections.abc import Callable

from tests.core.client.scenery import TOKEN
from tests.core.client.world import World
from udpchat_core.actions import SendDatagram
from udpchat_core.datagrams import Hello, Init, Record
from udpchat_core.secure.link import retry
from udpchat_core.wire import parse_untrusted


def kinds(world: World) -> list[type]:
    """What was sent to the server."""
    return [type(parse_untrusted(payload)) for payload in world.server.datagrams]


def inits(world: World) -> list[bytes]:
    """The INITs that were sent to the server."""
    return [payload for payload in world.server.datagrams if isinstance(parse_untrusted(payload), Init)]


def hellos(world: World) -> list[bytes]:
    """The HELLOs that were sent to the server."""
    return [payload for payload in world.server.datagrams if isinstance(parse_untrusted(payload), Hello)]


def records(world: World) -> list[bytes]:
    """The RECORDs that were sent to the server."""
    return [payload for payload in world.server.datagrams if isinstance(parse_untrusted(payload), Record)]


def lost_at(*numbers: int) -> Callable[[SendDatagram], bool]:
    """Of the datagrams that the client sends from now on, those with these numbers, from 0, go astray."""
    seen = iter(range(1_000_000))
    return lambda _: next(seen) in numbers


def hint(world: World, key: bytes | None = None) -> bytes:
    """A RETRY that answers the client's last RECORD."""
    return retry(records(world)[-1], TOKEN, key or world.server.public)
