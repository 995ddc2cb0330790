"""What is missing on a machine is said in one sentence that names the package, before anything is touched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOO_OLD = f"""
[ "$1" = --version ] && echo "Python 3.10.9" && exit
exec "{sys.executable}" -c 'import sys; sys.version_info = (3, 10, 9); exec(sys.argv[1])' "$2"
"""
NO_VENV = f'case "$2" in *ensurepip*) exit 1;; esac; exec "{sys.executable}" "$@"'
NO_PACKAGES = f"""
[ "$*" = "-m venv .venv" ] || exec "{sys.executable}" "$@"
mkdir -p .venv/bin
printf '#!/bin/sh\\necho pip: out of reach >&2; exit 1\\n' > .venv/bin/pip
chmod +x .venv/bin/pip
"""


def build(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """Builds .venv in `folder` with the command `python`."""
    return subprocess.run(
        ["sh", str(ROOT / ".ci" / "venv")],
        cwd=folder,
        env=os.environ | {"PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def fake(folder: Path, script: str) -> str:
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return str(python)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (None, ["Python is missing", "python3 python3-venv", "3.11 or later"]),
        (TOO_OLD, ["Python 3.10.9 is too old", "install Python 3.11 or later", "make PYTHON="]),
        (NO_VENV, ["venv module is missing", "apt-get install python3-venv"]),
    ],
    ids=["no python", "too old", "no venv"],
)
def test_a_missing_prerequisite_is_named_in_one_sentence(tmp_path: Path, script: str | None, says: list[str]) -> None:
    kept = tmp_path / ".venv"
    kept.mkdir()
    run = build(tmp_path, fake(tmp_path, script) if script else str(tmp_path / "no-python"))
    assert run.returncode == 1
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    assert line.startswith("make: ")
    assert [part for part in says if part not in line] == []
    assert kept.exists()


def test_packages_that_cannot_be_had_are_said_so_and_leave_nothing_that_looks_built(tmp_path: Path) -> None:
    run = build(tmp_path, fake(tmp_path, NO_PACKAGES))
    assert run.returncode == 1
    building, pip, line = run.stderr.splitlines()
    assert (building, pip) == ("building .venv from requirements.lock", "pip: out of reach")
    assert line.startswith("make: the packages of requirements.lock could not be installed")
    assert not (tmp_path / ".venv" / "installed").exists()
