"""How old letters are, by two clocks of which either may have been set."""

from ..instant import MS, Instant
from ..machines.outgoing import OutgoingLetter
from .shared import Shared


class Ages:
    """When letters were written, as far as that was in this life."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._written: dict[bytes, tuple[Instant, int | None]] = {}  # when, and the server's offset then

    def begin(self, secret: bytes, now: Instant) -> None:
        """The user writes this letter now."""
        self._written[secret] = now, self._shared.server_offset_ms

    def end(self, secret: bytes) -> None:
        """It does not matter any more how old this letter is."""
        self._written.pop(secret, None)

    def age_ms(self, letter: OutgoingLetter, now: Instant) -> int:
        """How old a letter is by this clock and by the server's, whichever is less: one alone may have been set.

        What was sent in this life is dated by both clocks, so that what one says of it is held against the same one.
        """  # R-9.3-9
        server_offset_ms = self._shared.server_offset_ms or 0
        server_ms = sent_ms = letter.sent_ms
        if letter.secret in self._written:
            then, offset_ms = self._written[letter.secret]
            server_ms = then // MS + (server_offset_ms if offset_ms is None else offset_ms)
        return min(self._shared.wall_ms(now) - sent_ms, now // MS + server_offset_ms - server_ms)
