"""The fuzzing command: it counts, keeps what it finds, says how to see it again, and fails."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz import run

ROOT = Path(__file__).parents[2]
NEEDS_ATHERIS = pytest.mark.skipif(
    find_spec("atheris") is None,
    reason="atheris is not here: `make venv` installs it on Linux on x86-64 with Python before 3.14",
)
PLANTED = """
import sys
from pathlib import Path
from tests.fuzz import run
from tests.fuzz.target import Target

def body(draw):
    if draw.byte() == 7:
        raise ValueError("planted")
    return True

sys.exit(run.fuzz([Target("planted", body, (b"seed",))], int(sys.argv[1]), Path("kept")))
"""


def python(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: libFuzzer ends it, and the core is imported anew, instrumented."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=where, env=environment, capture_output=True, text=True, check=False
    )


@NEEDS_ATHERIS
def test_a_run_without_findings_counts_its_executions_and_succeeds(tmp_path: Path) -> None:
    ran = python(
        tmp_path, "-m", "tests.fuzz.run", "--executions", "3000", "wire.parse_untrusted", "wire._acks_untrusted"
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    rows = dict(re.findall(r"^(wire\.\S+) +3,000 +\d+ +\d+ +(\d+)$", ran.stdout, re.MULTILINE))
    assert rows == {"wire.parse_untrusted": "0", "wire._acks_untrusted": "0"}


@NEEDS_ATHERIS
def test_a_finding_is_kept_shown_and_tried_first_the_next_time(tmp_path: Path) -> None:
    first = python(tmp_path, "-c", PLANTED, "20000")
    assert first.returncode == 1, first.stdout + first.stderr
    assert "ValueError: planted" in first.stdout
    shown = re.search(r"^to replay: \S+ -m tests.fuzz.run --replay (\S+) planted$", first.stdout, re.MULTILINE)
    assert shown is not None
    assert (tmp_path / shown[1]).read_bytes()[:1] == b"\7"
    again = python(tmp_path, "-c", PLANTED, "5")
    assert again.returncode == 1
    assert shown[1] in again.stdout


def test_a_replay_runs_one_input_without_atheris(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "find_spec", lambda name: None)
    (tmp_path / "input").write_bytes(b"\0u\1")
    assert run.main(["--replay", str(tmp_path / "input"), "wire.parse_untrusted"]) == 0
    assert capsys.readouterr().out == "nothing found: the function refused\n"


def test_where_there_is_no_atheris_one_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "find_spec", lambda name: None)
    assert run.main(["--executions", "1"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "atheris" in said.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--replay", "f", "wire.nothing"], "no target wire.nothing"),
        (["--replay", "f"], "needs one target"),
        (["--executions", "0", "--replay", "f"], "at least 1"),
    ],
)
def test_a_bad_argument_gets_one_clear_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run.main(arguments)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
