"""The measurement of a start starts real servers from real stores, and tells of each kind."""

from benchmarks.server_start import ROWS, measure, report


def test_each_kind_of_start_is_measured_and_told() -> None:
    found = measure(users=30, letters=40, rounds=1)
    assert all(each.ready_s > 0 and each.read_s > 0 and each.resident > 0 for each in found.values())
    told = report(found, 30, 40)
    assert [line.split(" | ")[0] for line in told.splitlines()[2 : 2 + len(found)]] == [f"| {kind}" for kind in found]
    assert ROWS in found
