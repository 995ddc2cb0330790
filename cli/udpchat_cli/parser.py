"""Parsers of command lines: argparse, which here says what is wrong in one line, with what is nearest.

Nothing here is slow to import.
"""

import argparse
import os
import sys
from typing import Final, NoReturn

from .exits import Exit

COLUMNS_USUAL: Final = 80
COLUMNS_MIN: Final = 40
_MISSING: Final = "the following arguments are required: "


def say(text: str) -> None:
    """Print it. Raises `ReaderGone`."""
    from .output import Output  # noqa: PLC0415 - not for what is right

    Output(as_json=False).say(text)


def wrong(message: str) -> NoReturn:
    """Say what is wrong with the arguments, and end."""
    print(f"udpchat: {message}", file=sys.stderr)
    raise SystemExit(Exit.USAGE)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line.

    Attributes:
        example: a line that is right.
    """

    example = ""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, allow_abbrev=False, formatter_class=_Formatter)

    def print_help(self, file: object = None) -> None:  # noqa: ARG002 - as argparse has it
        """Say it. Raises `ReaderGone`."""
        say(self.format_help().rstrip("\n"))

    def error(self, message: str) -> NoReturn:
        """Say it, and end."""
        missing = message.removeprefix(_MISSING)
        if missing != message:
            message = f"{missing} is missing: say it as in `{self.example}`"
        wrong(message.removeprefix("argument "))

    def _check_value(self, action: argparse.Action, value: str) -> None:
        choices = list(action.choices or ())
        if choices and value not in choices:
            close = nearest(value, choices)
            raise argparse.ArgumentError(action, f"{value!r} is none of {', '.join(choices)}{close}")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal; argparse would import compression for asking."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    try:
        return max(int(os.environ.get("COLUMNS") or os.get_terminal_size(1).columns), COLUMNS_MIN)
    except (OSError, ValueError):  # no terminal
        return COLUMNS_USUAL


class Version(argparse.Action):
    """An option that prints the version."""

    def __call__(self, *_: object) -> NoReturn:
        """Print it, and end. Raises `ReaderGone`."""
        print_version()


def print_version() -> NoReturn:
    """Print it, and end; it is looked up only here, as that takes as long as all the rest. Raises `ReaderGone`."""
    from importlib.metadata import version  # noqa: PLC0415 - see above

    say(f"udpchat {version('udpchat')}")
    raise SystemExit(Exit.DONE)


def nearest(word: str, known: list[str]) -> str:
    """A question that names the nearest of the words that are known, to go after the one that is not; or nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for what is wrong

    close = get_close_matches(word, known, 1)
    return f" (did you mean {close[0]}?)" if close else ""
