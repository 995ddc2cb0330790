"""Clients that chat on a bad network: the scenario for a few numbers, and what came of it.

Everything follows from the numbers. Everybody is there all the time; who writes to whom and when is drawn.
"""

from dataclasses import dataclass
from typing import Final

from udpchat_core import client_events as e
from udpchat_core.fields import Refusal

from .faults import Delay, Duplication, Fault, Loss, Reorder
from .network import draws
from .scenario import Say, Scenario
from .world import SECOND, World

START_US: Final = 2 * SECOND
"""When the first message may be sent: by then everybody is registered, if the network is not too bad."""
CLOSE_US: Final = 30 * SECOND
"""How long the network stays bad behind the last message."""
_HALF, _ALMOST_ALL = 50, 99


@dataclass(frozen=True, slots=True)
class Chatter:
    """What is to be simulated.

    Attributes:
        clients: how many chat.
        messages: how many they send in all.
        minutes: within how many minutes.
        seed: of every draw.
        loss, duplication, reorder: the part of all datagrams that this happens to, 0 to 1.
        delay_us: how much longer a datagram takes at most.
    """

    clients: int
    messages: int
    minutes: int
    seed: int
    loss: float = 0.0
    delay_us: int = 0
    duplication: float = 0.0
    reorder: float = 0.0

    def scenario(self) -> Scenario:
        """The run that this is."""
        names = tuple(f"c{number}" for number in range(1, self.clients + 1))
        span_us = self.minutes * 60 * SECOND
        steps = []
        for number in range(self.messages):
            when, who, whom, *_ = draws(self.seed, "chatter", number)
            sender = int(who * len(names))
            other = (sender + 1 + int(whom * (len(names) - 1))) % len(names)
            steps.append(Say(START_US + int(when * span_us), names[sender], names[other]))
        steps.sort(key=lambda step: step.at_us)
        return Scenario(self.seed, names, tuple(steps), tuple(self._faults()), START_US + span_us + CLOSE_US)

    def _faults(self) -> list[Fault]:
        faults: list[Fault] = []
        if self.loss:
            faults.append(Loss(probability=self.loss))
        if self.delay_us:
            faults.append(Delay(delay_us=self.delay_us))
        if self.duplication:
            faults.append(Duplication(probability=self.duplication))
        if self.reorder:
            faults.append(Reorder(probability=self.reorder))
        return faults


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        sent: messages.
        direct: of them those that were delivered directly.
        by_mailbox: those of which a letter went through the mailbox.
        unknown: those that were not sent, as their recipient had not registered yet.
        late: delivered only once the network was mended, in the end.
        retries: letters sent more than there were messages.
        p50_us, p99_us, worst_us: microseconds until half of the messages, 99 % and the last were delivered.
        datagrams: sent by all.
        bytes: of them, without the headers of IP and UDP.
        faults: how often what happened to a datagram, by the name of the fault.
    """

    sent: int
    direct: int
    by_mailbox: int
    unknown: int
    late: int
    retries: int
    p50_us: int
    p99_us: int
    worst_us: int
    datagrams: int
    bytes: int
    faults: dict[str, int]


def outcome(world: World, heal_us: int) -> Outcome:
    """What came of a run that is over, in `world`, which was mended at `heal_us`."""
    sent = unknown = late = retries = by_mailbox = 0
    times_us = []
    for node in world.nodes.values():
        for at_us, event in node.events:
            match event:
                case e.MessageQueued():
                    sent += 1
                case e.MessageRefused(_, _, Refusal.UNKNOWN):
                    unknown += 1
                case e.MessageDelivered(_, _, stored, elapsed_us, again):
                    times_us.append(elapsed_us)
                    by_mailbox, retries, late = by_mailbox + stored, retries + again, late + (at_us > heal_us)
                case _:
                    pass
    times_us.sort()
    return Outcome(
        sent=sent,
        direct=len(times_us) - by_mailbox,
        by_mailbox=by_mailbox,
        unknown=unknown,
        late=late,
        retries=retries,
        p50_us=_percentile(times_us, _HALF),
        p99_us=_percentile(times_us, _ALMOST_ALL),
        worst_us=_percentile(times_us, 100),
        datagrams=world.counts["datagrams"],
        bytes=world.counts["bytes"],
        faults=dict(sorted(world.network.counts.items())),
    )


def _percentile(sorted_: list[int], percent: int) -> int:
    """The nearest rank; 0 of nothing."""
    return sorted_[-(-len(sorted_) * percent // 100) - 1] if sorted_ else 0
