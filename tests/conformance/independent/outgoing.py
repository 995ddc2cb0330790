"""One letter under way, and what is numbered for one identity (sections 9.2, 9.3, 10.6)."""

from dataclasses import dataclass, field

from . import keys
from .path import Path
from .store import Row
from .world import NEVER

QUEUED, RESOLVING, DIRECT, STORING, STORED = "queued", "resolving", "direct", "storing", "stored"


@dataclass(eq=False)
class Letter:
    """One letter under way; `row` is what the disk has of it."""

    row: Row
    phase: str = QUEUED
    due_s: float = NEVER
    seq: int = 0  # none yet
    tries: int = 0
    first_s: float = 0.0  # when it was sent directly first
    wait_s: float = 0.0  # the last wait in the mailbox's phases
    believed: bool = False  # the directory does not answer: go on with what is known
    stored_floor: int = 0
    sealed: tuple[int, bytes] | None = None  # for the mail key: the attempt, and the letter
    direct: tuple[int, bytes] | None = None  # for the live key: the seq of the card, and the letter
    stored_card_seq: int = 0
    request: int = 0
    told: set[str] = field(default_factory=set)

    @property
    def ack(self) -> bytes:
        return keys.ack_of(self.row.secret)

    @property
    def slot(self) -> bytes:
        return keys.slot_of(self.row.secret)


@dataclass
class Peer:
    """What is numbered for one identity in this epoch, and the path to it."""

    numbered: int = 0
    letters: dict[int, Letter] = field(default_factory=dict)  # not final, by number
    path: Path = field(default_factory=Path)

    @property
    def floor(self) -> int:
        return min(self.letters, default=self.numbered + 1)  # R-9.2-5

    @property
    def lowest_unstored(self) -> int:
        return min((seq for seq, letter in self.letters.items() if letter.phase != STORED), default=self.numbered + 1)

    @property
    def direct(self) -> int:
        return sum(letter.phase == DIRECT for letter in self.letters.values())
