"""`completion`: what makes a shell complete the words of these commands; the shell needs no Python for it.

The scripts are made of the parsers by `make generate`, which takes longer than to print one.
"""

from pathlib import Path
from typing import Final

from ..arguments import Given
from ..exits import Exit
from ..output import Output

FOLDER: Final = Path(__file__).parents[1] / "completions"
"""Where the scripts are, each under the name of its shell."""


def run(given: Given) -> int:
    """Print it; the exit status. Raises `ReaderGone`."""
    Output(as_json=False).say((FOLDER / given.arguments.shell).read_text(encoding="utf-8").rstrip("\n"))
    return Exit.DONE
