"""Where letters come from: those of strangers are opened at a bounded rate.

To open a letter takes a Diffie-Hellman, whether or not there is anything in it. Anybody who has seen a card can make
datagrams that have to be tried, so those from addresses that are not known are tried as far as their bucket goes.
What is not tried is as if it were lost: its sender tries again, and then takes the way through the mailbox.
"""

from ..address import Address
from ..buckets import Bucket
from ..errors import BadDatagram, Reason
from ..instant import Instant
from ..limits import KNOWN_SOURCES_MAX, STRANGER_LETTERS_PER_S_MAX


class Sources:
    """The addresses that letters are expected from, least recently of use first."""

    def __init__(self) -> None:
        self._known: dict[Address, None] = {}
        self._strangers = Bucket(STRANGER_LETTERS_PER_S_MAX)

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, source: Address) -> None:
        """The directory says that a contact is there, or a letter from there was opened well."""
        self._known.pop(source, None)
        if len(self._known) >= KNOWN_SOURCES_MAX:
            del self._known[next(iter(self._known))]
        self._known[source] = None

    def check_untrusted(self, source: Address, now: Instant) -> None:
        """Refuse to open a letter from there now: `BadDatagram(STRANGER_RATE)` if strangers sent too many."""
        if source not in self._known and not self._strangers.take(now):  # R-9.4-8
            raise BadDatagram(Reason.STRANGER_RATE)
