"""The two suites that everything here is shown over."""

from random import Random

import pytest

from udpchat_core.secure.suite import StandardSuite, Suite
from udpchat_net.simulation.transparent import TransparentSuite


@pytest.fixture(params=[StandardSuite, TransparentSuite], ids=lambda kind: kind.__name__)
def suite(request: pytest.FixtureRequest) -> Suite:
    """The real primitives, and those of the simulation: what is built from them holds over both."""
    return StandardSuite(Random(1).randbytes) if request.param is StandardSuite else TransparentSuite(1)


@pytest.fixture
def real() -> StandardSuite:
    """The real primitives, with repeatable keys."""
    return StandardSuite(Random(1).randbytes)
