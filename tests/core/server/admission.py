"""What the tests of admission do: register, invite, and begin the rotation of an identity."""

from tests.core.server.world import Client, World, private_key
from udpchat_core.fields import Refusal, Rotation
from udpchat_core.messages import Message, Refused, Register
from udpchat_core.secure.rotation import make_rotation
from udpchat_core.server import Admission, Policy
from udpchat_core.server_events import InviteMade

DAY_S = 86_400
INVITED = Admission(Policy.INVITE)


def register(client: Client, invite: bytes | None = None, rotation: Rotation | None = None) -> Message:
    """The answer to a Register on a new link."""
    return client.connect().ask(Register(client.next_id(), invite, rotation))


def refusal(answer: Message) -> Refusal:
    assert isinstance(answer, Refused)
    return answer.refusal


def invite(world: World) -> bytes:
    """The token of a new invitation."""
    world.carry_out(world.server.invite(world.now))
    return world.told(InviteMade)[-1].token


def rotated(world: World, name: str) -> tuple[Client, Rotation]:
    """A client with the next identity of `name`, and the word of the identity before for it."""
    client = world.client(name, who=f"{name} the second")
    return client, make_rotation(world.suite, private_key(f"{name} identity"), client.identity, name)
