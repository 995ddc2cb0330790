"""A server that lies: the real one, but for the answers that it is told to give, and what it pushes unasked.

It holds everything that an operator holds: the directory, what is stored, every address and every link. It has no
key of any user. A lie is a function: it gets the server, the user who asked and what was asked, and gives what is said
instead of the answer; None leaves the answer to the real server.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from udpchat_core import messages as m
from udpchat_core.actions import Actions
from udpchat_core.instant import Instant
from udpchat_core.secure.suite import Suite
from udpchat_core.server import Server
from udpchat_core.server.session import Session, User
from udpchat_core.server_requests import ServerState
from udpchat_core.turn import Turn

from ..cores import Cores

Lie = Callable[["EvilServer", User, Any], Sequence[m.Message] | None]


class EvilServer(Server):
    """The real server, but for its lies.

    Attributes:
        lies: by the kind of message that they are told in answer to.
        asked: every message of a client, with who said it.
    """

    def __init__(self, suite: Suite, state: ServerState, now: Instant, lies: dict[type[Any], Lie]) -> None:
        super().__init__(suite, state, now)
        self.lies = lies
        self.asked: list[tuple[str, m.Message]] = []
        self._spoken: dict[str, Session] = {}  # on which a user spoke last

    def card_of(self, name: str) -> bytes:
        """The card of a user, as its owner signed it."""
        found = self._directory.look_up(0, name)
        assert isinstance(found, m.Found), f"{name} is registered"
        return found.card

    def names(self) -> list[str]:
        """Who said anything to it and is registered."""
        return [name for name in self._spoken if isinstance(self._directory.look_up(0, name), m.Found)]

    def push(self, name: str, said: Sequence[m.Message], now: Instant) -> Actions:
        """Say all of it, unasked, to a user from whom it heard; to be called by `World.call`."""
        turn = self._begin(now)
        for message in said:
            self._context.say(turn, self._spoken[name], message)
        return self._end(turn)

    def _handle(self, turn: Turn, session: Session, counter: int, message: m.Message) -> None:
        self.asked.append((session.user.name, message))
        self._spoken[session.user.name] = session
        lie = self.lies.get(type(message))
        said = None if lie is None else lie(self, session.user, message)
        if said is None:
            super()._handle(turn, session, counter, message)
            return
        for each in said:
            self._context.say(turn, session, each)


class EvilCores(Cores):
    """Makes a world whose server lies.

    Attributes:
        lies: the lies of the server, also while it runs: put one in to begin, take it out to end.
        private: the key that the server has from its next start on; None: its own.
    """

    def __init__(self, lies: dict[type[Any], Lie] | None = None) -> None:
        self.lies: dict[type[Any], Lie] = lies if lies is not None else {}
        self.private: bytes | None = None

    def server(self, suite: Suite, state: ServerState, now: Instant) -> EvilServer:
        """A server that lies."""
        return EvilServer(suite, replace(state, private=self.private or state.private), now, self.lies)
