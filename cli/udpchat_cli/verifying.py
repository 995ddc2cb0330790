"""Whose a key is: the safety number, the mark of one that was compared, and the decision about one that changed.

By `verify` itself, or for it by a `chat` or `listen` that runs. Without a server what is remembered is told.
"""

import os
from collections.abc import Callable
from typing import Any, Final

from udpchat_core import client_events as e
from udpchat_core.client.contacts import PeerKey
from udpchat_core.secure.safety import safety_number
from udpchat_core.secure.suite import StandardSuite

from . import schema
from .control import Say
from .exits import Exit, Failed
from .session import Event, Session
from .values import endpoint_text

CHECK_S_MAX: Final = 5.0
"""How long the server may take to say whose a name is, or what key it has."""
DISK_S_MAX: Final = 10.0
"""How long a decision may take to be on disk."""
ACTS: Final = ("", "mark", "unmark", "accept")


async def verify(session: Session, peer: str, act: str, say: Say) -> None:
    """Do `act`, if any, about the key of `peer`, or of the server if that is empty, and tell of the key.

    Raises `Failed`: at the end with status 7, if the user has to decide about another key.
    """
    if act not in ACTS or (not peer and act not in ("", "accept")):
        raise Failed(Exit.USAGE, f"nothing can be done as {act!r} here")
    await (_verify_peer(session, peer, act, say) if peer else _verify_server(session, act, say))


async def _verify_peer(session: Session, peer: str, act: str, say: Say) -> None:
    if peer == session.account.name:
        raise Failed(Exit.USAGE, f"{peer} is you: there is nothing to compare")
    known = await _checked(session, peer)
    key = session.core.peer_key(peer)
    if key.identity is None:
        if known is False:
            raise Failed(Exit.UNKNOWN, f"nobody has the name {peer} there")
        raise session.trouble or Failed(Exit.UNREACHABLE, f"the server did not say whose the name {peer} is: try again")
    if act == "accept":
        await _accept(session, peer, key)
    elif act:
        await _mark(session, peer, act == "mark")
    key = session.core.peer_key(peer)
    assert key.identity is not None
    say(_peer(session.core.identity, peer, key, known is not None))
    if key.offered is not None:
        raise Failed(Exit.KEY_CHANGED, f"{peer} has another key now, and messages to {peer} are held until you decide")


async def _checked(session: Session, peer: str) -> bool | None:
    """Whether the directory knows the name; None if it does not answer."""
    came: list[bool] = []

    def happened(event: Event) -> None:
        if isinstance(event, e.KeyChecked) and event.name == peer:
            came.append(event.known)

    with session.listening(happened):
        session.call(session.core.check_key, peer)
        await session.until(lambda: bool(came) or session.trouble is not None, CHECK_S_MAX)
    return came[0] if came else None


async def _accept(session: Session, peer: str, key: PeerKey) -> None:
    session.accept_key(peer)
    session.call(session.core.check_key, peer)  # it is told once the new key is on disk
    await _on_disk(session, lambda: session.core.peer_key(peer).identity == key.offered)


async def _mark(session: Session, peer: str, verified: bool) -> None:
    marked = False

    def happened(event: Event) -> None:
        nonlocal marked
        marked = marked or (isinstance(event, e.PeerVerified) and (event.name, event.verified) == (peer, verified))

    with session.listening(happened):
        session.call(session.core.verify, peer, verified)
        await _on_disk(session, lambda: marked)


async def _on_disk(session: Session, is_done: Callable[[], bool]) -> None:
    if not await session.until(is_done, DISK_S_MAX):
        raise Failed(Exit.STATE, "the disk takes nothing at the moment, so this is not saved: try again")


def _peer(own: bytes, peer: str, key: PeerKey, checked: bool) -> dict[str, Any]:
    suite, identity, offered = StandardSuite(os.urandom), key.identity, key.offered
    assert identity is not None
    return schema.made(
        "peer",
        name=peer,
        identity=identity.hex(),
        safety_number=safety_number(suite, own, identity),
        verified=key.verified,
        checked=checked,
        offered=offered.hex() if offered else "",
        offered_number=safety_number(suite, own, offered) if offered else "",
        vouched=key.vouched,
    )


async def _verify_server(session: Session, act: str, say: Say) -> None:
    where = endpoint_text(session.account.host, session.account.port)
    await session.until(lambda: session.is_online or session.trouble is not None, CHECK_S_MAX)
    if act:
        session.accept_server_key()
        await session.until(lambda: session.is_online or session.trouble is not None, CHECK_S_MAX)
    key, changed = session.core.server_key, session.changed_server_key
    if key is None:
        raise session.trouble or Failed(Exit.UNREACHABLE, f"{where} does not answer: is a server there?")
    offered = changed.offered.hex() if changed else ""
    checked = session.is_online or changed is not None
    say(schema.made("server_key", server=where, key=key.hex(), checked=checked, offered=offered))
    if changed is not None:
        raise Failed(Exit.KEY_CHANGED, f"{where} has another key than before, and nothing is sent until you decide")
