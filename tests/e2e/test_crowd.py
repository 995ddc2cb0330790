"""Many clients at once, over as many sockets, at a server in a process of its own."""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.ends import SERVER_HOST, End, delivered, heard, say
from tests.e2e.worker import Worker
from tests.net.udp_peers import until
from tests.ports import free_port
from udpchat_core.address import Address
from udpchat_core.client import Client, new_client_state
from udpchat_core.client_events import Registered
from udpchat_core.secure.suite import StandardSuite
from udpchat_net.clock import Clock
from udpchat_net.loop import run
from udpchat_net.stores.memory_client import ClientMemory

AT_ONCE, ALL = 300, 1_000
_FILES = ALL + 200


@pytest.fixture
def files() -> Iterator[None]:
    """Enough open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < _FILES:
        pytest.skip(
            f"a process may have {hard} open files here, and {ALL} sockets need more (root: ulimit -Hn {_FILES})"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, _FILES) if soft >= 0 else soft, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def serving(folder: Path) -> Iterator[Address]:
    """A server in a process of its own; where it is."""
    port = free_port()
    worker = Worker.start(folder, "server", 1, port)
    try:
        assert worker.pipe.recv() == ("up",)  # else one of the crowd could get its port
        yield Address(bytes(map(int, SERVER_HOST.split("."))), port)
    finally:
        worker.kill()


def enter(at: Address, number: int) -> End[Client]:
    """One of the crowd, on its way; its disk is in memory, for a thousand would keep each other waiting."""
    suite, clock = StandardSuite(os.urandom), Clock()
    state = new_client_state(suite, f"user{number}", time.time_ns() // 1_000_000)
    end = End(Client(suite, state, at, clock.now()), ClientMemory(state), clock)
    end.call(end.core.register)
    return end


def test_a_crowd_that_starts_at_once_registers_and_people_in_it_are_answered(files: None, tmp_path: Path) -> None:
    async def scenario(at: Address) -> None:
        crowd = [enter(at, number) for number in range(AT_ONCE)]
        await until(lambda: all(end.of(Registered) for end in crowd))
        crowd += [enter(at, number) for number in range(AT_ONCE, ALL)]
        say(crowd[1], "user2", "while others come")  # neither knows the other: the directory is asked first
        await until(lambda: delivered(crowd[1]))
        await until(lambda: all(end.of(Registered) for end in crowd))
        say(crowd[ALL - 1], "user3", "now that everybody is here")
        await until(lambda: delivered(crowd[ALL - 1]))
        await until(lambda: heard(crowd[2], "user1") == ["while others come"])  # its name is confirmed first
        await until(lambda: heard(crowd[3], f"user{ALL - 1}") == ["now that everybody is here"])
        assert all(end.core.is_online for end in crowd)
        assert not sum((end.driver.unsent + end.driver.errors).total() for end in crowd)
        for end in crowd:
            await end.driver.close()

    with serving(tmp_path) as at:
        run(scenario(at))
