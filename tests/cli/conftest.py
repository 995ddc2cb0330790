"""The server that the tests of the command share."""

from collections.abc import Iterator

import pytest

from tests.cli.processes import Server, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Clients of it have names that no other test has."""
    with running(tmp_path_factory.mktemp("served")) as server:
        yield server
