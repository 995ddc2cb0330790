"""What happened, as the objects of `schema`."""

from typing import Any

from udpchat_core import events as e

from .schema import made
from .wording import shown


def of_event(event: e.ClientEvent | e.ServerEvent) -> dict[str, Any] | None:
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


def of_server_event(event: e.ClientEvent | e.ServerEvent) -> dict[str, Any]:  # noqa: PLR0912 - a row for each event
    """The object for what happened at a server."""
    match event:
        case e.UserRegistered(name, address, new):
            thing = made("registered", name=name, address=shown(address), new=new)
        case e.UserLeft(name):
            thing = made("left", name=name)
        case e.UserLapsed(name):
            thing = made("lapsed", name=name)
        case e.MailKept(letters):
            thing = made("kept", letters=letters)
        case e.MailCollected(name, letters):
            thing = made("collected", name=name, letters=letters)
        case e.MailExpired(letters):
            thing = made("deleted", letters=letters)
        case e.InviteMade(_, until_ms):
            thing = made("invited", until_ms=until_ms)
        case e.UserBanned(identity, banned):
            thing = made("banned", name=banned or "", identity=identity.hex())
        case e.UserUnbanned(identity):
            thing = made("unbanned", identity=identity.hex())
        case e.NameReleased(name):
            thing = made("released", name=name)
        case e.NameRotated(name):
            thing = made("rotated", name=name)
        case e.StorageFailed():
            thing = made("storage_failed")
        case _:
            thing = made("storage_recovered")
    return thing
