"""Which counters of a link were seen: a window that slides with the highest (as RFC 4303 section 3.4.3)."""

from ..errors import BadDatagram, Reason
from ..limits import REPLAY_WINDOW_RECORDS

_MASK = (1 << REPLAY_WINDOW_RECORDS) - 1


class ReplayWindow:
    """`check_untrusted` before the tag is tested, `mark` only after it was found good.

    Bit n of `_seen` stands for the counter `_highest - n`.
    """

    __slots__ = ("_highest", "_seen")

    def __init__(self) -> None:
        self._highest = -1
        self._seen = 0

    def check_untrusted(self, counter: int) -> None:
        """Refuse a counter that was seen, or is too old to tell: `BadDatagram(REPLAY)`; changes nothing."""
        behind = self._highest - counter
        if behind >= REPLAY_WINDOW_RECORDS or (behind >= 0 and self._seen >> behind & 1):  # R-4.4-4
            raise BadDatagram(Reason.REPLAY)

    def mark(self, counter: int) -> None:
        """Remember an authentic counter, and let the window follow it."""
        ahead = counter - self._highest
        if ahead > 0:
            # R-4.4-5. A jump beyond the window empties it: no shift by what a peer chose.
            self._seen = self._seen << ahead & _MASK if ahead < REPLAY_WINDOW_RECORDS else 0
            self._highest = counter
        self._seen |= 1 << (self._highest - counter)
