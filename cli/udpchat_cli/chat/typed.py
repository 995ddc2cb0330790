"""What is typed: a message for the current peer, or a command after a slash. Whatever has no slash is a message."""

from argparse import ArgumentTypeError
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from .. import values

SERVER: Final = "server"


class Slash(NamedTuple):
    """A command: what it takes, and what it does."""

    takes: str
    meaning: str


COMMANDS: Final = {
    "to": Slash("NAME", "write to NAME from now on"),
    "who": Slash("", "who is there, and who is away"),
    "history": Slash("[NAME]", "what was said last, with NAME or whom you write to"),
    "verify": Slash("NAME [mark]", "compare keys with NAME, or the server; remember that it was done"),
    "accept": Slash("NAME|server", "take the key that NAME, or the server, has now"),
    "away": Slash("", "go offline: mail waits at the server"),
    "back": Slash("", "come back"),
    "rotate": Slash("", "change your key"),
    "help": Slash("", "this"),
    "quit": Slash("", "end, as Ctrl-D does"),
}
"""By word. `//` begins a message with a slash."""
_ACTS: Final = {"verify": ("mark", "unmark"), "rotate": ("yes",)}
_OF_SERVER: Final = ("accept", "verify")
_WITH_NAME: Final = tuple(word for word, slash in COMMANDS.items() if "NAME" in slash.takes)


class Misuse(Exception):
    """What was typed cannot be done: one sentence says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Say:
    """Send a text to the current peer."""

    text: str


@dataclass(frozen=True, slots=True)
class Do:
    """Carry out the command of this word; `about` is what follows it, "" if nothing."""

    word: str
    about: str


def read(typed: str) -> Say | Do | None:
    """What was typed; None if it is blank. Raises `Misuse`."""
    text = typed.rstrip()
    if not text.lstrip().startswith("/"):
        return Say(text) if text else None
    text = text.lstrip()
    if text.startswith("//"):
        return Say(text[1:])
    word, _, about = text[1:].partition(" ")
    about = about.strip()
    if word not in COMMANDS:
        raise Misuse(f"/{word} is no command{_nearest(word)}: /help lists them, and // begins a message with a slash")
    takes = COMMANDS[word].takes
    if not about and takes and not takes.startswith("["):
        raise Misuse(f"/{word} {takes}: say which")
    name, _, act = about.partition(" ")
    if act and act not in _ACTS.get(word, ()):
        raise Misuse(f"/{word}: {act!r} is too much; nothing was done")
    if not takes and name not in ("", *_ACTS.get(word, ())):
        raise Misuse(f"/{word} takes nothing after it; nothing was done")
    if takes and name and not (name == SERVER and word in _OF_SERVER):
        try:
            name = values.name(name)
        except ArgumentTypeError as error:
            raise Misuse(f"/{word}: {error}") from error
    return Do(word, f"{name} {act}".strip())


def _nearest(word: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for what is wrong

    close = get_close_matches(word, COMMANDS, 1)
    return f" (did you mean /{close[0]}?)" if close else ""


def completions(before: str, names: Iterable[str]) -> list[str]:
    """What may take the place of the last word of `before`, which the cursor follows; `names` are in order."""
    start, _, word = before.rpartition(" ")
    if not start:
        if before.startswith("/"):
            return [
                f"/{each} " if slash.takes else f"/{each}"
                for each, slash in COMMANDS.items()
                if f"/{each}".startswith(word)
            ]
        return [f"/to {name} " for name in names] if not before else [name for name in names if name.startswith(word)]
    is_name_next = start.startswith("/") and start[1:] in _WITH_NAME
    if is_name_next or word:
        extra = [SERVER] if start[1:] in _OF_SERVER else []
        return [name for name in (*names, *extra) if name.startswith(word)]
    return []


def helped() -> list[str]:
    """What `/help` says, in lines."""
    rows = [(f"/{word} {slash.takes}".rstrip(), slash.meaning) for word, slash in COMMANDS.items()]
    return [
        "What you type goes to whom the prompt names; Tab completes commands and names.",
        *(f"  {what:<22}{meaning}" for what, meaning in rows),
        f"  {'//...':<22}a message that begins with a slash",
    ]
