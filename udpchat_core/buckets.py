"""Token buckets: how much of a kind of work is done in a period, in all or for each of many.

A bucket holds what may be done in one period, a second if nothing else is said, and is filled at that rate. It is
one integer: the instant at which it is full again, which tells level and time in one (as the generic cell rate
algorithm of ATM has it, ITU-T I.371). A token moves that instant on by its share of the period; who would move it
further than a period ahead of now finds the bucket empty.
"""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from .instant import SECOND, Instant, after

K = TypeVar("K", bound=Hashable)
_LONG_AGO: Final = Instant(0)


class Bucket:
    """One bucket of so many tokens a period, which they divide into whole microseconds."""

    __slots__ = ("_full_at", "_period_us", "_token_us")

    def __init__(self, tokens: int, period_us: int = SECOND) -> None:
        self._token_us, self._period_us = _token_us(tokens, period_us), period_us
        self._full_at = _LONG_AGO

    def take(self, now: Instant) -> bool:
        """Take a token; False if there is none."""
        full_at = _full_again(self._full_at, self._token_us, self._period_us, now)
        if full_at is None:
            return False
        self._full_at = full_at
        return True


class Buckets(Generic[K]):
    """A bucket of so many tokens a period for each key, of which at most `keys_max` that are not full are in memory.

    What is not here is full. A bucket is full a period after its last token at the latest, and they lie in the order
    of that token: those that are full are forgotten from the front. Beyond the cap the least recently used one
    goes, as if it were full. That is no way around a limit: it takes a token of each of `keys_max` other keys within
    a period to win back at most one period's tokens of one, and where there is a limit in total as well, whatever
    is won passes that one too, which is a `Bucket` of its own and is never forgotten.
    """

    __slots__ = ("_full_at", "_keys_max", "_period_us", "_token_us")

    def __init__(self, tokens: int, keys_max: int, period_us: int = SECOND) -> None:
        self._token_us, self._period_us = _token_us(tokens, period_us), period_us
        self._keys_max = keys_max
        self._full_at: dict[K, Instant] = {}

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: K, now: Instant) -> bool:
        """Take a token of this key; False if it has none."""
        full_at = _full_again(self._full_at.get(key, _LONG_AGO), self._token_us, self._period_us, now)
        if full_at is None:
            return False
        self._full_at.pop(key, None)
        self._forget(now)
        self._full_at[key] = full_at
        return True

    def _forget(self, now: Instant) -> None:
        """Forget what is full, at the front, and make room for one."""
        while self._full_at:
            first = next(iter(self._full_at))
            if self._full_at[first] > now and len(self._full_at) < self._keys_max:
                return
            del self._full_at[first]


def _token_us(tokens: int, period_us: int) -> int:
    token_us, rest = divmod(period_us, tokens)
    assert not rest, "tokens divide their period into whole microseconds"
    return token_us


def _full_again(full_at: Instant, token_us: int, period_us: int, now: Instant) -> Instant | None:
    """When a bucket is full again after one more token; None if it has none."""
    then = after(max(full_at, now), token_us)
    return then if then <= after(now, period_us) else None
