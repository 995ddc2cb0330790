"""`history`: what was said, by both sides, as this machine has it; also while another udpchat works with the file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from typing import Any, Final

from udpchat_net.stores.letters import KeptLetter
from udpchat_net.stores.reading import SentLetter, reading, received_letters, sent_letters

from .. import schema
from ..accounts import Speaker, need_known, speaker
from ..arguments import Given
from ..display import block
from ..exits import Exit
from ..mail import Texts, received, shown_name
from ..output import Output
from ..wording import timestamp

_STATES: Final = ("refused", "expired", "queued", "stored", "delivered")
"""A message stands where that one of its letters does which is first here; that is what the user was told."""


@dataclass(frozen=True, slots=True)
class Row:
    """A message of the history, either way: when by this machine's clock, how it is printed, and as an object."""

    at_ms: int
    head: str
    text: str
    thing: dict[str, Any]


def run(given: Given) -> int:
    """Print it, oldest first; the exit status. Raises `Failed`, `ReaderGone` and `StoreError`."""
    who, peer = speaker(given.arguments), given.arguments.peer
    need_known(who)
    output = Output(given.arguments.json)
    for row in rows(who, peer):
        output.say(block(row.head, row.text, output.columns), row.thing)
    return Exit.DONE


def rows(who: Speaker, peer: str | None) -> Iterator[Row]:
    """The history with this user, or with all, oldest first. Raises `StoreError`."""
    with reading(who.path) as connection:
        sent = _sent(who.account.name, sent_letters(connection, peer))
        came = _came(received_letters(connection, peer))
        yield from merge(sent, came, key=lambda row: row.at_ms)


def _sent(name: str, letters: Iterable[SentLetter]) -> Iterator[Row]:
    for number, parts in groupby(letters, lambda letter: letter.message):
        of_message = list(parts)
        first, text = of_message[0], "".join(part.text for part in of_message)
        state = min(map(_state, of_message), key=_STATES.index)
        head = f"{timestamp(first.sent_ms)} <{name}> #{number} to {first.to}, {state}: "
        about = {"message": number, "to": first.to, "sent_ms": first.sent_ms, "text": text, "state": state}
        yield Row(first.sent_ms, head, text, schema.made("sent", **about))


def _state(letter: SentLetter) -> str:
    return letter.outcome or ("stored" if letter.stored else "queued")


def _came(letters: Iterable[KeptLetter]) -> Iterator[Row]:
    texts = Texts()
    for letter in letters:
        for text in texts.add(letter):
            head = f"{timestamp(text.sent_ms)} <{shown_name(text)}> "
            yield Row(letter.received_ms, head, text.text, received(text))
