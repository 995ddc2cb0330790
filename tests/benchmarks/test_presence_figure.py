"""What a registration costs the server is flat: the same bytes, however many users there are."""

import pytest

from benchmarks.presence import Figure, measure, table


def test_bytes_a_registration_are_flat_where_nobody_watches_everybody() -> None:
    """R-8.4-5, R-8.4-6: whoever registered is told and looked up by those who watch it, and by nobody else."""
    few, more, many = (measure(users, registrations=3) for users in (10, 100, 1_000))
    assert few.datagrams == more.datagrams == many.datagrams
    assert few.bytes <= more.bytes <= many.bytes < 1.03 * few.bytes  # counters grow by a byte


def test_who_is_watched_by_more_costs_more() -> None:
    """The measurement sees what it is about."""
    two, eight = measure(20, watching=2, registrations=3), measure(20, registrations=3)
    assert 2 < eight.bytes / two.bytes < 4


def test_a_table_has_ratios_to_its_first_row() -> None:
    rows = table([Figure(10, 5_000.0, 37.0), Figure(1_000, 5_100.0, 37.04)]).splitlines()
    assert rows[2:] == ["| 10 | 5,000 | 37.0 | 1.00 |", "| 1,000 | 5,100 | 37.0 | 1.02 |"]
    with pytest.raises(ValueError, match="5 users cannot watch 8 others each"):
        measure(5)
