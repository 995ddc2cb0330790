"""`doctor` says what is good, wrong or not tested, and what to do; its status is that of the first wrong."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.processes import PATIENCE_S, Server, first_line, free_port, start
from tests.cli.stage import Stage, play
from tests.cli.virtual_time import VirtualTimeLoop
from udpchat_cli import main, schema
from udpchat_cli.doctor import machine, network
from udpchat_cli.doctor.asking import Asking, Trouble
from udpchat_cli.doctor.finding import Finding, State
from udpchat_cli.exits import Exit
from udpchat_cli.values import Endpoint
from udpchat_core.address import Address
from udpchat_core.client import Client
from udpchat_core.datagrams import Hello, Init, Resp, Retry
from udpchat_core.wire import parse_untrusted, serialize
from udpchat_net import udp

HOST = "127.0.0.1"
SECRET = os.urandom(32)


async def found(port: int, pinned: bytes | None = None, host: str = HOST) -> dict[str, Finding]:
    """What is found on the way to a server."""
    return {finding.check: finding async for finding in network.examine(host, port, pinned)}


def states(findings: dict[str, Finding]) -> dict[str, State]:
    return {check: finding.state for check, finding in findings.items()}


# --- the network ---


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


@pytest.mark.skipif(sys.platform != "linux", reason="the option is Linux's")
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


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python has no IPv6")
def test_ipv6_is_asked_as_well(tmp_path: Path) -> None:
    try:
        udp.bind("::1", 0)[0].close()
    except udp.DriverError:
        pytest.skip("this machine has no IPv6")

    async def scene() -> None:
        assert "nobody listens at UDP port [::1]:" in (await found(free_port(), host="::1"))["port"].text

    virtually(scene)


# --- the machine ---


def examined(folder: Path) -> list[Finding]:
    return list(machine.examine_state(folder))


def test_the_files_of_a_state_folder_are_read_and_whether_they_are_at_work(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("anna")
        bob = await stage.online("bob")
        findings = examined(tmp_path)
        assert {finding.state for finding in findings} == {State.GOOD}
        texts = sorted(finding.text.partition(" ")[2] for finding in findings[1:])
        assert texts == ["is whole", "is whole, and at work now"]
        (served,) = examined(tmp_path / "server")[1:]
        assert served.text == "server.db is whole, and at work now"
        await bob.end()

    tmp_path.chmod(0o700)
    play(scene, tmp_path)


def test_what_is_wrong_with_a_state_folder_is_said(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("anna")

    play(scene, tmp_path)
    (path,) = tmp_path.glob("client-*.db")
    path.chmod(0o640)
    (_, finding) = examined(tmp_path)
    assert (finding.status, finding.advice) == (Exit.STATE, f"chmod 600 {path}")
    data = bytearray(path.read_bytes())
    data[5_000:9_000] = bytes(4_000)
    path.write_bytes(data)
    (_, finding) = examined(tmp_path)
    assert "is damaged" in finding.text
    path.write_text("my diary")
    (_, finding) = examined(tmp_path)
    assert "is not a udpchat client's store" in finding.text
    tmp_path.chmod(0o777)
    (folder, *_) = examined(tmp_path)
    assert (folder.status, folder.text) == (Exit.STATE, f"others may write in {tmp_path}")
    (nothing,) = examined(tmp_path / "none")
    assert nothing.state is State.GOOD
    (no_folder,) = examined(path)
    assert no_folder.text == f"{path} is no folder"


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "FREE_BYTES_MIN", 1 << 62)
    tmp_path.chmod(0o700)
    (finding,) = examined(tmp_path)
    assert finding.text.endswith("MiB are left on its disk")


def test_the_port_of_the_settings_is_tried() -> None:
    assert machine.examine_port(None).state is State.GOOD
    bound, at = udp.bind(HOST, 0)
    with bound:
        taken = machine.examine_port(Endpoint(HOST, at.port))
    assert (taken.state, taken.status) == (State.WRONG, Exit.USAGE)
    assert taken.text == f"{HOST}:{at.port} is in use by another program"
    assert machine.examine_port(Endpoint(HOST, at.port)).text == f"UDP port {at.port} can be had"


# --- the command ---


class Person:
    """Somebody at the shared server."""

    def __init__(self, name: str, server: Server, folder: Path) -> None:
        self.name, self.folder = name, folder / name
        self.words = ["--as", f"{name}@{HOST}:{server.port}", "--state", str(self.folder)]

    def is_made(self) -> "Person":
        process = start(*self.words, "who", stdin=subprocess.DEVNULL)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        return self


@pytest.fixture
def reported(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., object]:
    """Run `doctor`: its findings by name, and its status."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def run(*words: str) -> tuple[dict[str, dict[str, str]], int]:
        status = main(["doctor", "--json", *words])
        printed = capfd.readouterr()
        assert printed.err == ""
        things = [json.loads(line) for line in printed.out.splitlines()]
        for thing in things:
            schema.made(**thing)
        return {thing["check"]: thing for thing in things}, status

    return run


Reported = Callable[..., tuple[dict[str, dict[str, str]], int]]


def test_an_account_is_tried_with_its_clock_and_a_peer(server: Server, tmp_path: Path, reported: Reported) -> None:
    dan, dot = (Person(name, server, tmp_path).is_made() for name in ("dan", "dot"))
    told, status = reported(*dan.words, "--peer", "dot")
    assert status == 0
    assert re.fullmatch(rf"dan is registered, and seen at {HOST}:\d+", told["registration"]["text"])
    assert re.fullmatch(r"\d\.\d s from the server's", told["clock"]["text"])
    assert told["server key"]["text"] == "the one that is remembered"
    assert (told["way to a peer"]["state"], told["way to a peer"]["text"]) == (
        "not tested",
        "dot is away: messages wait in the mailbox",
    )
    told, status = reported(*dan.words, "--peer", "no-such-one")
    assert (told["way to a peer"]["text"], status) == ("nobody has the name no-such-one", Exit.UNKNOWN)
    listening = start(*dot.words, "listen", stdin=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE_S
        while "dot is at" not in (text := reported(*dan.words, "--peer", "dot")[0]["way to a peer"]["text"]):
            assert time.monotonic() < until
        assert re.fullmatch(rf"dot is at {HOST}:\d+, and nothing refuses a datagram", text)
        busy, status = reported(*dot.words, "--peer", "dan")
        assert status == 0
        assert busy["registration"]["state"] == busy["way to a peer"]["state"] == "not tested"
    finally:
        listening.kill()
        listening.communicate(timeout=PATIENCE_S)
    told, status = reported(*dan.words, "--peer", "dot")
    assert status == Exit.STORED
    assert told["way to a peer"]["text"].endswith("and a datagram there is refused")


def test_a_clock_that_is_wrong_is_said(
    server: Server, tmp_path: Path, reported: Reported, monkeypatch: pytest.MonkeyPatch
) -> None:
    dora = Person("dorothea", server, tmp_path).is_made()
    monkeypatch.setattr(Client, "server_ahead_ms", 7_200_000)
    told, status = reported(*dora.words)
    assert status == Exit.STATE
    assert told["clock"]["text"] == "7,200 s behind the server's"


def test_a_ban_is_said(tmp_path: Path, reported: Reported, capfd: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    words = ("--bind", f"{HOST}:{port}", "--state", str(tmp_path / "server"))
    process = start("server", *words, stdin=subprocess.DEVNULL)
    try:
        first_line(process)
        account = ["--as", f"dora@{HOST}:{port}", "--state", str(tmp_path / "dora")]
        assert main([*account, "who"]) == 0
        assert main(["server", "ban", "dora", "--state", str(tmp_path / "server")]) == 0
        capfd.readouterr()
        told, status = reported(*account)
        assert status == Exit.REFUSED
        assert told["registration"]["text"].endswith("refused dora")
        assert told["registration"]["advice"] == "the server does not serve this name"
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def test_a_server_alone_needs_no_account(server: Server, tmp_path: Path, reported: Reported) -> None:
    told, status = reported(f"--state={tmp_path}", f"{HOST}:{server.port}")
    assert status == 0
    assert told["handshake"]["text"] == "the server proved that the key is its own"
    assert told["registration"]["state"] == told["clock"]["state"] == "not tested"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("127.0.0.1 --peer bob", "--peer: somebody has to ask for the peer"),
        ("127.0.0.1:7 --as dan@127.0.0.1", "dan@127.0.0.1 is at another server: give one of both"),
        ("", "nobody is known in"),
    ],
)
def test_what_cannot_be_asked_is_said(
    words: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["doctor", *words.split(), "--state", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


def test_on_a_wrong_port_it_says_so_to_read(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "udpchat_cli", "doctor", f"{HOST}:{free_port()}", "--state", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert run.returncode == 4
    lines = run.stdout.splitlines()
    assert lines[-2].startswith("wrong      port           nobody listens at UDP port 127.0.0.1:")
    assert lines[-1].startswith("                          -> see whether the server runs, and at which port")
