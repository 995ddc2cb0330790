"""The world of a client, over the suite that is fast and repeatable, and over the real one."""

from random import Random

import pytest

from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB
from tests.core.client.world import World
from udpchat_core.secure.suite import StandardSuite
from udpchat_net.simulation.transparent import TransparentSuite


@pytest.fixture
def world() -> World:
    """A client that was never started."""
    return World(TransparentSuite(1))


@pytest.fixture
def online(world: World) -> World:
    """A client that is registered; what happened until then is forgotten."""
    world.register()
    world.forget()
    return world


@pytest.fixture(params=["standard", "transparent"])
def either(request: pytest.FixtureRequest) -> World:
    """A client that was never started, over each suite."""
    suite = StandardSuite(Random(1).randbytes) if request.param == "standard" else TransparentSuite(1)
    return World(suite)


@pytest.fixture
def bob(online: World) -> Peer:
    """Somebody who writes, and whose name the client has pinned."""
    peer = online.know("bob", BOB)
    online.send("bob")
    online.forget()
    return peer
