"""The harness computes what it says, on a machine whose every nanosecond is scripted."""

import gc
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from benchmarks.harness import CALLS_MAX, ROUND_NS, Arguments, Pair, Work, as_json, paired, same, table


class Machine:
    """A clock that only work moves, and a diary of who worked."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.diary = ""

    def clock(self) -> int:
        return self.now_ns

    def work(self, name: str, costs_ns: Iterable[int]) -> Work:
        """Takes the next of `costs_ns` at each call."""
        costs = iter(costs_ns)

        def run() -> None:
            self.now_ns += next(costs)
            self.diary += name

        return same(run)

    def pair(self, bare_ns: Iterable[int], ours_ns: Iterable[int]) -> Pair:
        return Pair("a", "b", self.work("b", bare_ns), self.work("o", ours_ns), self.clock)


def forever(cost_ns: int) -> Iterator[int]:
    while True:
        yield cost_ns


def test_the_ratio_is_the_median_of_the_ratios_of_rounds() -> None:
    """Not the ratio of the medians, which here is 1.5; the first round of each is for warming up."""
    machine = Machine()
    got = paired(machine.pair([7, 1_000, 2_000, 3_000], [9, 2_000, 8_000, 3_000]), 3, 1)
    assert (got.ratio, got.bare_us, got.ours_us) == (2.0, 2.0, 3.0)
    assert (got.ratio_low, got.ratio_high) == (1.5, 3.0)
    assert (got.rounds, got.calls) == (3, 1)


def test_times_are_those_of_one_call() -> None:
    machine = Machine()
    got = paired(machine.pair(forever(500), forever(1_250)), 5, 8)
    assert (got.bare_us, got.ours_us, got.ratio, got.calls) == (0.5, 1.25, 2.5, 8)


def test_a_machine_that_is_slow_by_turns_changes_no_ratio() -> None:
    machine = Machine()
    moods = [1, 1, 40, 3, 1, 7, 90, 2]
    got = paired(machine.pair([100 * n for n in moods], [250 * n for n in moods]), 7, 1)
    assert (got.ratio, got.ratio_low, got.ratio_high) == (2.5, 2.5, 2.5)


def test_a_disturbed_round_does_not_count() -> None:
    machine = Machine()
    got = paired(machine.pair(forever(100), [200] * 5 + [90_000] + [200] * 3), 8, 1)
    assert (got.ratio, got.ratio_low, got.ratio_high) == (2.0, 2.0, 2.0)


def test_who_goes_first_alternates() -> None:
    machine = Machine()
    paired(machine.pair(forever(1), forever(1)), 4, 2)
    assert machine.diary == "bboo" + "bboo" + "oobb" + "bboo" + "oobb"


def test_inputs_are_made_outside_of_the_time_and_used_once() -> None:
    machine = Machine()
    seen: list[int] = []

    def inputs(calls: int) -> Iterator[Arguments]:
        for _ in range(calls):
            machine.now_ns += 1_000_000
            yield (machine.now_ns,)

    def run(made: int) -> None:
        seen.append(made)
        machine.now_ns += 30

    pair = replace(machine.pair(forever(10), []), ours=Work(run, inputs))
    assert paired(pair, 3, 4).ratio == 3.0
    assert len(set(seen)) == len(seen) == 4 * (1 + 3)


@pytest.mark.parametrize(
    ("cost_ns", "calls"),
    [(ROUND_NS * 5, 1), (ROUND_NS // 4, 4), (ROUND_NS // 50, 50), (10, CALLS_MAX), (0, CALLS_MAX)],
)
def test_a_round_takes_as_many_calls_as_fill_it_within_bounds(cost_ns: int, calls: int) -> None:
    machine = Machine()
    assert paired(machine.pair(forever(cost_ns), forever(1)), 2).calls == calls


def test_the_garbage_collector_rests_and_is_as_it_was_before() -> None:
    machine = Machine()
    was: list[bool] = []
    pair = machine.pair(forever(1), forever(1))
    assert gc.isenabled()
    paired(replace(pair, ours=same(lambda: was.append(gc.isenabled()))), 2, 1)
    assert was == [False] * 3
    assert gc.isenabled()
    with pytest.raises(StopIteration):
        paired(replace(pair, ours=machine.work("o", [])), 2, 1)
    assert gc.isenabled()


def test_one_round_is_no_measurement() -> None:
    machine = Machine()
    with pytest.raises(ValueError, match="1 rounds: at least 2"):
        paired(machine.pair(forever(1), forever(1)), 1, 1)
    assert machine.diary == ""


def test_the_table_is_markdown() -> None:
    machine = Machine()
    pair = machine.pair([7, 1_000, 2_000, 3_000], [9, 2_000, 8_000, 3_000])
    got = paired(replace(pair, name="letter-open", against="HPKE open"), 3, 1)
    assert table([got]) == (
        "| what | bare | bare us | ours us | ratio | spread |\n"
        "| --- | --- | --: | --: | --: | --: |\n"
        "| letter-open | HPKE open | 2.00 | 3.00 | 2.00 | 1.50 to 3.00 |\n"
    )


def test_json_has_every_figure() -> None:
    machine = Machine()
    got = paired(machine.pair(forever(500), forever(1_250)), 2, 1)
    figures: dict[str, object] = {"bare_us": 0.5, "ours_us": 1.25, "ratio": 2.5, "ratio_low": 2.5, "ratio_high": 2.5}
    assert as_json([got]) == [{"name": "a", "against": "b", "rounds": 2, "calls": 1} | figures]
