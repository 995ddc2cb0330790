"""Somebody who runs commands as processes, at a server that runs."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.cli.processes import COMMAND, PATIENCE_S, Server, start


class User:
    """A name at a server, with a state folder of its own in `folder`.

    Attributes:
        words: the options that say the same as `environ`.
    """

    def __init__(self, name: str, server: Server, folder: Path) -> None:
        self.name, self.account = name, f"{name}@127.0.0.1:{server.port}"
        self.folder = folder / name
        self.words = ["--as", self.account, "--state", str(self.folder)]
        self.environ = os.environ | {
            "UDPCHAT_STATE": str(self.folder),
            "UDPCHAT_AS": self.account,
            "XDG_CONFIG_HOME": str(folder),
        }

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        return start(*words, env=self.environ, **({"stdin": subprocess.DEVNULL} | more))

    def run(self, *words: str, typed: str = "") -> tuple[str, str, int]:
        """What it printed, what it complained of, and its status."""
        done = subprocess.run(
            [*COMMAND, *words],
            input=typed,
            capture_output=True,
            text=True,
            env=self.environ,
            timeout=PATIENCE_S,
            check=False,
        )
        return done.stdout, done.stderr, done.returncode

    def arrive(self) -> None:
        """Be somebody from now on, and go again: a chat in which nothing is said."""
        _, complaint, status = self.run("chat", "--ui", "plain")
        assert (complaint, status) == ("", 0)

    def things(self, *words: str) -> list[dict[str, Any]]:
        """What it prints as JSON."""
        printed, complaint, status = self.run(*words, "--json")
        assert (complaint, status) == ("", 0)
        return [json.loads(line) for line in printed.splitlines()]

    def wait_for_socket(self) -> None:
        """Until a command of this user takes requests; only looking tells."""
        until = time.monotonic() + PATIENCE_S
        while not list(self.folder.glob("*.sock")):
            assert time.monotonic() < until
            time.sleep(0.01)
