"""How an input drives a whole endpoint: a step a time, each drawn from a table, on a copy of a state made once.

The state, an endpoint that is online with all that is around it, is kept pickled: every execution begins with a
copy of its own. What cannot change is not copied, as that is most of the work: messages, requests and addresses.
Seeds are written as steps by their names.
"""

import pickle
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import BytesIO
from typing import Any, Final, Generic, Protocol, TypeVar, get_args

from tests.fuzz.draw import Draw
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.client_requests import ClientRequest
from udpchat_core.fields import Version
from udpchat_core.messages import Message
from udpchat_core.server_requests import ServerRequest

STEPS_MAX: Final = 24


class Scene(Protocol):
    """An endpoint and all that is around it."""

    @property
    def refused(self) -> int:
        """How many datagrams, or parts of one, were refused."""
        ...

    def rest(self) -> None:
        """The store answers what it was asked, and some time passes: what an input broke may show only now."""
        ...


S = TypeVar("S", bound=Scene)
_UNCHANGING: Final = (
    *get_args(Message),
    CardBody,
    LetterBody,
    Version,
    Address,
    *get_args(ClientRequest | ServerRequest),
)


class _Pickler(pickle.Pickler):
    """Leaves out what cannot change."""

    def __init__(self, file: BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.unchanging: list[Any] = []

    def persistent_id(self, value: Any) -> int | None:
        if not isinstance(value, _UNCHANGING):
            return None
        self.unchanging.append(value)
        return len(self.unchanging) - 1


class _Unpickler(pickle.Unpickler):
    """Puts it in."""

    def __init__(self, pickled: bytes, unchanging: list[Any]) -> None:
        super().__init__(BytesIO(pickled))
        self._unchanging = unchanging

    def persistent_load(self, place: int) -> Any:
        return self._unchanging[place]


class Play(Generic[S]):
    """The steps that there are for a scene, and the state that they begin with.

    Attributes:
        steps: by name; an input chooses one by its place.
    """

    def __init__(self, scene: S, steps: Mapping[str, Callable[[S, Draw], None]]) -> None:
        self.steps = steps
        self._choices = list(steps.values())
        file = BytesIO()
        pickler = _Pickler(file)
        pickler.dump(scene)
        self._begun = file.getvalue(), pickler.unchanging

    def _copy(self) -> S:
        scene: S = _Unpickler(*self._begun).load()
        return scene

    def __call__(self, draw: Draw) -> bool:
        """Play what is drawn: whether nothing was refused."""
        scene = self._copy()
        for _ in range(STEPS_MAX):
            if draw.is_spent:
                break
            draw.pick(self._choices)(scene, draw)
        refused = scene.refused
        scene.rest()
        return not refused

    def seed(self, *steps: tuple[str | int | bytes, ...]) -> bytes:
        """An input that plays these steps: the name of each, and what it draws, as far as that is not zero.

        What a step raises is a finding, told where the seed is run.
        """
        scene = self._copy()
        whole = b""
        for name, *parts in steps:
            given = b"".join(part if isinstance(part, bytes) else bytes((int(part),)) for part in parts)
            draw = Draw(given)
            with suppress(Exception):
                self.steps[str(name)](scene, draw)
            whole += bytes((list(self.steps).index(str(name)),)) + given.ljust(draw.drawn, b"\0")
        return whole
