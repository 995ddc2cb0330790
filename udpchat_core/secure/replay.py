"""Which counters of a link were seen: a window that slides with the highest (as RFC 4303 section 3.4.3)."""

from ..errors import BadDatagram, Reason
from ..limits import REPLAY_WINDOW_RECORDS

_MASK = (1 << REPLAY_WINDOW_RECORDS) - 1


class ReplayWindow:
    """`check_untrusted` before the tag is tested, `mark` only after it was found good.

    Bit n of `_missed` is set if the counter `_highest - n` was not seen: on a path that loses nothing that is
    zero, a number that Python has once for all windows.
    """

    __slots__ = ("_highest", "_missed")

    def __init__(self) -> None:
        self._highest = -1
        self._missed = 0

    def check_untrusted(self, counter: int) -> None:
        """Refuse a counter that was seen, or is too old to tell: `BadDatagram(REPLAY)`; changes nothing."""
        behind = self._highest - counter
        if behind >= REPLAY_WINDOW_RECORDS or (behind >= 0 and not self._missed >> behind & 1):  # R-4.4-4
            raise BadDatagram(Reason.REPLAY)

    def mark(self, counter: int) -> None:
        """Remember an authentic counter, and let the window follow it."""
        ahead = counter - self._highest
        if ahead > 0:
            # R-4.4-5. A jump beyond the window leaves nothing of it: no shift by what a peer chose.
            if ahead < REPLAY_WINDOW_RECORDS:
                self._missed = (self._missed << ahead | (1 << ahead) - 2) & _MASK
            else:
                self._missed = _MASK - 1
            self._highest = counter
        else:
            self._missed &= ~(1 << -ahead)
