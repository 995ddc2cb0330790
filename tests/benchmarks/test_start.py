"""Starts are measured: of processes that end, and of those that show something in a terminal."""

import os
import sys

import pytest

from benchmarks import start
from benchmarks.start import Start


def test_a_table_has_each_start_against_what_it_is_held_against() -> None:
    starts = [Start("bare", lambda: 0.0), Start("prompt", lambda: 0.0, "bare", 1.4)]
    rows = start.table(starts, {"bare": 0.1, "prompt": 0.125}).splitlines()
    assert rows[2:] == ["| bare | 100 |  |  |  |", "| prompt | 125 | 1.25 | bare | 1.4 |"]


def test_what_is_foreign_is_imported_and_nothing_of_ours() -> None:
    program = start.foreign("import udpchat_cli.commands.chat, udpchat_cli.chat.line", os.environ)
    assert "'prompt_toolkit.application'" in program
    assert "'asyncio.events'" in program
    assert "udpchat" not in program


def test_a_program_that_ends_without_showing_it_is_no_measurement() -> None:
    program = "import os; print(os.get_terminal_size().columns, 'columns')"
    assert start.until_shown((sys.executable, "-c", program), os.environ, b"80 columns") > 0
    with pytest.raises(RuntimeError, match="it ended, and said: 80 columns"):
        start.until_shown((sys.executable, "-c", program), os.environ, b"never")
