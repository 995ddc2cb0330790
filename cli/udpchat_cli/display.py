"""What is safe to show on a terminal: no text of others moves the cursor, retitles a window or hides what it says."""

import unicodedata

PROMPT = ">>> "
_JOINERS = "\u200c\u200d"  # no effect but on the letters beside them: emoji and several scripts are made with them
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, formats (bidi among them), lone surrogates, line ends
_INVISIBLE = frozenset({"Mn", "Me", "Cf"})
_MORE = "<"


def escaped(text: str) -> str:
    r"""`text` with everything that a terminal may obey shown as `\x1b`, `\u202e` and the like, on one line."""
    return text if text.isascii() and text.isprintable() else "".join(map(_escaped, text))


def block(head: str, text: str) -> str:
    """`head` and `text`, safe to show: its further lines are set back behind a bar, so that none looks like a head."""
    first, *more = text.replace("\r\n", "\n").split("\n")
    bar = " " * max(len(head) - 2, 0) + "| "
    return "\n".join([escaped(head + first), *(bar + escaped(line) for line in more)])


def _escaped(char: str) -> str:
    if unicodedata.category(char) in _UNSAFE and char not in _JOINERS:
        return char.encode("unicode_escape").decode()
    return char


def width(char: str) -> int:
    """Columns that a character takes: what is seen as one may be made of several, and takes no more than their sum."""
    if unicodedata.category(char) in _INVISIBLE:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def tail(text: str, columns: int) -> str:
    """The end of `text`, no wider than so many columns; a mark shows that there is more before it."""
    at, taken = len(text), 0
    while at and taken + width(text[at - 1]) <= columns - bool(at - 1):  # a column for the mark, if it is needed
        at -= 1
        taken += width(text[at])
    return _MORE + text[at:] if at else text
