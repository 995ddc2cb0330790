"""What comes to a client from the clock: each timer to the part that set it."""

from .. import messages as m
from ..instant import after
from ..limits import EXPIRY_CHECK_US, EXPIRY_CHECK_US_MIN, OUTBOX_DAYS_MAX
from ..machines.client_session import Phase, Session
from ..persistence import FailedRequests
from ..turn import Turn
from .parts import Parts
from .reception import Reception, next_ping

_DAY_MS = 86_400_000


class Timeouts:
    """Does what is due; `failed` is what the store could not do."""

    def __init__(self, parts: Parts, reception: Reception, failed: FailedRequests) -> None:
        self._parts = parts
        self._reception = reception
        self._failed = failed

    def timed_out(self, kind: str, about: object, turn: Turn) -> None:
        """A timer is due: see `shared.Timer`."""
        parts = self._parts
        match kind, about:
            case "session", None:
                parts.connection.step(Session.timed_out, turn)
            case "request", (str() as what, of):
                if parts.requester.timed_out((what, of), turn):
                    parts.connection.step(Session.silent, turn)
            case "letter", bytes() as secret:
                parts.outbox.timed_out(secret, turn)
            case "name", bytes() as sender:
                parts.inbox.display.tell_unnamed(sender, turn)
            case "contact", str() as name:
                parts.outbox.ask_again(parts.contacts.use(name), turn)
            case "cards", None:
                parts.contacts.check_next(turn)
            case "pace", str() as name:
                parts.outbox.admit(parts.contacts.use(name), turn)
            case "ping", None:
                if parts.connection.record.phase is Phase.ONLINE:
                    parts.requester.ask(("ping", None), m.Ping, turn)
                    parts.shared.set_timer(("ping", None), next_ping(parts.shared, turn.now))
            case "expiry", None:
                self._expire(turn)
            case _:
                self._failed.ask_again(turn)

    def _expire(self, turn: Turn) -> None:
        """Give up what is too old, once receipts had time to come."""
        shared = self._parts.shared
        if not self._parts.connection.is_online:
            return
        if turn.now > after(self._reception.heard, EXPIRY_CHECK_US_MIN):  # after a sleep: receipts come first
            shared.set_timer(("expiry", None), after(turn.now, EXPIRY_CHECK_US_MIN))
            return
        self._parts.outbox.expire(OUTBOX_DAYS_MAX * _DAY_MS, turn)
        shared.set_timer(("expiry", None), after(turn.now, EXPIRY_CHECK_US))
