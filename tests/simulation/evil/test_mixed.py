"""Everybody against two friends at once, at random: every promise is kept all the time, and friends get through.

- everything of the lists for networks and peers, mixed: every defence:
  `test_a_network_and_a_crowd_against_friends`
- the same while a server lies: what clients promise by themselves:
  `test_a_server_that_lies_with_a_network_and_a_crowd`
"""

import pytest

from tests.simulation.evil.attack import attack
from udpchat_net.simulation.invariants import Violation
from udpchat_net.simulation.runner import Report, replay_command, run
from udpchat_net.simulation.scenario import Scenario


def replayable(scenario: Scenario) -> Report:
    try:
        return run(scenario)
    except Violation as violation:
        pytest.fail(f"{violation}\n\nreplay: {replay_command(scenario)}")


@pytest.mark.parametrize("seed", range(20))
def test_a_network_and_a_crowd_against_friends(seed: int) -> None:
    assert replayable(attack(seed, real=seed % 8 == 0)).messages > 0


@pytest.mark.parametrize("seed", range(100, 112))
def test_a_server_that_lies_with_a_network_and_a_crowd(seed: int) -> None:
    assert replayable(attack(seed, deceive=True, real=seed % 8 == 0)).messages > 0


def test_the_attack_of_a_number_is_always_the_same() -> None:
    assert run(attack(3)).digest == run(attack(3)).digest
