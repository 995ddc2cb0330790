"""`doctor` says what is good, wrong or not tested, and what to do; its status is that of the first wrong."""

import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.processes import PATIENCE_S, Server, first_line, start
from tests.cli.stage import HOST
from tests.cli.user import User
from tests.ports import free_port
from udpchat_cli import main, schema
from udpchat_cli.exits import Exit
from udpchat_core.client import Client
from udpchat_net.stores.lockfile import LockFile


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
    dan, dot = (User(name, server, tmp_path) for name in ("dan", "dot"))
    for user in (dan, dot):
        user.arrive()
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
    listening = dot.start("listen")
    try:
        until = time.monotonic() + PATIENCE_S
        while "dot is at" not in (text := reported(*dan.words, "--peer", "dot")[0]["way to a peer"]["text"]):
            assert time.monotonic() < until
        assert re.fullmatch(rf"dot is at {HOST}:\d+, and nothing refuses a datagram", text)
        dot_at = f"dot@{HOST}:{server.port}"
        busy, status = reported(*dot.words, "--peer", "dan")
        assert status == 0
        assert (busy["registration"]["state"], busy["registration"]["text"]) == (
            "good",
            f"{dot_at} is at work already, and registered",
        )
        assert (busy["clock"]["state"], busy["clock"]["advice"]) == ("not tested", "stop that udpchat first")
        assert (busy["way to a peer"]["state"], busy["way to a peer"]["text"]) == (
            "not tested",
            "dan is away: messages wait in the mailbox",
        )
        busy, status = reported(*dot.words, "--peer", "no-such-one")
        assert (busy["way to a peer"]["text"], status) == ("nobody has the name no-such-one", Exit.UNKNOWN)
        other = dan.start("listen")
        try:
            until = time.monotonic() + PATIENCE_S
            while "is online" not in (text := reported(*dot.words, "--peer", "dan")[0]["way to a peer"]["text"]):
                assert time.monotonic() < until
            assert text == f"dan is online, and {dot_at} is at work already"
        finally:
            other.terminate()
            other.communicate(timeout=PATIENCE_S)
    finally:
        listening.kill()
        listening.communicate(timeout=PATIENCE_S)
    told, status = reported(*dan.words, "--peer", "dot")
    assert status == Exit.STORED
    assert told["way to a peer"]["text"].endswith("and a datagram there is refused")


def test_a_clock_that_is_wrong_is_said(
    server: Server, tmp_path: Path, reported: Reported, monkeypatch: pytest.MonkeyPatch
) -> None:
    dora = User("dorothea", server, tmp_path)
    dora.arrive()
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
        start("chat", "--ui", "plain", *account, stdin=subprocess.DEVNULL).communicate(timeout=PATIENCE_S)
        assert main(["server", "ban", "dora", "--state", str(tmp_path / "server")]) == 0
        capfd.readouterr()
        told, status = reported(*account)
        assert status == Exit.REFUSED
        assert told["registration"]["text"].endswith("refused dora")
        assert told["registration"]["advice"] == "the server does not serve this name"
        assert told["clock"]["state"] == "not tested"
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
    assert lines[-3].startswith("wrong      port           nobody listens at UDP port 127.0.0.1:")
    assert lines[-2].startswith("                          -> see whether the server runs, and at which port")
    assert lines[-1] == "not tested the rest       it takes a server that answers"


def test_a_broken_disk_is_a_row_of_the_report(server: Server, tmp_path: Path) -> None:
    dave = User("dave", server, tmp_path)
    dave.arrive()
    command = [sys.executable, "-m", "udpchat_cli", "doctor", "--peer", "dan", *dave.words]
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )
    assert (run.stderr, run.returncode) == ("", Exit.STATE)
    lines = run.stdout.splitlines()
    assert re.fullmatch(r"wrong +registration +.*cannot be used \(.*\)", lines[-4])
    assert lines[-3] == "                          -> see its folder, its permissions and its disk"
    assert re.fullmatch(r"not tested +clock +it takes a registration", lines[-2])
    assert re.fullmatch(r"not tested +way to a peer +it takes a registration", lines[-1])


def test_an_account_that_cannot_be_asked_leaves_no_line_out(server: Server, tmp_path: Path, reported: Reported) -> None:
    dorina = User("dorina", server, tmp_path)
    told, status = reported(*dorina.words, "--peer", "dan")
    assert status == 0
    assert {told[check]["text"] for check in ("registration", "clock", "way to a peer")} == {
        f"dorina@{HOST}:{server.port} is not known on this machine: `udpchat chat` makes it"
    }
    dorina.arrive()
    (path,) = dorina.folder.glob("client-*.db")
    held = LockFile(path)  # as `send` does, which nobody can ask
    try:
        told, status = reported(*dorina.words, "--peer", "dan")
    finally:
        held.release()
    assert status == 0
    for check in ("registration", "clock", "way to a peer"):
        assert told[check]["state"] == "not tested"
        assert told[check]["text"].endswith("is at work already, in an udpchat that cannot be asked")


def test_where_a_file_keeps_it_from_knowing_who_speaks_the_file_is_a_row(
    server: Server, tmp_path: Path, reported: Reported
) -> None:
    dietmar = User("dietmar", server, tmp_path)
    dietmar.arrive()
    (path,) = dietmar.folder.glob("client-*.db")
    path.write_text("my diary")
    told, status = reported("--state", str(dietmar.folder))
    assert status == Exit.STATE
    assert "is not a udpchat client's store" in told["state file"]["text"]
    assert told["the rest"]["state"] == "not tested"
