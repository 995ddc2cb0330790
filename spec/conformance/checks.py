"""What a check of behaviour is, what it runs on, and how all of them are run."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .door import CheckFailed, NotSupported
from .friend import Friend
from .network import Network, Peer
from .report import Row, Verdict
from .server import Server
from .user import User

TOGETHER_MAX: Final = 6
"""Checks that run at the same time: most of them wait, most of the time."""
NAME: Final = "ann"


class Stage(Network):
    """What a check gets: a network, and the command of the implementation."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        super().__init__()
        self.command, self.folder = tuple(command), folder

    def begin(self) -> None:
        """What comes before every check."""

    def run(self, role: str, **about: object) -> Peer:
        """The implementation as a peer, with its state in this check's folder."""
        state = self.folder / role
        state.mkdir(exist_ok=True)
        return Peer(self, self.command, {"role": role, "port": 0, "state": str(state), **about})


class ClientStage(Stage):
    """For checks of a client: a server and a friend by script."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        super().__init__(command, folder)
        self.server, self.bob = Server(self), Friend(self)
        self.publish()

    def publish(self, **changes: Any) -> None:  # noqa: ANN401 - fields of a card
        """Bob is in the directory, online."""
        self.server.directory[self.bob.name] = (self.bob.card(**changes), self.bob.port.address, None)

    def bob_is_away(self) -> None:
        """Bob is in the directory, offline."""
        self.server.directory[self.bob.name] = (self.bob.card(), None, None)

    def client(self, *, registered: bool = True) -> Peer:
        """The implementation, as ann."""
        peer = self.run("client", name=NAME, server=["127.0.0.1", self.server.port.number])
        if registered:
            peer.do("register")
            peer.wait_for("registered")
        return peer

    def restarted(self, peer: Peer, *, registered: bool = True) -> Peer:
        """The same client after a power cut."""
        peer.close(kill=True)
        return self.client(registered=registered)


class ServerStage(Stage):
    """For checks of a server: users by script."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        super().__init__(command, folder)
        self.peer: Peer

    def begin(self) -> None:
        """Start the server."""
        self.peer = self.run("server")

    def user(self, name: str, *, registered: bool = True) -> User:
        """A new user."""
        user = User(self, self.peer, name)
        if registered:
            user.register()
        return user

    def restart(self) -> None:
        """The same server after a power cut, at the same port."""
        port = self.peer.address[1]
        self.peer.close(kill=True)
        self.peer = self.run("server", port=port)


STAGES: Final = {"client": ClientStage, "server": ServerStage}


@dataclass(frozen=True)
class Check:
    """One check: its role, its name in words, the requirements that it shows."""

    role: str
    name: str
    requirements: tuple[str, ...]
    play: Callable[[Any], None]

    @property
    def module(self) -> str:
        """Where it is."""
        return self.play.__module__

    def run(self, command: Sequence[str]) -> Row:
        """Play it, on a stage of its own."""
        verdict, seen = Verdict.PASSED, ""
        with tempfile.TemporaryDirectory() as folder:
            stage = STAGES[self.role](command, Path(folder))
            try:
                stage.begin()
                self.play(stage)
                if stage.malformed:
                    raise CheckFailed("see what it also sent")
            except NotSupported:
                verdict = Verdict.UNSUPPORTED
            except CheckFailed as failed:
                wrong = f" (it also sent {stage.malformed[0]})" if stage.malformed else ""
                verdict, seen = Verdict.FAILED, f"{failed}{wrong}"
            except Exception as failure:  # a check that trips over what it got has not passed
                verdict, seen = Verdict.FAILED, f"what came was not what the check can read: {failure!r}"
            finally:
                stage.close()
        return Row(self.role, self.name, self.requirements, verdict, seen)


CHECKS: Final[list[Check]] = []
"""All of them, in the order of the specification, as the modules that have them are read."""


def check(role: str, *requirements: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Make a function a check; its name is what it checks."""

    def add(play: Callable[[Any], None]) -> Callable[[Any], None]:
        CHECKS.append(Check(role, play.__name__.replace("_", " "), requirements, play))
        return play

    return add


def expect(condition: object, what: str) -> None:
    """`CheckFailed`, with what was seen and expected, unless it is so."""
    if not condition:
        raise CheckFailed(what)


def rows(command: Sequence[str], chosen: Sequence[Check]) -> Iterator[Row]:
    """Run checks, some at a time."""
    with ThreadPoolExecutor(TOGETHER_MAX) as pool:
        yield from pool.map(lambda one: one.run(command), chosen)
