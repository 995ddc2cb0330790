"""Letters shown: each is told to the user at once if its name is confirmed.

Otherwise it waits until the directory said whose name it is, or a second.
"""

from dataclasses import replace

from ..buckets import Bucket
from ..client_events import LetterReceived
from ..instant import after
from ..limits import HELD_LETTERS_PER_SENDER_MAX, NAME_WAIT_US, STRANGER_NAMES_PER_S_MAX
from ..machines.incoming import IncomingLetter
from ..turn import Turn
from .connection import Connection
from .contacts import Contacts
from .shared import Shared


class Display:
    """Tells the user of letters that are on disk.

    Attributes:
        waiting: letters that were in the mailbox at the registration and have not been entered since.
    """

    def __init__(self, shared: Shared, connection: Connection, contacts: Contacts) -> None:
        self._shared = shared
        self._connection = connection
        self._contacts = contacts
        self._unnamed: dict[bytes, list[LetterReceived]] = {}
        self._names = Bucket(STRANGER_NAMES_PER_S_MAX)
        self.waiting = 0

    def __len__(self) -> int:
        return len(self._unnamed)

    def show(self, letter: IncomingLetter, turn: Turn) -> None:
        """A letter is on disk now: tell of it, or ask first whose name it has."""
        body = letter.body
        early = not self._connection.is_online  # the answer to Register was lost, and will not count this one
        waited = bool(letter.entries) and (early or self.waiting > 0)
        self.waiting -= waited and not early
        confirmed = self._contacts.is_confirmed(body.name, body.sender, turn.now)
        event = LetterReceived(
            sender=body.sender,
            name=body.name,
            confirmed=bool(confirmed),
            sent_ms=body.sent_ms,
            part=body.part,
            parts=body.parts,
            text=body.text,
            stored=bool(letter.entries),
            waited=waited,
            ack=letter.ack,
        )
        if body.sender in self._unnamed:
            self._unnamed[body.sender].append(event)
            if len(self._unnamed[body.sender]) >= HELD_LETTERS_PER_SENDER_MAX:
                self.tell_unnamed(body.sender, turn)
        elif confirmed is None and self._names.take(turn.now):  # R-9.4-9
            self._unnamed[body.sender] = [event]
            self._contacts.look_up(body.name, turn)
            self._shared.set_timer(("name", body.sender), after(turn.now, NAME_WAIT_US))  # R-9.4-12
        else:
            turn.emit(event)

    def named(self, name: str, turn: Turn) -> None:
        """The directory said something about a name: tell what waited for it."""
        for sender in [sender for sender, events in self._unnamed.items() if events[0].name == name]:
            self._tell(sender, turn)

    def tell_unnamed(self, sender: bytes, turn: Turn) -> None:
        """The directory did not say in time whose name it is, and is asked no more."""
        self._contacts.look_up_no_more(self._unnamed[sender][0].name, turn)
        self._tell(sender, turn)

    def _tell(self, sender: bytes, turn: Turn) -> None:
        """Tell what waited for the name of this sender, as it is known now."""
        self._shared.set_timer(("name", sender), None)
        for event in self._unnamed.pop(sender, []):
            confirmed = self._contacts.is_confirmed(event.name, sender, turn.now)
            turn.emit(replace(event, confirmed=bool(confirmed)))
