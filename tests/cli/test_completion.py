"""The scripts for shells complete every command and option that the parsers have, without running Python."""

import subprocess
from pathlib import Path

import pytest

from spec.tools.completions import script
from tests.tools import needs_tool
from udpchat_cli import main
from udpchat_cli.arguments import make_parser
from udpchat_cli.grammar import COMMANDS

SHELLS = ("bash", "zsh", "fish")
BASH = """
source {script}
COMP_WORDS=(udpchat "$@"); COMP_CWORD=$#
_shtab_udpchat udpchat "${{@: -1}}" "${{@: -2:1}}"
echo "${{COMPREPLY[@]}}"
"""
needs = {shell: needs_tool(shell, shell) for shell in SHELLS}


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Path]:
    """The scripts, by shell."""
    paths = {shell: tmp_path / f"udpchat.{shell}" for shell in SHELLS}
    for shell, path in paths.items():
        path.write_text(script(shell), encoding="utf-8")
    return paths


def run(*command: object) -> str:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout


CASES = [
    (["s"], ["send", "server", "sim", "spec"]),
    (["hist"], ["history"]),
    (["server", "st"], ["status"]),
    (["send", "bob", "--wa"], ["--wait"]),
    (["send", "bob", "--wait", ""], ["delivered", "stored"]),
    (["completion", ""], ["bash", "fish", "zsh"]),
]


@needs["bash"]
@pytest.mark.parametrize(("typed", "completed"), CASES, ids=" ".join)
def test_bash_completes_words(typed: list[str], completed: list[str], made: dict[str, Path]) -> None:
    said = run("bash", "-c", BASH.format(script=made["bash"]), "bash", *typed)
    assert sorted(said.split()) == completed


@needs["bash"]
def test_bash_completes_folders_for_the_state(made: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.txt").touch()
    said = run("bash", "-c", BASH.format(script=made["bash"]), "bash", "who", "--state", tmp_path / "fold")
    assert said.split() == [str(tmp_path / "folder")]


@needs["fish"]
@pytest.mark.parametrize(("typed", "completed"), CASES, ids=" ".join)
def test_fish_completes_words(typed: list[str], completed: list[str], made: dict[str, Path]) -> None:
    said = run("fish", "--no-config", "-c", f"source {made['fish']}; complete -C 'udpchat {' '.join(typed)}'")
    assert sorted(line.split("\t")[0] for line in said.splitlines()) == completed


@needs["zsh"]
def test_zsh_takes_its_script(made: dict[str, Path]) -> None:
    run("zsh", "-f", "-n", made["zsh"])
    said = run("zsh", "-fc", f"autoload -Uz compinit; compinit -D -u; source {made['zsh']}; whence -w _shtab_udpchat")
    assert said == "_shtab_udpchat: function\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_option_is_in_every_script(shell: str) -> None:
    text = script(shell)
    for command in COMMANDS.values():
        assert command.name.split()[-1] in text
        for action in make_parser(command)._actions:
            for word in action.option_strings:
                assert (word.lstrip("-") if shell == "fish" else word) in text


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_printed_is_the_script_as_it_is(shell: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert capfd.readouterr().out == script(shell) + "\n"
