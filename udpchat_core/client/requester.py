"""Requests to the server: each is asked under one id, again and again, until it is answered or cancelled.

So many are in flight at a time; the others wait in order. Without a link all of them wait, and a new link
asks them again. A request that went unanswered too often means that the server is silent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..errors import BadDatagram, Reason
from ..instant import SECOND, Instant, after
from ..limits import POSTPONED_S_MAX, REQUESTS_IN_FLIGHT_MAX, SERVER_TRIES_MAX, SERVER_TRY_US
from ..messages import Lookup, Ping, Store, Watch
from ..turn import Outlet, Turn
from .shared import Shared

Key = tuple[str, object]
"""What a request is about: ("store", secret), ("lookup", name), ("watch", None), ("ping", None)."""
Request = Store | Lookup | Watch | Ping
Q = TypeVar("Q", bound=Request)
_RTT_SHARE = 8
_LOSS_SHARE = 16
_ALL_PPM = 1_000_000
_NEVER = Instant(0)


@dataclass(slots=True, eq=False)
class _Asked:
    request: Request
    tries: int = 0
    in_flight: bool = False
    sent: Instant = _NEVER


class Requester:
    """The requests of one client, by what they are about: of each key there is one at a time.

    Attributes:
        rtt_us: how long the server takes to answer, smoothed (RFC 9002 section 5.3), of what was asked once (Karn's
            rule) and waits for no disk; 0 before the first sample.
        loss_ppm: how many of a million tries get no answer in time, smoothed over the last few.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._outlet: Outlet | None = None
        self._asked: dict[Key, _Asked] = {}
        self._keys: dict[int, Key] = {}
        self._waiting: dict[Key, None] = {}
        self._in_flight = 0
        self._last_id = 0
        self.rtt_us = self.loss_ppm = 0

    def __len__(self) -> int:
        return len(self._asked)

    def new_id(self) -> int:
        """An id that no other request of this client has."""
        self._last_id += 1  # R-5.1-7
        return self._last_id

    def is_asked(self, key: Key) -> bool:
        """Whether there is a request of this key without an answer."""
        return key in self._asked

    def ask(self, key: Key, make: Callable[[int], Request], turn: Turn) -> None:
        """Ask what `make(id)` says, unless there is a request of this key already."""
        if key in self._asked:
            return
        id_ = self.new_id()  # R-9.1-5
        self._asked[key] = _Asked(make(id_))
        self._keys[id_] = key
        self._waiting[key] = None
        self._fill(turn)

    def cancel(self, key: Key, turn: Turn) -> None:
        """Ask it no more; a late answer means nothing."""
        asked = self._asked.pop(key, None)
        if asked is not None:
            del self._keys[asked.request.id]
            self._waiting.pop(key, None)
            self._land(key, asked)
            self._fill(turn)

    def answered_untrusted(self, id_: int, kind: type[Q], turn: Turn) -> Q:
        """The request, of this class, that an answer is to; `BadDatagram(MESSAGE)` if none is asked under its id."""
        key = self._key_untrusted(id_)
        request = self._asked[key].request
        if not isinstance(request, kind):
            raise BadDatagram(Reason.MESSAGE)
        self._answered(key, turn)
        return request

    def refused_untrusted(self, id_: int, turn: Turn) -> Request:
        """The request that was refused; `BadDatagram(MESSAGE)` if none is asked under its id."""
        key = self._key_untrusted(id_)
        request = self._asked[key].request
        self._answered(key, turn)
        return request

    def postpone_untrusted(self, id_: int, wait_s: int, turn: Turn) -> None:
        """The server asks for patience: ask the same again after `wait_s` seconds."""
        key = self._key_untrusted(id_)
        if self._asked[key].in_flight:
            self._asked[key].tries = 0  # R-5.2-1
            self._shared.set_timer(("request", key), after(turn.now, min(max(wait_s, 1), POSTPONED_S_MAX) * SECOND))

    def connect(self, outlet: Outlet, turn: Turn) -> None:
        """There is a new link: ask everything on it, from the start."""
        self.disconnect()
        self._outlet = outlet
        self._fill(turn)

    def disconnect(self) -> None:
        """There is no link: everything waits."""
        self._outlet = None
        for key, asked in self._asked.items():
            self._land(key, asked)
            asked.tries = 0
        self._waiting = dict.fromkeys(self._asked)

    def timed_out(self, key: Key, turn: Turn) -> bool:
        """Ask once more; True if the server was silent too often."""
        asked = self._asked[key]
        if asked.tries >= SERVER_TRIES_MAX:
            return True
        self.loss_ppm += (_ALL_PPM - self.loss_ppm) // _LOSS_SHARE
        self._send(key, asked, turn)
        return False

    def _answered(self, key: Key, turn: Turn) -> None:
        asked = self._asked[key]
        self.loss_ppm -= self.loss_ppm // _LOSS_SHARE
        if asked.tries == 1 and not isinstance(asked.request, Store):
            sample_us = max(turn.now - asked.sent, 1)
            self.rtt_us = ((_RTT_SHARE - 1) * self.rtt_us + sample_us) // _RTT_SHARE if self.rtt_us else sample_us
        self.cancel(key, turn)

    def _key_untrusted(self, id_: int) -> Key:
        key = self._keys.get(id_)
        if key is None:
            raise BadDatagram(Reason.MESSAGE)
        return key

    def _fill(self, turn: Turn) -> None:
        while self._outlet is not None and self._waiting and self._in_flight < REQUESTS_IN_FLIGHT_MAX:
            key = next(iter(self._waiting))
            del self._waiting[key]
            asked = self._asked[key]
            asked.in_flight = True
            self._in_flight += 1
            self._send(key, asked, turn)

    def _send(self, key: Key, asked: _Asked, turn: Turn) -> None:
        assert self._outlet is not None
        asked.tries += 1
        asked.sent = turn.now
        turn.say(self._outlet, asked.request)
        self._shared.set_timer(("request", key), after(turn.now, SERVER_TRY_US))

    def _land(self, key: Key, asked: _Asked) -> None:
        if asked.in_flight:
            asked.in_flight = False
            self._in_flight -= 1
            self._shared.set_timer(("request", key), None)
