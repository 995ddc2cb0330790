"""What a chat needs of where it is shown, and what is asked of the chat there."""

from collections.abc import Iterable
from typing import Protocol

from ..exits import Failed
from .lines import Line


class Front(Protocol):
    """Where lines are typed and shown.

    Attributes:
        desk: the chat; `Closed` until there is one.
    """

    desk: "Desk"

    @property
    def trouble(self) -> Failed | None:
        """What is to be said at the end of why it broke, if anything."""
        ...

    @property
    def is_broken(self) -> bool:
        """Whether nobody can read any more what is shown."""
        ...

    @property
    def is_patient(self) -> bool:
        """Whether the end of the input is no wish to end: what was sent is to arrive first."""
        ...

    @property
    def has_line(self) -> bool:
        """Whether `take` has something."""
        ...

    def take(self) -> str | None:
        """What was typed next, of one or several lines; None: there is no more."""
        ...

    async def start(self) -> None:
        """Begin, on the running loop: when this returns, somebody can type."""
        ...

    async def stop(self) -> None:
        """Nothing is taken any more; the terminal is as it was. Lines may still be shown. Once more does nothing."""
        ...

    def show(self, lines: Iterable[Line], *, ring: bool = False) -> None:
        """Show lines, and ring. They are there when this returns, unless it `is_broken`."""
        ...

    def refresh(self) -> None:
        """What is said around the lines may have changed."""
        ...


class Desk(Protocol):
    """The chat, as a front sees it."""

    def prompt(self) -> str:
        """What stands before the line being typed."""
        ...

    def toolbar(self, columns: int) -> str:
        """What stands below it, where there is room for so many columns."""
        ...

    def completions(self, before: str) -> list[str]:
        """What may take the place of the last word of this."""
        ...

    def active(self) -> None:
        """The user typed something."""
        ...

    def changed(self) -> None:
        """There is something to take, or the front is broken."""
        ...


class Closed:
    """The desk before there is a chat: what is typed waits."""

    def prompt(self) -> str:
        """To nobody yet."""
        return "> "

    def toolbar(self, columns: int) -> str:  # noqa: ARG002
        """That it takes a moment."""
        return "starting"

    def completions(self, before: str) -> list[str]:  # noqa: ARG002 - a `Desk`
        """None yet."""
        return []

    def active(self) -> None:
        """Nobody has to know."""

    def changed(self) -> None:
        """Whoever opens looks by itself."""
