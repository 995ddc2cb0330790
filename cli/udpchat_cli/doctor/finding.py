"""What a check came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .. import schema
from ..display import body
from ..exits import Exit

_INDENT = 26


class State(StrEnum):
    """How it is."""

    GOOD = "good"
    WRONG = "wrong"
    UNTESTED = "not tested"


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the report.

    Attributes:
        check: what was looked at, in a word or two.
        state: how it is.
        text: what was seen, without a full stop.
        advice: what to do about it; empty if nothing.
        status: of the command, if it is wrong.
    """

    check: str
    state: State
    text: str
    advice: str = ""
    status: Exit = Exit.DONE

    def lines(self, columns: int | None = None) -> str:
        """To read, on so many columns; None: as long as they are."""
        rows = _beside(f"{self.state:<11}{self.check:<15}".ljust(_INDENT), self.text, columns)
        if self.advice:
            rows += _beside(" " * _INDENT, f"-> {self.advice}", columns)
        return "\n".join(row.rstrip() for row in rows if row.strip())

    def thing(self) -> Mapping[str, Any]:
        """As an object of `schema`."""
        return schema.made("finding", check=self.check, state=self.state.value, text=self.text, advice=self.advice)


def _beside(head: str, text: str, columns: int | None) -> list[str]:
    first, *more = body(len(head), text, columns, edge="")
    return [head + first, *more]


def good(check: str, text: str, advice: str = "") -> Finding:
    """It is as it should be."""
    return Finding(check, State.GOOD, text, advice)


def wrong(check: str, text: str, advice: str, status: Exit) -> Finding:
    """It is not."""
    return Finding(check, State.WRONG, text, advice, status)


def untested(check: str, text: str, advice: str = "") -> Finding:
    """It is not known."""
    return Finding(check, State.UNTESTED, text, advice)


def failure(check: str, error: Exception, status: Exit) -> Finding:
    """It is wrong as this error says: what, and after a colon what to do."""
    what, _, advice = str(error).partition(": ")
    return wrong(check, what, advice, status)
