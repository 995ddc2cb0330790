"""Who is behind a link index, found without anything kept per link but its place in a list.

Theory of operation. An index is random, and the server draws it itself. So it draws until the low bits of one name a
place in the list that is free: that place is the link's for all its life, nothing ever collides, and the index is
written nowhere but in the link. Two links that differ in their low bits do so in one bit more: when the list doubles,
each finds its new place free. A dict would do the same for 100 bytes a link, most of them its keys; here it is 8 to
19, as a list is doubled when seven of eight places are taken: a draw costs a microsecond, beside a handshake's 300.
"""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

_PLACES = 64  # at the start; a power of two, as it remains


class End(Protocol):
    """What is behind an index."""

    @property
    def index(self) -> bytes:
        """By which the peer addresses the link."""
        ...


E = TypeVar("E", bound=End)


class Ends(Generic[E]):
    """The ends of links, each under its own index."""

    __slots__ = ("_mask", "_places", "_taken")

    def __init__(self) -> None:
        self._places: list[E | None] = [None] * _PLACES
        self._mask = _PLACES - 1
        self._taken = 0

    def __len__(self) -> int:
        return self._taken

    def free(self, draw: Callable[[], bytes]) -> bytes:
        """An index for another end, of those that `draw` makes; it stays free until something is put there."""
        while self._places[self._place(index := draw())] is not None:
            pass
        return index

    def put(self, end: E) -> None:
        """`end` is behind its index, which was free."""
        self._places[self._place(end.index)] = end
        self._taken += 1
        if self._taken * 8 > len(self._places) * 7:
            self._double()

    def get(self, index: bytes) -> E | None:
        """Who is behind `index`."""
        end = self._places[self._place(index)]
        return end if end is not None and end.index == index else None

    def drop(self, index: bytes) -> None:
        """Nobody is behind `index` any more."""
        self._places[self._place(index)] = None
        self._taken -= 1

    def _place(self, index: bytes) -> int:
        return int.from_bytes(index) & self._mask

    def _double(self) -> None:
        ends = [end for end in self._places if end is not None]
        self._places = [None] * (2 * len(self._places))
        self._mask = len(self._places) - 1
        for end in ends:
            self._places[self._place(end.index)] = end
