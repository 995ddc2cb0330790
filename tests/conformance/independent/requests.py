"""What a client asks the server: again and again under one id, until it is answered (section 5.1, R-9.1-5)."""

from collections.abc import Callable
from dataclasses import dataclass

from .grammar import Message, message
from .world import NEVER, World

TRY_S, TRIES_MAX = 0.5, 5
REQUESTS_IN_FLIGHT_MAX, POSTPONED_S_MAX = 32, 300
BUSY, NOT_REGISTERED = 2, 11

Answered = Callable[[Message], bool]


@dataclass
class Request:
    """What is asked until it is answered; `answered` says whether it was."""

    said: Message
    answered: Answered
    tries: int = 0
    due_s: float = 0.0


class Requests:
    """Those that are not answered yet, in order; the first 32 are under way."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ids = 0
        self.waiting: dict[int, Request] = {}
        self.silent = False  # one was tried for long enough

    def new_id(self) -> int:
        self.ids += 1
        return self.ids

    def ask(self, kind: str, answered: Answered, **fields: object) -> int:
        """Make a request; it keeps its id until it is answered, on a new link too."""
        number = self.new_id()
        self.waiting[number] = Request(message(kind, id=number, **fields), answered)
        return number

    def cancel(self, number: int) -> None:
        self.waiting.pop(number, None)

    def ask_again(self) -> None:
        """There is a new link: all that is not answered is asked on it."""
        self.silent = False
        for request in self.waiting.values():
            request.tries, request.due_s = 0, self.world.now_s

    def answered(self, said: Message) -> None:
        request = self.waiting.get(said["id"])
        if request is None:
            return
        postponed = said.kind == "Refused" and said["refusal"] in (BUSY, NOT_REGISTERED)
        if postponed and request.said.kind != "Store":  # the outbox has waits of its own
            wait_s = min(max(said["wait_s"], TRY_S), POSTPONED_S_MAX)
            request.tries, request.due_s = 0, self.world.now_s + wait_s
        elif request.answered(said):
            self.waiting.pop(said["id"], None)

    def _under_way(self) -> list[Request]:
        return list(self.waiting.values())[:REQUESTS_IN_FLIGHT_MAX]

    def due_s(self) -> float:
        return min((request.due_s for request in self._under_way()), default=NEVER)

    def take_due(self) -> list[Message]:
        """What is to be said now; `silent` if the server left 5 tries of a request unanswered."""
        due = [request for request in self._under_way() if request.due_s <= self.world.now_s]
        for request in due:
            if request.tries == TRIES_MAX:
                self.silent, request.due_s = True, NEVER  # until there is a new link
            else:
                request.tries, request.due_s = request.tries + 1, self.world.now_s + TRY_S
        return [request.said for request in due if request.due_s != NEVER]
