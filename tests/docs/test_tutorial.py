"""The tutorial shows what works: every block is run, and what it prints is compared.

With the environment variable REWRITE set, what is printed is written into the page: read the difference before you
believe it.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
PYTHON = ".venv/bin/python "
MARK = "\x1e"
"""Printed between blocks, to tell whose output is whose."""


def blocks() -> list[tuple[str, str]]:
    """Language and text of each."""
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def printed(script: Path, *arguments: str) -> str:
    command = [sys.executable, *([str(script)] if script.suffix else []), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, capture_output=True, text=True, cwd=script.parent, env=environment, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each block prints that is followed by its output, in their order."""
    folder = tmp_path_factory.mktemp("tutorial")
    script = folder / "lossy.py"
    code = [text for language, text in blocks() if language == "python"]
    script.write_text(f"\nprint({MARK!r}, end='')\n".join(code), encoding="utf-8")
    shown = printed(script).split(MARK)
    replay = next(line for each in shown for line in each.splitlines() if line.startswith("python -m"))
    at = next(number for number, each in enumerate(shown) if replay in each)
    shown.insert(at + 1, printed(folder, *shlex.split(replay)[1:]))
    if os.environ.get("REWRITE"):
        rewrite(shown, replay)
    return shown


def rewrite(shown: list[str], replay: str) -> None:
    rest = iter(shown)

    def new(block: re.Match[str]) -> str:
        if block[1] == "text":
            return f"```text\n{next(rest)}```"
        return f"```sh\n.venv/bin/{replay}\n```" if block[2].startswith(PYTHON) else block[0]

    PAGE.write_text(BLOCK.sub(new, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def test_every_block_prints_what_stands_below_it(outputs: list[str]) -> None:
    shown = [text for language, text in blocks() if language == "text"]
    assert shown == outputs, "if the protocol changed: REWRITE=1 .venv/bin/python -m pytest tests/docs"


def test_the_command_that_replays_is_the_one_that_was_printed(outputs: list[str]) -> None:
    commands = [text for language, text in blocks() if language == "sh" and text.startswith(PYTHON)]
    assert [command.removeprefix(".venv/bin/").strip() for command in commands] == [
        line for each in outputs for line in each.splitlines() if line.startswith("python -m")
    ]


def test_every_block_is_code_with_its_output_or_the_installation_of_the_readme() -> None:
    """So that nothing is shown that is not run here."""
    languages = [language for language, _ in blocks()]
    assert languages[0] == "sh"
    assert languages[1::2] == ["sh" if text.startswith(PYTHON) else "python" for _, text in blocks()[1::2]]
    assert languages[2::2] == ["text"] * (len(languages) // 2)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for line in blocks()[0][1].splitlines():
        assert f"    {line}" in readme


def test_every_promise_of_the_tutorial_was_shown_by_its_name(outputs: list[str]) -> None:
    """A run in which the planted mistake does not show, or nothing is lost, would teach nothing."""
    text = "".join(outputs)
    assert "DRAINED: " in text
    assert text.count("somebody who says ann") == 1
    assert re.search(r"[1-9][0-9]* of them lost", text)
    assert re.search(r"retries: [1-9]", text)
    assert "datagrams were lost: True" in text
