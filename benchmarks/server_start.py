"""How long a server takes to start with 100,000 users and as many stored letters, and how much memory that takes.

    python -m benchmarks.server_start [users] [--letters N] [--rounds N]

Three stores are made: an empty one, one with users, and one with the same users and a letter in the mailbox of each.
Users have cards that hold, and come in no order, as people do. In each round a server is started from each of
them, a process of its own, with driver and disk; it is ready when it answers a HELLO. Its resident memory is what
Linux counts then. What the start cannot do without is that the rows of the users are read: the table has that as well,
of a process that only reads them. Both say how long that took, from opening the store to the core that knows all
users, or to the last row: the processor's time of the process, as others on the machine do not count. Medians of
the rounds; the file is in the system's cache, as it was just made or read.
"""

import argparse
import asyncio
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

from udpchat_core.bodies import CardBody
from udpchat_core.datagrams import Retry
from udpchat_core.limits import CARD_LIFE_S
from udpchat_core.secure.card import make_card
from udpchat_core.secure.link import hello
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.server import Server
from udpchat_core.server_requests import BindUser, KeepLetter, Quota, ServerState
from udpchat_core.wire import parse_untrusted
from udpchat_net.clock import Clock
from udpchat_net.driver import Driver
from udpchat_net.loop import run
from udpchat_net.stores.paths import server_path
from udpchat_net.stores.sqlite_server import SqliteServerStore, create_server

from .server_memory import resident_bytes

EMPTY, USERS, LETTERS, ROWS = "an empty store", "users", "users and letters", "only the rows read"
_KINDS: Final = {EMPTY: EMPTY, USERS: USERS, LETTERS: LETTERS, ROWS: USERS}  # what is started, and from which store
_BATCH = 1_000
_LETTER_BYTES = 400
_QUOTA = Quota(2**40, 2**40, 2**40)
_PATIENCE_S = 60.0
_RECEIVED_BYTES_MAX = 2_048


@dataclass(frozen=True, slots=True)
class Started:
    """A start.

    Attributes:
        ready_s: seconds of wall clock from the command to the answer.
        read_s: seconds of processor's time for the store's content.
        resident: bytes resident when ready.
    """

    ready_s: float
    read_s: float
    resident: int


# --- the stores ---


def make_stores(folder: Path, users: int, letters: int) -> Mapping[str, Path]:
    """A folder with a store of each kind."""
    random = Random(1)
    made = {kind: folder / kind.replace(" ", "-") for kind in (EMPTY, USERS, LETTERS)}
    people = tuple(_users(random, users))
    for kind, path in made.items():
        state = ServerState(random.randbytes(32), people if kind != EMPTY else ())
        create_server(server_path(path), state)
    with asyncio.Runner() as runner:
        store = SqliteServerStore(server_path(made[LETTERS]))
        for batch in _letters(random, people, letters):
            assert all(reply.durable for reply in runner.run(store.commit(batch)))
        store.close()
    return made


def _users(random: Random, count: int) -> Iterator[BindUser]:
    suite = StandardSuite(random.randbytes)
    for number in random.sample(range(count), count):
        private, name = random.randbytes(32), f"person-{number:05}"
        identity, expires_s = suite.sign_public(private), int(time.time()) + CARD_LIFE_S
        keys = suite.dh_public(random.randbytes(32)), suite.dh_public(random.randbytes(32))
        body = CardBody(1, 1_400 + number % 100, expires_s, identity, *keys, name)
        yield BindUser(name, identity, make_card(suite, private, body))


def _letters(random: Random, people: Sequence[BindUser], count: int) -> Iterator[list[KeepLetter]]:
    now_ms = int(time.time() * 1_000)
    for first in range(0, count, _BATCH):
        yield [
            KeepLetter(
                people[number % len(people)].identity,
                people[(number + 1) % len(people)].identity,
                random.randbytes(16),
                1,
                random.randbytes(_LETTER_BYTES),
                now_ms,
                _QUOTA,
            )
            for number in range(first, min(first + _BATCH, count))
        ]


# --- the processes ---


def started(kind: str, folder: Path) -> Started:
    """What a start of this kind from the store in `folder` took."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.server_start", "--serve", kind, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            said = json.loads(server.stdout.readline())
            if kind != ROWS:
                _ask(said["port"])
            ready_s = time.perf_counter() - begun
            return Started(ready_s, said["read_s"], resident_bytes(server.pid))
        finally:
            server.kill()


def _ask(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(_PATIENCE_S)
        client.connect(("127.0.0.1", port))
        client.send(hello(StandardSuite(os.urandom)))
        assert isinstance(parse_untrusted(client.recv(_RECEIVED_BYTES_MAX)), Retry)


async def _serve(path: Path) -> None:
    begun = time.process_time()
    clock, store = Clock(), SqliteServerStore(path)
    core = Server(StandardSuite(os.urandom), store.load(), clock.now())
    read_s = time.process_time() - begun
    driver = Driver(core, store, lambda _: None, clock)
    port = driver.bind("127.0.0.1", 0).port
    driver.start()
    _say({"port": port, "read_s": read_s})
    await driver.finished()


def _read_rows(path: Path) -> None:
    begun = time.process_time()
    with closing(sqlite3.connect(path)) as connection:
        for _ in connection.execute("SELECT name, identity, card FROM users"):
            pass
    _say({"read_s": time.process_time() - begun})
    time.sleep(_PATIENCE_S)  # until it is killed


def _say(what: Mapping[str, float]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


# --- the figures ---


def measure(users: int, letters: int, rounds: int) -> dict[str, Started]:
    """The medians of all starts, by kind."""
    starts: dict[str, list[Started]] = {kind: [] for kind in _KINDS}
    Path("build").mkdir(exist_ok=True)  # which git ignores; not in the system's folder, which may be in memory
    with tempfile.TemporaryDirectory(dir="build") as folder:
        stores = make_stores(Path(folder), users, letters)
        for _ in range(rounds):
            for kind, store in _KINDS.items():
                starts[kind].append(started(kind, stores[store]))
    return {
        kind: Started(
            median(each.ready_s for each in these),
            median(each.read_s for each in these),
            round(median(each.resident for each in these)),
        )
        for kind, these in starts.items()
    }


def report(found: Mapping[str, Started], users: int, letters: int) -> str:
    """The medians as a Markdown table, and what follows from them."""
    rows = [
        f"| {kind} | {each.ready_s:.2f} | {each.read_s:.3f} | {each.resident / 1e6:.1f} |"
        for kind, each in found.items()
    ]
    empty, full, mail, read = (found[kind] for kind in (EMPTY, USERS, LETTERS, ROWS))
    return "\n".join(
        [
            "| started with | ready, seconds | state read, seconds | resident, MB |",
            "| --- | --: | --: | --: |",
            *rows,
            f"{users:,} users: {(full.resident - empty.resident) / users:,.0f} bytes each, who are not online",
            f"{letters:,} letters: {(mail.resident - full.resident) / letters:,.1f} bytes each",
            f"ready with users / with an empty store: {full.ready_s / empty.ready_s:.2f}",
            f"state read / only the rows read: {full.read_s / read.read_s:.1f}",
            f"ready with letters / without: {mail.ready_s / full.ready_s:.2f}",
        ]
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m benchmarks.server_start", description="Time and memory of a start.")
    parser.add_argument("users", nargs="?", type=int, default=100_000)
    parser.add_argument("--letters", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", nargs=2, metavar=("KIND", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        kind, path = asked.serve[0], server_path(Path(asked.serve[1]))
        if kind == ROWS:
            _read_rows(path)
        run(_serve(path))
    print(report(measure(asked.users, asked.letters, asked.rounds), asked.users, asked.letters))


if __name__ == "__main__":
    main()
