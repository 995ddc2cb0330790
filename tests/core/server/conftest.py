"""A world over both suites where sealing matters, over the fast one elsewhere."""

from random import Random

import pytest

from tests.core.server.world import World
from udpchat_core.secure.suite import StandardSuite
from udpchat_net.simulation.transparent import TransparentSuite


@pytest.fixture
def world() -> World:
    """A server with nobody in its directory, over the suite that is fast."""
    return World()


@pytest.fixture(params=[StandardSuite, TransparentSuite], ids=lambda kind: kind.__name__)
def sealed_world(request: pytest.FixtureRequest) -> World:
    """The same, over each suite."""
    return World(StandardSuite(Random(1).randbytes) if request.param is StandardSuite else TransparentSuite(1))
