"""What is safe to show on a terminal: no text of others moves the cursor, retitles a window or hides what it says."""

import re
import unicodedata
from typing import Final

PROMPT = ">>> "
_JOINERS = "\u200c\u200d"  # no effect but on the letters beside them: emoji and several scripts are made with them
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, formats (bidi among them), lone surrogates, line ends
_MARKS = frozenset({"Mn", "Me"})
_INVISIBLE = _MARKS | {"Cf"}
_MORE = "<"
_TAB = " " * 4
_CROWDED_INDENT = 8
_ROOM_MIN = 10
_WORDS = re.compile(r"[^ ]+ *| +")
_LINK = re.compile(r"https?://[!-;=?-~]+")  # without < and >, which no link has, and every head

BAR: Final = "| "
"""What stands before the further rows of a text."""
MARKS_MAX: Final = 8
"""Marks on one character, and joiners after it: no script needs more, and a pile of them covers the rows around it."""


def escaped(text: str) -> str:
    r"""`text` with everything that a terminal may obey shown as `\x1b`, `\u202e` and the like, on one line."""
    if text.isascii() and text.isprintable():
        return text
    shown, marks = [], 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in _MARKS or char in _JOINERS else 0
        unsafe = (category in _UNSAFE and char not in _JOINERS) or marks > MARKS_MAX
        shown.append(char.encode("unicode_escape").decode() if unsafe else char)
    return "".join(shown)


def block(head: str, text: str, columns: int | None = None) -> str:
    """`head` and `text`, safe to show on so many columns: see `body`."""
    first, *more = body(columns_of(head), text, columns)
    return "\n".join([escaped(head) + first, *more])


def body(indent: int, text: str, columns: int | None = None, edge: str = BAR) -> list[str]:
    """The rows of a text whose first row begins after `indent` columns.

    Its further rows are set back behind a bar, or another `edge`, so that none looks like the head of another message.
    With `columns`, so are those that are there because the text is too wide; else the terminal would begin them at its
    left edge.
    """
    crowded = columns is not None and indent > columns // 2 and not _fits(text, columns - indent)
    bar = " " * max((_CROWDED_INDENT if crowded else indent) - len(edge), 0) + edge
    room = None if columns is None else max(columns - len(bar) - 1, _ROOM_MIN)
    rows = [""] if crowded else []
    for line in text.replace("\r\n", "\n").split("\n"):
        rows += _wrapped(escaped(line.replace("\t", _TAB)), room)
    return [rows[0], *(bar + row for row in rows[1:])]


def _fits(text: str, columns: int) -> bool:
    return "\n" not in text and columns_of(escaped(text.replace("\t", _TAB))) < columns


def _wrapped(line: str, room: int | None) -> list[str]:
    """The rows of a line, at most `room` columns wide, but for links: they stay whole, to be followed and copied."""
    if room is None or columns_of(line) <= room:
        return [line]
    rows, row = [], ""
    for word in _WORDS.findall(line):
        bare = word.rstrip(" ")
        if row and columns_of(row) + columns_of(bare) > room:
            rows.append(row.rstrip(" "))
            row = ""
        if columns_of(bare) > room and not _LINK.fullmatch(bare):
            *whole, word = _cut(word, room)  # noqa: PLW2901 - the rest of it
            rows += whole
        row += word
    return [*rows, row.rstrip(" ")]


def _cut(word: str, room: int) -> list[str]:
    pieces, taken = [""], 0
    for char in word:
        if taken + width(char) > room:
            pieces.append("")
            taken = 0
        pieces[-1] += char
        taken += width(char)
    return pieces


def width(char: str) -> int:
    """Columns that a character takes: what is seen as one may be made of several, and takes no more than their sum."""
    if unicodedata.category(char) in _INVISIBLE:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def columns_of(text: str) -> int:
    """Columns that a text takes at most, without line ends."""
    return len(text) if text.isascii() else sum(map(width, text))


def tail(text: str, columns: int) -> str:
    """The end of `text`, no wider than so many columns; a mark shows that there is more before it."""
    at, taken = len(text), 0
    while at and taken + width(text[at - 1]) <= columns - bool(at - 1):  # a column for the mark, if it is needed
        at -= 1
        taken += width(text[at])
    return _MORE + text[at:] if at else text
