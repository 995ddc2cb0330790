"""Token buckets, against one that is counted in fractions; tables of them, against one that never forgets."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udpchat_core.buckets import Bucket, Buckets
from udpchat_core.instant import SECOND, Instant, after

START = Instant(1_790_000_000 * SECOND)
RATES = st.sampled_from([1, 2, 5, 50, 1_000, SECOND])
WAITS_US = st.one_of(st.just(0), st.integers(0, 1_000), st.integers(0, 2 * SECOND))
KEYS = st.integers(0, 5)


class Naive:
    """A bucket as it is drawn: a level, filled as time passes."""

    def __init__(self, per_s: int) -> None:
        self.per_s, self.level, self.at = per_s, Fraction(per_s), START

    def take(self, now: Instant) -> bool:
        self.level = min(Fraction(self.per_s), self.level + Fraction((now - self.at) * self.per_s, SECOND))
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


@given(RATES, st.lists(WAITS_US, max_size=80))
def test_a_bucket_gives_what_a_level_filled_in_time_gives(per_s: int, waits: list[int]) -> None:
    bucket, naive, now = Bucket(per_s), Naive(per_s), START
    for wait in waits:
        now = after(now, wait)
        assert bucket.take(now) == naive.take(now)


@given(st.sampled_from([1, 2, 5]), st.lists(st.tuples(KEYS, WAITS_US), max_size=80))
def test_a_table_with_room_gives_what_a_bucket_for_each_key_gives(per_s: int, takes: list[tuple[int, int]]) -> None:
    """However much is forgotten, as it is full."""
    buckets, naive, now = Buckets[int](per_s, 6), {key: Naive(per_s) for key in range(6)}, START
    for key, wait in takes:
        now = after(now, wait)
        assert buckets.take(key, now) == naive[key].take(now)
        assert len(buckets) <= 6


@given(st.integers(1, 3), st.lists(st.tuples(KEYS, WAITS_US), max_size=80))
def test_a_full_table_stays_within_its_cap_and_gives_no_key_less(cap: int, takes: list[tuple[int, int]]) -> None:
    """Being evicted never costs a key a token, and gains it at most a full bucket."""
    buckets, now = Buckets[int](2, cap), START
    floor = {key: Naive(2) for key in range(6)}
    for key, wait in takes:
        now = after(now, wait)
        got, least = buckets.take(key, now), floor[key].take(now)
        assert got or not least
        assert len(buckets) <= cap


def test_a_bucket_refills_token_by_token_and_never_beyond_a_second() -> None:
    bucket = Bucket(5)
    assert [bucket.take(START) for _ in range(6)] == [True] * 5 + [False]
    assert not bucket.take(after(START, 199_999))
    assert bucket.take(after(START, 200_000))
    assert not bucket.take(after(START, 200_000))
    assert [bucket.take(after(START, 3_600 * SECOND)) for _ in range(6)] == [True] * 5 + [False]


def test_one_key_takes_nothing_from_another() -> None:
    buckets = Buckets[str](2, 9)
    assert [buckets.take("flood", START) for _ in range(9)] == [True] * 2 + [False] * 7
    assert buckets.take("other", START)


def test_full_buckets_are_forgotten() -> None:
    buckets = Buckets[int](2, 1_000)
    for key in range(100):
        buckets.take(key, START)
    assert len(buckets) == 100
    buckets.take(7, after(START, SECOND // 2))
    assert len(buckets) == 1


def test_the_least_recently_used_bucket_goes_for_a_new_one() -> None:
    buckets = Buckets[str](2, 3)
    for key in ("a", "b", "a", "c", "d"):
        assert buckets.take(key, START)
    assert not buckets.take("a", START)  # it was used after b, which went
    assert [buckets.take("b", START) for _ in range(3)] == [True, True, False]


def test_a_rate_that_is_no_whole_number_of_microseconds_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="whole microseconds"):
        Bucket(3)
