"""Runs a core, client or server, on an asyncio loop: sockets, one timer, the store, and the wall clock.

Theory of operation. A readable socket is drained, up to a bound, into one batch, and the batch is one turn of the
core. What the core asks of its store goes into one commit; what is asked while a commit is under way goes into the
next one, so a slow disk makes larger commits, not more of them; if the commit fails, it fails as well, untried, so
that what is durable is always the beginning of what was asked. The core's earliest deadline is the one timer.
Nothing is made for a single datagram: no task, no future, no line in a log; what fails is counted. What a network
does wrong is no error here. What this program does wrong (the core or the store raises) ends the driver, and
`finished` raises it.
"""

import asyncio
import errno
import socket
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Final

from udpchat_core.actions import Action, Actions, Emit, Received, SendDatagram
from udpchat_core.actions import Store as AskStore
from udpchat_core.address import Address
from udpchat_core.client_events import ClientEvent
from udpchat_core.errors import Reason
from udpchat_core.instant import MS, SECOND, Instant
from udpchat_core.limits import DATAGRAM_BYTES_MAX
from udpchat_core.requests import StoreReply
from udpchat_core.server_events import ServerEvent

from . import udp
from .clock import Clock
from .core import Core
from .stores.port import Request, Store

BATCH_DATAGRAMS_MAX: Final = 64
"""Datagrams of one turn: enough to merge, few enough that timers and commits are not kept waiting."""
PEERS_REMEMBERED_MAX: Final = 65_536
"""Peers whose socket is remembered, where several of a family are bound; others are answered from the first."""
CLOCK_DIFFERENCE_MS_MAX: Final = 1_000
"""How far the wall clock may be from what the core thinks before the core is told."""

OnEvent = Callable[[ClientEvent | ServerEvent], object]
"""Told what happens, on the loop's thread, in the middle of a turn; may call the driver."""


class Driver:
    """Drives one core with one store; made and used on the loop's thread.

    Attributes:
        dropped: datagrams that the core refused, by reason.
        unsent: datagrams that the system did not take, by the name of its error; the network may lose any.
        errors: of receiving, likewise: an ICMP error for what was sent, for example.
    """

    def __init__(self, core: Core, store: Store, on_event: OnEvent, clock: Clock | None = None) -> None:
        self.dropped: Counter[Reason] = Counter()  # R-8.8-4
        self.unsent: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self._core, self._store, self._on_event, self._clock = core, store, on_event, clock or Clock()
        self._offset_ms: int | None = None  # of the wall clock from the instant, as the core knows it
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[int, list[socket.socket]] = {4: [], 16: []}  # by the length of an address
        self._via: dict[Address, socket.socket] = {}
        self._several = False  # sockets of one family
        self._later: deque[Action] = deque()  # what callbacks lead to
        self._acting = self._stopped = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = Instant(0)
        self._requests: list[Request] = []
        self._requested = asyncio.Event()
        self._committing = self._loop.create_task(self._commit())
        self._finished: asyncio.Future[None] = self._loop.create_future()

    def bind(self, host: str, port: int) -> Address:
        """Receive at this IP address and port (0: any that is free), and send from there. Raises `udp.DriverError`."""
        bound, address = udp.bind(host, port)
        self._sockets[len(address.host)].append(bound)
        self._several = any(len(sockets) > 1 for sockets in self._sockets.values())
        self._loop.add_reader(bound, self._receive, bound)
        return address

    def start(self) -> None:
        """The core's start, and the time of day; after `bind`."""
        self.call(self._core.start)
        self._tell_clock(self._clock.now())

    def call(self, command: Callable[..., Actions], *arguments: object) -> None:
        """Call `command(*arguments, now)` of the core and do what follows; what the core raises is the caller's."""
        now = self._clock.now()
        if self._offset_ms is not None:
            self._tell_clock(now)
        self._act(command(*arguments, now))

    async def finished(self) -> None:
        """Wait until the driver is closed. Raises what ended it, if that was an error of this program."""
        await asyncio.shield(self._finished)

    async def close(self) -> None:
        """Stop: nothing is received or sent any more; what was asked of the store is committed, and it is closed."""
        self._stop()
        await asyncio.wait([self._committing])
        self._store.close()
        if not self._finished.done():
            self._finished.set_result(None)

    # --- turns ---

    def _receive(self, bound: socket.socket) -> None:
        received: list[Received] = []
        recvfrom, address_of = bound.recvfrom, udp.address_of
        for _ in range(BATCH_DATAGRAMS_MAX):
            try:
                payload, name = recvfrom(DATAGRAM_BYTES_MAX + 1)  # one more shows what is too long
            except BlockingIOError:
                break
            except OSError as error:
                self.errors[_name(error)] += 1
                continue
            if (source := address_of(name)) is None:
                self.errors["port 0"] += 1
                continue
            received.append(Received(source, payload))
        if received:
            if self._several:
                self._remember(received, bound)
            self._turn(self._core.receive_datagrams, received)

    def _turn(self, method: Callable[..., Actions], *arguments: object) -> None:
        """A call of the core that nobody waits for: what it raises ends the driver."""
        try:
            self.call(method, *arguments)
        except Exception as error:
            self._fail(error)

    def _act(self, actions: Actions) -> None:
        """Carry out actions in their order, those that a callback leads to after them."""
        if self._acting:
            self._later.extend(actions)
            return
        self._acting = True
        try:
            for action in actions:
                self._do(action)
            while self._later:
                self._do(self._later.popleft())
        finally:
            self._acting = False
        self._set_timer()

    def _do(self, action: Action) -> None:
        if isinstance(action, SendDatagram):  # first, as most are
            self._send(action)
        elif isinstance(action, AskStore):
            self._requests.append(action.request)
            self._requested.set()
        elif isinstance(action, Emit):
            self._on_event(action.event)
        else:
            self.dropped[action.reason] += 1

    def _send(self, datagram: SendDatagram) -> None:
        to = datagram.to
        sockets = self._sockets[len(to.host)]
        if not sockets:
            self.unsent["no socket"] += 1
            return
        bound = self._via.get(to, sockets[0]) if self._via else sockets[0]
        try:
            bound.sendto(datagram.payload, udp.name_of(to))
        except OSError as error:
            self.unsent[_name(error)] += 1

    def _remember(self, received: Sequence[Received], bound: socket.socket) -> None:
        for peer, _ in received:
            self._via.pop(peer, None)
            self._via[peer] = bound
        while len(self._via) > PEERS_REMEMBERED_MAX:
            del self._via[next(iter(self._via))]  # the one not heard of for longest

    # --- time ---

    def _set_timer(self) -> None:
        """One timer for the earliest deadline; one that is set for before that stays, and looks again then."""
        due = self._core.next_timeout()
        if self._stopped or due is None or (self._timer is not None and self._timer_at <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = due
        self._timer = self._loop.call_later(max(0, due - self._clock.now()) / SECOND, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        due = self._core.next_timeout()
        if due is not None and due <= self._clock.now():
            self._turn(self._core.handle_timeout)
        else:
            self._set_timer()

    def _tell_clock(self, now: Instant) -> None:
        wall_ms = self._clock.wall_ms()
        offset_ms = wall_ms - now // MS
        if self._offset_ms is None or abs(offset_ms - self._offset_ms) > CLOCK_DIFFERENCE_MS_MAX:
            self._offset_ms = offset_ms
            self._act(self._core.handle_clock(wall_ms, now))

    # --- the store ---

    async def _commit(self) -> None:
        """One commit after the other, each of all that was asked meanwhile."""
        while not self._stopped or self._requests:
            await self._requested.wait()
            self._requested.clear()
            batch, self._requests = self._requests, []
            if batch:
                try:
                    replies = await self._store.commit(batch)
                except Exception as error:
                    self._fail(error)
                    return
                if not all(reply.durable for reply in replies):  # what was asked after it fails too, untried
                    behind, self._requests = self._requests, []
                    replies += tuple(StoreReply(request, durable=False) for request in behind)
                if not self._stopped:
                    self._turn(self._core.handle_stored, replies)

    # --- the end ---

    def _fail(self, error: Exception) -> None:
        if not self._finished.done():
            self._finished.set_exception(error)
        self._stop()

    def _stop(self) -> None:
        self._stopped = True
        self._requested.set()  # the committing task looks up, and ends
        for bound in (*self._sockets[4], *self._sockets[16]):
            self._loop.remove_reader(bound)
            bound.close()
        self._sockets = {4: [], 16: []}
        self._via = {}
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _name(error: OSError) -> str:
    """As `ECONNREFUSED`."""
    return errno.errorcode.get(error.errno or 0, "unknown")
