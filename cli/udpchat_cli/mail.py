"""Texts to show, put together from letters; each knows which letters it is made of, to be marked as seen."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from udpchat_core.client_events import LetterReceived
from udpchat_core.delivery.parts import Assembler, Part
from udpchat_net.stores.letters import KeptLetter

from . import schema
from .display import escaped

_FINGERPRINT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Text:
    """A message of somebody.

    Attributes:
        sender: the identity key.
        name: what the sender calls itself.
        confirmed: whether that is so, as far as is known.
        sent_ms: by the sender's clock, milliseconds of Unix time.
        text: exact: whoever shows it escapes it.
        waited: whether it was there, or in the mailbox, before this program came.
        letters: (sender, ack) of each letter that it is made of.
    """

    sender: bytes
    name: str
    confirmed: bool
    sent_ms: int
    text: str
    waited: bool
    letters: tuple[tuple[bytes, bytes], ...]


class Texts:
    """Puts texts together; `begun` has letters, seen already, of texts that were not complete at the last end."""

    def __init__(self, begun: Iterable[Part] = ()) -> None:
        self._assembler = Assembler()
        self._letters: dict[bytes, list[tuple[bytes, bytes]]] = {}
        for part in begun:
            list(self._assembler.add(part))  # a text that this completes was shown then

    def add(self, letter: LetterReceived | KeptLetter) -> Iterator[Text]:
        """Take the next letter: the texts that are complete by then."""
        sender, key = letter.sender, (letter.sender, letter.ack)
        complete = list(self._assembler.add(Part(sender, letter.sent_ms, letter.part, letter.parts, letter.text)))
        is_last = letter.part == letter.parts
        for number, (first, text) in enumerate(complete, 1):
            letters = self._letters.pop(sender, [])
            if is_last and number == len(complete):  # else it is of the next text
                letters.append(key)
            waited = isinstance(letter, KeptLetter) or letter.waited
            yield Text(sender, letter.name, letter.confirmed, first.sent_ms, text, waited, tuple(letters))
        if not is_last:
            self._letters.setdefault(sender, []).append(key)


def received(text: Text) -> dict[str, Any]:
    """The object for it, see `schema`."""
    return schema.made(
        "received",
        **{"from": text.name},
        confirmed=text.confirmed,
        identity=text.sender.hex(),
        sent_ms=text.sent_ms,
        text=text.text,
        waited=text.waited,
    )


def shown_name(letter: LetterReceived | Text) -> str:
    """The name, if it is known whose it is; else the beginning of the key, which no name looks like."""
    if letter.confirmed:
        return letter.name
    return f"?{letter.sender[:_FINGERPRINT_BYTES].hex()} (calls itself {escaped(letter.name)})"
