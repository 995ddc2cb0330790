"""What a world runs: any core of this shape. `Cores` makes udpchat's own; hand in another to test yours."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from udpchat_core.actions import Actions
from udpchat_core.address import Address
from udpchat_core.client import Client, new_client_state
from udpchat_core.client_requests import ClientState
from udpchat_core.instant import Instant
from udpchat_core.secure.suite import Suite
from udpchat_core.server import Server, new_server_state
from udpchat_core.server_requests import ServerState

from ..core import Core


@runtime_checkable
class Measured(Protocol):
    """What a core that tells of its queues has besides; see `checks.CAPS`."""

    def sizes(self) -> Mapping[str, int]:
        """How long its queues are, by name."""
        ...


class ClientCore(Core, Protocol):
    """What the user of a client calls besides."""

    @property
    def next_message(self) -> int:
        """The number of the message that `send` takes next."""
        ...

    def register(self, now: Instant) -> Actions:
        """Go online."""
        ...

    def deregister(self, now: Instant) -> Actions:
        """Go offline."""
        ...

    def send(self, to: str, text: str, now: Instant) -> Actions:
        """Send a message."""
        ...

    def watch(self, names: Sequence[str], now: Instant) -> Actions:
        """Hear of these names."""
        ...

    def accept_key(self, name: str, now: Instant) -> Actions:
        """Take the new key of a name."""
        ...


class Cores:
    """Makes the states and cores of a world; override what is to be another."""

    def client_state(self, suite: Suite, name: str, now_ms: int) -> ClientState:
        """What a new client's store holds."""
        return new_client_state(suite, name, now_ms)

    def server_state(self, suite: Suite) -> ServerState:
        """What a new server's store holds."""
        return new_server_state(suite)

    def client(self, suite: Suite, state: ClientState, server: Address, now: Instant) -> ClientCore:
        """A client at the start of its process."""
        return Client(suite, state, server, now)

    def server(self, suite: Suite, state: ServerState, now: Instant) -> Core:
        """A server at the start of its process."""
        return Server(suite, state, now)
