"""What the memory adapters have in common: they are durable as long as the object lives. For simulation and tests.

A simulated crash keeps the object and makes a new core from what `load` gives. `snapshot()` is a copy that shares
nothing that changes: the state file of an earlier day, or one that was closed and is open again. `apply` is
`commit` without waiting.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from udpchat_core.requests import Result, StoreReply

from .port import Request


class Memory(ABC):
    """Meets the port. Subclasses say which requests there are, and carry one out."""

    kinds: ClassVar[tuple[type, ...]]
    _closed = False

    async def commit(self, requests: Sequence[Request]) -> tuple[StoreReply, ...]:
        """See `port.Store`."""
        return self.apply(requests)

    def apply(self, requests: Sequence[Request]) -> tuple[StoreReply, ...]:
        """All of `requests`, at once."""
        if self._closed:
            raise ValueError("this store is closed")
        for request in requests:  # before the first is carried out: all of them or none
            if type(request) not in self.kinds:
                raise TypeError(f"{type(self).__name__} knows no {type(request).__name__}")
        return tuple([StoreReply(request, True, self._apply(request)) for request in requests])

    def close(self) -> None:
        """See `port.Store`."""
        self._closed = True

    @abstractmethod
    def _apply(self, request: Any) -> Result:  # noqa: ANN401 - one of `kinds`
        """Carry it out."""
