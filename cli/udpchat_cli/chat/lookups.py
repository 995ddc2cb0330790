"""What other commands tell, told in a chat: the history, and whose a key is."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from udpchat_net.stores.errors import StoreError

from ..accounts import Speaker
from ..commands.history import rows
from ..commands.verify import told as told_of_key
from ..session import Session
from ..verifying import verify
from .lines import Line, Style, mark, note
from .typed import SERVER, Misuse

HISTORY_MESSAGES: Final = 20
"""Messages that `/history` shows."""


def history(who: Speaker, peer: str | None) -> list[Line]:
    """The last messages with this user, or with all. Reads files. Raises `Misuse`."""
    try:
        last = deque(rows(who, peer), HISTORY_MESSAGES)
    except StoreError as error:
        raise Misuse(str(error)) from error
    if not last:
        return [note("Nothing was said yet.")]
    return [mark("history"), *(Line(((Style.STATE, row.head),), row.text) for row in last), mark("now")]


async def compare_keys(running: Session, about: str, show: Callable[[list[Line]], object]) -> None:
    """Tell of the key of whom `about` names, and do what it says after that. Raises `Failed`."""
    name, _, act = about.partition(" ")

    def say(thing: Mapping[str, Any]) -> None:
        show([note(line) for line in _paragraphs(told_of_key(thing, _said))])

    await verify(running, "" if name == SERVER else name, act, say)


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Lines of a paragraph together, to be broken where this terminal ends."""
    for is_text, group in groupby(lines, lambda line: line[:1].strip() != ""):
        rows = list(group)
        yield from [" ".join(rows)] if is_text else rows


def _said(act: str, name: str) -> str:
    return f"/verify {name} {act}" if act == "mark" else f"/{act} {name or SERVER}"
