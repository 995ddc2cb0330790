"""The path's timing and window, by RFC 9002 and the changes that its module states."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from udpchat_core.delivery.path import Path
from udpchat_core.instant import Instant
from udpchat_core.limits import (
    AMBIGUOUS_ACKS_MAX,
    CONGESTION_WINDOW_MAX,
    CONGESTION_WINDOW_MIN,
    CONGESTION_WINDOW_START,
    DIRECT_RETRY_US,
    PACED_BURST_LETTERS_MAX,
    PACED_BURST_US,
    PTO_DURABLE_US,
    PTO_GRANULARITY_US,
)

NOW = Instant(1_000_000_000)


def acknowledge(path: Path, elapsed_us: int, now: int = NOW) -> None:
    """One of a window of letters, first sent `elapsed_us` ago, was acknowledged."""
    path.acknowledged(Instant(now - elapsed_us), Instant(now), path.window)


def measured(*samples_us: int) -> Path:
    path = Path()
    for sample in samples_us:
        acknowledge(path, sample)
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


def test_what_may_answer_a_retry_does_not_measure_the_path() -> None:
    """Karn's rule, RFC 6298 section 3: also for letters that were sent once, as those behind a gap are held."""
    # R-9.3-13
    path = measured(40_000)
    path.sent(NOW, is_retry=True)
    for elapsed_us in (0, 1_000, 300_000):
        acknowledge(path, elapsed_us)
    assert (path.srtt_us, path.rttvar_us) == (40_000, 20_000)
    acknowledge(path, 48_000, NOW + 48_001)
    assert path.srtt_us == 41_000


def test_the_first_acknowledgement_measures_whatever_it_answers() -> None:
    """A path slower than the first retry has no other."""
    # R-9.3-13
    path = Path()
    path.sent(NOW, is_retry=True)
    acknowledge(path, 700_000)
    assert path.srtt_us == 700_000


def test_a_path_that_became_slower_than_the_retries_is_measured_after_a_row_of_acknowledgements() -> None:
    # R-9.3-13
    path = measured(40_000)
    for number in range(1, 3 * (AMBIGUOUS_ACKS_MAX + 1) + 1):
        path.sent(NOW, is_retry=True)
        acknowledge(path, 400_000)
        assert (path.srtt_us > 40_000) is (number > AMBIGUOUS_ACKS_MAX)
    assert path.srtt_us > 150_000


def test_a_path_answers_until_nothing_came_for_the_wait_after_a_last_try() -> None:
    path = Path()
    assert not path.is_answering(NOW)
    acknowledge(path, 1_000)
    assert path.is_answering(Instant(NOW + DIRECT_RETRY_US[-1] - 1))
    assert not path.is_answering(Instant(NOW + DIRECT_RETRY_US[-1]))
    slow = measured(700_000)
    assert slow.is_answering(Instant(NOW + slow.pto_us - 1))
    assert not slow.is_answering(Instant(NOW + slow.pto_us))


# --- pacing ---


def departures(path: Path, count: int, *, late_us: int = 0) -> list[int]:
    """When so many letters leave that are all there at once, if wake-ups come so late; and how many leave at each."""
    now, left = NOW, []
    for _ in range(count):
        while wait_us := path.wait_us(now):
            now = Instant(now + wait_us + late_us)
        path.sent(now, is_retry=False)
        left.append(now - NOW)
    return left


def test_a_path_that_was_never_measured_is_not_paced() -> None:
    assert departures(Path(), CONGESTION_WINDOW_START) == [0] * CONGESTION_WINDOW_START


def test_a_lone_letter_leaves_at_once() -> None:
    # R-9.3-14
    path = measured(*[400_000] * 8)
    for second in range(5):
        now = Instant(NOW + 1_000_000 * second)
        assert path.wait_us(now) == 0
        path.sent(now, is_retry=False)


def test_a_window_is_spread_over_a_round_trip_at_one_and_a_quarter_windows() -> None:
    """RFC 9002 section 7.7: after a burst, an interval of srtt / window / N."""
    # R-9.3-14
    path = measured(*[400_000] * 24)
    assert path.window == 40
    assert path.interval_us == 400_000 * 4 // 5 // 40 == 8_000
    left = departures(path, 40)
    burst = PACED_BURST_LETTERS_MAX
    assert left[:burst] == [0] * burst
    assert left[burst:] == [8_000 * number for number in range(1, 41 - burst)]


def test_on_a_fast_path_letters_leave_in_bursts_and_wake_ups_are_not_closer_than_a_burst() -> None:
    # R-9.3-14
    path = measured(*[20_000] * 200)
    assert path.interval_us < 100
    left = departures(path, 400)
    wake_ups = sorted(set(left))
    assert min(later - sooner for sooner, later in pairwise(wake_ups)) == PACED_BURST_US
    assert len(wake_ups) < 400 * path.interval_us // PACED_BURST_US + 2
    assert max(left.count(wake_up) for wake_up in wake_ups) <= PACED_BURST_US // path.interval_us + 2
    assert left[-1] <= 400 * path.interval_us


def test_wake_ups_that_are_late_do_not_lead_to_a_burst() -> None:
    # R-9.3-14
    path = measured(*[400_000] * 24)
    left = departures(path, 40, late_us=100_000)
    assert max(left.count(wake_up) for wake_up in left) <= PACED_BURST_LETTERS_MAX


def test_retries_move_the_time_of_the_next_letter_by_a_round_trip_at_most() -> None:
    # R-9.3-15
    path = measured(*[400_000] * 24)
    for _ in range(PACED_BURST_LETTERS_MAX):
        assert path.wait_us(NOW) == 0
        path.sent(NOW, is_retry=True)
    assert path.wait_us(NOW) == path.interval_us
    for _ in range(1_000):
        path.sent(NOW, is_retry=True)
    assert path.wait_us(NOW) < path.srtt_us


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1_000_000)), max_size=60))
def test_no_letter_waits_for_its_time_longer_than_a_round_trip(calls: list[tuple[int, int]]) -> None:
    path, now, longest_us = Path(), NOW, PACED_BURST_US
    for what, us in calls:
        now = Instant(now + us)
        match what:
            case 0:
                acknowledge(path, us, now)
            case 1:
                path.lost(now)
            case _:
                path.sent(now, is_retry=what == 2)
        longest_us = max(longest_us, path.srtt_us)
        wait_us = path.wait_us(now)
        assert wait_us == 0 or PACED_BURST_US <= wait_us <= longest_us


# --- the window ---


def test_the_window_doubles_each_round_trip_until_the_first_loss() -> None:
    path = Path()
    for size in (16, 32, 64, 128):
        assert path.window == size
        for _ in range(size):
            acknowledge(path, 1_000)


def test_a_window_that_is_not_half_used_does_not_grow() -> None:
    """RFC 9002 section 7.8: so the first long text after many short messages does not leave at once."""
    # R-9.3-13
    path = Path()
    for _ in range(100):
        path.acknowledged(NOW, NOW, CONGESTION_WINDOW_START // 2 - 1)
    assert path.window == CONGESTION_WINDOW_START
    path.acknowledged(NOW, NOW, CONGESTION_WINDOW_START // 2)
    assert path.window == CONGESTION_WINDOW_START + 1


def test_the_window_never_passes_its_ends() -> None:
    path = measured(*[1_000] * 1_000)
    assert path.window == CONGESTION_WINDOW_MAX
    path.lost(Instant(1))
    assert path.window == CONGESTION_WINDOW_MAX // 2
    for _ in range(CONGESTION_WINDOW_MAX**2):
        acknowledge(path, 1_000)
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
        acknowledge(path, 1_000)
    for _ in range(9):
        assert path.window == 9
        acknowledge(path, 1_000)
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
        acknowledge(path, 40_000)
    path.lost(Instant(10_000_000))
    assert path.window == 4
    for _ in range(3):
        acknowledge(path, 40_000)
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
            acknowledge(path, us, now)
            assert before <= path.window <= before + 1
        assert CONGESTION_WINDOW_MIN <= path.window <= CONGESTION_WINDOW_MAX
        assert path.pto_us <= 2_000_000 + 4 * 2_000_000 + PTO_DURABLE_US
