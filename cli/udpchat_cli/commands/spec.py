"""`spec`: the protocol reference, as plain text on standard output, for whatever pager there is."""

import shutil
from typing import Final

from .. import schema
from ..arguments import Given
from ..exits import Exit
from ..output import Output
from ..reference import Section, folder, rendered, section, sections

COLUMNS_MAX: Final = 100
"""Lines that are longer are hard to read."""


def run(given: Given) -> int:
    """List the sections, or print one or all; the exit status. Raises `Failed` and `ReaderGone`."""
    where, output = folder(), Output(given.arguments.json)
    if given.command.name == "spec":
        for each in sections(where):
            indent = "  " * each.number.count(".")
            output.say(f"{indent}{each.number} {each.title}", _thing(each, ""))
        return Exit.DONE
    wanted = given.arguments.section
    chosen = [section(where, wanted)] if wanted else [each for each in sections(where) if "." not in each.number]
    columns = min(shutil.get_terminal_size().columns, COLUMNS_MAX)
    for number, each in enumerate(chosen):
        if number:
            output.say("")
        output.say("\n".join(rendered(each, columns)), _thing(each, each.text))
    return Exit.DONE


def _thing(of: Section, text: str) -> dict[str, object]:
    return schema.made("section", number=of.number, title=of.title, text=text)
