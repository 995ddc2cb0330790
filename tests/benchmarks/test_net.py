"""The measurements of store and driver do what they say: every work runs, and the driver's answers come from it."""

import pytest

from benchmarks import driver, lookup, store
from benchmarks.harness import paired


@pytest.mark.parametrize(("subject", "names"), [(store, "store-one-by-one-"), (driver, "driver-"), (lookup, "lookup-")])
def test_every_pair_can_be_measured(subject: object, names: str) -> None:
    measured = [paired(pair, rounds=2, calls=1) for pair in subject.pairs()]  # type: ignore[attr-defined]
    assert len(measured) == 2
    for each in measured:
        assert each.name.startswith(names)
        assert each.ratio > 0
