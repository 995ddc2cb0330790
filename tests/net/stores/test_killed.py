"""A process that is killed while it commits loses nothing that it acknowledged."""

import subprocess
import sys
from pathlib import Path

from tests.net.stores.conformance import new_server_state
from udpchat_net.stores.paths import server_path
from udpchat_net.stores.sqlite_server import create_server

ROUNDS = 20


def test_a_process_killed_while_it_commits_loses_nothing_acknowledged(tmp_path: Path) -> None:
    path, script = server_path(tmp_path), Path(__file__).with_name("killed.py")
    create_server(path, new_server_state())
    run = subprocess.run(
        [sys.executable, str(script), str(path), str(ROUNDS)], stdout=subprocess.PIPE, text=True, check=True
    )
    rounds = [line.split() for line in run.stdout.splitlines()]
    assert len(rounds) == ROUNDS
    for acknowledged, there, whole in rounds:
        assert int(there) >= int(acknowledged)
        assert int(there) - int(acknowledged) <= 7  # of the batch under way all, or nothing
        assert whole == "True"
