"""Cores of a few lines, to see what a world does to any core."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from udpchat_core.actions import Actions, Emit, Received, SendDatagram, Store
from udpchat_core.address import Address
from udpchat_core.client_events import Deregistered, MessageQueued
from udpchat_core.client_requests import ClientState, SaveMailKey, SaveOutgoing
from udpchat_core.instant import Instant, after
from udpchat_core.requests import StoreReply
from udpchat_core.secure.suite import Suite
from udpchat_core.server_requests import BindUser, ServerState
from udpchat_net.simulation.cores import Cores

Log = list[tuple[Instant, str, object]]


class FakeCore:
    """Writes down what it is called with; answers nothing."""

    def __init__(self, log: Log, suite: Suite, now: Instant) -> None:
        self.log, self.suite = log, suite
        self.due: Instant | None = None
        log.append((now, "made", None))

    def start(self, now: Instant) -> Actions:
        return self.note(now, "start", None)

    def receive_datagrams(self, received: Sequence[Received], now: Instant) -> Actions:
        return self.note(now, "received", [each.payload for each in received])

    def handle_stored(self, replies: Sequence[StoreReply], now: Instant) -> Actions:
        return self.note(now, "stored", [reply.durable for reply in replies])

    def handle_timeout(self, now: Instant) -> Actions:
        self.due = None
        return self.note(now, "timeout", None)

    def next_timeout(self) -> Instant | None:
        return self.due

    def handle_clock(self, wall_ms: int, now: Instant) -> Actions:
        return self.note(now, "clock", wall_ms)

    def sizes(self) -> Mapping[str, int]:
        return {}

    def note(self, now: Instant, what: str, value: object) -> Actions:
        self.log.append((now, what, value))
        return ()


class FakeServer(FakeCore):
    """Sends every datagram back to where it came from, and stores something for it."""

    def receive_datagrams(self, received: Sequence[Received], now: Instant) -> Actions:
        super().receive_datagrams(received, now)
        names = [each.payload.hex() for each in received]
        bind = [Store(BindUser(name, name.encode(), b"card")) for name in names]
        return (*bind, *(SendDatagram(each.source, each.payload) for each in received))


class FakeClient(FakeCore):
    """Saves and sends texts to the server as they are; `after N` sets its timer."""

    def __init__(self, log: Log, suite: Suite, state: ClientState, server: Address, now: Instant) -> None:
        super().__init__(log, suite, now)
        self.next_message, self.server = state.next_message, server

    def register(self, now: Instant) -> Actions:
        return self.note(now, "register", None)

    def deregister(self, now: Instant) -> Actions:
        self.note(now, "deregister", None)
        return (Emit(Deregistered(True)),)

    def accept_key(self, name: str, now: Instant) -> Actions:
        return self.note(now, "accept", name)

    def watch(self, names: Sequence[str], now: Instant) -> Actions:
        return self.note(now, "watch", names)

    def send(self, to: str, text: str, now: Instant) -> Actions:
        if text.startswith("after "):
            self.due = after(now, int(text.removeprefix("after ")))
            return ()
        number, self.next_message = self.next_message, self.next_message + 1
        save = SaveOutgoing(self.suite.random(16), number, 1, 1, to, now // 1_000, text, None)
        return (
            Store(save),
            SendDatagram(self.server, text.encode()),
            SendDatagram(self.server, b"again " + text.encode()),
        )

    def handle_stored(self, replies: Sequence[StoreReply], now: Instant) -> Actions:
        super().handle_stored(replies, now)
        saved = [reply.request for reply in replies if reply.durable]
        return tuple(Emit(MessageQueued(save.message, save.to)) for save in saved if isinstance(save, SaveOutgoing))


@dataclass
class FakeCores(Cores):
    """The logs of all nodes; the server's is under "server"."""

    logs: dict[str, Log] = field(default_factory=lambda: defaultdict(list))

    def client_state(self, suite: Suite, name: str, now_ms: int) -> ClientState:
        return ClientState(name, suite.random(32), (SaveMailKey(suite.random(32), now_ms),))

    def server_state(self, suite: Suite) -> ServerState:
        return ServerState(suite.random(32))

    def client(self, suite: Suite, state: ClientState, server: Address, now: Instant) -> FakeClient:
        return FakeClient(self.logs[state.name], suite, state, server, now)

    def server(self, suite: Suite, state: ServerState, now: Instant) -> FakeServer:
        return FakeServer(self.logs["server"], suite, now)

    def seen(self, name: str, what: str) -> list[object]:
        return [value for _, kind, value in self.logs[name] if kind == what]

    def payloads(self, name: str) -> list[bytes]:
        return [payload for batch in self.seen(name, "received") for payload in batch]  # type: ignore[attr-defined]
