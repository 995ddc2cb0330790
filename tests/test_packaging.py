"""The unit for systemd and the file for Docker run what this command is, as nobody in particular."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.tools import needs_tool
from udpchat_cli.arguments import Given, parse
from udpchat_cli.exits import Exit
from udpchat_cli.values import PORT_DEFAULT

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "packaging" / "udpchat.service"
DOCKERFILE = ROOT / "packaging" / "Dockerfile"
MDWE = """
import ctypes, os, runpy, sys
libc = ctypes.CDLL(None, use_errno=True)
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
if libc.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit(77)
sys.argv = ["udpchat", "sim", "--messages", "3"]
from udpchat_cli import main
from udpchat_core.secure.suite import StandardSuite
suite = StandardSuite(os.urandom)
public = suite.dh_public(b"k" * 32)
suite.hpke_seal_untrusted(public, b"info", b"data")
import sqlite3
sqlite3.connect(":memory:").execute("SELECT 1")
sys.exit(main())
"""


def command(words: list[str]) -> str:
    """The name of the command that these words are, of this program."""
    options = parse(words)
    assert isinstance(options, Given)
    return options.command.name


# --- systemd ---


@pytest.fixture
def service() -> dict[str, list[str]]:
    """The settings of the service, each with what it is set to, in order."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in UNIT.read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_unit_is_one_that_any_reader_of_such_files_takes() -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read_string(UNIT.read_text("utf-8"))
    assert parser.sections() == ["Unit", "Service", "Install"]


def test_the_unit_runs_a_server_and_gives_up_where_trying_again_is_no_use(service: dict[str, list[str]]) -> None:
    program, *words = shlex.split(service["ExecStart"][0])
    assert program.endswith("/udpchat")
    assert command(words) == "server"
    assert service["RestartPreventExitStatus"] == [f"{Exit.USAGE} {Exit.STATE}"]
    assert "UDPCHAT_STATE=%S/udpchat" in service["Environment"][0].split()
    assert service["StateDirectory"] == ["udpchat"]


def test_the_unit_gives_no_rights(service: dict[str, list[str]]) -> None:
    assert service["DynamicUser"] == ["yes"]
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == [""]
    assert service["RestrictAddressFamilies"] == ["AF_INET AF_INET6 AF_UNIX"]


@needs_tool("systemd-analyze", "systemd")
def test_systemd_takes_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    program = shutil.which("true")
    copy.write_text(UNIT.read_text("utf-8").replace("/opt/udpchat/bin/udpchat", str(program)), encoding="utf-8")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False
    )
    assert [line for line in verified.stderr.splitlines() if UNIT.name in line] == []
    assert verified.returncode == 0
    looked = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", copy],
        capture_output=True,
        text=True,
        check=False,
    )
    assert looked.returncode == 0, looked.stdout.splitlines()[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's switch is Linux's")
def test_nothing_that_the_server_imports_makes_memory_executable() -> None:
    """As `MemoryDenyWriteExecute` has it."""
    run = subprocess.run([sys.executable, "-c", MDWE], capture_output=True, text=True, check=False)
    if run.returncode == 77:
        pytest.skip("this kernel has no such switch: Linux 6.3 or later")
    assert (run.returncode, run.stderr) == (0, "")


# --- Docker ---


@pytest.fixture
def instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile."""
    lines = [line for line in DOCKERFILE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def last(instructions: list[tuple[str, str]], word: str) -> str:
    return [rest for each, rest in instructions if each == word][-1]


def test_the_image_runs_a_server_as_nobody_and_asks_it_whether_it_is_well(instructions: list[tuple[str, str]]) -> None:
    entry, usual = json.loads(last(instructions, "ENTRYPOINT")), json.loads(last(instructions, "CMD"))
    assert command([*entry[1:], *usual]) == "server"
    asked = json.loads(last(instructions, "HEALTHCHECK").partition(" CMD ")[2])
    assert command(asked[1:]) == "server status"
    assert asked[0] == entry[0] == "udpchat"
    assert all(int(number) > 0 for number in last(instructions, "USER").split(":"))
    assert last(instructions, "EXPOSE") == f"{PORT_DEFAULT}/udp"
    words = [word for word, _ in instructions]
    assert words.index("USER") > max(at for at, word in enumerate(words) if word == "RUN")


def test_the_image_has_the_versions_of_the_lock(instructions: list[tuple[str, str]], tmp_path: Path) -> None:
    (stripping,) = [rest for word, rest in instructions if rest.startswith("sed ")]
    constraints = tmp_path / "constraints.txt"
    subprocess.run(["sh", "-c", stripping.replace("/constraints.txt", str(constraints))], cwd=ROOT, check=True)
    pinned = {Requirement(line).name for line in constraints.read_text("utf-8").splitlines()}
    assert {"cbor2", "cryptography", "pydantic", "python-statemachine"} <= pinned


def test_what_the_image_is_built_from_is_what_the_wheel_needs() -> None:
    kept = re.findall(r"(?m)^!(.+)$", (ROOT / "packaging" / "Dockerfile.dockerignore").read_text("utf-8"))
    for pattern in kept:
        assert list(ROOT.glob(pattern)), f"{pattern} is not there"
    assert {"udpchat_core", "udpchat_net", "cli", "spec/*.md", "packaging/udpchat.1", "pyproject.toml"} <= set(kept)
