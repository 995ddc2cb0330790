"""An account that another udpchat works with, as a `chat`: that one is asked for what it can tell, at its socket."""

from collections.abc import Iterator
from typing import Any, Final

from ..accounts import Speaker
from ..control import NobodyThere, ask
from ..exits import Exit, Failed
from ..sending import ROSTER_S_MAX
from ..verifying import CHECK_S_MAX
from .finding import Finding, failure, good, untested, wrong

_PEER: Final = "way to a peer"


def examine(who: Speaker, peer: str | None) -> Iterator[Finding]:
    """Whether it is registered, and what it knows of `peer`."""
    busy = f"{who.account} is at work already"
    try:
        yield _registration(who, busy)
    except NobodyThere:
        for check in ("registration", "clock", *([_PEER] if peer else [])):
            yield untested(check, f"{busy}, in an udpchat that cannot be asked", "try again, or stop that one")
        return
    yield untested("clock", f"{busy}, and is not asked for it", "stop that udpchat first")
    if peer is not None:
        try:
            yield _peer(who, peer)
        except NobodyThere:
            yield untested(_PEER, f"{who.account} was at work, and has ended just now", "try again")


def _asked(who: Speaker, seconds: float, **request: str) -> list[dict[str, Any]]:
    things: list[dict[str, Any]] = []
    ask(who.path, request, things.append, seconds)
    return things


def _registration(who: Speaker, busy: str) -> Finding:
    try:
        (key,) = _asked(who, CHECK_S_MAX, do="verify", peer="", act="")
    except Failed as failed:
        return failure("registration", failed, failed.status)
    if not key["checked"]:
        return untested("registration", f"{busy}, and offline", "see what that udpchat says")
    return good("registration", f"{busy}, and registered")


def _peer(who: Speaker, peer: str) -> Finding:
    try:
        _asked(who, CHECK_S_MAX, do="verify", peer=peer, act="")
        users = _asked(who, ROSTER_S_MAX, do="who")
    except Failed as failed:
        if failed.status is Exit.UNKNOWN:
            return wrong(_PEER, f"nobody has the name {peer}", f"ask {peer} for it", failed.status)
        if failed.status is Exit.KEY_CHANGED:
            return wrong(_PEER, f"{peer} has another key now", f"see `udpchat verify {peer}`", failed.status)
        return untested(_PEER, str(failed))
    if not any(user["name"] == peer and user["online"] for user in users):
        return untested(_PEER, f"{peer} is away: messages wait in the mailbox")
    return untested(
        _PEER,
        f"{peer} is online, and {who.account} is at work already",
        f"whether a datagram arrives only a message tells: `udpchat send {peer} hello` says so if it went by mailbox",
    )
