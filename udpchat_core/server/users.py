"""Users found by what is in their cards, without a copy of it as a key.

Theory of operation. A hash table with open addressing and linear probing (Knuth, The Art of Computer Programming,
volume 3, section 6.4, algorithms L and R): a list of users and of free places, in which a user lies at the place that
the hash of its key names, or at the next that was free. What is found is compared by its card. A dict would do the
same for 100 to 130 bytes a user, most of them its key; this is 12 to 24, for a microsecond. Python's hash is keyed, so
nobody makes names or identities that lie in each other's way.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Generic, TypeVar

from .session import User

_PLACES = 64  # at the start; a power of two, as it remains
K = TypeVar("K", bound=Hashable)


class Users(Generic[K]):
    """Users by what `key` says of them: of no two the same, and of none another while it is in here."""

    __slots__ = ("_count", "_key", "_places")

    def __init__(self, key: Callable[[User], K], users: Sequence[User]) -> None:
        self._key = key
        self._places: list[User | None] = []
        self._count = len(users)
        self._spread(users)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[User]:
        """All, in no order that means anything."""
        return (user for user in self._places if user is not None)

    def get(self, key: K) -> User | None:
        """The user with this key."""
        return self._places[self._find(key)]

    def add(self, user: User) -> None:
        """A further user."""
        place = self._find(self._key(user))
        assert self._places[place] is None, "no two users have the same name or identity"
        self._places[place] = user
        self._count += 1
        if _is_full(self._count, len(self._places)):
            self._spread(list(self))

    def remove(self, key: K) -> None:
        """There is no user with this key any more; there was one."""
        mask, place = len(self._places) - 1, self._find(key)
        self._places[place] = None
        self._count -= 1
        while (user := self._places[place := place + 1 & mask]) is not None:  # it may lie here for want of that place
            self._places[place] = None
            self._places[self._find(self._key(user))] = user

    def _spread(self, users: Sequence[User]) -> None:
        """Put all of them into a list that has places enough; nothing is compared."""
        size = max(_PLACES, len(self._places))
        while _is_full(self._count, size):
            size *= 2
        places: list[User | None] = [None] * size
        mask, of = size - 1, self._key
        for user in users:
            place = hash(of(user)) & mask
            while places[place] is not None:
                place = place + 1 & mask
            places[place] = user
        self._places = places

    def _find(self, key: K) -> int:
        """The place of the user with this key, or the one where it would be."""
        places, of = self._places, self._key
        mask = len(places) - 1
        place = hash(key) & mask
        while (user := places[place]) is not None and of(user) != key:
            place = place + 1 & mask
        return place


def _is_full(users: int, places: int) -> bool:
    return users * 3 > places * 2  # fuller, and probing takes long
