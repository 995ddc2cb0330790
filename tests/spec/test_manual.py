"""The manual page says what the parsers say, and is a page that its readers take."""

import re
import subprocess

import pytest

from spec.tools import manual
from tests.tools import needs_tool
from udpchat_cli.arguments import make_parser
from udpchat_cli.exits import Exit
from udpchat_cli.grammar import COMMANDS

PAGE = manual.PATH.read_text("utf-8")
PLAIN = re.sub(r"\\f[BIR]", "", PAGE).replace("\\-", "-").replace("\\e", "\\")


def test_every_command_option_and_status_is_in_the_page() -> None:
    for command in COMMANDS.values():
        _, section = PLAIN.split(f".SS udpchat {command.name}\n")
        section = section.split("\n.SS ")[0]
        for line in command.example.splitlines():
            assert line in section
        for action in make_parser(command)._actions:
            for word in action.option_strings:
                assert word in section or f"\n.TP\n{word}" in PLAIN or f", {word}" in PLAIN
            if action.help and not action.option_strings:
                assert action.help[1:] in section
    for status in Exit:
        assert f".TP\n{status.value}\n" in PLAIN


def test_no_line_is_taken_for_a_macro_that_is_none() -> None:
    macros = {line.split()[0] for line in PAGE.splitlines() if line.startswith((".", "'"))}
    assert macros <= {'.\\"', ".TH", ".SH", ".SS", ".TP", ".PP", ".br", ".nf", ".fi", ".RS", ".RE"}


@pytest.mark.parametrize(
    ("text", "escaped"), [("--a-b", "\\-\\-a\\-b"), ("a\\b", "a\\eb"), (".x", "\\&.x"), ("'x", "\\&'x")]
)
def test_what_roff_would_obey_is_escaped(text: str, escaped: str) -> None:
    assert manual._escaped(text) == escaped


@needs_tool("mandoc", "mandoc")
def test_mandoc_finds_no_error_in_it() -> None:
    run = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "error", manual.PATH], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (0, "")
