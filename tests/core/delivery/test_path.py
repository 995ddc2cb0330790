"""The path's timing and window, by RFC 9002 and the changes that its module states."""

from hypothesis import given
from hypothesis import strategies as st

from udpchat_core.delivery.path import Path
from udpchat_core.instant import Instant
from udpchat_core.limits import (
    CONGESTION_WINDOW_MAX,
    CONGESTION_WINDOW_MIN,
    CONGESTION_WINDOW_START,
    DIRECT_RETRY_US,
    PTO_DURABLE_US,
    PTO_GRANULARITY_US,
)


def measured(*samples_us: int) -> Path:
    path = Path()
    for sample in samples_us:
        path.acknowledged(sample)
    return path


# --- timing ---


def test_a_path_without_a_sample_has_no_timeout() -> None:
    assert Path().pto_us == 0


def test_the_first_sample_is_the_round_trip_and_half_of_it_the_variation() -> None:
    """RFC 9002 section 5.3."""
    path = measured(40_000)
    assert (path.srtt_us, path.rttvar_us) == (40_000, 20_000)
    assert path.pto_us == 40_000 + 4 * 20_000 + PTO_DURABLE_US


def test_later_samples_are_smoothed_by_an_eighth_and_a_quarter() -> None:
    """RFC 9002 section 5.3: the variation against the smoothed time before the sample."""
    path = measured(40_000, 80_000)
    assert path.rttvar_us == (3 * 20_000 + 40_000) // 4
    assert path.srtt_us == (7 * 40_000 + 80_000) // 8


def test_a_path_that_does_not_vary_still_has_the_granularity() -> None:
    path = measured(*[40_000] * 100)
    assert path.rttvar_us < PTO_GRANULARITY_US // 4
    assert path.pto_us == path.srtt_us + PTO_GRANULARITY_US + PTO_DURABLE_US


def test_an_acknowledgement_in_the_same_instant_is_a_sample_as_well() -> None:
    path = measured(0)
    assert path.srtt_us == 1
    assert path.pto_us > PTO_DURABLE_US


@given(st.lists(st.integers(0, 10_000_000), min_size=1))
def test_the_smoothed_time_stays_within_the_samples(samples: list[int]) -> None:
    path = measured(*samples)
    assert max(min(samples), 1) <= path.srtt_us <= max(*samples, 1)
    assert 0 <= path.rttvar_us <= max(*samples, 1)


# --- the window ---


def test_the_window_doubles_each_round_trip_until_the_first_loss() -> None:
    path = Path()
    for size in (16, 32, 64, 128):
        assert path.window == size
        for _ in range(size):
            path.acknowledged(1_000)


def test_the_window_never_passes_its_ends() -> None:
    path = measured(*[1_000] * 1_000)
    assert path.window == CONGESTION_WINDOW_MAX
    path.lost(Instant(1))
    assert path.window == CONGESTION_WINDOW_MAX // 2
    for _ in range(CONGESTION_WINDOW_MAX**2):
        path.acknowledged(1_000)
    assert path.window == CONGESTION_WINDOW_MAX
    for second in range(1, 20):
        path.lost(Instant(second * 1_000_000))
    assert path.window == CONGESTION_WINDOW_MIN


def test_after_a_loss_the_window_is_half_and_grows_by_one_a_round_trip() -> None:
    path = measured(1_000)
    path.lost(Instant(1))
    assert path.window == (CONGESTION_WINDOW_START + 1) // 2 == 8
    for _ in range(8):
        assert path.window == 8
        path.acknowledged(1_000)
    for _ in range(9):
        assert path.window == 9
        path.acknowledged(1_000)
    assert path.window == 10


def test_losses_within_one_timeout_halve_the_window_once() -> None:
    """RFC 9002 section 7.3.2: one reduction a round trip."""
    path = measured(40_000)
    path.lost(Instant(1_000))
    until = 1_000 + path.pto_us
    for now in (1_000, 2_000, until - 1):
        path.lost(Instant(now))
    assert path.window == 8
    path.lost(Instant(until))
    assert path.window == 4


def test_growth_before_a_loss_does_not_count_after_it() -> None:
    path = measured(40_000)
    path.lost(Instant(1))
    for _ in range(7):
        path.acknowledged(40_000)
    path.lost(Instant(10_000_000))
    assert path.window == 4
    for _ in range(3):
        path.acknowledged(40_000)
    assert path.window == 4


def test_on_a_path_that_was_never_measured_losses_count_once_in_the_time_of_a_first_try() -> None:
    path = Path()
    for now in (1, 1, DIRECT_RETRY_US[0]):
        path.lost(Instant(now))
        assert path.window == CONGESTION_WINDOW_START // 2
    path.lost(Instant(1 + DIRECT_RETRY_US[0]))
    assert path.window == CONGESTION_WINDOW_START // 4


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2_000_000))))
def test_the_window_and_the_timeout_stay_within_bounds_whatever_comes(calls: list[tuple[bool, int]]) -> None:
    path, now = Path(), 0
    for is_loss, us in calls:
        now += us
        before = path.window
        if is_loss:
            path.lost(Instant(now))
            assert before // 2 <= path.window <= before
        else:
            path.acknowledged(us)
            assert before <= path.window <= before + 1
        assert CONGESTION_WINDOW_MIN <= path.window <= CONGESTION_WINDOW_MAX
        assert path.pto_us <= 2_000_000 + 4 * 2_000_000 + PTO_DURABLE_US
