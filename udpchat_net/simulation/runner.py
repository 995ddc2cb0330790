"""Runs a scenario under the oracle, and cuts one that fails down to what is needed for it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from shlex import quote
from typing import Final

from .cores import Cores
from .evil import EvilCores
from .evil.enemies import Enemies
from .invariants import Invariant, Violation
from .oracle import Oracle
from .scenario import Deceive, GoOffline, GoOnline, Intrude, Mischief, Say, Scenario, Step
from .world import World

MODULE: Final = "python -m udpchat_net.simulation"


@dataclass(frozen=True, slots=True)
class Report:
    """What a run came to.

    Attributes:
        simulated_us: virtual time in all.
        messages: that were sent.
        counts: what happened, by name: datagrams, faults by kind, crashes by boundary.
        highest: the longest that queues were, by the name of their cap.
        digest: of every datagram and event.
    """

    simulated_us: int
    messages: int
    counts: Counter[str]
    highest: Counter[str]
    digest: str


def run(scenario: Scenario, cores: Cores | None = None, watch: Callable[[World], object] = lambda _: None) -> Report:
    """Run it to the end; `Violation` as soon as a promise is broken.

    `watch` gets the new world, before anything happens in it: it may plan calls, and add observers.
    """
    try:
        return _run(scenario, cores, watch)
    except (Violation, KeyboardInterrupt):
        raise
    except Exception as error:
        raise Violation(Invariant.NO_ERROR, f"{type(error).__name__}: {error}") from error


def replay_command(scenario: Scenario) -> str:
    """What to type to see the run again."""
    return f"{MODULE} {quote(repr(scenario))}"


def shrink(scenario: Scenario, fails: Callable[[Scenario], bool], runs_max: int = 200) -> Scenario:
    """A scenario with fewer faults and steps that fails as well, found in at most so many runs.

    Halves, quarters and so on of the faults, then of the steps, are left out as long as it still fails.
    """
    runs = 0
    for part in ("faults", "steps"):
        size = len(getattr(scenario, part))
        while (size := (size + 1) // 2) and runs < runs_max:
            at = 0
            while at < len(getattr(scenario, part)) and runs < runs_max:
                items = getattr(scenario, part)
                less = replace(scenario, **{part: items[:at] + items[at + size :]})
                runs += 1
                if fails(less):
                    scenario = less
                else:
                    at += size
            if size == 1:
                break
    return scenario


def text_of(sender: str, number: int) -> str:
    """How the text of message `number` of a run begins; the first is 1."""
    return f"{sender} {number} "


def _run(scenario: Scenario, cores: Cores | None, watch: Callable[[World], object]) -> Report:
    is_honest = not any(isinstance(step, Deceive) for step in scenario.steps)
    cores = cores if is_honest else EvilCores()
    world = World(scenario.seed, scenario.clients, scenario.faults, real=scenario.real, cores=cores)
    watch(world)
    oracle = Oracle(world, is_server_honest=is_honest, friend_delay_us_max=scenario.friend_delay_us or None)
    actors = _Actors(world, Enemies(world, scenario.seed, cores if isinstance(cores, EvilCores) else None))
    for name in scenario.clients:
        world.at(0, actors.act, GoOnline(0, name))
    for step in scenario.steps:
        actors.plan(step)
    world.run(scenario.heal_us)
    if is_honest:
        oracle.heal_and_drain()
    else:
        oracle.check()  # who was lied to may wait for a user's decision for ever
    counts = world.counts + world.network.counts
    return Report(world.now_us, actors.messages, counts, oracle.caps.highest, world.digest())


class _Actors:
    """The users, and who is against them."""

    def __init__(self, world: World, enemies: Enemies) -> None:
        self.messages = 0
        self._world, self._enemies = world, enemies

    def plan(self, step: Step) -> None:
        """Have the user do it in time."""
        if isinstance(step, Mischief):
            self._enemies.watch()
        if isinstance(step, Say | Mischief | Intrude):
            for number in range(step.count):
                self._world.at(step.at_us + number * step.gap_us, self.act, step)
        else:
            self._world.at(step.at_us, self.act, step)

    def act(self, step: Step) -> None:
        """Do it now, if the user can."""
        world = self._world
        match step:
            case Say(_, sender, to) if world.is_running(sender):
                self.messages += 1
                world.send(sender, to, text_of(sender, self.messages).ljust(step.chars, "."))
            case Mischief():
                self._enemies.mischief()
            case Intrude():
                self._enemies.intrude()
            case Deceive(_, for_us):
                self._enemies.deceive(for_us)
            case GoOnline(_, name) if world.nodes[name].core is None:
                world.nodes[name].online = True
                world.restart(name)
            case GoOnline(_, name) if world.is_running(name) and not world.nodes[name].online:
                world.register(name)
            case GoOffline(_, name, leave) if world.is_running(name) and world.nodes[name].online:
                (world.leave if leave else world.deregister)(name)
            case _:
                world.counts["user could not"] += 1
