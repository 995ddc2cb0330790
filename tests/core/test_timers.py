"""Deadlines against a list that is sorted every time."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from udpchat_core.instant import Instant
from udpchat_core.timers import Deadlines

KEYS, TIMES = st.integers(0, 7), st.integers(0, 20).map(Instant)


def due(deadlines: Deadlines[Any], now: int) -> list[Any]:
    return list(deadlines.pop_due(Instant(now)))


def test_deadlines_fire_earliest_first_and_ties_in_the_order_they_were_set() -> None:
    deadlines = Deadlines[str]()
    for key, at in (("c", 2), ("z", 1), ("a", 2), ("b", 2)):
        deadlines.set(key, Instant(at))
    assert due(deadlines, 2) == ["z", "c", "a", "b"]


def test_a_deadline_set_again_fires_once_at_the_new_time_and_last_of_its_ties() -> None:
    deadlines = Deadlines[str]()
    for key, at in (("early", 1), ("late", 9), ("tie", 5), ("early", 5), ("late", 5)):
        deadlines.set(key, Instant(at))
    assert len(deadlines) == 3
    assert due(deadlines, 4) == []
    assert due(deadlines, 9) == ["tie", "early", "late"]


def test_what_was_cancelled_does_not_fire_and_cancelling_twice_is_nothing() -> None:
    deadlines = Deadlines[str]()
    deadlines.set("a", Instant(1))
    deadlines.set("b", Instant(1))
    for _ in range(2):
        deadlines.cancel("a")
    deadlines.cancel("never set")
    assert due(deadlines, 1) == ["b"]
    assert deadlines.next() is None


def test_a_key_may_be_set_and_cancelled_while_what_is_due_is_taken() -> None:
    deadlines = Deadlines[str]()
    for key, at in (("a", 1), ("b", 2), ("c", 3)):
        deadlines.set(key, Instant(at))
    fired = []
    for key in deadlines.pop_due(Instant(3)):
        fired.append(key)
        if fired == ["a"]:
            deadlines.set("a", Instant(2))  # due as well: after b, which was set before
            deadlines.cancel("c")
    assert fired == ["a", "b", "a"]
    assert len(deadlines) == 0


def test_keys_are_never_compared() -> None:
    deadlines = Deadlines[object]()
    keys = [object(), object()]
    for key in keys:
        deadlines.set(key, Instant(1))
    assert due(deadlines, 1) == keys


def is_compact(deadlines: Deadlines[Any]) -> bool:
    return len(deadlines._heap) <= 2 * len(deadlines) + 64


def test_what_was_replaced_does_not_outnumber_what_is_set() -> None:
    deadlines = Deadlines[int]()
    for at in range(10_000):
        deadlines.set(at % 10, Instant(100_000 - at))
        assert is_compact(deadlines)
    assert due(deadlines, 100_000) == [at % 10 for at in range(9_999, 9_989, -1)]


def test_what_was_cancelled_does_not_outnumber_what_is_set() -> None:
    deadlines = Deadlines[int]()
    for key in range(10_000):
        deadlines.set(key, Instant(key))
    for key in range(9_990):
        deadlines.cancel(key)
        assert is_compact(deadlines)
    assert due(deadlines, 10_000) == list(range(9_990, 10_000))


def test_what_fired_leaves_no_more_behind_than_is_set() -> None:
    deadlines = Deadlines[int]()
    for at in (900, 1):
        for key in range(100):
            deadlines.set(key, Instant(at))
    for _ in deadlines.pop_due(Instant(1)):
        assert is_compact(deadlines)
    assert len(deadlines) == 0


class Compared(RuleBasedStateMachine):
    """Any sequence of calls, against a dict of what is set."""

    def __init__(self) -> None:
        super().__init__()
        self.deadlines = Deadlines[int]()
        self.model: dict[int, Instant] = {}  # in the order of setting

    @rule(key=KEYS, at=TIMES, times=st.integers(1, 40))
    def set(self, key: int, at: Instant, times: int) -> None:
        for _ in range(times):  # often enough to compact
            self.deadlines.set(key, at)
        self.model.pop(key, None)
        self.model[key] = at

    @rule(key=KEYS)
    def cancel(self, key: int) -> None:
        self.deadlines.cancel(key)
        self.model.pop(key, None)

    @rule(now=TIMES)
    def fire(self, now: Instant) -> None:
        expected = sorted((key for key, at in self.model.items() if at <= now), key=lambda key: self.model[key])
        assert due(self.deadlines, now) == expected  # `sorted` keeps the order of ties
        for key in expected:
            del self.model[key]

    @invariant()
    def agrees(self) -> None:
        assert len(self.deadlines) == len(self.model)
        assert self.deadlines.next() == min(self.model.values(), default=None)
        assert is_compact(self.deadlines)


TestCompared = Compared.TestCase


@given(st.lists(st.tuples(KEYS, TIMES), max_size=200))
def test_the_same_calls_fire_the_same_keys_in_the_same_order(calls: list[tuple[int, Instant]]) -> None:
    runs = []
    for _ in range(2):
        deadlines = Deadlines[int]()
        for key, at in calls:
            deadlines.set(key, at)
        runs.append(due(deadlines, 20))
    assert runs[0] == runs[1]
