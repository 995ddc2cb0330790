"""Measures two works side by side: how many times as long does ours take as the bare one that it cannot do without.

Theory of operation. A shared machine is fast and slow by turns, so times of different moments say nothing about
each other. Here a round times both works one right after the other, each the same number of calls, and which
goes first alternates. What counts is the ratio of each round, and of those the median: a disturbance spoils a round,
not the result. The spread is that of the middle half of the rounds; where it is wide, the machine was busy.
The clock is the processor's time of this process: what others take of the machine does not count, and what they do
to its caches meets both works. Inputs are made before the clock starts, so a work that uses up its input (a record is
opened once) is measured alone. The cyclic garbage collector rests meanwhile, as in `timeit`: it would run in
whichever work comes just then.
"""

import gc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import repeat
from statistics import median, quantiles
from time import process_time_ns
from typing import Any, Final

Clock = Callable[[], int]
"""Nanoseconds since whenever."""
Arguments = tuple[Any, ...]

ROUNDS: Final = 101
ROUNDS_MIN: Final = 2
"""Quartiles need two."""
ROUND_NS: Final = 2_000_000
"""What the bare work takes in a round, about: long beside the clock's own cost, short beside the machine's moods."""
CALLS_MAX: Final = 1_000
"""Calls in a round: inputs for that many are in memory."""


@dataclass(frozen=True, slots=True)
class Work:
    """Something to do again and again: `run(*arguments)`, with `inputs(calls)` making arguments for so many calls."""

    run: Callable[..., object]
    inputs: Callable[[int], Iterable[Arguments]]


def same(run: Callable[..., object], *arguments: object) -> Work:
    """The work of calling `run` with these arguments each time."""
    return Work(run, lambda calls: repeat(arguments, calls))


@dataclass(frozen=True, slots=True)
class Pair:
    """Ours, and the bare work that it is held against.

    Attributes:
        name: for the command line: the subject, what is done, of what; with hyphens.
        against: what the bare work is, in words for the table.
        bare: what cannot be left out.
        ours: all of it.
        clock: by which both are timed; a pair that waits for another process needs `perf_counter_ns`.
    """

    name: str
    against: str
    bare: Work
    ours: Work
    clock: Clock = process_time_ns


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured of a pair.

    Attributes:
        name: of the pair.
        against: what the bare work is.
        bare_us: the median time of one call, microseconds; of this machine in this run, for orientation.
        ours_us: the same of ours.
        ratio: the median over all rounds of ours / bare.
        ratio_low: the lower quartile of that.
        ratio_high: the upper quartile.
        rounds: how many there were.
        calls: of each work in each round.
    """

    name: str
    against: str
    bare_us: float
    ours_us: float
    ratio: float
    ratio_low: float
    ratio_high: float
    rounds: int
    calls: int


def paired(pair: Pair, rounds: int = ROUNDS, calls: int | None = None) -> Comparison:
    """Measure a pair, in `rounds` of `calls` each; without `calls`, of as many as take bare about `ROUND_NS`."""
    if rounds < ROUNDS_MIN:
        raise ValueError(f"{rounds} rounds: at least {ROUNDS_MIN} are needed")
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        calls = calls or _calls(pair)
        _round(pair, True, calls)  # fills the caches
        times = [_round(pair, number % 2 == 0, calls) for number in range(rounds)]
    finally:
        if collecting:
            gc.enable()
    return _comparison(pair, times, calls)


def table(comparisons: Sequence[Comparison]) -> str:
    """The comparisons as a Markdown table."""
    rows = [("what", "bare", "bare us", "ours us", "ratio", "spread"), ("---", "---", "--:", "--:", "--:", "--:")]
    rows += [
        (one.name, one.against, f"{one.bare_us:.2f}", f"{one.ours_us:.2f}", f"{one.ratio:.2f}", _spread(one))
        for one in comparisons
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def as_json(comparisons: Sequence[Comparison]) -> list[dict[str, object]]:
    """The comparisons as JSON has them."""
    return [asdict(one) for one in comparisons]


def _spread(one: Comparison) -> str:
    return f"{one.ratio_low:.2f} to {one.ratio_high:.2f}"


def _calls(pair: Pair) -> int:
    """How many calls take bare about `ROUND_NS`: doubled until it took a tenth, so that start-up costs vanish."""
    calls = 1
    while (taken := _time(pair.bare, calls, pair.clock)) * 10 < ROUND_NS and calls < CALLS_MAX:
        calls *= 2
    return max(1, min(CALLS_MAX, calls * ROUND_NS // taken))


def _round(pair: Pair, bare_first: bool, calls: int) -> tuple[int, int]:
    """Nanoseconds of the bare work and of ours."""
    if bare_first:
        bare = _time(pair.bare, calls, pair.clock)
        return bare, _time(pair.ours, calls, pair.clock)
    ours = _time(pair.ours, calls, pair.clock)
    return _time(pair.bare, calls, pair.clock), ours


def _time(work: Work, calls: int, clock: Clock) -> int:
    run, inputs = work.run, list(work.inputs(calls))
    begun = clock()
    for arguments in inputs:
        run(*arguments)
    return max(1, clock() - begun)  # a coarse clock may not have moved


def _comparison(pair: Pair, times: Sequence[tuple[int, int]], calls: int) -> Comparison:
    ratios = [ours / bare for bare, ours in times]
    low, _, high = quantiles(ratios, n=4, method="inclusive")
    bare_us, ours_us = (median(each) / calls / 1_000 for each in zip(*times, strict=True))
    return Comparison(pair.name, pair.against, bare_us, ours_us, median(ratios), low, high, len(times), calls)
