"""Deadlines by key, earliest first. Setting one again replaces it; ties fire in the order they were set."""

from collections.abc import Hashable, Iterator
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

from .instant import Instant

K = TypeVar("K", bound=Hashable)
_STALE_ENTRIES_SLACK = 64


class Deadlines(Generic[K]):
    """A heap with lazy deletion, compacted, so that what was replaced or cancelled does not outnumber what is set."""

    __slots__ = ("_heap", "_order", "_set")

    def __init__(self) -> None:
        self._set: dict[K, tuple[Instant, int]] = {}
        self._heap: list[tuple[Instant, int, K]] = []
        self._order = 0

    def __len__(self) -> int:
        return len(self._set)

    def set(self, key: K, at: Instant) -> None:
        """Fire `key` at `at`, and at no other time."""
        self._order += 1  # decides ties, so keys are never compared and a run repeats exactly
        self._set[key] = (at, self._order)
        heappush(self._heap, (at, self._order, key))
        self._compact()

    def cancel(self, key: K) -> None:
        """Never fire `key`; nothing happens if it is not set."""
        self._set.pop(key, None)
        self._compact()

    def _compact(self) -> None:
        if len(self._heap) > 2 * len(self._set) + _STALE_ENTRIES_SLACK:
            self._heap = [entry for entry in self._heap if self._set.get(entry[2]) == entry[:2]]
            heapify(self._heap)

    def next(self) -> Instant | None:
        """When the earliest is due; None if there is none."""
        heap = self._heap
        while heap and self._set.get(heap[0][2]) != heap[0][:2]:
            heappop(heap)
        return heap[0][0] if heap else None

    def pop_due(self, now: Instant) -> Iterator[K]:
        """The keys that are due, earliest first; each is no longer set when it is given."""
        while (at := self.next()) is not None and at <= now:
            key = self._heap[0][2]
            self.cancel(key)
            yield key
