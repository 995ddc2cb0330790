"""Sessions from their first RECORD to their end: Register, Deregister, silence, and who takes whose place.

An identity has at most two: the one that is registered, and the newest confirmed one that is not yet. A
Register binds the name in the store first, one request at a time for an identity; once that is durable the
session is online, and takes the place of an older one. What follows from a session's coming and going is
carried out here, intent by intent.
"""

from dataclasses import dataclass

from ..errors import BadDatagram, Reason
from ..fields import Refusal, Rotation, ServerLimits
from ..instant import SECOND, Instant
from ..limits import (
    BUSY_WAIT_S,
    CONFIRMING_SESSIONS_MAX,
    MAILBOX_LETTERS_MAX,
    MAILBOX_SENDER_LETTERS_MAX,
    SESSION_REQUESTS_PER_S_MAX,
    SILENCE_S,
    WATCH_ALL_USERS_MAX,
    WATCHED_NAMES_MAX,
)
from ..machines.server_session import SERVER_SESSION, Do, Phase, ServerSession
from ..messages import Deregistered, Register, Registered, Superseded
from ..secure.rotation import check_rotation_untrusted
from ..server_events import NameReleased, NameRotated, UserBanned, UserLapsed, UserLeft, UserRegistered, UserUnbanned
from ..server_requests import BanIdentity, BindUser, Bound, ReleaseName
from ..table import step
from ..turn import Turn
from .admission import Applicant, Gate, invite_hash
from .context import Context, Timer
from .directory import Directory
from .interest import Interest
from .links import Links, Pending
from .mailboxes import Mailboxes
from .receipts import ReceiptBook
from .session import Session, User, unpacked
from .storage import Storage

_LIMITS = ServerLimits(
    MAILBOX_LETTERS_MAX,
    MAILBOX_SENDER_LETTERS_MAX,
    WATCHED_NAMES_MAX,
    WATCH_ALL_USERS_MAX,
    SESSION_REQUESTS_PER_S_MAX,
)


@dataclass(slots=True)
class Binding:
    """A BindUser under way for an identity.

    Attributes:
        request: what was asked.
        asked: the last Register of each session that waits for it, or for its turn after it.
    """

    request: BindUser
    asked: dict[Session, Register]


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the server that hear of sessions that come and go."""

    context: Context
    storage: Storage
    gate: Gate
    links: Links
    directory: Directory
    interest: Interest
    mailboxes: Mailboxes
    receipts: ReceiptBook


class Sessions:
    """The machine of each session, and what its intents mean."""

    __slots__ = ("_bindings", "_confirming", "_names_binding", "_parts", "_silent_at")

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._confirming: dict[bytes, Session] = {}  # by identity
        self._bindings: dict[bytes, Binding] = {}  # by identity
        self._names_binding: dict[str, None] = {}
        self._silent_at: dict[int, list[Session]] = {}  # by second: each session is in there once

    def __len__(self) -> int:
        return len(self._confirming)

    # --- heard and not heard ---

    def confirm_untrusted(self, turn: Turn, pending: Pending) -> Session:
        """The session of a link whose first authentic RECORD came: `BadDatagram(BUSY)` if there is no room."""
        identity = pending.user.identity
        if len(self._confirming) >= CONFIRMING_SESSIONS_MAX and identity not in self._confirming:
            raise BadDatagram(Reason.BUSY)
        if (older := self._confirming.get(identity)) is not None:
            self._step(turn, older, ServerSession.superseded)
        session = self._parts.links.confirm(pending)
        self._confirming[identity] = session
        self._look_again(session, session.heard_s + SILENCE_S)
        return session

    def hear(self, turn: Turn, session: Session) -> None:
        """Something authentic came from the session's client."""
        self._step(turn, session, ServerSession.heard)

    def look(self, turn: Turn, second: int) -> None:
        """Look at the sessions that may have been silent for too long at `second`."""
        for session in self._silent_at.pop(second):
            if session.phase is Phase.ENDED:
                continue
            due = session.heard_s + SILENCE_S
            if due <= second:  # R-8.2-9
                self._step(turn, session, ServerSession.quiet)
                due = second + SILENCE_S
            self._look_again(session, due)

    def _look_again(self, session: Session, second: int) -> None:
        if second not in self._silent_at:
            self._silent_at[second] = []
            self._parts.context.timers.set((Timer.SILENCE, second), Instant(second * SECOND))
        self._silent_at[second].append(session)

    # --- Register and Deregister ---

    def register(self, turn: Turn, session: Session, counter: int, asked: Register) -> None:
        """A Register, in the RECORD with this counter."""
        if counter < session.ordered:  # R-8.2-7
            return
        session.ordered = counter
        binding = self._bindings.get(session.user.identity)
        if binding is not None:  # R-8.2-6: it is answered when its turn comes
            binding.asked[session] = asked
        else:
            self._bind(turn, session, asked)

    def _bind(self, turn: Turn, session: Session, asked: Register) -> None:
        user, parts = session.user, self._parts
        rotation = self._rotation(user, asked.rotation)
        invite = None if asked.invite is None else invite_hash(parts.context.suite, asked.invite)
        refused = self._refusal(turn, session, rotation, invite)
        request = BindUser(user.name, user.identity, user.card, rotation, invite)
        if refused is not None:
            parts.context.refuse(turn, session, asked.id, refused[0], seq=refused[1])
        elif not parts.storage.ask(turn, request):
            parts.context.refuse(turn, session, asked.id, Refusal.BUSY, BUSY_WAIT_S)
        else:
            parts.gate.spend(invite)
            self._bindings[user.identity] = Binding(request, {session: asked})
            self._names_binding[user.name] = None

    def _rotation(self, user: User, offered: Rotation | None) -> Rotation | None:
        """The rotation that goes with the name: the one that is known, or else one that holds."""
        known = self._parts.directory.rotation(user.identity)
        if offered is None or offered == known:
            return known
        try:
            check_rotation_untrusted(self._parts.context.suite, offered, user.identity, user.name)
        except BadDatagram:
            return known
        return offered

    def _refusal(
        self, turn: Turn, session: Session, rotation: Rotation | None, invite: bytes | None
    ) -> tuple[Refusal, int] | None:
        """Why the user of a session cannot be registered, with the highest card seq known if that is why."""
        user, parts = session.user, self._parts
        if user.name in self._names_binding:  # of another identity: of this one there is no binding
            return Refusal.NAME_TAKEN, 0
        former = None if rotation is None else rotation.former
        refused = parts.directory.refusal(user, len(self._bindings), former)
        if refused is not None:
            return refused
        holder = parts.directory.holder(user.name)
        is_handed = holder is not None and holder.identity == former
        is_known = parts.directory.user(user.identity) is not None
        who = Applicant(user, session.address, is_known, former if is_handed else None, invite)
        refusal = parts.gate.refusal(turn, who)
        return None if refusal is None else (refusal, 0)

    def bound(self, turn: Turn, request: BindUser, result: Bound) -> None:
        """The name and the card are durable: whoever asked for it is online and told so, and no earlier."""
        binding, parts = self._bindings.pop(request.identity), self._parts
        del self._names_binding[request.name]
        former = parts.directory.holder(request.name)
        if former is not None and former.identity != request.identity:  # R-8.2-11
            self._remove(turn, former)
            turn.emit(NameRotated(request.name))
        known = parts.directory.user(request.identity)
        is_new = known is None or known.name != request.name
        user, names = parts.directory.bind(request)
        for session, asked in binding.asked.items():
            if session.phase is Phase.ENDED:
                continue
            if parts.gate.is_banned(request.identity):
                parts.context.refuse(turn, session, asked.id, Refusal.BANNED)
            elif session.user.card == request.card:
                self._register(turn, session, user, is_new, asked.id, result.waiting)
            else:
                self.register(turn, session, session.ordered, asked)
        for name in names:
            if name != user.name or user.online not in binding.asked:  # else it was told as coming online
                self._changed(turn, name)

    def _register(self, turn: Turn, session: Session, user: User, is_new: bool, id_: int, waiting: int) -> None:
        older, user.session, session.user = user.session, session, user
        if self._confirming.get(user.identity) is session:
            del self._confirming[user.identity]
        self._step(turn, session, ServerSession.registered, is_new)
        context, address = self._parts.context, unpacked(session.address)
        context.say(turn, session, Registered(id_, address, waiting, _LIMITS, context.wall_ms(turn.now)))  # R-8.2-5
        if older is not None and older is not session:
            self._step(turn, older, ServerSession.superseded)  # R-8.2-8

    def deregister(self, turn: Turn, session: Session, counter: int, id_: int) -> None:
        """A Deregister, in the RECORD with this counter."""
        if session.phase is Phase.CONFIRMING and session.ordered < 0:
            self._parts.context.refuse(turn, session, id_, Refusal.NOT_REGISTERED)
            return
        if counter < session.ordered:
            return
        session.ordered = counter
        if (binding := self._bindings.get(session.user.identity)) is not None:
            binding.asked.pop(session, None)
        self._step(turn, session, ServerSession.deregistered)
        self._parts.context.say(turn, session, Deregistered(id_))

    # --- what the operator wants ---

    def banned(self, turn: Turn, request: BanIdentity) -> None:
        """A ban is durable: whoever it is about is not here any more. Or its end is."""
        self._parts.gate.banned(request)
        if not request.banned:
            turn.emit(UserUnbanned(request.identity))
            return
        user = self._parts.directory.user(request.identity)
        self._expel(turn, user)
        turn.emit(UserBanned(request.identity, None if user is None else user.name))

    def released(self, turn: Turn, request: ReleaseName) -> None:
        """A name is free: whoever had it is not here any more."""  # R-8.9-6
        user = self._parts.directory.holder(request.name)
        if user is not None:
            self._remove(turn, user)
            self._changed(turn, request.name)
        turn.emit(NameReleased(request.name))

    def _remove(self, turn: Turn, user: User) -> None:
        self._expel(turn, user)
        self._parts.directory.remove(user)

    def _expel(self, turn: Turn, user: User | None) -> None:
        if user is not None and user.session is not None:
            self._step(turn, user.session, ServerSession.expelled)

    # --- intents ---

    def _step(self, turn: Turn, session: Session, event: str, is_new: bool = False) -> None:
        for do in step(SERVER_SESSION, session, event, self._parts.context, turn.now):
            if do is Do.COME_ONLINE:
                self._come_online(turn, session, is_new)
            elif do is Do.SAY_SUPERSEDED:
                self._parts.context.say(turn, session, Superseded())
            elif do is Do.FORGET:
                self._forget(session)
            else:
                self._go_offline(turn, session.user, do)

    def _come_online(self, turn: Turn, session: Session, is_new: bool) -> None:
        user, parts = session.user, self._parts
        turn.emit(UserRegistered(user.name, unpacked(session.address), is_new))
        self._changed(turn, user.name)
        parts.mailboxes.start(turn, user)
        parts.receipts.start(turn, user)

    def _go_offline(self, turn: Turn, user: User, do: Do) -> None:
        turn.emit(UserLeft(user.name) if do is Do.LEAVE else UserLapsed(user.name))
        self._changed(turn, user.name)
        self._parts.mailboxes.stop(turn, user.identity)
        self._parts.receipts.stop(turn, user.identity)

    def _forget(self, session: Session) -> None:
        user = session.user
        self._parts.links.forget(session)
        self._parts.interest.forget(session)
        if self._confirming.get(user.identity) is session:
            del self._confirming[user.identity]
        if user.session is session:
            user.session = None

    def _changed(self, turn: Turn, name: str) -> None:
        self._parts.directory.touch(name)
        self._parts.interest.changed(turn, name)
