"""The protocol reference as plain text: which sections there are, and one of them, wrapped for a terminal.

The sections are the files of `spec/`, which the wheel carries beside this module. They are Markdown of a few kinds of
blocks: headings, paragraphs, items, code and tables; a table that is too wide for the columns becomes a list.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from textwrap import wrap
from typing import Final, NamedTuple

from .exits import Exit, Failed

GRAMMAR: Final = "grammar"
_HERE: Final = Path(__file__).parent
FOLDERS: Final = (_HERE / "spec", _HERE.parents[1] / "spec")
"""In the wheel, and in a checkout."""
_HEADING = re.compile(r"(#{1,3}) (?:(\d+(?:\.\d+)?) )?(.+)")
_REQUIREMENT = re.compile(r"R-(\d+\.\d+)-\d+")
_UNSEEN = re.compile(r"(?ms)^<details>.*?^</details>\n|^<!--[^\n]*-->\n")
"""Drawings that the tables say as well, and marks for what makes them."""
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)]*)\)")
_STRONG = re.compile(r"\*\*([^*]+)\*\*|(?<![\w*`])\*([^*\s][^*`]*)\*(?![\w*])")
_CELLS = re.compile(r"(?<!\\)\|")


class Section(NamedTuple):
    """A section, with those below it.

    Attributes:
        number: as "9.3"; "grammar" for the grammar.
        title: without it.
        text: Markdown; of the grammar, CDDL.
    """

    number: str
    title: str
    text: str


def folder() -> Path:
    """Where the reference is. Raises `Failed`."""
    for each in FOLDERS:
        if (each / "README.md").exists():
            return each
    raise Failed(Exit.INTERNAL, "this installation has no protocol reference: see the repository, or install it anew")


def sections(where: Path) -> list[Section]:
    """All of them, in their order, each below the one that it is in."""
    found = []
    for path in sorted(where.glob("[0-9]*.md")):
        lines = path.read_text("utf-8").splitlines()
        headings = [(at, _HEADING.fullmatch(line)) for at, line in enumerate(lines)]
        starts = [(at, match) for at, match in headings if match and match[2]]
        for number, (at, match) in enumerate(starts):
            after = [other for other, head in starts[number + 1 :] if len(head[1]) <= len(match[1])]
            end = after[0] if after else len(lines)
            found.append(Section(match[2], match[3], "\n".join(lines[at:end])))
    grammar = (where / "udpchat.cddl").read_text("utf-8")
    return [*found, Section(GRAMMAR, "of everything that is sealed (CDDL, RFC 8610)", grammar)]


def section(where: Path, wanted: str) -> Section:
    """The section of this number, or that a requirement is in. Raises `Failed`."""
    there = {each.number: each for each in sections(where)}
    match = _REQUIREMENT.fullmatch(wanted)
    number = match[1] if match else wanted
    if number not in there or (match and f"**{wanted}**" not in there[number].text):
        raise Failed(Exit.USAGE, f"{wanted!r} is no section of the reference: `udpchat spec` lists them")
    return there[number]


def rendered(of: Section, columns: int) -> list[str]:
    """The section as lines of text."""
    if of.number == GRAMMAR:
        return of.text.splitlines()
    lines: list[str] = []
    for block in _blocks(of.text):
        lines += [*([""] if lines else []), *_block(block, columns)]
    return lines


def _blocks(text: str) -> Iterator[list[str]]:
    """Its blocks: code from fence to fence, or lines without an empty one between them."""
    parts = re.split(r"(?ms)^(```.*?^```)$", _UNSEEN.sub("", text + "\n"))
    for part in parts:
        if part.startswith("```"):
            yield part.splitlines()
        else:
            for filled, lines in groupby(part.splitlines(), key=lambda line: bool(line.strip())):
                if filled:
                    yield from _divided(list(lines))


def _divided(lines: list[str]) -> Iterator[list[str]]:
    """A heading, a table and each item of a list are blocks of their own, whatever stands beside them."""
    block: list[str] = []
    for line in lines:
        is_row = line.startswith("|")
        begins = line.startswith(("#", "- ")) or re.match(r"\d+\. ", line) or is_row is not _is_table(block)
        if block and begins:
            yield block
            block = []
        block.append(line)
    yield block


def _is_table(block: list[str]) -> bool:
    return bool(block) and block[0].startswith("|")


def _block(lines: list[str], columns: int) -> list[str]:
    first = lines[0]
    if first.startswith("```"):
        return [f"    {line}" for line in lines[1:-1]]
    if _is_table(lines):
        return _table(lines, columns)
    if match := _HEADING.fullmatch(first):
        title = f"{match[2] or ''} {match[3]}".strip()
        return [title, "=-~"[len(match[1]) - 1] * len(title)]
    indent = "" if not (item := re.match(r"- |\d+\. ", first)) else " " * len(item[0])
    return _wrapped(_plain(" ".join(line.strip() for line in lines)), columns, indent)


def _wrapped(text: str, columns: int, indent: str = "", first: str = "") -> list[str]:
    return wrap(text, columns, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)


def _plain(text: str) -> str:
    text = _LINK.sub(lambda link: f"({link[2]}: {link[3]}, in the repository)" if link[1] else link[2], text)
    return _STRONG.sub(lambda strong: strong[1] or strong[2], text).replace("\\|", "|")


def _table(lines: list[str], columns: int) -> list[str]:
    rows = [[_plain(cell.strip()) for cell in _CELLS.split(line)[1:-1]] for line in lines]
    head, body = rows[0], rows[2:]  # between them the line that makes it a table
    widths = [max(len(row[at]) for row in [head, *body]) for at in range(len(head))]
    if sum(widths) + 2 * (len(widths) - 1) <= columns:
        shown = [head, ["-" * width for width in widths], *body]
        return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]
    listed: list[str] = []
    for row in body:
        listed += _wrapped(row[0] or "-", columns, "  ")
        for title, cell in zip(head[1:], row[1:], strict=True):
            if cell:
                listed += _wrapped(f"{title}: {cell}" if title else cell, columns, "      ", "    ")
    return listed
