"""Who wants to hear about whom: Watch, and the hints that something changed.

A session watches all, while the directory is small, or names, whether they exist or not. What it watches
is told in pages that it pulls; that something changed is pushed, at most once a second a session.
"""

from ..fields import Refusal, Scope, Version
from ..instant import after
from ..limits import (
    BUSY_WAIT_S,
    ROSTER_PUSH_US,
    WATCH_ALL_USERS_MAX,
    WATCHED_NAMES_MAX,
    WATCHED_NAMES_TOTAL_MAX,
)
from ..messages import Roster, RosterChanged, Watch
from ..turn import Turn
from .context import Context, Timer
from .directory import Directory
from .session import Session


class Interest:
    """The sessions that watch."""

    __slots__ = ("_all", "_context", "_directory", "_latest", "_names", "_resting", "_total", "_watchers")

    def __init__(self, context: Context, directory: Directory) -> None:
        self._context = context
        self._directory = directory
        self._all: dict[Session, None] = {}
        self._names: dict[Session, dict[str, None]] = {}
        self._watchers: dict[str, dict[Session, None]] = {}
        self._total = 0
        self._latest: dict[Session, int] = {}  # the counter of the last change of what it watches
        self._resting: dict[Session, bool] = {}  # told within the last second; whether there is more to tell

    def __len__(self) -> int:
        return self._total

    def watch(self, turn: Turn, session: Session, asked: Watch) -> None:
        """Answer a Watch: a page, or why not."""
        refusal = self._note(session, asked)
        if refusal is not None:
            wait_s = BUSY_WAIT_S if refusal is Refusal.BUSY else 0
            self._context.refuse(turn, session, asked.id, refusal, wait_s)
            return
        names = None if asked.scope is Scope.ALL else asked.names or tuple(self._names.get(session, ()))
        page = self._directory.page(names, asked.since, asked.after)
        self._context.say(turn, session, Roster(asked.id, self._directory.version, *page))  # R-8.4-3

    def version(self, session: Session) -> Version:
        """The version of the last change of what the session watches, since it does; the counter 0 if there is none."""
        return Version(self._directory.version.boot, self._latest.get(session, 0))  # R-8.4-6

    def _note(self, session: Session, asked: Watch) -> Refusal | None:
        if asked.scope is Scope.ALL:
            if len(self._directory) > WATCH_ALL_USERS_MAX:  # R-8.4-1
                self._all.pop(session, None)
                return Refusal.TOO_MANY
            self._all[session] = None
        elif asked.scope is Scope.ADD:
            return self._add(session, asked.names)
        else:
            for name in asked.names:
                self._remove(session, name)
        return None

    def _add(self, session: Session, names: tuple[str, ...]) -> Refusal | None:
        mine = self._names.get(session, {})
        new = [name for name in dict.fromkeys(names) if name not in mine]
        if len(mine) + len(new) > WATCHED_NAMES_MAX:  # R-8.4-2
            return Refusal.TOO_MANY
        if self._total + len(new) > WATCHED_NAMES_TOTAL_MAX:
            return Refusal.BUSY
        for name in new:
            self._names.setdefault(session, {})[name] = None
            self._watchers.setdefault(name, {})[session] = None
        self._total += len(new)
        return None

    def _remove(self, session: Session, name: str) -> None:
        mine = self._names.get(session, {})
        if name not in mine:
            return
        del mine[name], self._watchers[name][session]
        self._total -= 1
        if not mine:
            del self._names[session]
        if not self._watchers[name]:
            del self._watchers[name]

    def forget(self, session: Session) -> None:
        """The session watches nothing any more."""
        self._all.pop(session, None)
        for name in list(self._names.get(session, ())):
            self._remove(session, name)
        self._latest.pop(session, None)
        self._resting.pop(session, None)
        self._context.timers.cancel((Timer.ROSTER, session))

    def changed(self, turn: Turn, name: str) -> None:
        """What is told about `name` changed: those who watch it get a hint, now or when a second is over."""
        for session in self._all | self._watchers.get(name, {}):
            self._latest[session] = self._directory.version.counter
            if session in self._resting:
                self._resting[session] = True
            else:
                self._tell(turn, session)

    def rested(self, turn: Turn, session: Session) -> None:
        """A second is over since the session was told."""
        if self._resting.pop(session):
            self._tell(turn, session)

    def _tell(self, turn: Turn, session: Session) -> None:
        self._resting[session] = False
        self._context.timers.set((Timer.ROSTER, session), after(turn.now, ROSTER_PUSH_US))
        if session.user.online is session:
            self._context.say(turn, session, RosterChanged(self._directory.version))  # R-8.4-5
