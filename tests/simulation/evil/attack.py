"""Attacks at random: users chat, come and go, and everybody is against them, all from one number."""

from random import Random

from tests.simulation.evil.scene import MAIL_DELAY_US_MAX
from udpchat_net.simulation.scenario import Deceive, GoOffline, GoOnline, Intrude, Mischief, Say, Scenario, Step
from udpchat_net.simulation.world import SECOND

CLIENTS = ("ann", "bob", "cyd")
MINUTES = 4


def attack(seed: int, *, deceive: bool = False, real: bool = False) -> Scenario:
    """The scenario of this number: users chat, come and go, and everybody is against them."""
    random = Random(seed)
    until_us = MINUTES * 60 * SECOND

    def when() -> int:
        return random.randrange(SECOND, until_us)

    steps: list[Step] = []
    for _ in range(12):
        to = random.choice((*CLIENTS, "eve0", "eve1"))
        steps.append(Say(when(), random.choice(CLIENTS), to, random.randint(1, 12), random.randrange(SECOND)))
    for _ in range(random.randint(0, 3)):
        name, at_us = random.choice(CLIENTS), when()
        steps.append(GoOffline(at_us, name, random.random() < 0.3))
        steps.append(GoOnline(at_us + random.randrange(60 * SECOND), name))
    for kind in (Mischief, Intrude):
        steps += [
            kind(when(), random.randint(1, 400), random.choice((1_000, 20_000, 200_000)))
            for _ in range(random.randint(0, 3))
        ]
    if deceive:
        steps += [Deceive(when(), random.randint(1, 60) * SECOND) for _ in range(random.randint(1, 3))]
    delay_us_max = 0 if deceive else MAIL_DELAY_US_MAX  # users come and go here, and strangers stuff their mailboxes
    return Scenario(seed, CLIENTS, tuple(steps), (), until_us, real, delay_us_max)
