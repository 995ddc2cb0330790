"""Letters that come in, by both ways, and what the client shows, acknowledges and collects of them."""

from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core.bodies import LetterBody
from udpchat_core.fields import Outcome
from udpchat_core.secure.letter import ack_of

ACKNOWLEDGED, UNOPENABLE, UNWANTED = Outcome.ACKNOWLEDGED, Outcome.UNOPENABLE, Outcome.UNWANTED


def write(world: World, peer: Peer, *bodies: LetterBody, source: object = BOB) -> None:
    """Letters come in directly."""
    for body in bodies:
        world.receive(peer.letter(world.server.card, body), source)  # type: ignore[arg-type]


def mail(world: World, peer: Peer, body: LetterBody, entry: int) -> None:
    """A letter comes in from the mailbox."""
    world.push(peer.pushed(world.server.card, body, entry))


def ack(world: World, body: LetterBody) -> bytes:
    """The acknowledgement of a letter."""
    return ack_of(world.suite, body.secret)


def texts(world: World) -> list[str]:
    """What was shown, in order."""
    return [event.text for event in world.told(e.LetterReceived)]


def outcomes(world: World) -> list[tuple[int, Outcome]]:
    """What was collected, in order."""
    return [(entry.entry, entry.outcome) for entry in world.collected()]


def numbered(peer: Peer, *seqs: int, floor: int = 1) -> list[LetterBody]:
    """Letters with these numbers, whose texts are the numbers."""
    return [peer.body(seq, str(seq), floor=min(floor, seq)) for seq in seqs]
