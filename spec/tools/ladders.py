"""The ladders of section 1: the way of a message, drawn from a run of the real cores in virtual time."""

from dataclasses import replace
from typing import Final

from udpchat_net.simulation.ladder import Hop, Ladder, drawn
from udpchat_net.simulation.runner import run
from udpchat_net.simulation.scenario import GoOffline, GoOnline, Say, Scenario
from udpchat_net.simulation.world import SECOND, World

_SAYS: Final = Say(2 * SECOND, "ann", "bob")


def direct() -> str:
    """Both are there."""
    return _ladder(_SAYS)


def absent() -> str:
    """The recipient is away, and comes back after 18 seconds."""
    return _ladder(GoOffline(SECOND, "bob"), _SAYS, GoOnline(20 * SECOND, "bob"))


def _ladder(*steps: Say | GoOffline | GoOnline) -> str:
    """The rungs, their times counted from the first.

    What the recipient's program is told is left out: it hears of a letter somewhat later than the core, which shows
    and acknowledges it in one turn.
    """
    seen: list[Ladder] = []

    def watch(world: World) -> None:
        seen.append(Ladder(world, 1))
        world.observers.append(seen[0])

    run(Scenario(1, steps=steps, heal_us=30 * SECOND), watch=watch)
    ladder, began_us = seen[0], seen[0].rungs[0].at_us
    rungs = [rung for rung in ladder.rungs if isinstance(rung, Hop) or rung.node == ladder.sender]
    ladder.rungs = [replace(rung, at_us=rung.at_us - began_us) for rung in rungs]
    return "```\n" + "\n".join(drawn(ladder)) + "\n```\n"
