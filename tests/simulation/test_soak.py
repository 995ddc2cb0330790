"""A short soak keeps every promise; a long one is `make soak`. One that fails says how to see it again."""

import shlex

import pytest

from tests.simulation import soak
from tests.simulation.weather import weather
from udpchat_net.simulation.invariants import Invariant, Violation
from udpchat_net.simulation.runner import Report
from udpchat_net.simulation.runner import run as really_run
from udpchat_net.simulation.scenario import Say, Scenario, parse


def test_a_short_soak_keeps_every_promise(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--hours", "4", "--crashes", "40", "--seed", "1"]) == 0
    assert "hours a CPU second" in capsys.readouterr().out


def test_a_failure_is_cut_down_and_its_command_replays_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(scenario: Scenario) -> bool:
        return any(isinstance(step, Say) and step.count > 30 for step in scenario.steps)

    def run(scenario: Scenario) -> Report:
        if breaks(scenario):
            raise Violation(Invariant.ONCE, "planted")
        return really_run(scenario)

    monkeypatch.setattr(soak, "run", run)
    seed = next(seed for seed in range(1, 50) if breaks(weather(seed)))
    assert soak.main(["--hours", "1", "--seed", str(seed)]) == 1
    said = capsys.readouterr().out
    assert said.startswith("ONCE: ")
    line = next(line for line in said.splitlines() if line.startswith("replay: "))
    less = parse(shlex.split(line)[-1])
    assert breaks(less)
    assert (len(less.steps), len(less.faults)) == (1, 0)


def test_the_weather_of_a_number_is_always_the_same() -> None:
    assert weather(7) == weather(7) != weather(8)
    assert weather(7, real=True).real
