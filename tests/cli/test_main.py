"""The command as a process: whatever its input and its output are, what it prints and how it ends."""

import os
import re
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.processes import (
    BYE,
    COMMAND,
    PATIENCE_S,
    WELCOME,
    Server,
    first_line,
    running,
    start,
    without_table,
)
from tests.ports import free_port
from tests.tools import FULL, needs_full
from udpchat_cli import main
from udpchat_net import udp

ROOT = Path(__file__).parents[2]


def test_a_pipe_is_chatted_to_its_end_and_the_server_tells_counts_only(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert f" started on 0.0.0.0:{server.port}" in server.first
        assert re.search(r"; its key is [0-9a-f]{8}( [0-9a-f]{8}){7}\n$", server.first)
        assert server.chat("bob", "") == ([WELCOME, BYE], 0)
        typed = "send bob  one\r\nsend bob two"  # without a line feed at the end
        saved = "[Messages received by the server and saved]"
        assert server.chat("alice", typed) == ([WELCOME, saved, saved, BYE], 0)
        process = server.client("bob")
        printed = ""
        while not printed.endswith(" two\n"):
            printed += first_line(process)
        rest, _ = process.communicate(timeout=PATIENCE_S)
        welcome, have, one, two, bye = without_table(printed + rest)
        assert (welcome, have, bye) == (WELCOME, "[You have messages]", BYE)
        assert (one[:7], one[26:], two[26:]) == ("alice: ", "  one", " two")
        log: list[str] = []
        while (collected := sum(int(line.split()[0]) for line in log if line.endswith(" collected by bob"))) < 2:
            log.append(server.line())  # an end before the disk has it would not be told of it
        last, status = server.end()
        log += last
        assert (collected, status) == (2, 0)
        assert "bob left" in log
        assert log[-1] == "stopped"
        assert not any("one" in line or "two" in line for line in log)


def test_a_file_is_an_input_too(server: Server, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("send carl to myself\ndereg carl\nreg carl\nsend carl again", encoding="utf-8")
    with script.open() as opened:
        process = server.client("carl", opened)
        printed, _ = process.communicate(timeout=PATIENCE_S)
    received = "[Message received by carl.]"
    lines = [WELCOME, "carl: to myself", received, BYE, WELCOME, "carl: again", received, BYE]
    assert (without_table(printed), process.returncode) == (lines, 0)


def test_dev_null_is_an_input_too(server: Server) -> None:
    process = server.client("dora", subprocess.DEVNULL)
    printed, _ = process.communicate(timeout=PATIENCE_S)
    assert (without_table(printed), process.returncode) == ([WELCOME, BYE], 0)


def test_without_any_input_or_output_it_ends_in_order(server: Server) -> None:
    shell = f"exec {' '.join([*COMMAND, *server.words('emil')])} <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", shell], timeout=PATIENCE_S, check=False).returncode == 0


def test_a_reader_that_goes_away_ends_it_in_order(server: Server) -> None:
    process = server.client("fred")
    assert process.stdin is not None
    assert process.stdout is not None
    assert first_line(process) == f">>> {WELCOME}\n"
    process.stdout.close()
    process.stdin.write("send fred hello\n" * 3)
    process.stdin.flush()
    assert process.wait(PATIENCE_S) == 0
    process.stdin.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_client_in_order(number: signal.Signals, server: Server) -> None:
    process = server.client("gina")
    first = first_line(process)
    process.send_signal(number)
    printed, _ = process.communicate(timeout=PATIENCE_S)
    assert (without_table(first + printed), process.returncode) == ([WELCOME, BYE], 0)


def test_a_killed_client_comes_back_under_its_name(server: Server) -> None:
    process = server.client("hans")
    assert first_line(process) == f">>> {WELCOME}\n"
    process.kill()
    process.communicate()
    assert server.chat("hans", "") == ([WELCOME, BYE], 0)


def test_the_states_are_for_their_owner_only(server: Server) -> None:
    server.chat("ines", "")
    (own,) = (server.folder / "ines").glob("client-*.db")
    (servers,) = (server.folder / "server").glob("server.db")
    assert {stat.S_IMODE(file.stat().st_mode) for file in (own, servers)} == {0o600}


@pytest.fixture
def failed(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run the command, which fails with this status; the one line that it says."""

    def run(*words: str, status: int) -> str:
        capsys.readouterr()
        assert main(words) == status
        printed = capsys.readouterr()
        assert printed.out == ""
        (line,) = printed.err.splitlines()
        assert line.startswith("udpchat: ")
        return line

    return run


def test_a_port_in_use_is_said(tmp_path: Path, failed: Callable[..., str]) -> None:
    bound, at = udp.bind("0.0.0.0", 0)
    with bound:
        server = failed("-s", str(at.port), "--state", str(tmp_path), status=2)
        client = failed("-c", "a", "127.0.0.1", "10001", str(at.port), "--state", str(tmp_path), status=2)
    for line in (server, client):
        assert f"0.0.0.0:{at.port} is in use by another program: stop that one, or choose another port" in line


def test_a_state_that_is_in_use_is_said(server: Server, failed: Callable[..., str]) -> None:
    line = failed("-s", str(free_port()), "--state", str(server.folder / "server"), status=8)
    assert "is in use by another udpchat: stop that one first, or choose another folder with --state" in line
    process = server.client("karl")
    first_line(process)
    line = failed(*server.words("karl"), status=8)
    assert f"karl@127.0.0.1:{server.port} is at work already" in line
    process.communicate(timeout=PATIENCE_S)


def test_a_state_that_is_no_folder_is_said(tmp_path: Path, failed: Callable[..., str]) -> None:
    (tmp_path / "file").touch()
    for words in (("-s", "10001"), ("-c", "a", "127.0.0.1", "10001", "20000")):
        line = failed(*words, "--state", str(tmp_path / "file"), status=8)
        assert str(tmp_path / "file") in line


def test_a_state_that_is_something_else_is_left_alone(tmp_path: Path, failed: Callable[..., str]) -> None:
    (tmp_path / "server.db").write_text("my diary")
    line = failed("-s", "10001", "--state", str(tmp_path), status=8)
    assert "is not a udpchat server's store" in line
    assert (tmp_path / "server.db").read_text() == "my diary"


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path, failed: Callable[..., str]) -> None:
    tmp_path.chmod(0o500)
    nowhere = tmp_path if os.geteuid() else Path("/proc/self")  # to root everything else is open
    line = failed("-s", str(free_port()), "--state", str(nowhere / "state"), status=8)
    assert f"udpchat: {nowhere / 'state'} cannot be made (" in line
    assert line.endswith("choose another state folder")


def room(bytes_: int) -> Callable[[], None]:
    """Files of a process that calls it do not grow beyond that."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))


def test_a_disk_that_is_full_from_the_start_is_said(tmp_path: Path) -> None:
    process = start("-s", str(free_port()), "--state", str(tmp_path), stdin=subprocess.DEVNULL, preexec_fn=room(4_096))
    (line,) = process.communicate(timeout=PATIENCE_S)[0].splitlines()
    assert process.returncode == 8
    assert line.startswith("udpchat: ")
    assert "see its folder, its permissions and its disk" in line


def test_a_disk_that_fills_up_is_said_and_what_it_has_is_not_lost(server: Server) -> None:
    process = server.client("lena", preexec_fn=room(1 << 17))
    assert process.stdin is not None
    assert first_line(process) == f">>> {WELCOME}\n"
    process.stdin.write(f"send lena {'x' * 60_000}\n" * 5)
    process.stdin.flush()
    while "The disk takes nothing at the moment; nothing is lost" not in first_line(process):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=PATIENCE_S)
    assert "[Not saved, and so not sent: " in printed
    assert process.returncode == 8
    lines, status = server.chat("lena", "send lena there is room again")
    assert status == 0
    assert lines[-2:] == ["[Message received by lena.]", BYE]


def test_what_the_checkout_runs_is_the_command() -> None:
    run = subprocess.run([sys.executable, ROOT / "udpchat.py", "-s", "80"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (
        2,
        "udpchat: PORT: '80' is no port for this: give a number from 1024 to 65535\n",
    )


def test_a_checkout_that_is_not_built_says_how(tmp_path: Path) -> None:
    (tmp_path / "udpchat.py").write_text((ROOT / "udpchat.py").read_text())
    run = subprocess.run(
        [sys.executable, tmp_path / "udpchat.py", "-s", "1"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert f"run `make venv` in {tmp_path}" in line


def test_version_is_that_of_the_package(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capfd.readouterr().out == "udpchat 0.1.0\n"


def test_a_fault_of_the_program_is_one_line_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fault(*_: object) -> None:
        raise TypeError("a fault\nof two lines")

    monkeypatch.setattr("udpchat_cli.classic_server.ClassicServer.start", fault)
    assert main(["-s", str(free_port()), "--state", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("udpchat: this is a fault of udpchat, please report it: TypeError at ")


@needs_full
@pytest.mark.parametrize("words", ["--help", "who --help", "--version", "spec", "completion bash"])
def test_output_that_cannot_be_written_is_said(words: str) -> None:
    with FULL.open("wb") as full:
        run = subprocess.run(
            [*COMMAND, *words.split()], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=PATIENCE_S
        )
    assert run.stderr == (
        "udpchat: standard output cannot be written: No space left on device; see where it goes to, and that disk\n"
    )
    assert run.returncode == 8


@pytest.mark.parametrize("words", ["--help", "who --help", "--version", "spec"])
def test_a_reader_that_had_enough_is_no_trouble(words: str) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        run = subprocess.run([*COMMAND, *words.split()], stdout=gone, stderr=subprocess.PIPE, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
