"""The roster: who is online, of all users of the directory, or of the names that this client watches.

Theory of operation. A *pull* brings the roster up to date. It is a few questions, one after the other, each answered
in pages: about all; or names are told to the server that it does not know of yet, in Watches of so many, and then
it is asked about what is watched already. Everything that is watched is in some question, so once the last page
came, the roster is as new as the version of the *first* page: from there the next pull begins, at once if the
version of the last page is another, else when a hint or a Pong tells of a change.

A session knows what it watches, a new one nothing. Names that were watched before are told to it with the version
that is known, so that little comes back; names that are new, without one.

What a contact is called is watched by itself, as far as there is room: the most recently used first.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from ..client_events import PeersChanged
from ..fields import Refusal, Scope, Version
from ..limits import ROSTER_USERS_MAX, WATCH_NAMES_MAX, WATCHED_NAMES_MAX
from ..messages import Roster, Watch
from ..turn import Turn
from .requester import Requester

_KEY = ("watch", None)


class _Question(NamedTuple):
    scope: Scope
    names: tuple[str, ...] = ()
    since: Version | None = None


class RosterView:
    """What one client knows of the directory.

    Attributes:
        online: by name, of those that exist.
    """

    def __init__(self, requester: Requester, contacts: Iterable[str], watch_all: bool) -> None:
        self._requester = requester
        self._all = watch_all
        self._names: tuple[str, ...] = ()  # that the application wants
        self._contacts = dict.fromkeys(contacts)  # the least recently used first
        self._names_max = WATCHED_NAMES_MAX
        self.online: dict[str, bool] = {}
        self._told: dict[str, None] = {}  # what the session watches: each is known as of `_version` or later
        self._known: dict[str, None] = {}  # what the session before it watched, and is not told yet
        self._version: Version | None = None
        self._questions: deque[_Question] = deque()  # of the pull under way; the first is asked
        self._after: str | None = None
        self._first: Version | None = None
        self._hinted: Version | None = None
        self._changes: dict[str, bool] = {}

    def __len__(self) -> int:
        return max(len(self.online), len(self._told))

    # --- what is watched ---

    def watch(self, names: tuple[str, ...], turn: Turn) -> None:
        """Watch these names, in the place of those of the last call."""
        self._names = names
        self.pull(turn)

    def used(self, name: str, turn: Turn, *, pinned: bool = False) -> None:
        """The user has to do with this name, which is watched if it is a contact, or is one from now on: `pinned`."""
        if pinned or name in self._contacts:
            self._contacts.pop(name, None)
            self._contacts[name] = None
            if not self._all and name not in self._told:
                self.pull(turn)

    def _wanted(self) -> dict[str, None]:
        named = dict.fromkeys(self._names)
        contacts = (name for name in reversed(self._contacts) if name not in named)
        return dict.fromkeys(islice(chain(named, contacts), self._names_max))

    # --- pulling ---

    def restart(self, names_max: int, turn: Turn) -> None:
        """There is a new session, which watches nothing, and may watch so many names: `pull` follows."""
        self._requester.cancel(_KEY, turn)  # R-9.6-1
        self._questions.clear()
        self._known, self._told = self._known | self._told, {}
        self._names_max = min(names_max, WATCHED_NAMES_MAX)

    def pull(self, turn: Turn) -> None:
        """Say what is watched, and ask what changed, if there is anything, and unless it is being asked."""
        if not self._questions:
            self._first = None
            self._questions.extend(self._plan())
            if self._questions:
                self._ask(None, turn)

    def hinted(self, version: Version, turn: Turn) -> None:
        """What is watched changed, and the directory has this version: pull if that is news."""
        if self._is_news(version):
            self._hinted = version
            self.pull(turn)

    def _is_news(self, version: Version | None) -> bool:
        known = self._version
        return version is not None and (known is None or version.boot != known.boot or version.counter > known.counter)

    def _plan(self) -> Iterator[_Question]:
        if self._all:
            yield _Question(Scope.ALL, (), self._version)
            return
        wanted = self._wanted()
        for name in [name for name in self.online if name not in wanted]:
            del self.online[name]
        yield from _chunks(Scope.REMOVE, [name for name in self._told if name not in wanted], self._version)
        untold = [name for name in wanted if name not in self._told]
        # R-9.6-2
        yield from _chunks(Scope.ADD, [name for name in untold if name in self._known], self._version)
        yield from _chunks(Scope.ADD, [name for name in untold if name not in self._known], None)
        if any(name in wanted for name in self._told):
            yield _Question(Scope.WATCHED, (), self._version)

    def _ask(self, after: str | None, turn: Turn) -> None:
        scope, names, since = self._questions[0]
        self._after = after
        self._requester.ask(_KEY, lambda id_: Watch(id_, scope, names, since, after), turn)

    # --- pages ---

    def page(self, page: Roster, turn: Turn) -> list[tuple[str, int]]:
        """Take a page; the names that it is about, each with the seq of its card, 0 if nobody has it.

        The user is told of all changes once the last page came.
        """
        self._first = self._first or page.version
        if self._questions[0].scope is Scope.REMOVE:
            self._answered(page.version, turn)
            return []
        about = list(self._about(page))
        is_full = False
        for name, online, seq in about:
            if seq and name not in self.online and len(self.online) >= ROSTER_USERS_MAX:
                is_full = True  # no server shows that many
            else:
                self._note(name, online if seq else None)
        if page.more and page.entries and page.entries[-1].name > (self._after or "") and not is_full:
            self._ask(page.entries[-1].name, turn)
        else:
            self._answered(page.version, turn)
        return [(name, seq) for name, _, seq in about]

    def _about(self, page: Roster) -> Iterator[tuple[str, bool, int]]:
        """What a page says of whom: also that those who are not on it, and would have to be, are not there."""
        scope, names, _ = self._questions[0]
        asked = dict.fromkeys(names) if names else self._told
        shown = {each.name: each for each in page.entries if scope is Scope.ALL or each.name in asked}
        yield from ((each.name, each.online, each.card_seq) for each in shown.values())
        if page.full:  # R-9.6-3
            last = page.entries[-1].name if page.entries else ""
            for name in [name for name in self.online if scope is Scope.ALL or name in asked]:
                if name not in shown and (self._after or "") < name and (name <= last or not page.more):
                    yield name, False, 0

    def _note(self, name: str, online: bool | None) -> None:
        if self.online.get(name) is online:
            return
        self._changes[name] = bool(online)
        if online is None:
            del self.online[name]
        else:
            self.online[name] = online

    def _answered(self, version: Version, turn: Turn) -> None:
        scope, names, _ = self._questions.popleft()
        if scope is Scope.ADD:
            self._told.update(dict.fromkeys(names))
        elif scope is Scope.REMOVE:
            self._told = {name: None for name in self._told if name not in names}
        if self._questions:
            self._ask(None, turn)
            return
        self._version, self._known = self._first, {}
        self._tell(turn)
        hinted, self._hinted = self._hinted, None
        is_watched = self._all or self._told.keys() == self._wanted().keys()
        if version != self._version or self._is_news(hinted) or not is_watched:
            self.pull(turn)

    def refused(self, refusal: Refusal, turn: Turn) -> None:
        """The directory does not show this: if it is too large to watch all, contacts and names are watched instead."""
        self._questions.clear()
        self._tell(turn)
        if self._all and refusal is Refusal.TOO_MANY:  # R-9.6-5
            self._all, self._version = False, None
            self.pull(turn)

    def _tell(self, turn: Turn) -> None:
        if self._changes:
            turn.emit(PeersChanged(tuple(self._changes.items())))
            self._changes = {}


def _chunks(scope: Scope, names: list[str], since: Version | None) -> Iterator[_Question]:
    for at in range(0, len(names), WATCH_NAMES_MAX):
        yield _Question(scope, tuple(names[at : at + WATCH_NAMES_MAX]), since)
