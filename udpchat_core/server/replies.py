"""What comes to the server from its store: each reply to the part that waits for it."""

from ..errors import LocalProtocolError
from ..requests import StoreReply
from ..server_requests import (
    BanIdentity,
    BindUser,
    Bound,
    CollectLetters,
    DropInvite,
    DropReceipts,
    Expired,
    ExpireLetters,
    Full,
    KeepLetter,
    Kept,
    MailPage,
    ReadMail,
    ReadReceipts,
    Receipts,
    ReleaseName,
    SaveInvite,
)
from ..turn import Turn
from .sessions import Parts, Sessions


def stored(parts: Parts, sessions: Sessions, turn: Turn, reply: StoreReply) -> int:
    """Go on with what is durable now; the number of letters that are durable with it.

    Raises `LocalProtocolError` for a reply that is none to its request.
    """
    match reply.request, reply.result:
        case BindUser() as request, Bound() as result:
            sessions.bound(turn, request, result)
        case ReleaseName() as request, _:
            sessions.released(turn, request)
        case BanIdentity() as request, _:
            sessions.banned(turn, request)
        case SaveInvite() as request, _:
            parts.gate.invited(turn, request)
        case DropInvite(), _:
            pass  # it was forgotten when that was asked
        case KeepLetter() as request, (Kept() | Full()) as result:
            return int(parts.mailboxes.kept(turn, request, result))
        case ReadMail() as request, MailPage() as result:
            parts.mailboxes.page(turn, request, result)
        case CollectLetters() as request, Receipts() as result:
            parts.mailboxes.collected(turn, request, result)
        case ReadReceipts() as request, Receipts() as result:
            parts.receipts.read(turn, request, result)
        case DropReceipts() as request, _:
            parts.receipts.dropped(turn, request)
        case ExpireLetters(), Expired(letters):
            parts.mailboxes.expired(turn, letters)
        case _:
            what, how = type(reply.request).__name__, type(reply.result).__name__
            raise LocalProtocolError(f"a {what} answered by a {how}")
    return 0
