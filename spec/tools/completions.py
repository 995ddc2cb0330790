"""The scripts by which shells complete the words of the command, made of its parsers by shtab.

They are made here and not when they are asked for: then `udpchat completion` has only to print one.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import shtab

from udpchat_cli.arguments import whole
from udpchat_cli.commands.completion import FOLDER

SHELLS: Final = ("bash", "zsh", "fish")
_FOLDERS: Final = ("--state",)


def files() -> dict[Path, str]:
    """A script for each shell."""
    return {FOLDER / shell: script(shell) + "\n" for shell in SHELLS}


def script(shell: str) -> str:
    """The script for this shell."""
    parser = whole()
    for action in _actions(parser):
        if set(action.option_strings) & set(_FOLDERS):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined] # how shtab is told
    return str(shtab.complete(parser, shell)).rstrip("\n")


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no other list of them
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for below in action.choices.values():
                yield from _actions(below)
