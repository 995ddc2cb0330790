"""What the tests of the outbox look at: letters that go out, and what comes back for them."""

from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB
from tests.core.client.world import World
from udpchat_core import messages as m
from udpchat_core.bodies import LetterBody
from udpchat_core.secure.letter import ack_of, slot_of


def mute(world: World) -> Peer:
    """Bob, who is online and answers nothing."""
    bob = world.know("bob", BOB)
    bob.answers = False
    return bob


def stored(world: World, peer: Peer) -> list[LetterBody]:
    """What the Stores say, in order."""
    return [peer.open(asked.letter) for asked in world.server.all(m.Store)]


def slot(world: World, body: LetterBody) -> bytes:
    """The server's name for a letter."""
    return slot_of(world.suite, body.secret)


def receipt(world: World, body: LetterBody) -> m.Receipt:
    """The recipient's acknowledgement by way of the server."""
    return m.Receipt(slot(world, body), ack_of(world.suite, body.secret))
