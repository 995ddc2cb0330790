"""What one registration costs the server in bytes, however many users there are: flat, where nobody watches everybody.

    python -m benchmarks.presence [users ...] [--watching N]

Every user is a whole client of the simulated network, and has so many contacts, which it watches: of users in a ring,
those after it. Once all are online, some programs are started again, one after the other: a registration each, with
a new card. Counted is all that the server sends but Pongs, which keep links alive: the handshake and Registered, the
roster and the contacts' cards for who registered; hints, the change, and the new card for those who watch it; and
whatever it makes others ask. Time is virtual and nothing is drawn from outside, so the figures are the same on every
machine. The 10,000 take some minutes.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from udpchat_core.address import Address
from udpchat_core.client_requests import ClientState, SavePin
from udpchat_core.datagrams import HEADER_BYTES
from udpchat_core.messages import Pong
from udpchat_core.secure.suite import Suite
from udpchat_core.wire import unpack_untrusted
from udpchat_net.simulation.cores import Cores
from udpchat_net.simulation.faults import SERVER
from udpchat_net.simulation.node import Node, Observer
from udpchat_net.simulation.world import SECOND, World

USERS: Final = (10, 100, 1_000, 10_000)
WATCHING: Final = 8
REGISTRATIONS: Final = 10
_AT_SEALED: Final = HEADER_BYTES + 12  # in a RECORD, after index and counter
_PER_S: Final = 500  # users that register a second, at first; the server answers 1,000
_GAP_US: Final = 10 * SECOND  # the last card is looked up by then: nothing is merged with the next one
_SETTLED_US: Final = 20 * SECOND


@dataclass(frozen=True, slots=True)
class Figure:
    """What one registration takes of the server, with so many users: bytes and datagrams sent."""

    users: int
    bytes: float
    datagrams: float


class Ring(Cores):
    """Users whose contacts are the next ones in a ring."""

    def __init__(self, names: Sequence[str], watching: int) -> None:
        self._names, self._watching = names, watching

    def client_state(self, suite: Suite, name: str, now_ms: int) -> ClientState:
        at, names = int(name[4:]), self._names
        nexts = [names[(at + number) % len(names)] for number in range(1, self._watching + 1)]
        pins = tuple(SavePin(each, suite.sign_public(_identity(each))) for each in nexts)
        return replace(super().client_state(suite, name, now_ms), identity=_identity(name), pins=pins)


class Meter(Observer):
    """Counts what the server sends, but Pongs."""

    def __init__(self) -> None:
        self.bytes = self.datagrams = 0

    def sent(self, node: Node, to: Address, payload: bytes) -> None:  # noqa: ARG002 - said in Observer
        if node.name == SERVER and not _is_pong(node, payload):
            self.bytes += len(payload)
            self.datagrams += 1


def measure(users: int, watching: int = WATCHING, registrations: int = REGISTRATIONS) -> Figure:
    """What a registration takes with so many users, each of which watches so many others."""
    if watching >= users:
        raise ValueError(f"{users} users cannot watch {watching} others each")
    names = [f"user{number:05}" for number in range(users)]
    meter = Meter()
    world = World(1, names, cores=Ring(names, watching), observers=(meter,))
    for number, name in enumerate(names):
        world.at(number * SECOND // _PER_S, world.register, name)
    world.run(users * SECOND // _PER_S + 3 * _SETTLED_US)
    before_bytes, before_datagrams = meter.bytes, meter.datagrams
    for number in range(registrations):
        world.at(world.now_us + number * _GAP_US, world.restart, names[number * users // registrations])
    world.run(registrations * _GAP_US + _SETTLED_US)
    sent_bytes, sent_datagrams = meter.bytes - before_bytes, meter.datagrams - before_datagrams
    return Figure(users, sent_bytes / registrations, sent_datagrams / registrations)


def _is_pong(node: Node, payload: bytes) -> bool:
    plaintext = node.suite.records.get(payload[_AT_SEALED:])
    return plaintext is not None and all(isinstance(each, Pong) for each in unpack_untrusted(plaintext))


def _identity(name: str) -> bytes:
    return sha256(name.encode()).digest()


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table; ratios are to the first."""
    rows = [("users", "bytes a registration", "datagrams", "ratio of bytes"), ("--:",) * 4]
    rows += [
        (f"{one.users:,}", f"{one.bytes:,.0f}", f"{one.datagrams:.1f}", f"{one.bytes / figures[0].bytes:.2f}")
        for one in figures
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Bytes that the server sends for a registration.")
    parser.add_argument("users", nargs="*", type=int, default=USERS)
    parser.add_argument("--watching", type=int, default=WATCHING, metavar="N", help=f"contacts of each ({WATCHING})")
    asked = parser.parse_args()
    print(table([measure(users, asked.watching) for users in asked.users]), end="")


if __name__ == "__main__":
    main()
