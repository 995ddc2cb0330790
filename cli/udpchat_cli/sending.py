"""Sending a message and waiting for how it stands: by `send` itself, or for it by a `chat` or `listen` that runs."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from udpchat_core import client_events as e
from udpchat_core.events import StorageFailed, StorageRecovered
from udpchat_core.fields import Refusal
from udpchat_core.limits import DIRECT_RETRY_US, DIRECT_WAIT_US_MAX, LOOKUP_PATIENCE_US

from . import schema
from .control import Say
from .exits import Exit, Failed
from .grammar import SETTLE_S
from .objects import of_event
from .session import Event, Session
from .verifying import verify
from .wording import fingerprint, reason

LEVELS: Final = ("stored", "delivered")
ROSTER_S_MAX: Final = 10.0
"""How long the list of users may take: it is asked for page by page, and what is lost is asked for again."""
WAIT_S_MAX: Final = 30 * 86_400
DIRECT_S_MAX: Final = (LOOKUP_PATIENCE_US + len(DIRECT_RETRY_US) * DIRECT_WAIT_US_MAX) / 1_000_000
"""How long the direct tries of a message may take that waits for no other one; most often it is half a second."""


class _Message:
    """What is known of a message that is being sent.

    Attributes:
        tried: whether the direct tries are over, and it takes the server to deliver it.
        carrier: which udpchat goes on with it, if it is not delivered by the end of this.
    """

    def __init__(self, number: int, to: str, carrier: str, say: Say) -> None:
        self.number, self.to, self.carrier, self._say = number, to, carrier, say
        self.queued = self.delivered = self.disk_fails = self.tried = False
        self.stored: e.MessageStored | None = None
        self.refused: Refusal | None = None

    def happened(self, event: Event) -> None:
        """Take an event, of any message."""
        match event:
            case StorageFailed():
                self.disk_fails = True
            case StorageRecovered():
                self.disk_fails = False
            case e.MessageQueued(self.number):
                self.queued = True
            case e.MessageUnanswered(self.number):
                self.tried = True
            case e.MessageStored(self.number):
                self.stored = event
            case e.MessageDelivered(self.number):
                self.delivered = True
            case e.MessageRefused(self.number, _, refusal):
                self.refused = refusal
            case _:
                return
        self.say(event)

    def say(self, event: Event) -> None:
        """Tell of an event, if it has an object."""
        thing = of_event(event)
        if thing is not None:
            self._say(thing)


async def deliver(
    session: Session, to: str, text: str, level: str, seconds: float | None, say: Say, *, goes_on: bool = False
) -> None:
    """Send a message, and wait until it is stored or delivered (`level`), for so many seconds.

    Without a number: until it is clear how it stands, which it is once the server has it and the recipient is away. A
    session in trouble may still reach the recipient directly: that is waited for. `say` gets the states on the way.
    `goes_on` tells that the session stays, and goes on with what was not delivered. Raises `Failed` if the level is not
    reached.
    """
    carrier = f"the udpchat of {session.account} that is running, once it can" if goes_on else _next(session)
    message = _Message(session.core.next_message, to, carrier, say)

    def is_settled() -> bool:
        if message.stored is not None and (level == "stored" or (seconds is None and not message.stored.online)):
            return True
        stuck = message.refused is not None or to in session.changed_keys
        return message.delivered or stuck or (session.trouble is not None and not _may_come_directly(session, message))

    with session.listening(message.happened):
        session.call(session.core.send, to, text)
        await session.until(lambda: message.queued or message.disk_fails)
        if not message.queued:
            raise Failed(Exit.STATE, "the disk takes nothing at the moment, so the message is not saved, and not sent")
        with _trying(session, message):
            try:
                await session.until(is_settled, SETTLE_S if seconds is None else seconds)
            except Failed as failed:
                message.carrier = _next(session)  # also of a session that would have gone on: the signal ends it
                raise Failed(failed.status, f"{failed}; {_kept(message)}") from failed
    _check(session, message, level)


@contextmanager
def _trying(session: Session, message: _Message) -> Iterator[None]:
    """Meanwhile see that direct tries come to an end: those of a message behind many others may never begin."""

    def give_up() -> None:
        message.tried = True
        session.changed()

    timer = asyncio.get_running_loop().call_later(DIRECT_S_MAX, give_up)
    try:
        yield
    finally:
        timer.cancel()


def _may_come_directly(session: Session, message: _Message) -> bool:
    """Whether it is, or will be, on its way to an address of the recipient, without a server."""
    return not message.tried and session.core.peer_address(message.to) is not None


def _check(session: Session, message: _Message, level: str) -> None:
    if message.delivered or (message.stored is not None and level == "stored"):
        return
    to = message.to
    if message.refused is not None:
        status = {Refusal.UNKNOWN: Exit.UNKNOWN, Refusal.KEY_CHANGED: Exit.KEY_CHANGED}.get(message.refused)
        raise Failed(status or Exit.REFUSED, f"not sent to {to}: {reason(message.refused)}")
    if (changed := session.changed_keys.get(to)) is not None:
        message.say(changed)
        raise Failed(
            Exit.KEY_CHANGED,
            f"{to} has another key now, {fingerprint(changed.offered)}: the message is held until you decide; "
            f"ask {to}, and then see `udpchat verify {to}`",
        )
    if message.stored is not None:
        away = "" if message.stored.online else f", as {to} is away"
        raise Failed(
            Exit.STORED, f"not delivered to {to} yet{away}: the server has it on disk, and this machine as well"
        )
    if session.trouble is not None:
        raise Failed(session.trouble.status, f"{_kept(message)}; {session.trouble}")
    raise Failed(Exit.QUEUED, f"the server did not take it within the time; {_kept(message)}")


def _kept(message: _Message) -> str:
    return f"message {message.number} is kept, and sent by {message.carrier}"


def _next(session: Session) -> str:
    return f"the next udpchat of {session.account}"


async def answer(session: Session, request: Mapping[str, Any], say: Say) -> None:
    """Carry out what another command asks a running session for: `send`, `who` and `verify`. Raises `Failed`."""
    match request:
        case {"do": "send", "to": str(to), "text": str(text), "level": ("stored" | "delivered") as level}:
            seconds = request.get("seconds")
            if seconds is not None and (not isinstance(seconds, int | float) or not 0 <= seconds <= WAIT_S_MAX):
                raise Failed(Exit.USAGE, f"{seconds!r} are no seconds")
            await deliver(session, to, text, level, seconds, say, goes_on=True)
        case {"do": "who"}:
            await _say_roster(session, say)
        case {"do": "verify", "act": str(act)}:
            await verify(session, str(request.get("peer", "")), act, say)
        case _:
            raise Failed(Exit.USAGE, "the udpchat that works with this state does not know how: restart it")


async def _say_roster(session: Session, say: Say) -> None:
    """Tell who is there. What is known from before does not count while the server says nothing."""
    roster = session.core.roster  # with this user in it, once it is known
    await session.until(lambda: session.trouble is not None or (session.is_online and bool(roster)), ROSTER_S_MAX)
    if session.trouble is not None:
        raise session.trouble
    if not session.is_online:
        raise Failed(Exit.UNREACHABLE, f"the udpchat of {session.account} that is running is away: type /back there")
    if not roster:
        raise Failed(Exit.UNREACHABLE, "the server did not say who is there: try again")
    for name, online in sorted(roster.items()):
        say(schema.made("user", name=name, online=online))
