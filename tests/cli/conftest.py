"""The server that the tests of the command share, and users of it."""

import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.cli.processes import Server, running
from tests.cli.user import User

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Clients of it have names that no other test has."""
    with running(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture
def users(server: Server) -> Iterator[tuple[User, User]]:
    """Two whose names no other test has, with folders of short names: a socket's path has 100 bytes."""
    number = next(_NUMBERS)
    with tempfile.TemporaryDirectory(prefix="udpchat-test-") as folder:
        yield User(f"anna-{number}", server, Path(folder)), User(f"bob-{number}", server, Path(folder))
