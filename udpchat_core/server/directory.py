"""The directory: who has which name and card, who is online, and what changed since when.

A version is (boot, counter): the counter grows with each change, the boot is drawn at start. The last change
of each name is remembered, up to a cap; who asks for what changed before that gets everything. A name that
its owner gave up for another is told as a change too, offline and with the card seq 0.
"""

from collections.abc import Iterable
from heapq import nsmallest

from ..bodies import CardBody
from ..fields import Refusal, RosterEntry, Rotation, Version
from ..limits import DIRECTORY_CHANGES_MAX, LOOKUP_NEGATIVE_TTL_S, LOOKUP_TTL_S, ROSTER_ENTRIES_MAX, USERS_MAX
from ..messages import Found, Refused
from ..secure.card import Succession, identity_in, name_in, succession
from ..secure.keys import SIGNATURE_BYTES
from ..server_requests import BindUser
from ..wire import decode_untrusted
from .context import Context
from .session import User, unpacked
from .users import Users

_BOOT_BYTES = 8


class Directory:
    """All users, by name and by identity."""

    __slots__ = ("_boot", "_by_identity", "_by_name", "_changes", "_counter", "_remembered_from", "_rotations")

    def __init__(self, context: Context, users: Iterable[BindUser]) -> None:
        self._boot = context.suite.random(_BOOT_BYTES)
        self._counter = 0
        self._changes: dict[str, int] = {}  # name to counter, the least recently changed first
        self._remembered_from = 0  # every change after this counter is in there
        self._rotations: dict[User, Rotation] = {}  # few have one
        known = [self._user(each) for each in users]
        self._by_name = Users[str](_name, known)
        self._by_identity = Users[bytes](_identity, known)

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def version(self) -> Version:
        """How new the directory is."""
        return Version(self._boot, self._counter)

    def user(self, identity: bytes) -> User | None:
        """The user with this identity."""
        return self._by_identity.get(identity)

    def holder(self, name: str) -> User | None:
        """The user with this name."""
        return self._by_name.get(name)

    def rotation(self, identity: bytes) -> Rotation | None:
        """The word of the identity before for this one."""
        user = self.user(identity)
        return None if user is None else self._rotations.get(user)

    def look_up(self, id_: int, name: str) -> Found | Refused:
        """The answer to a Lookup."""
        user = self._by_name.get(name)
        if user is None:  # R-8.3-2
            return Refused(id_, Refusal.UNKNOWN, LOOKUP_NEGATIVE_TTL_S, 0)
        session = user.online
        address = unpacked(session.address) if session else None
        return Found(id_, user.card, address, LOOKUP_TTL_S, self._rotations.get(user))  # R-8.3-1

    # --- names and cards ---

    def refusal(self, claim: User, coming: int, former: bytes | None) -> tuple[Refusal, int] | None:
        """Why `claim` cannot be bound while `coming` others are, with the highest card seq known if that is why.

        `former` is the identity that hands the name to it, if one does.
        """
        holder, known = self._by_name.get(claim.name), self._by_identity.get(claim.identity)
        if holder is not None and holder is not known and holder.identity != former:  # R-8.2-2
            return Refusal.NAME_TAKEN, 0
        if known is None:
            return (Refusal.TOO_MANY, 0) if len(self) + coming >= USERS_MAX else None
        body, seq = decode_untrusted(CardBody, claim.card[SIGNATURE_BYTES:]), known.seq
        return None if succession(seq, body) is Succession.SAME_OR_NEWER else (Refusal.STALE_CARD, seq)  # R-8.2-3

    def bind(self, bound: BindUser) -> tuple[User, tuple[str, ...]]:
        """The user that the store made durable, and the names about which there is something new to tell."""
        user = self._by_identity.get(bound.identity)
        if user is None:
            user = self._user(bound)
            self._by_name.add(user)
            self._by_identity.add(user)
            return user, (bound.name,)
        if bound.rotation is not None:
            self._rotations[user] = bound.rotation
        if (former := user.name) != bound.name:  # R-8.2-4
            self._by_name.remove(former)
            user.card = bound.card
            self._by_name.add(user)
            return user, (former, bound.name)
        if user.card == bound.card:
            return user, ()
        user.card = bound.card
        return user, (bound.name,)

    def remove(self, user: User) -> None:
        """The user has its name no more, and is none."""
        self._by_name.remove(user.name)
        self._by_identity.remove(user.identity)
        self._rotations.pop(user, None)

    def _user(self, bound: BindUser) -> User:
        user = User(bound.card)
        if bound.rotation is not None:
            self._rotations[user] = bound.rotation
        return user

    # --- what changed ---

    def touch(self, name: str) -> None:
        """What is told about `name` changed."""
        self._counter += 1
        self._changes.pop(name, None)
        self._changes[name] = self._counter
        if len(self._changes) > DIRECTORY_CHANGES_MAX:
            oldest = next(iter(self._changes))
            self._remembered_from = self._changes.pop(oldest)

    def page(
        self, names: Iterable[str] | None, since: Version | None, start: str | None
    ) -> tuple[tuple[RosterEntry, ...], bool, bool]:
        """The first entries after the name `start` of a roster, whether there are more, and whether it is full.

        The roster is of `names`, of all if that is None; of what changed after `since`, of everything if that is
        unknown.
        """
        is_full = since is None or not self._remembers(since)
        if since is None or is_full:
            there = self._by_name if names is None else map(self._by_name.get, dict.fromkeys(names))
            told = [user.name for user in there if user is not None]
        else:
            asked = self._changes if names is None else dict.fromkeys(names)
            told = [name for name in asked if self._changes.get(name, 0) > since.counter]
        # R-8.4-3
        after = (name for name in told if start is None or name > start)
        found = nsmallest(ROSTER_ENTRIES_MAX + 1, after)
        more = len(found) > ROSTER_ENTRIES_MAX  # R-8.4-4
        return tuple(map(self._entry, found[:ROSTER_ENTRIES_MAX])), more, is_full

    def _remembers(self, since: Version) -> bool:
        return since.boot == self._boot and self._remembered_from <= since.counter <= self._counter

    def _entry(self, name: str) -> RosterEntry:
        user = self._by_name.get(name)
        return RosterEntry(name, False, 0) if user is None else RosterEntry(name, bool(user.online), user.seq)


def _name(user: User) -> str:
    return name_in(user.card)


def _identity(user: User) -> bytes:
    return identity_in(user.card)
