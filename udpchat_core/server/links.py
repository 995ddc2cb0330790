"""Links before and after they are confirmed: HELLO, INIT, hints, and who is behind an index.

Nothing here changes the directory. A HELLO costs a MAC and leaves nothing. An INIT is looked at once its
token proved the address, and leaves a pending link, which only a RECORD under its keys confirms: no replay
can make one. A RETRY that answers anything but a HELLO is a hint: please begin a link, from where you are.
"""

from dataclasses import dataclass
from itertools import takewhile

from ..address import Address
from ..buckets import Bucket, Buckets
from ..datagrams import Init
from ..errors import BadDatagram, Reason
from ..instant import Instant, after
from ..limits import (
    HINTS_PER_S_MAX,
    INIT_PREFIXES_MAX,
    INITS_PER_PREFIX_PER_S_MAX,
    INITS_PER_S_MAX,
    PENDING_LINK_US,
    PENDING_LINKS_MAX,
    PENDING_LINKS_PER_ADDRESS_MAX,
)
from ..secure.link import INDEX_BYTES, Link, respond_untrusted, retry
from ..secure.suite import KEY_BYTES
from ..secure.token import check_token_untrusted, make_token
from ..turn import Turn
from ..wire import RETRY_BYTES
from .context import Context, Timer
from .ends import Ends
from .session import Session, User, packed, prefix

_MS_PER_S = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """A link that no RECORD has confirmed yet.

    Attributes:
        init: the datagram that asked for it.
        resp: the datagram that answered.
        link: the server's end.
        user: whom its card names.
        until: when it is dropped.
    """

    init: bytes
    resp: bytes
    link: Link
    user: User
    until: Instant

    @property
    def index(self) -> bytes:
        """By which the client addresses the link."""
        return self.link.index


class Links:
    """All links, by the server's index."""

    __slots__ = (
        "_context",
        "_ends",
        "_hints",
        "_hints_s",
        "_inits",
        "_inits_of_prefix",
        "_of_address",
        "_pending",
        "_private",
        "_secret",
        "public_key",
    )

    def __init__(self, context: Context, private: bytes) -> None:
        self._context = context
        self._private = private
        self.public_key = context.suite.dh_public(private)
        self._secret = context.suite.random(KEY_BYTES)
        self._ends: Ends[Session | Pending] = Ends()
        self._pending: dict[bytes, Pending] = {}  # of these, by index, oldest first
        self._of_address: dict[bytes, dict[bytes, Pending]] = {}  # by packed address and INIT
        self._hints_s, self._hints = 0, 0
        self._inits = Bucket(INITS_PER_S_MAX)
        self._inits_of_prefix: Buckets[bytes] = Buckets(INITS_PER_PREFIX_PER_S_MAX, INIT_PREFIXES_MAX)

    def sizes(self) -> dict[str, int]:
        """How many links there are, how many that no RECORD has confirmed, and how many prefixes have a bucket."""
        return {
            "links": len(self._ends) - len(self._pending),
            "pending links": len(self._pending),
            "init prefixes": len(self._inits_of_prefix),
        }

    # --- before a link ---

    def greet(self, turn: Turn, source: Address, hello: bytes) -> None:
        """Answer a HELLO; nothing is kept."""
        turn.send(source, self._retry(turn, source, hello))

    def hint(self, turn: Turn, source: Address, answered: bytes) -> None:
        """Ask whoever sent `answered` for a new link, if that is no longer than what it sent, and not too often."""
        if self._context.second != self._hints_s:
            self._hints_s, self._hints = self._context.second, 0
        if len(answered) >= RETRY_BYTES and self._hints < HINTS_PER_S_MAX:  # R-8.1-5
            self._hints += 1
            turn.send(source, self._retry(turn, source, answered))

    def _retry(self, turn: Turn, source: Address, answered: bytes) -> bytes:
        return retry(answered, make_token(self._context.suite, self._secret, source, turn.now), self.public_key)

    def respond_untrusted(self, turn: Turn, source: Address, payload: bytes, init: Init) -> None:
        """Answer an INIT: its token is checked before anything is computed, and a repeated one costs nothing."""
        suite = self._context.suite
        try:
            check_token_untrusted(suite, self._secret, source, turn.now, init.token)  # R-8.1-1
        except BadDatagram:
            self.hint(turn, source, payload)
            raise
        address = packed(source)
        here = self._of_address.get(address, {})
        if (known := here.get(payload)) is not None:  # R-8.1-2
            turn.send(source, known.resp)
            return
        if len(here) >= PENDING_LINKS_PER_ADDRESS_MAX or len(self._pending) >= PENDING_LINKS_MAX:  # R-8.1-3
            raise BadDatagram(Reason.BUSY)
        self._admit_untrusted(turn, source)
        now_s = self._context.wall_ms(turn.now) // _MS_PER_S
        index = self._ends.free(lambda: suite.random(INDEX_BYTES))
        responded = respond_untrusted(suite, self._private, init, index, now_s, address)
        user = User(responded.card_bytes)
        pending = Pending(payload, responded.resp, responded.link, user, after(turn.now, PENDING_LINK_US))
        self._pending[index] = self._of_address.setdefault(address, {})[payload] = pending
        self._ends.put(pending)
        if len(self._pending) == 1:
            self._context.timers.set((Timer.PENDING, None), pending.until)
        turn.send(source, responded.resp)

    def _admit_untrusted(self, turn: Turn, source: Address) -> None:
        """Refuse an INIT that is one too many, before anything is computed.

        The prefix comes first, so that a flood from one of them leaves what there is in total to the others.
        """
        of = prefix(source)
        if of is not None and not self._inits_of_prefix.take(of, turn.now):  # R-8.8-1
            raise BadDatagram(Reason.PREFIX_RATE)
        if not self._inits.take(turn.now):  # R-8.8-2
            raise BadDatagram(Reason.TOTAL_RATE)

    # --- from an index to a link ---

    def find(self, index: bytes) -> Session | Pending | None:
        """Who is behind an index."""
        return self._ends.get(index)

    def confirm(self, pending: Pending) -> Session:
        """The session of a link whose first authentic RECORD came; older pending links of its user go.

        So a RECORD that was held back on the way cannot make an older link the newest.
        """
        before = takewhile(lambda each: each is not pending, self._pending.values())
        for older in [each for each in before if each.user.identity == pending.user.identity]:
            self._drop(older)
        self._drop(pending)
        session = Session(pending.link, pending.user, self._context.second)
        self._ends.put(session)
        return session

    def forget(self, session: Session) -> None:
        """The link is over."""
        self._ends.drop(session.index)

    def drop_pending(self, turn: Turn) -> None:
        """Drop the pending links whose time is over; the timer is for the oldest."""
        for pending in list(self._pending.values()):
            if pending.until > turn.now:
                self._context.timers.set((Timer.PENDING, None), pending.until)
                return
            self._drop(pending)

    def _drop(self, pending: Pending) -> None:
        self._ends.drop(pending.index)
        del self._pending[pending.index]
        here = self._of_address[pending.link.place]
        del here[pending.init]
        if not here:
            del self._of_address[pending.link.place]
