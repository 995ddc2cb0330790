"""The lists of attacks name every test there is, and no other: the table of threats is made of them."""

import re
from pathlib import Path

import pytest

FILES = sorted(path for path in Path(__file__).parent.glob("test_*.py") if path.name != "test_catalogue.py")
NO_ATTACKS = {"test_the_attack_of_a_number_is_always_the_same"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_attack_is_listed_with_its_defence_and_its_test(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    listed = re.findall(r"^- [^:]+: [^`]+:\n  `(test_\w+)`$", text.split('"""')[1], re.MULTILINE)
    assert sorted({*re.findall(r"^def (test_\w+)", text, re.MULTILINE)} - NO_ATTACKS) == sorted(listed)
