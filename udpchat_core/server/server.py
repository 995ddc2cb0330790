"""The server, without I/O: datagrams, replies of the store and time go in, actions come out.

Theory of operation. The directory (users, their cards and who is online) is in memory, and in the store as
well; mailboxes and receipts are in the store only, and what is pushed of them at the moment in memory. A
datagram is taken by its type: a HELLO is answered and forgotten (`links`), an INIT leaves a pending link, and
a RECORD is opened by the link that its index names. Its first authentic RECORD makes a session of a pending
link (`sessions`), and the messages in it are answered by `sessions`, `directory` and `interest`, `mailboxes`
and `receipts`. Each of them asks the store for what has to be durable, and answers when `storage` says that it
is, and `replies` tells it. A call is a turn: what is said to a client in it shares RECORDs, what is asked of the
store shares a commit.

All deadlines are in one heap, by what they are for. Silence is different, for there is a deadline for every
client and hardly any of them comes: sessions lie in lists by the second in which they are looked at.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Final, cast

from ..actions import Actions, Received
from ..address import Address
from ..buckets import Buckets
from ..datagrams import Hello, Init, Record
from ..errors import BadDatagram, LocalProtocolError, Reason
from ..fields import Refusal
from ..instant import Instant, after
from ..limits import EXPIRY_US, REQUESTS_WAIT_S, SESSION_BUCKETS_MAX, SESSION_REQUESTS_PER_S_MAX
from ..machines.server_session import Phase
from ..messages import Collected, Deregister, Lookup, Message, Noted, Ping, Pong, Register, Store, Watch
from ..requests import StoreReply
from ..secure.suite import KEY_BYTES, Suite
from ..server_events import MailKept
from ..server_requests import ReleaseName, ServerState
from ..turn import Turn
from ..wire import parse_untrusted, unpack_untrusted
from .admission import OPEN, Admission, Gate
from .context import Context, Timer
from .directory import Directory
from .interest import Interest
from .links import Links
from .mailboxes import Mailboxes
from .receipts import ReceiptBook
from .replies import stored
from .session import Session, packed
from .sessions import Parts, Sessions
from .storage import Storage

_Request = Register | Deregister | Lookup | Watch | Store | Ping
"""What a client waits for an answer to."""
_FROM_CLIENTS: Final = frozenset({Register, Deregister, Lookup, Watch, Store, Collected, Noted, Ping})


def new_server_state(suite: Suite) -> ServerState:
    """What the store of a new server is created with: its private key, and nobody in the directory."""
    return ServerState(suite.random(KEY_BYTES))


class Server:
    """The core of a server over `suite`, with what its store holds; see `actions` for what goes in and comes out.

    The times handed in never go back. A driver carries out what each call returns, in its order, and calls
    `handle_timeout` when `next_timeout` says so; calls do not overlap.
    """

    def __init__(self, suite: Suite, state: ServerState, now: Instant, admission: Admission = OPEN) -> None:
        context = self._context = Context(suite, now)
        storage = self._storage = Storage(context)
        gate = self._gate = Gate(context, storage, admission, state.bans, state.invites)
        links = self._links = Links(context, state.private)
        directory = self._directory = Directory(context, state.users)
        interest = self._interest = Interest(context, directory)
        receipts = self._receipts = ReceiptBook(context, storage, directory)
        mailboxes = self._mailboxes = Mailboxes(context, storage, gate, directory, receipts)
        self._requests: Buckets[bytes] = Buckets(SESSION_REQUESTS_PER_S_MAX, SESSION_BUCKETS_MAX)  # by index
        self._parts = Parts(context, storage, gate, links, directory, interest, mailboxes, receipts)
        self._sessions = Sessions(self._parts)

    # --- the calls ---

    def start(self, now: Instant) -> Actions:
        """Begin: letters past their days are deleted, and again every hour."""
        turn = self._begin(now)
        self._expire(turn)
        return self._end(turn)

    # --- what the operator wants: told by an event when it is durable ---

    def invite(self, now: Instant) -> Actions:
        """Make an invitation; `InviteMade` follows. Raises `LocalProtocolError` if there are too many."""
        turn = self._begin(now)
        self._gate.invite(turn)
        return self._end(turn)

    def ban(self, identity: bytes, now: Instant) -> Actions:
        """Serve an identity no more; `UserBanned` follows. Raises `LocalProtocolError` if there are too many bans."""
        turn = self._begin(now)
        self._gate.ban(turn, identity, True)
        return self._end(turn)

    def unban(self, identity: bytes, now: Instant) -> Actions:
        """Serve an identity again; `UserUnbanned` follows. Raises `LocalProtocolError` if it is not banned."""
        turn = self._begin(now)
        self._gate.ban(turn, identity, False)
        return self._end(turn)

    def release(self, name: str, now: Instant) -> Actions:
        """Take a name from its identity; `NameReleased` follows. Raises `LocalProtocolError` if nobody has it."""
        turn = self._begin(now)
        if self._directory.holder(name) is None:
            raise LocalProtocolError(f"nobody has the name {name}")
        if not self._storage.ask(turn, ReleaseName(name)):
            raise LocalProtocolError("the server's disk is far behind: try again in a minute")
        return self._end(turn)

    def identity_of(self, name: str) -> bytes | None:
        """I of the user with this name; None if nobody has it."""
        user = self._directory.holder(name)
        return None if user is None else user.identity

    @property
    def public_key(self) -> bytes:
        """The server's own, which clients pin: its operator can tell whether they see the right one."""
        return self._parts.links.public_key

    @property
    def refused(self) -> Mapping[Refusal, int]:
        """How many requests were refused since the start, by reason."""
        return self._context.refused

    # --- what comes in ---

    def handle_clock(self, wall_ms: int, now: Instant) -> Actions:
        """It is `wall_ms`, milliseconds of Unix time; until told, `now` is taken for it."""
        turn = self._begin(now)
        self._context.set_clock(wall_ms, now)
        return self._end(turn)

    def receive_datagrams(self, received: Sequence[Received], now: Instant) -> Actions:
        """Datagrams came; whatever is in them, nothing is raised."""
        turn = self._begin(now)
        for source, payload in received:
            try:
                self._receive_untrusted(turn, source, payload)
            except BadDatagram as refused:
                turn.drop(source, refused.reason)
        return self._end(turn)

    def handle_stored(self, replies: Sequence[StoreReply], now: Instant) -> Actions:
        """The store answered. Raises `LocalProtocolError` for an answer to what was not asked."""
        turn = self._begin(now)
        kept = 0
        for reply in self._storage.settle(turn, replies):
            kept += stored(self._parts, self._sessions, turn, reply)
        if kept:
            turn.emit(MailKept(kept))
        return self._end(turn)

    def handle_timeout(self, now: Instant) -> Actions:
        """Time passed: do what is due."""
        turn = self._begin(now)
        for timer, about in self._context.timers.pop_due(now):
            self._time_out(turn, timer, about)
        return self._end(turn)

    def next_timeout(self) -> Instant | None:
        """When `handle_timeout` is to be called; None if nothing is waited for."""
        return self._context.timers.next()

    def sizes(self) -> Mapping[str, int]:
        """How much of everything with a cap is in memory."""
        return {
            "users": len(self._directory),
            **self._links.sizes(),
            **self._gate.sizes(),
            "session buckets": len(self._requests),
            "confirming sessions": len(self._sessions),
            "store requests": len(self._storage),
            "watched names": len(self._interest),
            "mail rounds": len(self._mailboxes),
            "receipt pages": len(self._receipts),
            "server timers": len(self._context.timers),
        }

    def _begin(self, now: Instant) -> Turn:
        self._context.begin(now)
        return Turn(now)

    def _end(self, turn: Turn) -> Actions:
        self._storage.end_turn(turn)
        return turn.end()

    # --- datagrams ---

    def _receive_untrusted(self, turn: Turn, source: Address, payload: bytes) -> None:
        datagram = parse_untrusted(payload)
        if isinstance(datagram, Record):
            self._record_untrusted(turn, source, payload, datagram)
        elif isinstance(datagram, Hello):
            self._links.greet(turn, source, payload)
        elif isinstance(datagram, Init):
            self._links.respond_untrusted(turn, source, payload, datagram)
        else:  # R-3.1-7
            raise BadDatagram(Reason.TYPE)

    def _record_untrusted(self, turn: Turn, source: Address, payload: bytes, record: Record) -> None:
        end = self._links.find(record.index)
        if end is None:  # R-8.1-5
            self._links.hint(turn, source, payload)
            raise BadDatagram(Reason.LINK)
        link = end if isinstance(end, Session) else end.link
        messages = unpack_untrusted(link.open_untrusted(self._context.suite, record))
        if not all(type(message) in _FROM_CLIENTS for message in messages):  # R-5.1-6
            raise BadDatagram(Reason.MESSAGE)
        session = end if isinstance(end, Session) else self._sessions.confirm_untrusted(turn, end)  # R-8.1-4
        if packed(source) != session.address:  # R-8.1-6
            self._links.hint(turn, source, payload)
        self._sessions.hear(turn, session)
        for message in messages:
            if self._requests.take(record.index, turn.now):  # R-8.8-3
                self._handle(turn, session, record.counter, message)
            else:
                self._shed(turn, source, session, message)

    def _shed(self, turn: Turn, source: Address, session: Session, message: Message) -> None:
        """One message too many: it is counted, and whoever waits for an answer told to ask again."""
        turn.drop(source, Reason.SESSION_RATE)  # R-8.8-4
        if isinstance(message, _Request):  # what Collected and Noted are about is pushed again, and answered again
            self._context.refuse(turn, session, message.id, Refusal.BUSY, REQUESTS_WAIT_S)

    def _handle(self, turn: Turn, session: Session, counter: int, message: Message) -> None:
        match message:
            case Register():
                self._sessions.register(turn, session, counter, message)
            case Deregister(id_):
                self._sessions.deregister(turn, session, counter, id_)
            case Lookup() | Watch() | Store() | Ping() if session.phase is not Phase.ONLINE:  # R-8.2-1
                self._context.refuse(turn, session, message.id, Refusal.NOT_REGISTERED)
            case _ if session.phase is not Phase.ONLINE:
                pass  # Collected and Noted: what they are about is pushed again, and answered again
            case Lookup(id_, name):
                self._context.say(turn, session, self._directory.look_up(id_, name))
            case Watch():
                self._interest.watch(turn, session, message)
            case Store():
                self._mailboxes.store(turn, session, message)
            case Collected():
                self._mailboxes.collect(turn, session, message)
            case Ping(id_):
                self._context.say(turn, session, Pong(id_, self._interest.version(session)))
            case _:
                self._receipts.note(turn, session, cast(Noted, message))

    # --- time ---

    def _time_out(self, turn: Turn, timer: Timer, about: Hashable) -> None:
        if timer is Timer.PENDING:
            self._links.drop_pending(turn)
        elif timer is Timer.SILENCE:
            self._sessions.look(turn, cast(int, about))
        elif timer is Timer.STORAGE:
            self._storage.retry(turn)
        elif timer is Timer.EXPIRY:
            self._expire(turn)
        elif timer is Timer.ROSTER:
            self._interest.rested(turn, cast(Session, about))
        elif timer is Timer.MAIL:
            self._mailboxes.timed_out(turn, cast(bytes, about))
        else:
            self._receipts.timed_out(turn, cast(bytes, about))

    def _expire(self, turn: Turn) -> None:
        self._mailboxes.expire(turn)
        self._gate.expire(turn)
        self._context.timers.set((Timer.EXPIRY, None), after(turn.now, EXPIRY_US))
