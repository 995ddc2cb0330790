"""The check that comes with the vectors shares nothing with udpchat, passes, and fails where a vector is wrong."""

import ast
import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag

from spec.tools.vectors import FOLDER

LOOKED_AT = ["datagrams.accepted", "messages.accepted", "derived.key_ids", "derived.acks", "derived.tokens_accepted"]
LOOKED_AT += ["derived.safety_numbers", "cards.accepted", "cards.rotations", "letters.accepted"]
LOOKED_AT += ["link.handshakes", "records.sequences"]
TEXTS = {"name", "name_asked", "names", "rotated_name", "after", "text", "message", "kind", "step", "from", "wrong"}
TEXTS |= {"reason", "safety_number"}


def bytes_in(value: Any, shape: str) -> Iterator[tuple[str, Any, Any]]:
    """(shape, holder, key) of each byte string that is not empty; a shape is a path without places in lists."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        below = f"{shape}.{key}" if isinstance(value, dict) else shape
        if isinstance(inner, dict | list):
            yield from bytes_in(inner, below)
        elif isinstance(inner, str) and inner and below.rpartition(".")[2] not in TEXTS:
            yield below, value, key


def content(file: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"{file}.json").read_text("utf-8")))


SHAPES = sorted(
    {
        (of, shape)
        for of in LOOKED_AT
        for file, _, section in [of.partition(".")]
        for shape, _, _ in bytes_in(content(file)[section], of)
    }
)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place where nothing of udpchat is."""
    return tmp_path_factory.mktemp("vectors")


@pytest.fixture
def copied(elsewhere: Path) -> Path:
    """The folder as it is committed, at that place."""
    return Path(shutil.copytree(FOLDER, elsewhere, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")))


def flip(folder: Path, of: str, shape: str) -> None:
    """Flip a bit of the first byte string of this shape."""
    file, _, section = of.partition(".")
    changed = content(file)
    _, holder, key = next(found for found in bytes_in(changed[section], of) if found[0] == shape)
    at = len(holder[key]) // 4 * 2
    holder[key] = holder[key][:at] + f"{int(holder[key][at : at + 2], 16) ^ 1:02x}" + holder[key][at + 2 :]
    (folder / f"{file}.json").write_text(json.dumps(changed))


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(folder / "check.py")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_check_imports_nothing_of_udpchat() -> None:
    tree = ast.walk(ast.parse((FOLDER / "check.py").read_text("utf-8")))
    imported = [node for node in tree if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {name.name for node in imported if isinstance(node, ast.Import) for name in node.names}
    names |= {node.module or "." for node in imported if isinstance(node, ast.ImportFrom)}
    ours = {name for name in names if name.partition(".")[0] not in {*sys.stdlib_module_names, "cbor2", "cryptography"}}
    assert ours == set()
    assert "cbor2" in names


def test_the_check_passes_and_says_how_much_it_checked(copied: Path) -> None:
    done = run(copied)
    checked = sum(len(content(file)[section]) for file, _, section in (of.partition(".") for of in LOOKED_AT))
    checked += len(content("datagrams")["refused"]) + len(content("derived")["tokens_refused"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{checked} vectors checked; ")
    assert done.stdout.count("\n") == 1


def test_the_check_exits_with_an_error_on_a_flipped_bit(copied: Path) -> None:
    flip(copied, "cards.accepted", "cards.accepted.card")
    done = run(copied)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("cards.json, accepted: alice's: says ")


@pytest.mark.parametrize(("of", "shape"), SHAPES)
def test_the_check_sees_a_flipped_bit_of_every_kind_of_bytes(copied: Path, of: str, shape: str) -> None:
    flip(copied, of, shape)
    with pytest.raises((SystemExit, InvalidTag, StopIteration)):
        runpy.run_path(str(copied / "check.py"))


@pytest.mark.parametrize("of", ["datagrams.refused", "derived.tokens_refused"])
def test_the_check_sees_something_good_among_what_is_refused(copied: Path, of: str) -> None:
    file, _, section = of.partition(".")
    changed = content(file)
    good = changed[section.replace("refused", "accepted")][0]
    field = file.removesuffix("s") if file == "datagrams" else "token"
    changed[section][0] |= {
        key: good[key] for key in (field, "address", "now_s", "secret", "fields", "type") if key in good
    }
    (copied / f"{file}.json").write_text(json.dumps(changed))
    with pytest.raises(SystemExit, match=r"says False, right is True|says True, right is False"):
        runpy.run_path(str(copied / "check.py"))
