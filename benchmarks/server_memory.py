"""How many bytes a registered, idle client costs the server's core, at 100,000 of them.

    python -m benchmarks.server_memory [clients] [--pings N] [--traced]

Every client is made through the core's own interface: HELLO, INIT, the RECORD with Register, and pings, each in a
turn of its own. The suite is the one that does not seal, which has no part in what is kept. The store answers and
keeps nothing, as a server's store is on disk; no client watches anything or has mail. Counted is all that the
process grew by between an empty server and the last ping: resident memory as Linux tells it, which is what the
limit is about, or with `--traced` what Python allocated. A small server was used and dropped before, so that code
and caches are there already.
"""

import argparse
import gc
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from unittest.mock import patch

from udpchat_core.actions import Actions, Emit, Received, SendDatagram, Store
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody
from udpchat_core.datagrams import Resp, Retry
from udpchat_core.instant import SECOND, Instant
from udpchat_core.limits import CARD_LIFE_S
from udpchat_core.messages import Message, Ping, Register
from udpchat_core.requests import StoreReply
from udpchat_core.secure.card import make_card
from udpchat_core.secure.link import hello, initiate_untrusted
from udpchat_core.server import Server, new_server_state
from udpchat_core.server_events import UserLapsed, UserRegistered
from udpchat_core.server_requests import BindUser, Bound, Expired, ExpireLetters, MailPage, ReadMail, Receipts
from udpchat_core.wire import RECORD_PLAINTEXT_BYTES_MIN, encode, pack, parse_untrusted
from udpchat_net.simulation.transparent import TransparentSuite

START = Instant(1_790_000_000 * SECOND)
CLIENTS_PER_S = 4_000  # of virtual time: so many that none lapses before the last is there

_LATE = 2**24 - 1  # the number of a client that comes when all others rest


class Crowd:
    """A server and the clients that register with it, one after the other, and are forgotten here."""

    def __init__(self, pings: int) -> None:
        self.suite = TransparentSuite(1)
        self.pings = pings
        self.online = 0
        self.now = START
        with patch("udpchat_core.server.links.INITS_PER_S_MAX", CLIENTS_PER_S):  # else the first lapse meanwhile
            self.server = Server(self.suite, new_server_state(self.suite), START)
        self._carry_out(self.server.start(START))

    def register(self, count: int) -> None:
        """Add `count` clients: named like people, each at an address of its own."""
        for number in range(count):
            self.now = Instant(self.now + SECOND // CLIENTS_PER_S)
            self._carry_out(self.server.handle_timeout(self.now))
            self._register(number)

    def rest(self) -> None:
        """Nobody says anything for two seconds, but for one more client then: what was for a second only is gone."""
        self.now = Instant(self.now + 2 * SECOND)
        self._register(_LATE)

    def _register(self, number: int) -> None:
        suite, source = self.suite, Address(bytes((10, *number.to_bytes(3))), 40_000 + number % 20_000)
        live, identity = (sha256(b"%s %d" % (what, number)).digest() for what in (b"live", b"identity"))
        expires_s = self.now // SECOND + CARD_LIFE_S
        public, mail = suite.dh_public(live), suite.dh_public(identity)
        # The seq of a client that renewed its live key hourly for two months.
        body = CardBody(
            1, 1_400 + number % 100, expires_s, suite.sign_public(identity), public, mail, f"person-{number:05}"
        )
        (greeted,) = self._send(source, hello(suite))
        retry = parse_untrusted(greeted)
        assert isinstance(retry, Retry)
        index = number.to_bytes(4)
        begun = initiate_untrusted(suite, retry.server_key, retry.token, index, live, make_card(suite, identity, body))
        (answered,) = self._send(source, begun.init)
        resp = parse_untrusted(answered)
        assert isinstance(resp, Resp)
        link = begun.finish_untrusted(suite, resp)
        for message in self._said():
            self._send(source, link.seal(suite, pack([encode(message)], RECORD_PLAINTEXT_BYTES_MIN)))

    def _said(self) -> Iterator[Message]:
        yield Register(1)
        for number in range(self.pings):
            yield Ping(2 + number)

    def _send(self, source: Address, payload: bytes) -> list[bytes]:
        return self._carry_out(self.server.receive_datagrams([Received(source, payload)], self.now))

    def _carry_out(self, actions: Actions) -> list[bytes]:
        sent: list[bytes] = []
        while actions:
            for action in actions:
                if isinstance(action, Emit):
                    self.online += {UserRegistered: 1, UserLapsed: -1}[type(action.event)]
            sent += [action.payload for action in actions if isinstance(action, SendDatagram)]
            replies = [_reply(action) for action in actions if isinstance(action, Store)]
            actions = self.server.handle_stored(replies, self.now) if replies else ()
        return sent


def _reply(asked: Store) -> StoreReply:
    """What a store says that has no mail and no receipts for anybody."""
    request = asked.request
    match request:
        case BindUser():
            return StoreReply(request, True, Bound(0, 0))
        case ReadMail():
            return StoreReply(request, True, MailPage(()))
        case ExpireLetters():
            return StoreReply(request, True, Expired(0))
        case _:
            return StoreReply(request, True, Receipts(()))


def resident_bytes(pid: int | str = "self") -> int:
    """What this process, or that one, holds of the machine's memory, as Linux counts it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1_024
    raise SystemExit(f"/proc/{pid}/status has no VmRSS: this measures on Linux only")


def measure(clients: int, pings: int, traced: bool) -> float:
    """Bytes for each client: allocated by Python if `traced`, else resident."""
    Crowd(pings).register(50)
    gc.collect()
    if traced:
        tracemalloc.start()
    crowd = Crowd(pings)
    before = tracemalloc.get_traced_memory()[0] if traced else resident_bytes()
    crowd.register(clients)
    crowd.rest()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0] if traced else resident_bytes()
    assert crowd.online == clients + 1, "every client is registered, and none lapsed meanwhile"
    return (after - before) / clients


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description="Bytes of the server's core for each registered, idle client.")
    parser.add_argument("clients", nargs="?", type=int, default=100_000)
    parser.add_argument("--pings", type=int, default=3, help="RECORDs of each client after its Register")
    parser.add_argument(
        "--traced", action="store_true", help="what Python allocated, slower, instead of resident memory"
    )
    asked = parser.parse_args()
    figure = measure(asked.clients, asked.pings, asked.traced)
    what = "allocated" if asked.traced else "resident"
    print(f"{figure:,.0f} bytes {what} for each of {asked.clients:,} registered idle clients, {asked.pings} pings each")


if __name__ == "__main__":
    main()
