"""What comes to a client from its store: each reply to the part that waits for it."""

from ..client_events import IdentityRotated
from ..client_requests import (
    DropMailKey,
    Entered,
    EnterLetter,
    FindLetter,
    PinOutgoing,
    SaveIdentity,
    SaveMailKey,
    SaveOutgoing,
    SavePin,
    SaveVerified,
    SettleOutgoing,
)
from ..requests import StoreReply
from ..turn import Turn
from .parts import Parts


def stored(parts: Parts, reply: StoreReply, turn: Turn) -> None:
    """Go on with what is durable now."""
    match reply.request, reply.result:
        case SaveOutgoing(secret), _:
            parts.outbox.queue(secret, turn)
        case ((PinOutgoing() as pin), _):
            parts.outbox.pinned(pin, turn)
        case ((SettleOutgoing() as settled), _):
            parts.outbox.receipts.settled(settled)
        case ((EnterLetter() as entry), (Entered() as answer)):
            parts.inbox.entered(entry, answer, turn)
        case ((FindLetter() as sought), (Entered() as answer)):
            parts.inbox.looked_for(sought, answer, turn)
        case ((SavePin() as pin), _):
            parts.outbox.resolved(parts.contacts.pinned(pin, turn), turn)
            parts.roster.used(pin.name, turn, pinned=True)
            parts.inbox.display.named(pin.name, turn)
        case ((SaveVerified() as compared), _):
            parts.contacts.verified(compared, turn)
        case ((SaveMailKey() as saved), _):
            parts.keyring.mail_key_saved(saved)
        case ((DropMailKey() as dropped), _):
            parts.keyring.mail_key_dropped(dropped)
        case SaveIdentity(_, public), _:  # R-2.4-4: nothing of this life is for it
            turn.emit(IdentityRotated(public))
        case _:
            pass  # MarkStored, SaveServerKey, SaveCardSeq, MarkSeen: nothing waits for them
