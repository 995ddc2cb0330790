"""Receipts of stored letters: the server keeps each until it is noted, and it is once the letter is settled on disk."""

from ..client_requests import SettleOutgoing
from ..limits import NOTED_SLOTS_MAX
from ..messages import Noted
from ..secure.letter import slot_of
from ..secure.suite import Suite
from ..turn import Turn
from .connection import Connection


class Receipts:
    """Those of one client, by the slot that its letter was stored under."""

    def __init__(self, suite: Suite, connection: Connection) -> None:
        self._suite = suite
        self._connection = connection
        self._settling: dict[bytes, bool] = {}  # letters that the disk is asked to settle: whether one came
        self._noted: list[bytes] = []

    def settling(self, slot: bytes) -> None:
        """The disk is asked to settle the letter under this slot."""
        self._settling[slot] = False

    def came(self, slot: bytes) -> None:
        """A receipt came: it may go, unless it is of a letter that the disk is still asked to settle."""
        if slot in self._settling:
            self._settling[slot] = True
        else:
            self._noted.append(slot)

    def note(self, slot: bytes) -> None:
        """What the server keeps under this slot may go, whatever becomes of the letter."""
        self._noted.append(slot)

    def settled(self, request: SettleOutgoing) -> None:
        """A letter left the outbox on disk: its receipt may go from the server."""
        slot = slot_of(self._suite, request.secret)
        if self._settling.pop(slot, False):
            self._noted.append(slot)

    def end_turn(self, turn: Turn) -> None:
        """Tell the server which receipts may go; without a link it pushes them again."""
        if self._connection.current is not None:
            for at in range(0, len(self._noted), NOTED_SLOTS_MAX):
                turn.say(self._connection.current, Noted(tuple(self._noted[at : at + NOTED_SLOTS_MAX])))
        self._noted.clear()
