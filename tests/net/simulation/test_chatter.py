"""The scenario that a few numbers stand for, and what came of it, counted."""

from dataclasses import asdict

import pytest

from udpchat_net.simulation.chatter import Chatter, Outcome, outcome
from udpchat_net.simulation.faults import Delay, Duplication, Loss, Reorder
from udpchat_net.simulation.runner import run
from udpchat_net.simulation.scenario import Say, parse
from udpchat_net.simulation.world import World

GOOD = Chatter(clients=4, messages=30, minutes=1, seed=5)


def came(chatter: Chatter) -> Outcome:
    worlds: list[World] = []
    scenario = chatter.scenario()
    run(scenario, watch=worlds.append)
    return outcome(worlds[0], scenario.heal_us)


def test_on_a_good_network_everything_is_delivered_directly_and_at_once() -> None:
    of = came(GOOD)
    assert (of.sent, of.direct, of.by_mailbox, of.unknown, of.late, of.retries) == (30, 30, 0, 0, 0, 0)
    assert 0 < of.p50_us <= of.p99_us <= of.worst_us < 200_000
    assert of.faults == {}
    assert of.datagrams * 19 <= of.bytes <= of.datagrams * 1_200


def test_a_bad_network_costs_retries_and_time_and_each_message_is_counted_once() -> None:
    of = came(Chatter(4, 30, 1, 5, loss=0.4, delay_us=200_000, duplication=0.1, reorder=0.1))
    assert of.direct + of.by_mailbox + of.unknown == of.sent == 30
    assert of.by_mailbox > 0
    assert of.retries > 10
    assert of.worst_us > 500_000
    assert set(of.faults) == {"Delay", "Duplication", "Loss", "Reorder"}
    assert 0.3 < of.faults["Loss"] / of.datagrams < 0.5


def test_what_arrives_only_because_the_network_was_mended_is_late_or_was_never_sent() -> None:
    of = came(Chatter(3, 10, 1, 5, loss=1.0))
    assert of.late + of.unknown == of.sent == 10
    assert of.direct + of.by_mailbox == of.late > 0


def test_the_numbers_are_the_scenario() -> None:
    scenario = Chatter(3, 50, 2, 9, 0.1, 7_000, 0.2, 0.3).scenario()
    assert scenario.clients == ("c1", "c2", "c3")
    assert scenario.faults == (
        Loss(probability=0.1),
        Delay(delay_us=7_000),
        Duplication(probability=0.2),
        Reorder(probability=0.3),
    )
    assert len(scenario.steps) == 50
    for step in scenario.steps:
        assert isinstance(step, Say)
        assert step.sender != step.to
        assert 2_000_000 <= step.at_us <= 122_000_000
    assert {step.sender for step in scenario.steps if isinstance(step, Say)} == set(scenario.clients)
    assert parse(repr(scenario)) == scenario


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
def test_the_same_seed_is_the_same_outcome_and_another_is_not(seed: int) -> None:
    one, two, other = (came(Chatter(3, 20, 1, of, loss=0.2)) for of in (seed, seed, seed ^ 2))
    assert asdict(one) == asdict(two) != asdict(other)
