"""The links between the nodes: addresses, and the fate of each datagram.

Theory of operation. Every node has an address, and may get another. A link is a (source, destination) pair of
nodes; it has a latency of its own and keeps the order of what it carries, unless a fault says otherwise. The fate
of a datagram follows from (seed, link, ordinal): a keyed hash of these gives its draws, and every fault that
names the link and the ordinal looks at its own draw. No random stream is shared, so nothing shifts when a fault,
a node or a datagram elsewhere is taken away.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from struct import Struct
from typing import Final, NamedTuple

from udpchat_core.address import Address

from .faults import HEADERS_BYTES, SERVER, Bottleneck, Draws, Fault, Flight, LinkFault, Loss, Partition

LATENCY_US_MIN: Final = 500
LATENCY_US_MAX: Final = 20_000
"""Latency of a link, drawn once: a LAN to a continent."""
OUTSIDER_LATENCY_US: Final = LATENCY_US_MIN
"""Latency to and from outsiders: they are close to everybody, which is what suits an attacker best."""
_PORT_MIN, _PORTS = 20_000, 40_000
_SECOND_US: Final = 1_000_000
_DRAWS: Final = Struct(">16I")
_DRAW_SCALE: Final = 2.0**-32


class Arrival(NamedTuple):
    """A datagram that will reach a node."""

    at_us: int
    node: str
    source: Address
    payload: bytes


def draws(seed: int, *what: str | int) -> Draws:
    """Sixteen numbers from 0 to below 1 that follow from the seed and from what they are for."""
    key, data = seed.to_bytes(16, signed=True), repr(what).encode()
    return tuple([number * _DRAW_SCALE for number in _DRAWS.unpack(blake2b(data, key=key).digest())])


class Network:
    """All links of one world.

    Attributes:
        faults: those that still strike.
        counts: how often each kind of fault did something.
    """

    def __init__(self, seed: int, clients: Sequence[str], faults: Iterable[Fault]) -> None:
        self._seed, self._nodes = seed, (SERVER, *clients)
        self._hosts = {name: b"\x0a" + number.to_bytes(3) for number, name in enumerate(self._nodes, 1)}
        self._names = {host: name for name, host in self._hosts.items()}
        self._addresses = {name: Address(host, _PORT_MIN) for name, host in self._hosts.items()}
        self._outsiders = 0
        self._latency_us: dict[tuple[str, str], int] = {}
        self._ordinals: Counter[tuple[str, str]] = Counter()
        self._by_link: dict[tuple[str, str], tuple[LinkFault, ...]] = {}
        self._busy_until_us: dict[Bottleneck, int] = {}
        self.faults: tuple[Fault, ...] = ()
        self.counts: Counter[str] = Counter()
        self.set_faults(faults)

    def set_faults(self, faults: Iterable[Fault]) -> None:
        """From now on these strike, and no others."""
        self.faults = tuple(faults)
        self._partitions = tuple(fault for fault in self.faults if isinstance(fault, Partition))
        self._lines = tuple(fault for fault in self.faults if isinstance(fault, Bottleneck))
        self._by_link.clear()

    def address(self, name: str) -> Address:
        """Where the node is now."""
        return self._addresses[name]

    def join(self) -> Address:
        """The address of one more outsider, alone at its host."""
        self._outsiders += 1
        return Address(b"\x0b" + self._outsiders.to_bytes(3), _PORT_MIN)

    def node_at(self, address: Address) -> str | None:
        """The node that is at this very address now."""
        name = self._names.get(address.host)
        return name if name is not None and self._addresses[name] == address else None

    def rebind(self, name: str) -> Address:
        """Give the node another address."""
        before = self._addresses[name]
        self._addresses[name] = Address(before.host, _PORT_MIN + (before.port + 1 - _PORT_MIN) % _PORTS)
        return self._addresses[name]

    def name(self, address: Address) -> str | None:
        """The node that has this address, or had it once."""
        return self._names.get(address.host)

    def latency_us(self, source: str, destination: str) -> int:
        """How long a datagram of this link takes that nothing delays."""
        link = (source, destination)
        latency_us = self._latency_us.get(link)
        if latency_us is None:
            drawn = draws(self._seed, "latency", *link)[0]
            latency_us = LATENCY_US_MIN + int(drawn**3 * (LATENCY_US_MAX - LATENCY_US_MIN))
            self._latency_us[link] = latency_us
        return latency_us

    def carry(self, source: str, to: Address, payload: bytes, now_us: int) -> list[Arrival]:
        """What `source` sends now: where and when it arrives, if it does; `now_us` since the start."""
        destination = self._names.get(to.host)
        if destination is None:
            self.counts["nobody there"] += 1
            return []
        link = (source, destination)
        ordinal = self._ordinals[link]
        self._ordinals[link] += 1
        if self._partitions and self._is_parted(source, destination, now_us):
            self.counts["Partition"] += 1
            return []
        if to != self._addresses[destination]:
            self.counts["old address"] += 1
            return []
        queued_us = self._queue(link, len(payload), now_us) if self._lines else 0
        if queued_us is None:
            self.counts["Bottleneck"] += 1
            return []
        flight = Flight(payload, destination, (), self.latency_us(*link) + queued_us)
        if faults := self._faults_of(link):
            self._strike(flight, link, ordinal, faults)
        if flight.lost:
            return []
        sender, at_us = self.address(source), now_us + flight.delay_us
        return [
            Arrival(at_us + echo_us, flight.destination, sender, flight.payload) for echo_us in (0, *flight.echoes_us)
        ]

    def _queue(self, link: tuple[str, str], size: int, now_us: int) -> int | None:
        """How long a datagram takes to be through the lines of its link, or None if it finds no room."""
        at_us = now_us
        for line in self._lines:
            if line.from_us <= now_us < line.until_us and any(_names(*named, *link) for named in line.links):
                starts_us = max(at_us, self._busy_until_us.get(line, 0))
                waiting_bytes = -(-(starts_us - at_us) * line.bytes_per_s // _SECOND_US)  # the last one begun counts
                if waiting_bytes + size + HEADERS_BYTES > line.queue_bytes_max:
                    return None
                at_us = starts_us + (size + HEADERS_BYTES) * _SECOND_US // line.bytes_per_s
                self._busy_until_us[line] = at_us
        return at_us - now_us

    def _strike(self, flight: Flight, link: tuple[str, str], ordinal: int, faults: tuple[LinkFault, ...]) -> None:
        striking = [fault for fault in faults if fault.first <= ordinal <= fault.last]
        if not striking:
            return
        drawn = draws(self._seed, "fate", *link, ordinal)
        flight.others = tuple(name for name in self._nodes if name not in link)
        for fault in striking:
            if fault.strike(flight, drawn):
                self.counts[type(fault).__name__] += 1
                if isinstance(fault, Loss):
                    return

    def _faults_of(self, link: tuple[str, str]) -> tuple[LinkFault, ...]:
        faults = self._by_link.get(link)
        if faults is None:
            source, destination = link
            faults = tuple(
                fault
                for fault in self.faults
                if isinstance(fault, LinkFault)
                and fault.source in ("*", source)
                and fault.destination in ("*", destination)
            )
            self._by_link[link] = faults
        return faults

    def _is_parted(self, source: str, destination: str, now_us: int) -> bool:
        for part in self._partitions:
            if part.from_us <= now_us < part.until_us and (
                _names(part.source, part.destination, source, destination)
                or (part.both and _names(part.source, part.destination, destination, source))
            ):
                return True
        return False


def _names(pattern_source: str, pattern_destination: str, source: str, destination: str) -> bool:
    return pattern_source in ("*", source) and pattern_destination in ("*", destination)
