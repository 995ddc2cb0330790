"""The original assignment's commands and lines, as a profile of this protocol: what was typed, and what to print.

It does no I/O. `commanded` reads a typed line; `told` takes an event of the client's core and gives the lines to
print; attributes say where things stand. The lines in square brackets that the assignment knows are exactly its own.
Of messages that were typed in an earlier run only failures are told.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from udpchat_core import client_events as e
from udpchat_core.delivery.parts import Assembler, Part
from udpchat_core.events import StorageFailed, StorageRecovered
from udpchat_core.limits import OUTBOX_DAYS_MAX
from udpchat_core.server_events import ServerEvent

from .display import escaped
from .exits import Exit
from .mail import shown_name
from .wording import fingerprint, postponed, reason, timestamp

COMMANDS = "send NAME TEXT, dereg NAME, reg NAME, accept [NAME]"
_WORDS = re.compile(r"[ \t]*([^ \t]+)(?:[ \t]+([^ \t]+)(?:[ \t](.*))?)?[ \t]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Send:
    """Send `text` to `to`."""

    to: str
    text: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Deregister."""


@dataclass(frozen=True, slots=True)
class Return:
    """Register again."""


@dataclass(frozen=True, slots=True)
class AcceptKey:
    """Take the key that somebody has now, the server if there is no name."""

    name: str | None


Command = Send | Leave | Return | AcceptKey


class Misuse(Exception):
    """What was typed cannot be done: one line says why."""


class Standing(StrEnum):
    """Whether the client is there, as its user sees it."""

    REGISTERING = "registering"
    ONLINE = "online"
    LEAVING = "leaving"
    OFFLINE = "offline"


class Classic:
    """One client, as its user sees it.

    Attributes:
        name: of the user.
        standing: whether the client is there.
        ended: why the program has to end, once it has to.
        asks_for_server_key: whether the user has to decide about another key of the server.
        disk_fails: whether nothing can be saved at the moment.
        unsaved: messages of this run that are not on disk yet, by number.
        unsettled: messages of this run that were neither delivered nor stored nor refused.

    `begun` has the letters of texts that were not complete when the program last ended.
    """

    def __init__(self, name: str, begun: Iterable[Part] = ()) -> None:
        self.name = name
        self.standing = Standing.REGISTERING
        self.ended: Exit | None = None
        self.asks_for_server_key = self.disk_fails = False
        self.unsaved: dict[int, None] = {}
        self.unsettled: dict[int, None] = {}
        self._untold: dict[int, None] = {}  # of this run, without a line that tells where they got
        self._assembler = Assembler()
        self._said_mail = self._said_watch = False
        self._early: list[e.LetterReceived] = []
        for part in begun:
            list(self._assembler.add(part))  # a text that this completes was shown then

    # --- what is typed ---

    def commanded(self, line: str) -> Command | None:
        """The command on a typed line, None if it is blank. Raises `Misuse`."""
        match = _WORDS.fullmatch(line)
        if match is None:
            return None
        command, name, text = match[1], _folded(match[2]), match[3]
        match command, name:
            case "send", str():
                return self._checked_send(name, text or "")
            case (("dereg" | "reg"), str()):
                return self._checked_turn(command, name, text)
            case (("dereg" | "reg"), None):
                raise Misuse(f"[Say which name: {command} {self.name}]")
            case "accept", _ if not text:
                return AcceptKey(name)
        raise Misuse(f"[Commands: {COMMANDS}]")

    def _checked_send(self, name: str, text: str) -> Send:
        if self.standing is not Standing.ONLINE:
            self._check_server_key()
            raise Misuse(f"[You are offline, nothing is sent: type reg {self.name} to come back.]")
        if not text:
            raise Misuse(f"[An empty message is not sent: type send {escaped(name)} TEXT]")
        return Send(name, text)

    def _checked_turn(self, command: str, name: str, more: str | None) -> Leave | Return:
        if more or name != self.name:
            raise Misuse(f"[You are {self.name}: type {command} {self.name}; nobody does that for others.]")
        online = self.standing is Standing.ONLINE
        if command == "dereg":
            if not online:
                raise Misuse("[You are offline already.]")
            return Leave()
        if online:
            raise Misuse("[You are registered already.]")
        self._check_server_key()
        return Return()

    def _check_server_key(self) -> None:
        if self.asks_for_server_key:
            raise Misuse("[The server's other key is not accepted yet: type accept, if it is right.]")

    def sent(self, message: int) -> None:
        """The core took a message of this number."""
        self.unsaved[message] = self.unsettled[message] = self._untold[message] = None

    # --- what happens ---

    def told(self, event: e.ClientEvent | ServerEvent) -> Iterator[str]:
        """Take an event: the lines to print, safe to show."""
        match event:
            case e.LetterReceived() if self.standing is Standing.REGISTERING:
                self._early.append(event)  # the server's answer was lost, and comes again: first things first
            case e.LetterReceived():
                yield from self._received(event)
            case e.MessageQueued(message):
                self.unsaved.pop(message, None)
            case (
                e.MessageUnanswered()
                | e.MessageStored()
                | e.MessageDelivered()
                | e.MessageRefused()
                | e.MessageExpired()
            ):
                yield from self._progressed(event)
            case e.MessagePostponed(_, to, refusal):
                yield f"[{postponed(to, refusal)}; the message is kept here and tried again.]"
            case e.PeersChanged():
                yield "[Client table updated.]"
            case e.WatchRefused() if not self._said_watch:
                self._said_watch = True
                yield "[There are too many clients for a table; messages to them arrive all the same.]"
            case StorageFailed():
                self.disk_fails = True
                yield "[The disk takes nothing at the moment; nothing is lost, and it is tried again.]"
            case StorageRecovered():
                self.disk_fails = False
                yield "[The disk works again.]"
            case e.PeerKeyChanged(name, _, offered, vouched):
                signed = ", signed with the one before" if vouched else ""
                yield (
                    f"[{name} has another key now{signed}, {fingerprint(offered)}: messages to it wait. If {name} says "
                    f"that this is right, type accept {name}]"
                )
            case _:
                yield from self._stood(event)
                yield from self._came_early()

    def _came_early(self) -> Iterator[str]:
        """Letters that came before the server's answer to Register."""
        if self.standing is not Standing.REGISTERING:
            early, self._early = self._early, []
            for letter in early:
                yield from self._received(letter)

    def _stood(self, event: e.ClientEvent | ServerEvent) -> Iterator[str]:
        """Events about the session."""
        match event:
            case e.Registered(renewed=False):
                self.standing, self._said_mail, self.asks_for_server_key = Standing.ONLINE, False, False
                yield "[Welcome, You are registered.]"
            case e.Deregistered() | e.ServerUnreachable() if self.standing is Standing.OFFLINE:
                pass  # it was told when the server's other key was
            case e.Deregistered(confirmed=True):
                self.standing = Standing.OFFLINE
                yield "[You are Offline. Bye.]"
            case e.Deregistered() | e.ServerUnreachable() if self.asks_for_server_key:
                self.standing = Standing.OFFLINE
            case e.Deregistered() | e.ServerUnreachable():
                self.standing = Standing.OFFLINE
                yield "[Server not responding]"
                yield from self._end(Exit.UNREACHABLE)
            case e.RegistrationRefused(refusal):
                self.standing = Standing.OFFLINE
                yield f"[The server refused {self.name}: {reason(refusal)}]"
                yield from self._end(Exit.REFUSED)
            case e.Superseded():
                self.standing = Standing.OFFLINE
                yield f"[{self.name} came online at another place, so you are offline here.]"
            case e.ServerKeyChanged(_, offered):
                self.asks_for_server_key = True
                if self.standing is Standing.REGISTERING:
                    self.standing = Standing.OFFLINE
                yield (
                    f"[The server has another key than before, {fingerprint(offered)}: nothing is sent to it. If "
                    "whoever runs it says that this is right, type accept]"
                )

    def _end(self, status: Exit) -> Iterator[str]:
        self.ended = status
        yield "[Exiting]"

    def _progressed(
        self,
        event: e.MessageUnanswered | e.MessageStored | e.MessageDelivered | e.MessageRefused | e.MessageExpired,
    ) -> Iterator[str]:
        message, to = event.message, event.to
        if isinstance(event, e.MessageUnanswered):
            if message in self._untold:
                yield f"[No ACK from {to}, message sent to server.]"
            return
        self.unsaved.pop(message, None)
        self.unsettled.pop(message, None)
        untold = message in self._untold
        self._untold.pop(message, None)
        match event:
            case e.MessageStored(online=online) if untold:
                yield f"[Client {to} exists!!]" if online else "[Messages received by the server and saved]"
            case e.MessageDelivered() if untold:
                yield f"[Message received by {to}.]"
            case e.MessageRefused(refusal=refusal):
                yield f"[Not sent to {to}: {reason(refusal)}]"
            case e.MessageExpired():
                yield f"[A message to {to} is given up: nobody confirmed it for {OUTBOX_DAYS_MAX} days.]"
            case _:
                pass

    def _received(self, letter: e.LetterReceived) -> Iterator[str]:
        part = Part(letter.sender, letter.sent_ms, letter.part, letter.parts, letter.text)
        for first, text in self._assembler.add(part):
            if letter.waited and not self._said_mail:
                self._said_mail = True
                yield "[You have messages]"
            when = f"{timestamp(first.sent_ms)} " if letter.waited else ""
            yield f"{shown_name(letter)}: {when}{escaped(text)}"


def _folded(name: str | None) -> str | None:
    return name.lower() if name is not None and name.isascii() else name
