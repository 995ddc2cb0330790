"""What happened, as the objects of `schema`."""

from typing import Any

from udpchat_core import client_events as e
from udpchat_core.events import StorageFailed
from udpchat_core.server_events import (
    InviteMade,
    MailCollected,
    MailExpired,
    MailKept,
    NameReleased,
    NameRotated,
    ServerEvent,
    UserBanned,
    UserLapsed,
    UserLeft,
    UserRegistered,
    UserUnbanned,
)

from .schema import made
from .wording import shown


def of_event(event: e.ClientEvent | ServerEvent) -> dict[str, Any] | None:
    """The object for what happened to a message; None for other events."""
    thing = None
    match event:
        case e.MessageQueued(message, to):
            thing = made("queued", message=message, to=to)
        case e.MessageStored(message, to, online):
            thing = made("stored", message=message, to=to, online=online)
        case e.MessageDelivered(message, to, stored, elapsed_us, retries):
            how = {"elapsed_us": elapsed_us, "retries": retries, "by_mailbox": stored}
            thing = made("delivered", message=message, to=to, **how)
        case e.MessageRefused(message, to, refusal):
            thing = made("refused", message=message, to=to, reason=refusal.name.lower())
        case e.MessageExpired(message, to):
            thing = made("expired", message=message, to=to)
        case e.PeerKeyChanged(name, pinned, offered, vouched):
            thing = made("held", to=name, pinned=pinned.hex(), offered=offered.hex(), vouched=vouched)
    return thing


def of_server_event(event: e.ClientEvent | ServerEvent) -> dict[str, Any]:  # noqa: PLR0912 - a row for each event
    """The object for what happened at a server."""
    match event:
        case UserRegistered(name, address, new):
            thing = made("registered", name=name, address=shown(address), new=new)
        case UserLeft(name):
            thing = made("left", name=name)
        case UserLapsed(name):
            thing = made("lapsed", name=name)
        case MailKept(letters):
            thing = made("kept", letters=letters)
        case MailCollected(name, letters):
            thing = made("collected", name=name, letters=letters)
        case MailExpired(letters):
            thing = made("deleted", letters=letters)
        case InviteMade(_, until_ms):
            thing = made("invited", until_ms=until_ms)
        case UserBanned(identity, banned):
            thing = made("banned", name=banned or "", identity=identity.hex())
        case UserUnbanned(identity):
            thing = made("unbanned", identity=identity.hex())
        case NameReleased(name):
            thing = made("released", name=name)
        case NameRotated(name):
            thing = made("rotated", name=name)
        case StorageFailed():
            thing = made("storage_failed")
        case _:
            thing = made("storage_recovered")
    return thing
