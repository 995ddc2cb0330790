"""A network that remembers, changes, holds back and makes up datagrams: whoever sits on the path, without any key.

It sees every datagram that a node sends, may stop it, and may send anything from any source to anybody. What it made
up from what it saw is named after what it is meant to look like.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple

from udpchat_core.address import Address
from udpchat_core.datagrams import HEADER_BYTES, LAYOUTS, Acks, Datagram, Init, Letter, Record, Resp, Retry
from udpchat_core.wire import header, serialize

from ..faults import SERVER
from ..network import draws
from ..node import Node, Observer
from ..world import World

CAPTURED_MAX: Final = 8_192
"""Datagrams that it remembers; the oldest go."""
_AT_TYPE: Final = 2
_ECHO: Final = slice(3, 19)
_INDEX: Final = slice(3, 7)


class Captured(NamedTuple):
    """A datagram as it was sent."""

    at_us: int
    node: str
    source: Address
    to: Address
    payload: bytes

    def is_a(self, kind: type[Datagram]) -> bool:
        """Whether it is of this kind."""
        return self.payload[_AT_TYPE] == kind.type


class EvilNetwork(Observer):
    """Sits between all nodes of `world`.

    Attributes:
        captured: what nodes sent, oldest first.
        held: what it stopped.
        holds: which datagrams it stops; None: none.
    """

    def __init__(self, world: World, seed: int = 0) -> None:
        self.captured: deque[Captured] = deque(maxlen=CAPTURED_MAX)
        self.held: list[Captured] = []
        self.holds: Callable[[Captured], bool] | None = None
        self.random = Random(draws(seed, "evil network")[0])  # noqa: S311 - repeatable is what it is for
        self._world = world
        world.observers.append(self)
        world.gate = self._passes

    def sent(self, node: Node, to: Address, payload: bytes) -> None:  # noqa: D102 - said in Observer
        world = self._world
        self.captured.append(Captured(world.now_us, node.name, world.network.address(node.name), to, payload))

    def _passes(self, node: str, to: Address, payload: bytes) -> bool:  # noqa: ARG002 - it was just captured
        if self.holds is None or not self.holds(self.captured[-1]):
            return True
        self.held.append(self.captured[-1])
        return False

    def of(self, kind: type[Datagram], node: str | None = None) -> list[Captured]:
        """What was captured of this kind, from this node."""
        return [each for each in self.captured if each.is_a(kind) and node in (None, each.node)]

    # --- replay ---

    def replay(
        self, what: Captured, *, source: Address | None = None, to: Address | None = None, after_us: int = 0
    ) -> None:
        """Send it once more, unchanged, from where it came to where it went, or from and to elsewhere."""
        self._world.inject(source or what.source, to or what.to, what.payload, after_us)

    def replay_all(self, *, source: Address | None = None, to: Address | None = None, gap_us: int = 100) -> int:
        """All that was captured, in its order; how many."""
        everything = list(self.captured)
        for number, each in enumerate(everything):
            self.replay(each, source=source, to=to, after_us=number * gap_us)
        return len(everything)

    def replay_to_others(self, gap_us: int = 100) -> int:
        """All that was captured, each to every node that it was not sent to; how many."""
        network, everything = self._world.network, list(self.captured)
        places = [network.address(name) for name in self._world.nodes]
        pairs = [(each, place) for each in everything for place in places if place not in (each.to, each.source)]
        for number, (each, place) in enumerate(pairs):
            self.replay(each, to=place, after_us=number * gap_us)
        return len(pairs)

    # --- what it changes ---

    def flip(self, what: Captured, places: int = 1, after_us: int = 0) -> None:
        """Send it once more with bits flipped behind the header, which stays right."""
        changed = bytearray(what.payload)
        for _ in range(places):
            changed[self.random.randrange(HEADER_BYTES, len(changed))] ^= 1 << self.random.randrange(8)
        self._world.inject(what.source, what.to, bytes(changed), after_us)

    # --- what it makes up ---

    def garbage(self, kind: type[Datagram], source: Address, to: Address, after_us: int = 0) -> None:
        """Random bytes under a right header, of a length that the kind has."""
        low, high = (sum(getattr(field, end) for field in LAYOUTS[kind]) for end in ("bytes_min", "bytes_max"))
        size = self.random.randint(low, high)
        size -= size % 16 if kind is Acks else 0
        self._world.inject(source, to, header(kind) + self.random.randbytes(size), after_us)

    def forge_retry(
        self, what: Captured, *, token: bytes | None = None, server_key: bytes | None = None, after_us: int = 0
    ) -> None:
        """Answer it as the server would, with its echo: a hint, if it is a RECORD or an INIT."""
        retry = Retry(what.payload[_ECHO], token or self.random.randbytes(16), server_key or self.random.randbytes(32))
        self._world.inject(self._world.network.address(SERVER), what.source, serialize(retry), after_us)

    def forge_resp(self, init: Captured, after_us: int = 0) -> None:
        """Answer an INIT as the server would, without its key."""
        at = HEADER_BYTES + 16
        resp = Resp(init.payload[at : at + 4], self.random.randbytes(52))
        self._world.inject(self._world.network.address(SERVER), init.source, serialize(resp), after_us)

    def forge_record(
        self,
        what: Captured,
        counter: int,
        *,
        size: int = 60,
        index: bytes | None = None,
        source: Address | None = None,
        after_us: int = 0,
    ) -> None:
        """A RECORD of a link that it saw, or of another, with any counter and random bytes in it."""
        record = Record(index or what.payload[_INDEX], counter, self.random.randbytes(size))
        self._world.inject(source or what.source, what.to, serialize(record), after_us)

    def forge_acks(self, to: Address, source: Address, count: int = 74, after_us: int = 0) -> None:
        """Acknowledgements of nothing."""
        acks = Acks(tuple(self.random.randbytes(16) for _ in range(count)))
        self._world.inject(source, to, serialize(acks), after_us)

    # --- all of it at once ---

    def mischief(self) -> None:
        """One act against one datagram that it saw, both drawn."""
        if not self.captured:
            return
        what = self.captured[self.random.randrange(len(self.captured))]
        network, names = self._world.network, tuple(self._world.nodes)
        someone, other = (network.address(self.random.choice(names)) for _ in range(2))
        after_us = self.random.randrange(1_000_000)
        match self.random.randrange(9):
            case 0:
                self.replay(what, after_us=after_us)
            case 1:
                self.replay(what, source=someone, after_us=after_us)
            case 2:
                self.replay(what, to=other, after_us=after_us)
            case 3:
                self.flip(what, self.random.randint(1, 8), after_us)
            case 4:
                self.garbage(self.random.choice(tuple(LAYOUTS)), someone, other, after_us)
            case 5 if what.node != SERVER and not what.is_a(Letter):
                self.forge_retry(what, after_us=after_us)
            case 6 if what.is_a(Init):
                self.forge_resp(what, after_us)
            case 7 if what.is_a(Record):
                self.forge_record(what, self.random.choice((0, 1, 2_000, 2**63, 2**64 - 1)), after_us=after_us)
            case _:
                self.forge_acks(someone, other, self.random.randint(1, 74), after_us)
