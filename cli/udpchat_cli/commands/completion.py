"""`completion`: what makes a shell complete the words of these commands; the shell needs no Python for it."""

import argparse
from collections.abc import Iterator

import shtab

from ..arguments import Given, whole
from ..exits import Exit
from ..output import Output

_FOLDERS = ("--state",)


def run(given: Given) -> int:
    """Print it; the exit status. Raises `ReaderGone`."""
    Output(as_json=False).say(script(given.arguments.shell))
    return Exit.DONE


def script(shell: str) -> str:
    """The script for this shell."""
    parser = whole()
    for action in _actions(parser):
        if set(action.option_strings) & set(_FOLDERS):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined] # how shtab is told
    return str(shtab.complete(parser, shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no other list of them
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for below in action.choices.values():
                yield from _actions(below)
