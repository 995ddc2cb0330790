"""What is shown: a line has a head, which is this program's, and a body, which may be anybody's text."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ..display import BAR, body, columns_of, escaped


class Style(StrEnum):
    """What a piece of a line is, for whoever colours it."""

    TEXT = "text"
    TIME = "time"
    NAME = "name"
    OWN = "own"
    STATE = "state"
    NOTE = "note"
    ALARM = "alarm"
    MARK = "mark"


Span = tuple[Style, str]
"""A piece of a row."""
Row = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line: it takes several rows if its body has several lines, or is too wide."""

    head: Row
    body: str
    style: Style = Style.TEXT

    def rows(self, columns: int | None) -> Iterator[Row]:
        """Its rows, safe to show, on so many columns; None: as wide as they are."""
        indent = sum(columns_of(text) for _, text in self.head)
        first, *more = body(indent, self.body, columns, BAR if self.style is Style.TEXT else _EDGE)
        yield (*((style, escaped(text)) for style, text in self.head), (self.style, first))
        for row in more:
            yield ((self.style, row),)


_EDGE = "  "
_STATE_INDENT = " " * 8


def note(text: str) -> Line:
    """Something about this program."""
    return Line((), text, Style.NOTE)


def state(text: str) -> Line:
    """Something about a message above."""
    return Line(((Style.STATE, _STATE_INDENT),), text, Style.STATE)


def alarm(text: str) -> Line:
    """Something that must not be missed."""
    return Line(((Style.ALARM, "*** "),), text, Style.ALARM)


def mark(text: str) -> Line:
    """What divides lines: a new day, new mail."""
    return Line((), f"--- {text} ---", Style.MARK)
