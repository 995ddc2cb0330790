"""Processes that are killed at any moment lose nothing that they acknowledged, and enter nothing twice."""

from pathlib import Path

from tests.e2e import kill

ROUNDS = 20  # many more by `python -m tests.e2e.kill`


def test_a_server_and_clients_killed_at_random_moments_lose_nothing_and_enter_nothing_twice(tmp_path: Path) -> None:
    kill.run(tmp_path, ROUNDS, seed=3)
