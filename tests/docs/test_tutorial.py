"""The tutorial shows what works: every block of it is run, and what it prints is compared."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PYTHON, ROOT, Page

AGAIN = "if the protocol changed: REWRITE=1 .venv/bin/python -m pytest tests/docs"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page("tutorial.md", tmp_path_factory.mktemp("tutorial"))


def test_every_block_prints_what_stands_below_it(page: Page) -> None:
    assert page.of("text") == page.outputs, AGAIN


def test_the_command_that_replays_is_the_one_that_was_printed(page: Page) -> None:
    assert [text for text in page.of("sh") if text.startswith(PYTHON)] == [f"{PYTHON}{page.replay}\n"], AGAIN


def test_every_block_is_run_but_the_installation_which_is_that_of_the_readme(page: Page) -> None:
    installation, *rest = page.blocks
    assert installation[0] == "sh"
    assert all(language == "python" or text.startswith(PYTHON) for language, text in rest[::2])
    assert [language for language, _ in rest[1::2]] == ["text"] * (len(rest) // 2)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"    {line}" in readme for line in installation[1].splitlines())


def test_every_lesson_is_there_to_be_seen(page: Page) -> None:
    """A run in which nothing is lost, or the planted mistake does not show, would teach nothing."""
    shown = "".join(page.of("text"))
    assert re.search(r"retries: [1-9]", shown)
    assert re.search(r"[1-9][0-9]* of them lost", shown)
    assert re.search(r"[1-9][0-9]* crashes; nothing was lost", shown)
    assert "\nDRAINED: " in shown
    assert shown.count("somebody who says ann") == 1
    assert "datagrams were lost: True" in shown


def test_the_example_of_the_api_prints_what_stands_below_it(tmp_path: Path) -> None:
    page = Page("api/index.md", tmp_path)
    assert page.of("text") == page.outputs, AGAIN
