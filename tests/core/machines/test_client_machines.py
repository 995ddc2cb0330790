"""The client's three machines against the engine, in every phase, at every event, for every outcome of their guards."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest

from tests.core.machines.oracle import agrees
from udpchat_core.bodies import LetterBody
from udpchat_core.instant import Instant
from udpchat_core.machines.client_session import SESSION, ClientSession, Session
from udpchat_core.machines.incoming import INCOMING, Incoming, IncomingLetter
from udpchat_core.machines.outgoing import OUTGOING, Outgoing, OutgoingLetter, Phase

NOW = Instant(1_000_000)
BODY = LetterBody(bytes(32), "bob", 1, 1, 1, bytes(16), 0, 1, 1, "hello")


@dataclass(frozen=True)
class Recipient:
    """What an outgoing letter asks about whom it is for."""

    is_known: bool
    has_card: bool
    is_online: bool
    card_seq: int
    pto_us: int
    room: bool
    retry_room: bool
    answering: bool

    def has_retry_room(self, record: OutgoingLetter) -> bool:
        """Whether there is room for another copy."""
        return self.retry_room

    def is_answering(self, now: Instant) -> bool:
        """Whether it answers others."""
        return self.answering

    def has_store_room(self, record: OutgoingLetter) -> bool:
        """Whether there is room."""
        return self.room


@dataclass(frozen=True)
class Links:
    """What a session asks about its links."""

    has_link: bool
    patience_us: int = 7_000_000


def recipients() -> Iterator[Recipient]:
    """Every kind of recipient."""
    yes_no = (False, True)
    for known, online, newer, room, *direct in product(yes_no, repeat=6):
        yield Recipient(known, known or newer, online, 6 if newer else 5, 700_000 if online else 0, room, *direct)


@pytest.mark.parametrize(("tries", "came_back", "waits"), [(0, False, 30), (3, True, 0)])
def test_outgoing_runs_as_it_is_drawn(tries: int, came_back: bool, waits: int) -> None:
    def make(phase: object) -> OutgoingLetter:
        letter = OutgoingLetter(bytes(16), 1, 1, 1, "bob", 0, "hello", phase)  # type: ignore[arg-type] # a Phase
        letter.came_back, letter.waits, letter.card_seq = came_back, waits, 5
        letter.tries = 0 if phase is Phase.QUEUED else tries  # what was never sent was never tried
        return letter

    for recipient in recipients():
        assert agrees(Outgoing, OUTGOING, make, recipient, NOW) == 9


@pytest.mark.parametrize(
    ("wanted", "tries", "linked", "doubted"), [*product((False, True), (0, 4, 5), (False, True), (False, True))]
)
def test_the_session_runs_as_it_is_drawn(wanted: bool, tries: int, linked: bool, doubted: bool) -> None:
    def make(phase: object) -> ClientSession:
        return ClientSession(phase, wanted, True, tries, 3, doubted)  # type: ignore[arg-type] # a Phase

    assert agrees(Session, SESSION, make, Links(linked), NOW) == 13


def test_incoming_runs_as_it_is_drawn() -> None:
    def make(phase: object) -> IncomingLetter:
        return IncomingLetter(BODY, bytes(16), phase)  # type: ignore[arg-type] # a Phase

    assert agrees(Incoming, INCOMING, make, None, NOW) == 8
