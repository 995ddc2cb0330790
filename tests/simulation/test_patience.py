"""A server that asks for patience loses nothing: whoever asks too much at once is served later."""

from udpchat_core.client_events import MessageDelivered, MessageStored
from udpchat_core.errors import Reason
from udpchat_core.limits import MAILBOX_SENDER_LETTERS_MAX
from udpchat_net.simulation.faults import SERVER
from udpchat_net.simulation.oracle import Oracle
from udpchat_net.simulation.world import SECOND, World

LETTERS = 300  # more than a mailbox takes of one sender, and many more than a session may ask in a second


def test_hundreds_of_letters_at_once_to_somebody_who_is_away_all_arrive() -> None:
    """R-8.8-3: Stores beyond the session's limit are told to wait, and are asked again."""
    world = World(7, ("ann", "bob"))
    oracle = Oracle(world)
    for name in ("ann", "bob"):
        world.register(name)
    world.run(SECOND)
    world.deregister("bob")
    world.run(SECOND)
    for number in range(LETTERS):
        world.send("ann", "bob", f"number {number}")
    world.run(60 * SECOND)
    assert world.nodes[SERVER].dropped[Reason.SESSION_RATE] > 0
    assert sum(isinstance(event, MessageStored) for _, event in world.events("ann")) == MAILBOX_SENDER_LETTERS_MAX
    world.register("bob")
    oracle.heal_and_drain()
    assert sum(isinstance(event, MessageDelivered) for _, event in world.events("ann")) == LETTERS
