"""The numbers of letters to one identity in this epoch, what is outstanding of them, and the windows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from ..bodies import CardBody
from ..delivery.path import Path
from ..instant import Instant
from ..limits import DIRECT_WINDOW_LETTERS, STORED_WINDOW_LETTERS
from ..machines.outgoing import OutgoingLetter, Phase
from .contacts import Contact


@dataclass(slots=True, eq=False)
class Conversation:
    """Letters to one identity. Both dictionaries are in the order of numbers.

    Attributes:
        last_seq: of the last letter numbered.
        outstanding: numbered, and neither acknowledged nor given up.
        unstored: of these, what the server was not known to have on disk.
        in_flight: of these, how many were sent directly and are waited for.
        path: to where the identity is.
    """

    last_seq: int = 0
    outstanding: dict[int, OutgoingLetter] = field(default_factory=dict)
    unstored: dict[int, None] = field(default_factory=dict)
    in_flight: int = 0
    path: Path = field(default_factory=Path)

    @property
    def floor(self) -> int:
        """The lowest number that is outstanding, or will be."""  # R-9.2-5
        return next(iter(self.outstanding), self.last_seq + 1)

    def number(self, letter: OutgoingLetter) -> None:
        """Give a letter its number, at first send; it keeps it as long as this program runs."""
        if not letter.seq:
            self.last_seq += 1  # R-9.2-4
            letter.seq = self.last_seq
            self.outstanding[letter.seq] = letter
            self.unstored[letter.seq] = None

    def moved(self, letter: OutgoingLetter, before: Phase) -> None:
        """Count a letter whose phase was `before`."""
        self.in_flight += (letter.phase is Phase.DIRECT) - (before is Phase.DIRECT)
        if letter.phase in _STORED_OR_FINAL:
            self.unstored.pop(letter.seq, None)
        if letter.phase in _FINAL:
            self.outstanding.pop(letter.seq, None)

    def has_direct_room(self) -> bool:
        """Whether one more letter may go directly."""
        # R-9.3-2, R-9.3-13
        return self.last_seq + 1 < self.floor + DIRECT_WINDOW_LETTERS and self.in_flight < self.path.window

    def is_among_lowest(self, letter: OutgoingLetter, count: int) -> bool:
        """Whether `letter`, which is in flight, is one of the `count` lowest that are."""
        if self.in_flight <= count:
            return True
        flying = (seq for seq, each in self.outstanding.items() if each.phase is Phase.DIRECT)
        return letter.seq in islice(flying, count)

    def has_store_room(self, letter: OutgoingLetter) -> bool:
        """Whether `letter`, numbered or next, may go to the mailbox: late Stores must not fill what a reader holds."""
        lowest = next(iter(self.unstored), self.last_seq + 1)
        return (letter.seq or self.last_seq + 1) < lowest + STORED_WINDOW_LETTERS


_FINAL = frozenset({Phase.DELIVERED, Phase.REFUSED, Phase.EXPIRED})
_STORED_OR_FINAL = _FINAL | {Phase.STORED}


@dataclass(slots=True)
class Correspondent:
    """What guards ask about the recipient of a letter: its contact and its conversation together."""

    contact: Contact
    conversation: Conversation
    is_fresh: Callable[[Contact], bool]
    holds: Callable[[CardBody], bool]

    @property
    def has_card(self) -> bool:
        """Whether there is a card of the pinned identity that holds."""  # R-9.3-12
        card = self.contact.card
        return card is not None and card.identity == self.contact.identity and self.holds(card)

    @property
    def is_known(self) -> bool:
        """Whether there is one to believe."""
        return self.has_card and self.is_fresh(self.contact)

    @property
    def is_online(self) -> bool:
        """Whether there is an address to try."""
        return self.contact.address is not None

    @property
    def card_seq(self) -> int:
        """The seq of the newest card, 0 if there is none."""
        return self.contact.card.seq if self.contact.card is not None else 0

    @property
    def pto_us(self) -> int:
        """How long an acknowledgement may take on the direct path; 0 if not known."""
        return self.conversation.path.pto_us

    def has_retry_room(self, record: OutgoingLetter) -> bool:
        """Whether the letter is one of the lowest in flight that fill the window: what is behind waits for these."""
        return self.conversation.is_among_lowest(record, self.conversation.path.window)

    def is_answering(self, now: Instant) -> bool:
        """Whether the recipient acknowledged any letter just now."""
        return self.conversation.path.is_answering(now)

    def has_store_room(self, record: OutgoingLetter) -> bool:
        """Whether the window of stored letters has room."""
        return self.conversation.has_store_room(record)
