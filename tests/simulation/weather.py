"""Scenarios at random: what users do, and an explicit list of what goes wrong, all from one number.

Each has some kinds of fault and not the others: a fault that is always there hides what only shows without it. Things
go wrong around the times when something happens, because in an idle hour nothing is at stake.
"""

from collections.abc import Callable, Iterator
from math import exp, log
from random import Random
from typing import Final, TypeVar

from udpchat_net.simulation.faults import (
    LAST,
    SERVER,
    Bottleneck,
    ClockStep,
    Corruption,
    Crash,
    CrashAt,
    Delay,
    Duplication,
    Fault,
    FullDisk,
    Loss,
    Misdelivery,
    Partition,
    Pause,
    Rebind,
    Reorder,
    RestoreBackup,
    SlowDisk,
    Suspend,
    Truncation,
)
from udpchat_net.simulation.scenario import GoOffline, GoOnline, Say, Scenario, Step

T = TypeVar("T")
SECOND: Final = 1_000_000
HOUR: Final = 3_600 * SECOND
CLIENTS: Final = ("ann", "bob", "cyd", "dan")
_KIND_OF_LINK_FAULT: Final = (Loss, Duplication, Delay, Reorder, Corruption, Truncation, Misdelivery)


def weather(seed: int, *, real: bool = False) -> Scenario:
    """The scenario of this number: minutes to two hours, some hundred messages, a dozen crashes."""
    return _Weather(seed).scenario(real)


class _Weather:
    def __init__(self, seed: int) -> None:
        self._seed, self._random = seed, Random(seed)
        self._clients = CLIENTS[: self._random.randint(2, len(CLIENTS))]
        self._until_us = int(self._log(60 * SECOND, 6 * HOUR))
        self._bursts = [self._random.randrange(self._until_us) for _ in range(self._random.randint(3, 20))]

    def scenario(self, real: bool) -> Scenario:
        steps = (*self._talk(), *self._absences())
        messages = sum(step.count for step in steps if isinstance(step, Say))
        faults = [*self._link_faults(messages), *self._crashes(messages)]
        for kind in self._KINDS:
            if self._random.random() < 0.4:
                faults += (kind(self) for _ in range(self._random.randint(1, 6)))
        if self._random.random() < 0.3:
            faults.append(self._restore())
        return Scenario(self._seed, self._clients, steps, tuple(faults), self._until_us, real)

    # --- what users do ---

    def _talk(self) -> Iterator[Step]:
        for burst_us in self._bursts:
            for _ in range(self._random.randint(1, 4)):
                yield Say(
                    burst_us + int(self._log(1, 2 * SECOND)),
                    self._pick(self._clients),
                    self._pick(self._clients),
                    int(self._log(1, 120)),
                    self._pick((0, 0, 1_000, 20_000, 300_000, 2 * SECOND)),
                    self._pick((20, 20, 20, 300, 900, 2_500)),
                )

    def _absences(self) -> Iterator[Step]:
        for _ in range(self._random.randint(0, 6)):
            at_us, name = self._near(), self._pick(self._clients)
            yield GoOffline(at_us, name, self._random.random() < 0.5)
            yield GoOnline(at_us + int(self._log(SECOND, HOUR)), name)

    # --- what goes wrong ---

    def _link_faults(self, messages: int) -> Iterator[Fault]:
        for kind in _KIND_OF_LINK_FAULT:
            if self._random.random() < 0.5:
                for _ in range(self._random.randint(1, 3)):
                    first = int(self._log(1, 4 * messages + 10)) - 1
                    everything = self._random.random() < 0.3
                    last = LAST if everything else first + int(self._log(1, messages + 10))
                    probability = round(self._log(0.01, 0.5 if everything else 1.0), 3)
                    source, destination = (self._pick(("*", SERVER, *self._clients)) for _ in range(2))
                    yield self._link_fault(kind, source, destination, first, last, probability)

    def _link_fault(
        self, kind: type, source: str, destination: str, first: int, last: int, probability: float
    ) -> Fault:
        fault: Fault
        if kind in (Duplication, Delay, Reorder):
            delay_us = int(self._log(1_000, 5 * SECOND))
            fault = kind(source, destination, first, last, probability, delay_us)
        else:
            fault = kind(source, destination, first, last, probability)
        return fault

    def _crashes(self, messages: int) -> Iterator[Fault]:
        for _ in range(int(self._log(1, 40)) if self._random.random() < 0.8 else 0):
            boundary = int(self._log(1, 8 * messages + 40)) - 1
            yield CrashAt(self._node(), boundary, self._pick((0, 0, SECOND, 60 * SECOND)))

    def _partition(self) -> Fault:
        source, destination = (self._pick(("*", SERVER, *self._clients)) for _ in range(2))
        from_us = self._near()
        return Partition(source, destination, from_us, from_us + self._while(600), self._random.random() < 0.6)

    def _bottleneck(self) -> Fault:
        ends = ("*", SERVER, *self._clients)
        links = tuple((self._pick(ends), self._pick(ends)) for _ in range(self._random.randint(1, 3)))
        from_us, rate = self._near(), int(self._log(4_000, 1_000_000))
        return Bottleneck(links, rate, int(self._log(2_000, 100_000)), from_us, from_us + self._while(600))

    def _rebind(self) -> Fault:
        return Rebind(self._pick(self._clients), self._near())

    def _crash(self) -> Fault:
        return Crash(self._node(), self._near(), self._pick((0, SECOND, 100 * SECOND)))

    def _pause(self) -> Fault:
        return Pause(self._node(), self._near(), self._while(90))

    def _suspend(self) -> Fault:
        return Suspend(self._node(), self._near(), self._while(1_200))

    def _clock_step(self) -> Fault:
        by_ms = self._pick((int(self._log(10, 3 * 86_400_000)), 20 * 86_400_000))
        return ClockStep(self._node(), self._near(), self._pick((-1, 1)) * by_ms)

    def _full_disk(self) -> Fault:
        from_us = self._near()
        return FullDisk(self._node(), from_us, from_us + self._while(30), self._pick((0.0, 0.5, 1.0)))

    def _slow_disk(self) -> Fault:
        from_us = self._near()
        return SlowDisk(self._node(), from_us, from_us + self._while(60), int(self._log(5_000, 2 * SECOND)))

    def _restore(self) -> Fault:
        saved_us, at_us = sorted((self._near(), self._near()))
        return RestoreBackup(self._pick(self._clients), saved_us, at_us + 1)

    _KINDS: Final[tuple[Callable[["_Weather"], Fault], ...]] = (
        _partition,
        _bottleneck,
        _rebind,
        _crash,
        _pause,
        _suspend,
        _clock_step,
        _full_disk,
        _slow_disk,
    )

    # --- draws ---

    def _pick(self, what: tuple[T, ...]) -> T:
        return self._random.choice(what)

    def _log(self, low: float, high: float) -> float:
        """Small ones as often as large ones."""
        return exp(self._random.uniform(log(low), log(high)))

    def _node(self) -> str:
        return self._pick((SERVER, *self._clients))

    def _near(self) -> int:
        """A time around one at which something happens, most often within seconds."""
        away_us = int(self._log(1_000, 60 * SECOND)) * self._pick((-1, 1, 1))
        return min(max(0, self._pick((0, *self._bursts)) + away_us), self._until_us)

    def _while(self, longest_s: int) -> int:
        return int(self._log(10_000, longest_s * SECOND))
