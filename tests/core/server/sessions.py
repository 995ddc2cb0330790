"""What the tests of sessions look at: who is online, and why somebody was refused."""

from tests.core.server.world import World
from udpchat_core.fields import Refusal
from udpchat_core.messages import Message, Refused


def refusal(answer: Message) -> tuple[Refusal, int]:
    assert isinstance(answer, Refused)
    return answer.refusal, answer.card_seq


def is_online(world: World, name: str) -> bool:
    user = world.server._directory._by_name.get(name)
    return user is not None and user.online is not None
