"""The replay window against a set that remembers everything."""

from random import Random

import pytest

from tests.core.secure.people import refused
from udpchat_core.errors import BadDatagram, Reason
from udpchat_core.secure.replay import ReplayWindow

WINDOW = 1_024


def accepts(window: ReplayWindow, counter: int) -> bool:
    try:
        window.check_untrusted(counter)
    except BadDatagram as error:
        return error.reason is not Reason.REPLAY
    window.mark(counter)
    return True


@pytest.mark.parametrize("spread", [3, 50, 1_023, 1_024, 1_025, 5_000])
def test_the_window_agrees_with_a_set_of_everything_seen(spread: int) -> None:
    """R-4.4-4."""
    random, window = Random(spread), ReplayWindow()
    seen: set[int] = set()
    for step in range(4_000):
        counter = max(0, step + random.randint(-spread, spread))
        expected = counter not in seen and counter > max(seen, default=0) - WINDOW
        assert accepts(window, counter) is expected
        if expected:
            seen.add(counter)


def test_the_oldest_counter_of_the_window_is_taken_and_the_next_is_not() -> None:
    """R-4.4-4: 1,024 or more below the highest."""
    window = ReplayWindow()
    assert accepts(window, 5_000)
    assert accepts(window, 5_000 - WINDOW + 1)
    assert not accepts(window, 5_000 - WINDOW)
    assert not accepts(window, 0)


@pytest.mark.parametrize("jump", [1, WINDOW - 1, WINDOW, WINDOW + 1, 2**63])
def test_a_jump_forgets_nothing_that_it_could_still_accept(jump: int) -> None:
    """R-4.4-4."""
    window = ReplayWindow()
    for counter in (0, 1, 1 + jump):
        assert accepts(window, counter)
    for counter in (0, 1, 1 + jump):
        assert not accepts(window, counter)
    if jump > 1:
        assert accepts(window, jump)


def test_a_check_alone_changes_nothing() -> None:
    """R-4.4-5: only what was found authentic is marked."""
    window = ReplayWindow()
    window.mark(7)
    before = (window._highest, window._missed)
    window.check_untrusted(2**64 - 2)
    window.check_untrusted(6)
    with refused(Reason.REPLAY):
        window.check_untrusted(7)
    assert (window._highest, window._missed) == before


def test_the_memory_of_the_window_is_bounded() -> None:
    window, random, counter = ReplayWindow(), Random(1), 0
    for _ in range(3_000):
        counter += random.choice((1, 2, 900, 1_023, 1_024, 2**40))
        window.mark(counter)
        assert window._missed < 1 << WINDOW
        assert not window._missed & 1


def test_a_path_that_loses_nothing_costs_no_memory() -> None:
    window = ReplayWindow()
    for counter in range(3_000):
        window.mark(counter)
    assert window._missed == 0
