"""The driver carries a core's datagrams, asks its store and keeps its time, whatever the network does."""

import asyncio
import errno
import socket
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.net.echo import Echo
from tests.net.stores.conformance import new_client_state
from tests.net.udp_peers import HOSTS, Driven, Peer, driven, soon, until
from tests.tools import needs_ipv6
from udpchat_core.actions import Actions
from udpchat_core.address import Address
from udpchat_core.client_events import MessageQueued
from udpchat_core.errors import LocalProtocolError, Reason
from udpchat_core.instant import Instant
from udpchat_core.server_events import MailKept
from udpchat_net import driver as driver_module
from udpchat_net import udp
from udpchat_net.clock import Clock
from udpchat_net.driver import Driver
from udpchat_net.loop import run
from udpchat_net.stores.sqlite_client import SqliteClientStore, create_client

Scenario = Callable[..., Coroutine[Any, Any, None]]
each_host = pytest.mark.parametrize("host", [HOSTS[0], pytest.param(HOSTS[1], marks=needs_ipv6)])


@each_host
@pytest.mark.parametrize("runner", [run, asyncio.run], ids=["uvloop", "asyncio"])
def test_what_comes_is_answered_from_where_it_was_sent_to(runner: Callable[[Any], None], host: str) -> None:
    async def scenario() -> None:
        async with driven(host) as it:
            it.peer.send(it.address, b"echo 1", b"keep 2")
            got = [await it.peer.next(), await it.peer.next()]
            assert sorted(got, key=lambda each: each[1]) == [(it.address, b"echo 1"), (it.address, b"keep 2")]

    runner(scenario())


@each_host
def test_garbage_is_counted_and_harms_nothing(host: str) -> None:
    async def scenario() -> None:
        async with driven(host) as it:
            kinds = [bytes([0xFF - n]) * n**2 for n in range(28)]  # the first is an empty datagram, the last 729 bytes
            it.peer.send(it.address, *kinds)
            await until(lambda: it.driver.dropped.total() == len(kinds))
            it.peer.send(it.address, bytes(65_507), b"echo " + bytes(1_195), b"echo " + bytes(1_196), b"echo")
            assert (await it.peer.next())[1] == b"echo " + bytes(1_195)
            assert (await it.peer.next())[1] == b"echo"
            assert it.driver.dropped == {Reason.MAGIC: len(kinds), Reason.SIZE: 2}
            assert it.peer.got.empty()

    asyncio.run(scenario())


def test_a_full_socket_is_drained_in_batches_without_a_task_for_each() -> None:
    async def scenario() -> None:
        async with driven() as it:
            tasks = len(asyncio.all_tasks())
            it.peer.send(it.address, *[b"echo"] * 200)
            await until(lambda: it.peer.got.qsize() == 200)
            assert it.core.of("received") == [64, 64, 64, 8]
            assert len(asyncio.all_tasks()) == tasks

    asyncio.run(scenario())


def test_what_is_asked_during_a_commit_goes_into_the_next_one() -> None:
    async def scenario() -> None:
        async with driven() as it:
            it.store.open.clear()
            it.peer.send(it.address, b"keep 0")
            await until(lambda: it.store.batches)
            it.peer.send(it.address, *(b"keep %d" % n for n in range(1, 150)))
            await until(lambda: sum(it.core.of("received")) == 150)
            assert it.peer.got.empty()  # nothing is answered before it is durable
            it.store.open.set()
            await until(lambda: it.peer.got.qsize() == 150)
            assert [len(batch) for batch in it.store.batches] == [1, 149]
            assert it.core.of("stored") == [1, 149]

    asyncio.run(scenario())


def test_a_store_that_fails_is_asked_again_and_nothing_is_answered_before() -> None:
    async def scenario() -> None:
        async with driven() as it:
            it.store.failures = 3
            it.peer.send(it.address, b"keep 0")
            assert (await it.peer.next())[1] == b"keep 0"
            assert len(it.store.batches) == 4

    asyncio.run(scenario())


def test_what_was_asked_after_a_commit_that_fails_fails_too_untried() -> None:
    async def scenario() -> None:
        async with driven() as it:
            it.store.failures = 1
            it.store.open.clear()
            it.peer.send(it.address, b"keep 0")
            await until(lambda: it.store.batches)
            it.peer.send(it.address, b"keep 1", b"keep 2")
            await until(lambda: sum(it.core.of("received")) == 3)
            it.store.open.set()
            assert [(await it.peer.next())[1] for _ in range(3)] == [b"keep 0", b"keep 1", b"keep 2"]
            assert [len(batch) for batch in it.store.batches] == [1, 3]  # all again, in the order of asking
            assert it.core.of("stored") == [3, 3]

    asyncio.run(scenario())


def test_a_real_store_keeps_and_is_closed(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "client.db"
        create_client(path, new_client_state(), "localhost:10001")
        peer, core = Peer("127.0.0.1"), Echo()
        driver = Driver(core, SqliteClientStore(path), lambda event: None)
        at = driver.bind("127.0.0.1", 0)
        driver.start()
        peer.send(at, *(b"keep %d" % n for n in range(500)))
        await until(lambda: peer.got.qsize() == 500)
        assert len(core.of("stored")) < 500  # fewer commits than requests
        await soon(driver.close())
        peer.close()
        SqliteClientStore(path).close()  # it is no longer locked

    asyncio.run(scenario())


@pytest.mark.parametrize("breaks", ["store", "core"])
def test_an_error_of_this_program_ends_the_driver_and_is_raised_by_finished(breaks: str) -> None:
    async def scenario() -> None:
        async with driven() as it:
            if breaks == "store":
                it.store.raises = TypeError("a fault")
            else:
                it.core.receive_datagrams = raise_fault  # type: ignore[method-assign]
            it.peer.send(it.address, b"keep 0")
            with pytest.raises(TypeError, match="a fault"):
                await soon(it.driver.finished())
            bound, _ = udp.bind("127.0.0.1", it.address.port)  # it is free
            bound.close()
        assert it.store.closed == 1

    asyncio.run(scenario())


def raise_fault(received: object, now: Instant) -> Actions:
    raise TypeError("a fault")


def test_what_a_command_raises_is_the_callers_and_the_driver_goes_on() -> None:
    async def scenario() -> None:
        async with driven() as it:

            def misuse(now: Instant) -> Actions:
                raise LocalProtocolError("there is no such name")

            with pytest.raises(LocalProtocolError):
                it.driver.call(misuse)
            it.driver.call(it.core.send, it.peer.address, b"hello")
            assert await it.peer.next() == (it.address, b"hello")
            assert it.events == [MailKept(0), MessageQueued(1, "bob")]

    asyncio.run(scenario())


def test_a_callback_may_call_the_driver_and_its_actions_come_after() -> None:
    async def scenario() -> None:
        peer, core, order = Peer("127.0.0.1"), Echo(), list[object]()

        def on_event(event: object) -> None:
            order.append(event)
            if event == MailKept(0):
                driver.call(lambda now: (*core.send(peer.address, b"2", now), *core.send(peer.address, b"3", now)))
                order.append("called")

        async with driven() as it:
            driver = Driver(core, it.store, on_event)
            driver.bind("127.0.0.1", 0)
            driver.start()
            assert [(await peer.next())[1], (await peer.next())[1]] == [b"2", b"3"]
            assert order == [MailKept(0), "called", MessageQueued(1, "bob"), MessageQueued(1, "bob")]
            await soon(driver.close())
            peer.close()

    asyncio.run(scenario())


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has IP_RECVERR, by which an unconnected socket is told of ICMP errors"
)
def test_a_refused_datagram_is_counted_and_the_driver_goes_on() -> None:
    async def scenario() -> None:
        async with driven() as it:
            gone, nobody = udp.bind("127.0.0.1", 0)
            gone.close()
            it.driver._sockets[4][0].setsockopt(socket.SOL_IP, 11, 1)  # IP_RECVERR: be told, as by other systems
            for _ in range(3):
                it.driver.call(it.core.send, nobody, b"anybody there?")
            await until(lambda: it.driver.errors["ECONNREFUSED"] + it.driver.unsent["ECONNREFUSED"])
            it.peer.send(it.address, b"echo")
            assert (await it.peer.next())[1] == b"echo"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("error", "name"),
    [(BlockingIOError(errno.EAGAIN, ""), "EAGAIN"), (OSError(errno.ENOBUFS, ""), "ENOBUFS"), (OSError("?"), "unknown")],
)
def test_what_the_system_does_not_take_is_counted(error: OSError, name: str) -> None:
    class Full:
        def sendto(self, payload: bytes, to: object) -> None:
            raise error

    async def scenario() -> None:
        async with driven() as it:
            real, it.driver._sockets[4] = it.driver._sockets[4], [Full()]  # type: ignore[list-item]
            it.driver.call(it.core.send, it.peer.address, b"lost")
            it.driver._sockets[4] = real
            it.driver.call(it.core.send, it.peer.address, bytes(70_000))
            it.driver.call(it.core.send, Address(bytes(15) + b"\x01", 9), b"no such network here")
            assert it.driver.unsent == {name: 1, "EMSGSIZE": 1, "no socket": 1}

    asyncio.run(scenario())


def test_the_timer_follows_the_earliest_deadline() -> None:
    async def scenario() -> None:
        async with driven() as it:
            it.driver.call(it.core.wake, 3_600_000_000)
            it.driver.call(it.core.wake, 2_000)  # replaces it
            due = it.core.due
            assert due is not None
            await until(lambda: it.core.of("timeout"))
            (called,) = [now for call, _, now in it.core.calls if call == "timeout"]
            assert called >= due
            assert it.events[-1] == MailKept(1)

            it.driver.call(it.core.wake, 1_000)
            it.driver.call(it.core.wake, 5_000)  # later: the timer that is set looks again then
            due = it.core.due
            await until(lambda: len(it.core.of("timeout")) == 2)
            assert it.core.of("timeout")[1] == due

            it.driver.call(it.core.wake, 1_000)
            it.core.due = None  # and this one is not wanted any more
            await until(lambda: it.driver._timer is None)
            assert len(it.core.of("timeout")) == 2

    asyncio.run(scenario())


def test_the_core_is_told_of_the_wall_clock_at_the_start_and_when_it_was_set() -> None:
    wall_ms, elapsed_ms = [1_790_000_000_000], [5_000]
    clock = Clock(lambda: wall_ms[0] * 1_000_000, lambda: elapsed_ms[0] * 1_000_000)

    async def turn(it: Driven) -> None:
        calls = len(it.core.of("received"))
        it.peer.send(it.address, b"echo")
        await until(lambda: len(it.core.of("received")) > calls)

    async def scenario() -> None:
        async with driven(clock=clock) as it:
            assert [call for call, _, _ in it.core.calls] == ["start", "clock"]
            assert it.core.calls[0][2] == 1_790_000_000_000_000
            wall_ms[0] += 900
            await turn(it)
            assert it.core.of("clock") == [1_790_000_000_000]
            wall_ms[0] -= 3_600_000  # an hour back
            elapsed_ms[0] += 10
            await turn(it)
            await turn(it)
            assert it.core.of("clock")[1:] == [1_789_996_400_900]
            assert it.core.calls[-1][2] == 1_790_000_000_010_000  # the instant did not jump

    asyncio.run(scenario())


def test_closing_commits_what_was_asked_and_lets_everything_go() -> None:
    async def scenario() -> None:
        async with driven() as it:
            it.store.open.clear()
            it.peer.send(it.address, b"keep 0")
            await until(lambda: it.store.batches)
            it.peer.send(it.address, b"keep 1", b"keep 2")
            await until(lambda: sum(it.core.of("received")) == 3)
            closing = asyncio.create_task(it.driver.close())
            await until(lambda: not it.driver._sockets[4])
            assert it.store.closed == 0
            it.store.open.set()
            await soon(closing)
            assert [len(batch) for batch in it.store.batches] == [1, 2]
            assert it.store.closed == 1
            assert it.peer.got.empty()
            await soon(it.driver.finished())
            bound, _ = udp.bind("127.0.0.1", it.address.port)
            bound.close()
            assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    asyncio.run(scenario())


@needs_ipv6
def test_one_port_serves_both_kinds_and_no_address_is_a_mapped_one() -> None:
    async def scenario() -> None:
        async with driven() as it:
            any4 = it.driver.bind("0.0.0.0", 0)
            any6 = it.driver.bind("::", any4.port)
            for host in HOSTS:
                peer = Peer(host)
                peer.send(Address(peer.address.host, any6.port), b"echo")
                source, _ = await peer.next()
                assert source == Address(peer.address.host, any6.port)
                peer.close()

    asyncio.run(scenario())


def test_a_machine_of_several_addresses_answers_from_the_one_that_was_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_module, "PEERS_REMEMBERED_MAX", 1)

    async def scenario() -> None:
        async with driven() as it:
            second = it.driver.bind("127.0.0.2", 0)
            other = Peer("127.0.0.1")
            for peer in (it.peer, other, it.peer):
                peer.send(second, b"echo")
                assert await peer.next() == (second, b"echo")
                peer.send(it.address, b"echo")
                assert await peer.next() == (it.address, b"echo")
            assert len(it.driver._via) == 1
            other.close()

    asyncio.run(scenario())


def test_uvloop_runs_a_program_if_it_is_there_and_asyncio_does_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    async def loop() -> str:
        return type(asyncio.get_running_loop()).__module__.partition(".")[0]

    assert run(loop()) == "uvloop"
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert run(loop()) == "asyncio"
