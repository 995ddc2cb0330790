"""An account at a server: whether it may register, what its clock says, and the way to a peer.

Whoever is asked here goes online for a moment, as `who` does. To a peer nothing can be sent that it would answer,
but for a message: so what is told of the way is what the directory says, and whether anything refuses a datagram.
"""

import os
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Final

from udpchat_core import client_events as e
from udpchat_core.address import Address
from udpchat_core.datagrams import ACK_BYTES, Acks
from udpchat_core.wire import serialize
from udpchat_net import udp
from udpchat_net.stores.errors import StoreError, StoreLocked

from ..accounts import Speaker
from ..exits import Exit, Failed
from ..session import Event, Session, session
from ..wording import shown
from . import at_work
from .asking import Asking, Trouble
from .finding import Finding, failure, good, untested, wrong

ONLINE_S_MAX: Final = 10.0
LOOK_UP_S_MAX: Final = 5.0
CLOCK_MS_MAX: Final = 60_000
"""What clocks may differ by before it is said: times of messages look wrong then."""


async def examine(who: Speaker, peer: str | None) -> AsyncIterator[Finding]:
    """Go online, and look."""
    if not who.is_known:
        why = f"{who.account} is not known on this machine: `udpchat chat` makes it"
        for finding in (untested("registration", why), *_not_seen(peer, why)):
            yield finding
        return
    try:
        async with session(who) as running:
            came: list[e.Registered] = []
            with running.listening(lambda event: came.append(event) if isinstance(event, e.Registered) else None):
                own = running.start()
                await running.until(lambda: running.is_online or running.trouble is not None, ONLINE_S_MAX)
            yield _registration(running, own, came)
            if came:
                yield _clock(running)
                if peer is not None:
                    yield await _peer(running, peer)
            else:
                for finding in _not_seen(peer, "it takes a registration"):
                    yield finding
    except StoreLocked:
        for finding in at_work.examine(who, peer):
            yield finding
    except StoreError as error:
        for finding in (failure("registration", error, Exit.STATE), *_not_seen(peer, "it takes a registration")):
            yield finding


def _not_seen(peer: str | None, why: str) -> list[Finding]:
    """What only somebody who is registered sees."""
    return [untested("clock", why), *([untested("way to a peer", why)] if peer is not None else [])]


def _registration(running: Session, own: Address, came: list[e.Registered]) -> Finding:
    if not came:
        trouble = running.trouble or Failed(Exit.UNREACHABLE, "the server does not say whether it registers: try again")
        return failure("registration", trouble, trouble.status)
    seen = came[0].observed
    nat = "" if own.port == seen.port else ", which is not the own port: there is a NAT between"
    return good("registration", f"{running.account.name} is registered, and seen at {shown(seen)}{nat}")


def _clock(running: Session) -> Finding:
    ahead_ms = running.core.server_ahead_ms or 0
    if abs(ahead_ms) <= CLOCK_MS_MAX:
        return good("clock", f"{abs(ahead_ms) / 1_000:.1f} s from the server's")
    word = "behind" if ahead_ms > 0 else "ahead of"
    return wrong(
        "clock",
        f"{abs(ahead_ms) / 1_000:,.0f} s {word} the server's",
        "set this machine's clock, or the server's: times of messages are wrong, and beyond a day keys expire",
        Exit.STATE,
    )


async def _peer(running: Session, peer: str) -> Finding:
    known: list[bool] = []

    def happened(event: Event) -> None:
        if isinstance(event, e.KeyChecked) and event.name == peer:
            known.append(event.known)

    with running.listening(happened):
        running.call(running.core.check_key, peer)
        await running.until(lambda: bool(known), LOOK_UP_S_MAX)
    check, address = "way to a peer", running.core.peer_address(peer)
    if not known:
        return untested(check, f"the server does not say where {peer} is", "try again")
    if not known[0]:
        return wrong(check, f"nobody has the name {peer}", f"ask {peer} for it", Exit.UNKNOWN)
    if running.core.peer_key(peer).offered is not None:
        return wrong(check, f"{peer} has another key now", f"see `udpchat verify {peer}`", Exit.KEY_CHANGED)
    if address is None:
        return untested(check, f"{peer} is away: messages wait in the mailbox")
    return await _way(peer, address)


async def _way(peer: str, address: Address) -> Finding:
    """An acknowledgement of nothing, which is read by nobody: only a refusal would be heard."""
    check, where = "way to a peer", f"{peer} is at {shown(address)}"
    by_mailbox = "messages go through the mailbox"
    try:
        asking = Asking(address)
    except udp.DriverError as error:
        return wrong(check, f"{where}, and {error}", by_mailbox, Exit.STORED)
    try:
        trouble = await asking.ask(serialize(Acks((os.urandom(ACK_BYTES),))), lambda _: None)
        own = asking.own
    finally:
        asking.close()
    if trouble is not Trouble.SILENT:
        advice = f"a firewall or a NAT stands in between: {by_mailbox}"
        return wrong(check, f"{where}, and a datagram there is {trouble.value}", advice, Exit.STORED)
    private = ip_address(address.host).is_private and not (own and ip_address(own.host).is_private)
    hint = "; that is a private address, and this machine's is not" if private else ""
    return untested(
        check,
        f"{where}, and nothing refuses a datagram{hint}",
        f"whether one arrives only a message tells: `udpchat send {peer} hello` says so if it went by mailbox",
    )
