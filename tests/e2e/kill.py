"""Kills servers and clients that talk, again and again: `python -m tests.e2e.kill --rounds 200 --seed 1`.

Theory of operation. A server and three clients run, each a process of its own, and each client has messages under
way to both others all the time. A round waits until so many things were told by any of them, then sends SIGKILL to
some and starts them again; now and then while there is mail for somebody who is away, and now and then what a
sender was told is stored has to arrive from the server's disk alone, as its sender and the server died and only the
server came back. The seed says whom, how many and when. In the end everything that waits arrives, everybody closes,
and the files are held against each other and against what was told: nothing acknowledged is lost, nothing is
entered twice or out of order.
"""

import argparse
import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import closing
from multiprocessing.connection import wait
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, Final

from tests.e2e.ends import client_path
from tests.e2e.worker import NAMES, Worker
from tests.ports import free_port
from udpchat_net.stores.paths import server_path

SERVER: Final = "server"
TOLD_MAX: Final = 60
"""A round kills after up to so many things were told."""
PATIENCE_S: Final = 120
"""A client that nobody talks to finds out with its keepalive, after 20 s, that the server was started again."""
Told = tuple[Any, ...]


class Fleet:
    """The processes.

    Attributes:
        told: what everybody told, in order: (who, what, ...).
        kills: how often whom.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, Random(seed)
        self.told: list[Told] = []
        self.kills: Counter[str] = Counter()
        self._lives: Counter[str] = Counter()
        self._workers: dict[str, Worker] = {}
        self._port = free_port()
        self.start(SERVER, *NAMES)
        for name in NAMES:
            self.until(f"{name} is registered", name, "registered")
        self._start_again()

    def start(self, *names: str) -> None:
        """Start these, if they do not run."""
        for name in names:
            if name not in self._workers:
                self._lives[name] += 1
                self._workers[name] = Worker.start(self.folder, name, self._lives[name], self._port)

    def kill(self, *names: str) -> None:
        """Kill these; the processes are gone then."""
        for name in names:
            self.kills[name] += 1
            self.told += [(name, *what) for what in self._workers.pop(name).kill()]

    def order(self, name: str, *order: str) -> None:
        """Tell somebody to do something."""
        self._workers[name].pipe.send(order)

    def until(self, what: str, *told: str, since: int = 0) -> None:
        """Until this was told, since there; everybody is listened to meanwhile."""
        deadline = monotonic() + PATIENCE_S
        while told not in self.told[since:]:
            since = len(self.told)
            self._listen(what, deadline)

    def _listen(self, what: str, deadline: float) -> None:
        names = {worker.pipe: name for name, worker in self._workers.items()}
        ready = wait(list(names), deadline - monotonic())
        assert ready, f"given up waiting until {what}"
        for name in [name for pipe, name in names.items() if pipe in ready]:
            told = self._workers[name].told()
            self.told += [(name, *each) for each in told]
            assert told or self._workers[name].process.is_alive(), f"{name} ended by itself: see its stderr"

    def _start_again(self) -> None:
        self.kill(SERVER, *NAMES)
        self.start(SERVER, *NAMES)

    # --- rounds ---

    def round(self) -> None:
        """Kill somebody sometime."""
        until, deadline = len(self.told) + self.random.randrange(TOLD_MAX), monotonic() + PATIENCE_S
        while len(self.told) < until:
            self._listen("enough is told", deadline)
        how = self.random.choice(
            (self._kill_one, self._kill_one, self._kill_some, self._leave_one, self._lose_a_sender)
        )
        how()
        self.start(SERVER, *NAMES)

    def _kill_one(self) -> None:
        self.kill(self.random.choice((SERVER, *NAMES)))

    def _kill_some(self) -> None:
        self.kill(*self.random.sample((SERVER, *NAMES), self.random.randint(2, 4)))

    def _leave_one(self) -> None:
        """Somebody is away while somebody talks to them, and the server dies meanwhile."""
        sender, away = self.random.sample(NAMES, 2)
        self.kill(away)
        self._leave_mail(sender, away)
        self.kill(SERVER)

    def _lose_a_sender(self) -> None:
        """What a sender was told is stored arrives from the server's disk alone."""
        sender, away = self.random.sample(NAMES, 2)
        self.kill(away)
        text = self._leave_mail(sender, away)
        self.kill(sender, SERVER)
        since = len(self.told)
        self.start(SERVER, away)
        self.until(f"{away} has {text!r}", away, "shown", sender, text, since=since)

    def _leave_mail(self, sender: str, away: str) -> str:
        """The sender says something new, and is told that it is stored; what it is."""
        since, text = len(self.told), f"mail no. {self.kills.total()} from {sender} to {away}"
        self.order(sender, "say", away, text)
        self.until(f"{text!r} is stored", sender, "stored", away, text, since=since)
        return text

    def finish(self) -> None:
        """After one more start of everybody, let everything arrive, and close everybody."""
        self._start_again()
        since = len(self.told)
        for name in NAMES:
            self.order(name, "enough")
        for name in NAMES:
            self.until(f"nothing of {name} waits", name, "idle", since=since)
        for name in (*NAMES, SERVER):
            self.order(name, "close")
            self.until(f"{name} is closed", name, "closed", since=since)
            self._workers.pop(name).kill()

    def end(self) -> None:
        """Nothing of it runs any more."""
        self.kill(*self._workers)


# --- the files ---


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a file says; nobody has it open."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def inbox(folder: Path, name: str) -> list[tuple[str, str]]:
    """(Sender, text) of what this client has, in the order of entering."""
    return rows(client_path(folder, name), "SELECT name, text FROM inbox ORDER BY rowid")


def check(folder: Path, told: list[Told]) -> int:
    """Hold the files against each other and against what was told; the number of messages. Raises AssertionError."""
    messages = 0
    for name in NAMES:
        outgoing = rows(
            client_path(folder, name), "SELECT recipient_name, text, outcome FROM outgoing ORDER BY message"
        )
        assert {outcome for _, _, outcome in outgoing} == {"delivered"}, f"{name} has something undelivered"
        for other in NAMES:
            sent = [text for to, text, _ in outgoing if to == other]
            entered = [text for sender, text in inbox(folder, other) if sender == name]
            assert entered == sent, f"what {other} has of {name} is not what was sent, each once and in order"
        texts = {text for _, text, _ in outgoing}
        queued = [what[2] for what in told if what[:2] == (name, "queued")]
        assert texts.issuperset(queued), f"{name} was told that something is queued which is not on its disk"
        messages += len(outgoing)
        shown = [what[2:] for what in told if what[:2] == (name, "shown")]
        assert len(shown) == len(set(shown)), f"{name} was shown something twice"
        assert set(inbox(folder, name)).issuperset(shown), f"{name} was shown what is not on its disk"
    server = server_path(folder)
    assert rows(server, "PRAGMA integrity_check") == [("ok",)]
    assert {name for (name,) in rows(server, "SELECT name FROM users")} == set(NAMES)
    counted = "SELECT letters, (SELECT count(*) FROM letters WHERE mailbox = mailboxes.id) FROM mailboxes"
    assert all(said == there for said, there in rows(server, counted)), "a mailbox has a wrong number of letters"
    return messages


def run(folder: Path, rounds: int, seed: int) -> str:
    """So many rounds, and the checks; what it came to. Raises AssertionError."""
    fleet = Fleet(folder, seed)
    try:
        for _ in range(rounds):
            fleet.round()
        fleet.finish()
    finally:
        fleet.end()
    messages = check(folder, fleet.told)
    counts = Counter(what for _, what, *_ in fleet.told)
    return f"{rounds} rounds, kills {dict(fleet.kills)}, {messages} messages, told {dict(counts)}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.kill", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200, help="at least one is killed in each")
    parser.add_argument("--seed", type=int, default=1, help="of who is killed when")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(run(Path(folder), options.rounds, options.seed) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
