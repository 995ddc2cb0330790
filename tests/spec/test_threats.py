"""Every row of the threat table names tests that are there; the check itself can fail."""

import ast
from pathlib import Path

import pytest

from spec.tools.threats import Threat, threats

ROOT = Path(__file__).parents[2]
TABLE = threats((ROOT / "spec" / "11-security.md").read_text())


def functions(path: Path) -> set[str]:
    """The names of the functions of a module."""
    module = ast.parse(path.read_text())
    return {node.name for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("threat", TABLE, ids=lambda threat: threat.attack)
def test_a_threat_is_answered_by_tests_that_exist(threat: Threat) -> None:
    assert threat.defence
    assert threat.tests
    for cited in threat.tests:
        path, _, name = cited.partition("::")
        assert (ROOT / path).is_file(), f"{cited}: no such file"
        assert name in functions(ROOT / path), f"{cited}: no such test"


def test_the_table_has_the_attacks_that_it_began_with() -> None:
    assert len(TABLE) >= 30
    assert len({threat.attack for threat in TABLE}) == len(TABLE)


def test_a_row_without_a_test_is_seen() -> None:
    text = "<!-- threats -->\n| a | d | s |\n|---|---|---|\n| **x** | y | |\n<!-- end threats -->\n"
    assert threats(text) == [Threat("x", "y", ())]


def test_every_test_that_the_prose_names_exists() -> None:
    text = (ROOT / "spec" / "11-security.md").read_text()
    cited = {each for each in text.split("`") if "::" in each}
    assert {test for threat in TABLE for test in threat.tests} <= cited
    for each in sorted(cited):
        path, _, name = each.partition("::")
        assert name in functions(ROOT / path), each
