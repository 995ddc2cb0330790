"""One turn of a core: what it says to each peer is collected, and merged into datagrams at the end.

Merging is what makes a batch cheap: messages to one link share a RECORD, acknowledgements to one address
share an ACK. Store requests come out in the order they were made, before anything is sent.
"""

from typing import Protocol

from .actions import Action, Actions, Dropped, Emit, SendDatagram, Store
from .address import Address
from .client_events import ClientEvent
from .client_requests import ClientRequest
from .datagrams import Acks
from .errors import Reason
from .instant import Instant
from .limits import ACKS_MAX, RECORD_MESSAGES_MAX
from .messages import Message
from .server_events import ServerEvent
from .server_requests import ServerRequest
from .wire import RECORD_PLAINTEXT_BYTES_MAX, encode, pack, serialize

_ARRAY_HEAD_BYTES = 2  # of an array of at most 64 messages and one Padding


class Outlet(Protocol):
    """One end of a link: seals what is said there into a RECORD."""

    @property
    def address(self) -> Address:
        """Where its RECORDs go."""
        ...

    def seal(self, plaintext: bytes) -> bytes:
        """The RECORD datagram around `plaintext`."""
        ...


class Turn:
    """What one call into a core leads to.

    Attributes:
        now: the instant of the call.
        plaintext_bytes_min: what RECORDs are padded to: a client's, so that a RETRY is never longer.
    """

    __slots__ = ("_acks", "_actions", "_letters", "_said", "now", "plaintext_bytes_min")

    def __init__(self, now: Instant, plaintext_bytes_min: int = 0) -> None:
        self.now = now
        self.plaintext_bytes_min = plaintext_bytes_min
        self._actions: list[Action] = []
        self._letters: list[SendDatagram] = []
        self._said: dict[Outlet, list[bytes]] = {}
        self._acks: dict[Address, dict[bytes, None]] = {}

    def say(self, outlet: Outlet, message: Message) -> None:
        """Say `message` on a link."""
        self._said.setdefault(outlet, []).append(encode(message))

    def acknowledge(self, to: Address, ack: bytes) -> None:
        """Send an acknowledgement of 16 bytes; the same one to the same address goes once."""
        self._acks.setdefault(to, {})[ack] = None

    def send(self, to: Address, payload: bytes) -> None:
        """Send a datagram as it is."""
        self._letters.append(SendDatagram(to, payload))

    def store(self, request: ClientRequest | ServerRequest) -> None:
        """Ask the store."""
        self._actions.append(Store(request))

    def withhold(self) -> list[ClientRequest | ServerRequest]:
        """Take back what the store was asked in this turn."""
        requests = [action.request for action in self._actions if isinstance(action, Store)]
        self._actions = [action for action in self._actions if not isinstance(action, Store)]
        return requests

    def emit(self, event: ClientEvent | ServerEvent) -> None:
        """Tell the application."""
        self._actions.append(Emit(event))

    def drop(self, source: Address, reason: Reason) -> None:
        """Count a refused datagram."""
        self._actions.append(Dropped(source, reason))

    def end(self) -> Actions:
        """All of it, as actions."""
        for outlet, said in self._said.items():
            self._seal(outlet, said)
        self._actions += self._letters
        for to, acks in self._acks.items():
            each = tuple(acks)
            for at in range(0, len(each), ACKS_MAX):
                self._actions.append(SendDatagram(to, serialize(Acks(each[at : at + ACKS_MAX]))))
        return tuple(self._actions)

    def _seal(self, outlet: Outlet, said: list[bytes]) -> None:
        batch: list[bytes] = []
        room = RECORD_PLAINTEXT_BYTES_MAX - _ARRAY_HEAD_BYTES
        for part in said:
            if len(part) > room or len(batch) == RECORD_MESSAGES_MAX - 1:  # one place stays for Padding
                self._flush(outlet, batch)
                batch, room = [], RECORD_PLAINTEXT_BYTES_MAX - _ARRAY_HEAD_BYTES
            batch.append(part)
            room -= len(part)
        self._flush(outlet, batch)

    def _flush(self, outlet: Outlet, batch: list[bytes]) -> None:
        plaintext = pack(batch, self.plaintext_bytes_min)
        self._actions.append(SendDatagram(outlet.address, outlet.seal(plaintext)))
