"""What `doctor` finds on the way to a server: its name, port, key, path MTU and handshake."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stage import HOST, Stage, play
from tests.cli.virtual_time import VirtualTimeLoop
from tests.ports import free_port
from tests.tools import needs_ipv6
from udpchat_cli.doctor import network
from udpchat_cli.doctor.asking import Asking, Trouble
from udpchat_cli.doctor.finding import Finding, State
from udpchat_cli.exits import Exit
from udpchat_core.address import Address
from udpchat_core.datagrams import Hello, Init, Resp, Retry
from udpchat_core.wire import parse_untrusted, serialize
from udpchat_net import udp


async def found(port: int, pinned: bytes | None = None, host: str = HOST) -> dict[str, Finding]:
    """What is found on the way to a server."""
    return {finding.check: finding async for finding in network.examine(host, port, pinned)}


def states(findings: dict[str, Finding]) -> dict[str, State]:
    return {check: finding.state for check, finding in findings.items()}


def test_on_a_good_way_everything_is_good(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        findings = await found(stage.port)
        checks = ("name", "port", "server key", "path MTU", "handshake")
        assert states(findings) == dict.fromkeys(checks, State.GOOD)
        assert findings["name"].text == "127.0.0.1 (IPv4)"
        assert findings["path MTU"].text.startswith("1,200 bytes arrive at the server")
        key = bytes.fromhex(findings["server key"].text.replace(" ", ""))
        assert (await found(stage.port, key))["server key"].text == "the one that is remembered"
        assert not [thing for thing in stage.logged if thing["event"] == "registered"]

    play(scene, tmp_path)


def test_another_key_of_the_server_is_wrong(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        finding = (await found(stage.port, bytes(32)))["server key"]
        assert (finding.state, finding.status) == (State.WRONG, Exit.KEY_CHANGED)
        assert "`udpchat verify --server --accept`" in finding.advice

    play(scene, tmp_path)


def virtually(scene: Callable[[], object]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(scene())  # type: ignore[arg-type]


def test_a_port_where_nobody_listens_is_told_from_silence() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        refused = await found(free_port())
        assert list(refused) == ["name", "port"]
        assert "nobody listens at UDP port 127.0.0.1:" in refused["port"].text
        assert "(the usual port is 10001)" in refused["port"].advice
        assert loop.time() == 0
        mute, at = udp.bind(HOST, 0)
        with mute:
            silent = await found(at.port)
        assert silent["port"].text == f"no answer from 127.0.0.1:{at.port} within 2 s"
        assert "a firewall" in silent["port"].advice
        assert loop.time() == 2
        assert {refused["port"].status, silent["port"].status} == {Exit.UNREACHABLE}

    virtually(scene)


def test_of_several_addresses_the_one_that_answers_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(stage: Stage) -> None:
        async def addresses_of(_: str, port: int) -> list[Address]:
            return [Address(bytes((127, 0, 0, last)), port) for last in (2, 1)]

        monkeypatch.setattr(network, "addresses_of", addresses_of)
        findings = [finding async for finding in network.examine("two.example", stage.port, None)]
        assert findings[0].text == "two.example is 127.0.0.2 (IPv4), 127.0.0.1 (IPv4)"
        ports = [(finding.state, finding.text) for finding in findings if finding.check == "port"]
        assert [state for state, _ in ports] == [State.UNTESTED, State.GOOD]
        assert "nobody listens at UDP port 127.0.0.2:" in ports[0][1]
        assert {finding.state for finding in findings[3:]} == {State.GOOD}

    play(scene, tmp_path)


def test_a_name_without_an_address_is_said() -> None:
    async def scene() -> None:
        findings = await found(10_001, host="no-such-host.invalid")
        assert list(findings) == ["name"]
        assert (findings["name"].state, findings["name"].status) == (State.WRONG, Exit.UNREACHABLE)
        assert findings["name"].advice

    virtually(scene)


class Half(asyncio.DatagramProtocol):
    """A server that answers what `answers` says, and nothing else."""

    def __init__(self, answers: Callable[[bytes], bytes | None]) -> None:
        self._answers = answers

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answers(data)
        for payload in (b"noise", *([answer] if answer else [])):
            self._transport.sendto(payload, addr)


def greets(data: bytes, key: bytes = b"\x09" + bytes(31)) -> bytes | None:
    return serialize(Retry(data[3:19], bytes(16), key)) if isinstance(parse_untrusted(data), Hello) else None


@pytest.mark.parametrize("key", [b"\x09" + bytes(31), bytes(32)], ids=["no handshake", "no key"])
def test_a_server_that_only_greets_is_wrong_from_there_on(key: bytes) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Half(lambda data: greets(data, key)), local_addr=(HOST, 0)
        )
        findings = await found(transport.get_extra_info("sockname")[1])
        transport.close()
        assert states(findings) == {
            "name": State.GOOD,
            "port": State.GOOD,
            "server key": State.GOOD,
            "path MTU": State.WRONG,
            "handshake": State.WRONG,
        }
        assert "one of 1,200 bytes does not (no answer)" in findings["path MTU"].text

    virtually(scene)


def pretends(data: bytes) -> bytes | None:
    """Answers everything, and has not the key that it shows."""
    datagram = parse_untrusted(data)
    if isinstance(datagram, Init):
        return serialize(Resp(datagram.index, os.urandom(52)))
    return serialize(Retry(data[3:19], bytes(16), b"\x09" + bytes(31)))


def test_a_server_that_cannot_prove_its_key_is_wrong() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: Half(pretends), local_addr=(HOST, 0))
        findings = await found(transport.get_extra_info("sockname")[1])
        transport.close()
        assert findings.pop("handshake").state is State.WRONG
        assert {finding.state for finding in findings.values()} == {State.GOOD}

    virtually(scene)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked for IP_MTU_DISCOVER")
def test_what_is_longer_than_a_path_takes_is_not_sent_in_fragments() -> None:
    async def scene() -> None:
        bound, at = udp.bind(HOST, 0)
        with bound:
            asking = Asking(at)
            try:
                assert asking._socket.getsockopt(socket.IPPROTO_IP, 10) == 2  # IP_MTU_DISCOVER, IP_PMTUDISC_DO
                assert await asking.ask(bytes(65_508), lambda _: True) is Trouble.TOO_LONG
            finally:
                asking.close()

    virtually(scene)


@needs_ipv6
def test_ipv6_is_asked_as_well() -> None:
    async def scene() -> None:
        assert "nobody listens at UDP port [::1]:" in (await found(free_port(), host="::1"))["port"].text

    virtually(scene)
