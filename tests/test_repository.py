"""What a stranger needs to build the project is in the project, and names no place."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_the_lock_names_no_index_and_no_url() -> None:
    assert re.findall(r"://|--\w*(?:index|find|extra|trusted)[\w-]*", LOCK) == []


def test_the_lock_pins_every_package_with_hashes() -> None:
    pinned = re.split(r"\n(?=[a-z])", LOCK.strip())
    assert len(pinned) > 30
    for package in pinned:
        assert re.match(r"[a-z0-9-]+(\[\w+\])?==[\w.+!]+ ", package), package
        assert "--hash=sha256:" in package, package


def test_the_lock_holds_the_build_tools() -> None:
    assert {"hatchling", "editables"} <= set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.MULTILINE))
