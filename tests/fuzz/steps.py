"""How an input drives a whole endpoint: a step a time, each drawn from a table, on a copy of a state made once.

The state, an endpoint that is online with all that is around it, is kept pickled: a copy takes less than a
millisecond, and every execution begins with the same one. Seeds are written as steps by their names.
"""

import pickle
from collections.abc import Callable, Mapping
from typing import Final, Generic, Protocol, TypeVar

from tests.fuzz.draw import Draw

STEPS_MAX: Final = 48


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


class Play(Generic[S]):
    """The steps that there are for a scene, and the state that they begin with.

    Attributes:
        steps: by name; an input chooses one by its place.
    """

    def __init__(self, scene: S, steps: Mapping[str, Callable[[S, Draw], None]]) -> None:
        self.steps = steps
        self._begun = pickle.dumps(scene)
        self._choices = list(steps.values())

    def __call__(self, draw: Draw) -> bool:
        """Play what is drawn: whether nothing was refused."""
        scene: S = pickle.loads(self._begun)
        for _ in range(STEPS_MAX):
            if draw.is_spent:
                break
            draw.pick(self._choices)(scene, draw)
        refused = scene.refused
        scene.rest()
        return not refused

    def seed(self, *steps: tuple[str | int | bytes, ...]) -> bytes:
        """An input that plays these steps: the name of each, and what it draws, as far as that is not zero."""
        scene: S = pickle.loads(self._begun)
        whole = b""
        for name, *parts in steps:
            given = b"".join(part if isinstance(part, bytes) else bytes((int(part),)) for part in parts)
            draw = Draw(given)
            self.steps[str(name)](scene, draw)
            whole += bytes((list(self.steps).index(str(name)),)) + given.ljust(draw.drawn, b"\0")
        return whole
