"""Every `_untrusted` function is fuzzed: the table holds them all, seeds get there, Hypothesis runs them briefly."""

import sys
from types import CodeType, FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.draw import INPUT_BYTES_MAX
from tests.fuzz.target import Target
from tests.fuzz.targets import CORE, TARGETS, untrusted_functions, untrusted_in

EVERY_TARGET = pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
EDITS = st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=3)
SOURCE = """
class Suite(Protocol):
    def open_untrusted(self): ...
class Link:
    async def open_untrusted(self):
        def _inner_untrusted(): ...
if True:
    def _read_untrusted(): ...
def trusted(): ...
"""


def reached(target: Target, seed: bytes) -> set[str]:
    """The functions of the core that an input gets to."""
    entered: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            entered.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        target.run(seed)
    finally:
        sys.setprofile(before)
    return {f"{code.co_filename}:{code.co_qualname}" for code in entered}


def in_file(name: str) -> str:
    """A target's name as `reached` gives it: the module is the longest beginning that is a file."""
    parts = name.split(".")
    for at in range(len(parts), 0, -1):
        path = CORE.joinpath(*parts[:at]).with_suffix(".py")
        if path.exists():
            return f"{path}:{'.'.join(parts[at:])}"
    raise AssertionError(name)


def edited(seed: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, gone, put in edits:
        seed = seed[: at % (len(seed) + 1)] + put + seed[at % (len(seed) + 1) + gone :]
    return seed


def test_every_untrusted_function_has_one_target_and_every_target_names_functions_that_there_are() -> None:
    assert sorted(name for target in TARGETS.values() for name in target.functions) == sorted(untrusted_functions())


def test_private_nested_and_conditional_functions_are_found() -> None:
    expected = {"a.Link.open_untrusted", "a.Link.open_untrusted._inner_untrusted", "a._read_untrusted"}
    assert untrusted_in("a", SOURCE) == expected


@EVERY_TARGET
def test_every_seed_gets_to_a_function_of_its_target_and_seeds_get_to_each(target: Target) -> None:
    functions = {in_file(name) for name in target.functions}
    by_seed = [functions & reached(target, seed) for seed in target.seeds]
    assert all(by_seed), [seed.hex() for seed, got_to in zip(target.seeds, by_seed, strict=True) if not got_to]
    assert set().union(*by_seed) == functions


@EVERY_TARGET
def test_some_seeds_are_accepted_and_some_refused(target: Target) -> None:
    assert {target.run(seed) for seed in target.seeds} == {True, False}
    assert max(map(len, target.seeds)) <= INPUT_BYTES_MAX


@EVERY_TARGET
def test_an_input_means_the_same_every_time(target: Target) -> None:
    outcomes = [target.run(seed) for seed in target.seeds]
    assert [target.run(seed) for seed in reversed(target.seeds)] == outcomes[::-1]


@EVERY_TARGET
@settings(max_examples=100)
@given(data=st.data())
def test_only_bad_datagram_comes_out_and_what_is_accepted_comes_back(target: Target, data: st.DataObject) -> None:
    seeds = st.sampled_from(target.seeds)
    target.run(data.draw(st.builds(edited, seeds, EDITS) | st.binary(max_size=300)))
