"""What is built from the repository is whole: the wheel runs by itself, the source distribution can be tested."""

import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("udpchat_core", "udpchat_net", "udpchat_cli")
DATA = f"udpchat-{version('udpchat')}.data"


def run(*command: object, env: dict[str, str] | None = None, cwd: Path = ROOT) -> str:
    arguments = [str(part) for part in command]
    return subprocess.run(
        arguments, cwd=cwd, env=os.environ | (env or {}), capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder)
    return folder


def test_the_wheel_holds_the_three_packages_with_their_types(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {*PACKAGES, DATA}
    assert {name for name in names if name.startswith(DATA)} == {f"{DATA}/data/share/man/man1/udpchat.1"}
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    sources = [
        path for folder in ("udpchat_core", "udpchat_net", "cli/udpchat_cli") for path in (ROOT / folder).rglob("*.py")
    ]
    assert {name for name in names if name.endswith(".py")} == {
        str(path.relative_to(ROOT)).removeprefix("cli/") for path in sources
    }


def test_the_command_works_from_the_wheel(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    pip = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile", "--target")
    run(sys.executable, *pip, tmp_path, wheel)
    alone = {"PYTHONPATH": str(tmp_path)}
    assert run(tmp_path / "bin" / "udpchat", "--version", env=alone, cwd=tmp_path) == f"udpchat {version('udpchat')}\n"
    show = f"import {', '.join(PACKAGES)}; print({', '.join(f'{package}.__file__' for package in PACKAGES)}, sep='\\n')"
    found = [Path(line) for line in run(sys.executable, "-c", show, env=alone, cwd=tmp_path).splitlines()]
    assert found == [tmp_path / package / "__init__.py" for package in PACKAGES]


def test_the_wheel_carries_the_protocol_reference_and_shows_it(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    carried = {name for name in ZipFile(wheel).namelist() if name.startswith("udpchat_cli/spec/")}
    prose = {path.name for path in (ROOT / "spec").iterdir() if path.suffix in (".md", ".cddl")}
    assert carried == {f"udpchat_cli/spec/{name}" for name in prose}
    pip = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile", "--target")
    run(sys.executable, *pip, tmp_path, wheel)
    for words in (("spec",), ("spec", "show", "9.3"), ("spec", "show", "grammar")):
        installed = run(tmp_path / "bin" / "udpchat", *words, env={"PYTHONPATH": str(tmp_path)}, cwd=tmp_path)
        assert installed == run(sys.executable, "-m", "udpchat_cli", *words)
        assert len(installed.splitlines()) > 20


def test_the_source_distribution_holds_what_make_test_needs(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    tops = ("udpchat_core", "udpchat_net", "cli", "spec", "tests", "benchmarks", "packaging", "changelog.d", ".ci")
    files = [
        path for top in tops for path in (ROOT / top).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    tracked = {str(path.relative_to(ROOT)) for path in files}
    tracked |= {
        "Makefile",
        "pyproject.toml",
        "requirements.lock",
        "README.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "udpchat.py",
    }
    assert tracked - names == set()
