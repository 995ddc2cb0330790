"""The roster: who is online, of all users of the directory, for a client that watches them all.

It is pulled in pages, all with the same `since`. Once the last page came, it is pulled again from the version
of the first, so that nothing that changed meanwhile is missed, and from then on when a hint or a Pong tells
of another version.
"""

from ..events import PeersChanged
from ..limits import ROSTER_USERS_MAX
from ..messages import Roster, Scope, Version, Watch
from ..turn import Turn
from .requester import Requester

_KEY = ("watch", None)


class RosterView:
    """What one client knows of the directory.

    Attributes:
        online: by name.
    """

    def __init__(self, requester: Requester, is_wanted: bool) -> None:
        self._requester = requester
        self._is_wanted = is_wanted
        self.online: dict[str, bool] = {}
        self._version: Version | None = None
        self._first: Version | None = None
        self._changes: dict[str, bool] = {}
        self._pulling = False
        self._hinted: Version | None = None

    def pull(self, turn: Turn) -> None:
        """Ask for what changed, if anybody wants to know and it is not being asked already."""
        if self._is_wanted and not self._pulling:
            self._pulling, self._first = True, None
            self._ask(None, turn)

    def hinted(self, version: Version, turn: Turn) -> None:
        """The directory has this version: pull if it is another than the one known."""
        if version != self._version:
            self._hinted = version
            self.pull(turn)

    def page(self, page: Roster, turn: Turn) -> list[str]:
        """Take a page; the names on it. The user is told of all changes once the last page came."""
        self._first = self._first or page.version
        overflown = False
        for entry in page.entries:
            if entry.name not in self.online and len(self.online) >= ROSTER_USERS_MAX:
                overflown = True  # no server shows that many
                continue
            if self.online.get(entry.name) != entry.online:
                self._changes[entry.name] = entry.online
            self.online[entry.name] = entry.online
        if page.more and page.entries and not overflown:
            self._ask(page.entries[-1].name, turn)
            return [entry.name for entry in page.entries]
        self._pulling, self._version = False, self._first
        if self._changes:
            turn.emit(PeersChanged(tuple(self._changes.items())))
            self._changes = {}
        if page.version != self._version or self._hinted not in (None, self._version):
            self._hinted = None
            self.pull(turn)
        return [entry.name for entry in page.entries]

    def refused(self) -> None:
        """The directory does not show this."""
        self._pulling = False

    def _ask(self, after: str | None, turn: Turn) -> None:
        since = self._version
        self._requester.ask(_KEY, lambda id_: Watch(id_, Scope.ALL, (), since, after), turn)
