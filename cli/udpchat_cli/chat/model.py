"""A chat as its user sees it: events, mail and what was typed go in, lines to show come out. It does no I/O.

What befalls a message is said in a line of its own, with who said so: `queued` is this program, `stored` the server,
`delivered` the recipient's program. A message that is delivered at once has one such line. Mail that waited in the
mailbox is held back until all of it is there, so that a mark can say how much is new.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Final

from udpchat_core import client_events as e
from udpchat_core.events import StorageFailed, StorageRecovered
from udpchat_core.fields import Refusal
from udpchat_core.limits import OUTBOX_DAYS_MAX

from ..mail import Text, shown_name
from ..objects import of_event
from ..session import Event
from ..wording import counted, local, postponed, reason, state_line
from . import keys
from .lines import Line, Style, alarm, mark, note, state

NAMES_REMEMBERED_MAX: Final = 1_000
"""Names that Tab offers, and whose unread messages are counted: those last spoken with."""


class Standing(StrEnum):
    """Whether the client is there, in a word for the toolbar."""

    CONNECTING = "connecting"
    ONLINE = "online"
    AWAY = "away"
    SILENT = "no answer"
    REFUSED = "offline"
    UNTRUSTED = "offline (server key changed)"


_WHY_QUEUED: Final = {
    Standing.CONNECTING: "not connected yet",
    Standing.AWAY: "you are away",
    Standing.SILENT: "the server does not answer",
    Standing.REFUSED: "you are offline",
    Standing.UNTRUSTED: "the server's key changed",
}


class Chat:
    """One user's chat.

    Attributes:
        name: the user's.
        host: the server's, as typed.
        peer: to whom plain text goes; None before there is anybody.
        standing: whether the client is there.
        was_online: whether it was, in this run.
        unread: how many messages of whom were shown since the user last did something with them, by name; "?" is
            whoever is not known, and until the user does anything.
        unsettled: messages of this run that nobody but this machine has, by number.
    """

    def __init__(self, name: str, host: str, now_ms: Callable[[], int]) -> None:
        self.name, self.host = name, host
        self.peer: str | None = None
        self.standing = Standing.CONNECTING
        self.unread: dict[str, int] = {}
        self.unsettled: dict[int, None] = {}
        self._now_ms = now_ms
        self._written: dict[str, None] = {}  # last written to last
        self._heard: dict[str, None] = {}  # last heard of last
        self._online: dict[str, bool] = {}
        self._away_since_ms: dict[str, int] = {}
        self._day = local(now_ms()).date()
        self._typed: dict[int, None] = {}  # messages of this run
        self.was_online = self._distrusts = False
        self._held: list[Text] = []
        self._expected = 0

    # --- names ---

    @property
    def names(self) -> list[str]:
        """Whom Tab offers: last written to first, then who wrote, then who else is there."""
        there = [name for name in sorted(self._online) if name != self.name]
        return list(dict.fromkeys([*reversed(self._written), *reversed(self._heard), *there]))

    def remember(self, last: Iterable[tuple[str, bool]]) -> None:
        """Who was spoken with before, oldest first, and whether the user wrote: the last written to is the peer."""
        for name, wrote in last:
            if wrote:
                _at_end(self._written, name)
                self.peer = name
            elif name != self.name:
                _at_end(self._heard, name)

    def turn_to(self, name: str) -> list[Line]:
        """Write to `name` from now on."""
        self.peer = name
        _at_end(self._written, name)
        self.active()
        if self._online and name not in self._online:
            return [note(f"You write to {name} now, whom the server does not show: see /who.")]
        away = f", who is away{self._since(name)}: what you write waits at the server" if self._is_away(name) else ""
        return [note(f"You write to {name} now{away}.")]

    def active(self) -> None:
        """The user did something: what the current peer wrote is read, and what nobody known did."""
        for name in (self.peer, "?"):
            self.unread.pop(name or "", None)

    def who(self) -> list[Line]:
        """Who is there, and who is away."""
        there = [name for name, online in sorted(self._online.items()) if online]
        away = [f"{name}{self._since(name)}" for name, online in sorted(self._online.items()) if not online]
        lines = [note(f"{what}: {', '.join(names)}") for what, names in (("online", there), ("away", away)) if names]
        if not lines:
            return [note("The server did not say yet who is there.")]
        if self.standing is not Standing.ONLINE:
            lines.insert(0, note(f"This is what the server said last, for {_WHY_QUEUED[self.standing]}:"))
        return lines

    def _is_away(self, name: str) -> bool:
        return self._online.get(name) is False

    def _since(self, name: str) -> str:
        since_ms = self._away_since_ms.get(name)
        return "" if since_ms is None else f" since {local(since_ms):%H:%M}"

    # --- messages ---

    def sent(self, number: int, to: str, text: str, *, is_held: bool = False) -> list[Line]:
        """The user sent a message: the core has it; `is_held`: until the user decides about a key."""
        _at_end(self._written, to)
        self.active()
        self.unsettled[number] = self._typed[number] = None
        now_ms = self._now_ms()
        head = (*self._at(now_ms), (Style.OWN, f"<{self.name}>"), (Style.STATE, f" #{number} "))
        why = [_held(number, to)] if is_held else []
        return [*self._day_change(now_ms), Line(head, text), *why]

    def arrived(self, letter: e.LetterReceived, texts: Iterable[Text]) -> list[Text]:
        """A letter came, and completed these texts: the texts to show now."""
        self._held.extend(texts)
        self._expected -= letter.waited
        return self.release() if self._expected <= 0 or not letter.waited else []

    def release(self) -> list[Text]:
        """Texts that were held back, to be shown now, whatever else is to come."""
        held, self._held, self._expected = self._held, [], 0
        return held

    @property
    def waits_for_mail(self) -> bool:
        """Whether there is more mail than was shown."""
        return self._expected > 0

    def shown(self, texts: list[Text], *, more: bool = False) -> list[Line]:
        """The lines of texts; `more`: there are further ones that waited."""
        lines = []
        waited = sum(text.waited for text in texts)
        for text in texts:
            if text.waited and waited:
                lines.append(mark(f"{waited:,}{' or more' if more else ''} new"))
                waited = 0
            name = shown_name(text)
            if text.confirmed and text.name != self.name:
                _at_end(self._heard, text.name)
            self._count(text.name if text.confirmed else "?")
            head = (*self._at(text.sent_ms), (Style.NAME, f"<{name}>"), (Style.TEXT, " "))
            lines += [*self._day_change(text.sent_ms), Line(head, text.text)]
        return lines

    def _count(self, name: str) -> None:
        self.unread[name] = self.unread.get(name, 0) + 1
        if len(self.unread) > NAMES_REMEMBERED_MAX:
            del self.unread[next(iter(self.unread))]

    def _at(self, at_ms: int) -> tuple[tuple[Style, str]]:
        return ((Style.TIME, f"{local(at_ms):%H:%M} "),)

    def _day_change(self, at_ms: int) -> list[Line]:
        day = local(at_ms).date()
        if day == self._day:
            return []
        self._day = day
        return [mark(f"{day:%A %Y-%m-%d}")]

    # --- what happens ---

    def told(self, event: Event, held: Iterable[str] = ()) -> list[Line]:
        """The lines for an event; letters have their own way, `arrived`. `held` are names whose key changed."""
        match event:
            case e.PeersChanged(changes):
                lines = self._peers_changed(changes)
            case e.PeerKeyChanged():
                lines = keys.peer_changed(event)
            case e.ServerKeyChanged():
                self._distrusts = True
                lines = keys.server_changed(self.host, event)
            case StorageFailed():
                lines = [alarm("The disk takes nothing at the moment: what you send is not saved. It is tried again.")]
            case StorageRecovered():
                lines = [note("The disk works again.")]
            case _:
                lines = [*self._stands(event), *self._message(event, held)]
        return lines

    def _stands(self, event: Event) -> Iterator[Line]:
        before = self.standing
        match event:
            case e.Registered(_, waiting, renewed):
                self.standing, self._distrusts = Standing.ONLINE, False
                if not renewed and before is not Standing.ONLINE:
                    self._expected = waiting
                    yield note(f"You are online{' again' if self.was_online else ''}, at {self.host}.")
                    self.was_online = True
            case e.Deregistered():
                self.standing = Standing.AWAY
                yield note("You are away: mail waits at the server. /back comes back.")
            case e.RegistrationRefused(refusal):
                self.standing = Standing.REFUSED
                yield alarm(f"{self.host} refused {self.name}: {reason(refusal)}.")
            case e.Superseded():
                self.standing = Standing.REFUSED
                yield alarm(f"{self.name} came online at another place, so you are offline here: /back takes over.")
            case e.ServerUnreachable() if self._distrusts:
                self.standing = Standing.UNTRUSTED
            case e.ServerUnreachable() if before in (Standing.CONNECTING, Standing.ONLINE):
                self.standing = Standing.SILENT
                yield note(f"{self.host} does not answer. It is tried again; what you write is kept, and sent then.")

    def _peers_changed(self, changes: tuple[tuple[str, bool], ...]) -> list[Line]:
        lines = []
        for name, online in changes:
            before, self._online[name] = self._online.get(name), online
            self._away_since_ms.pop(name, None)
            if before is True and not online:
                self._away_since_ms[name] = self._now_ms()
            if name == self.peer and before is not None and before is not online:
                lines.append(note(f"{name} is {'online' if online else 'away'}."))
        return lines

    def roster(self, online: Iterable[tuple[str, bool]]) -> None:
        """Who the server shows, of all: names that are gone are forgotten."""
        self._online = dict(online)
        self._away_since_ms = {name: at for name, at in self._away_since_ms.items() if self._is_away(name)}

    def _message(self, event: Event, held: Iterable[str]) -> Iterator[Line]:
        match event:
            case e.MessageQueued(number, to) if number not in self._typed:
                yield state(f"#{number} to {to}, from another udpchat command")
                if to in held:
                    yield _held(number, to)
            case e.MessageQueued(number, to) if self.standing is not Standing.ONLINE:
                yield state(f"#{number} queued for {to} ({_WHY_QUEUED[self.standing]})")
            case e.MessagePostponed(number, to, refusal):
                why = postponed(to, refusal)
                yield state(f"#{number} queued for {to} ({why[0].lower()}{why[1:]}; it is tried again)")
            case e.MessageRefused(number, to, refusal):
                self._settled(number)
                more = "; send it again, if it is for the new one too" if refusal is Refusal.KEY_CHANGED else ""
                yield state(f"#{number} not sent to {to}: {reason(refusal)}{more}")
            case e.MessageExpired(number, to):
                self._settled(number)
                yield state(f"#{number} given up: {to} did not confirm it in {OUTBOX_DAYS_MAX} days")
            case e.MessageStored() | e.MessageDelivered():
                self.unsettled.pop(event.message, None)
                if isinstance(event, e.MessageDelivered):
                    self._settled(event.message)
                thing = of_event(event)
                assert thing is not None
                yield state(state_line(thing, self._since(event.to)))

    def _settled(self, number: int) -> None:
        self.unsettled.pop(number, None)
        self._typed.pop(number, None)

    # --- around ---

    def connecting(self) -> None:
        """The user wants to be online."""
        self.standing, self._distrusts = Standing.CONNECTING, False

    def toolbar(self, outbox: int, rtt_us: int, loss_ppm: int, held: Iterable[str], columns: int = 80) -> str:
        """One row about how things stand; `held` are names whose key changed.

        Where there is no room for all, how the line is goes first: what waits for the user stays.
        """
        line = []
        if self.standing is Standing.ONLINE and rtt_us:
            line = [f"{self.host} {max(rtt_us / 1_000, 1):,.0f} ms", f"loss {loss_ppm / 10_000:.0f}%"]
        waiting = [f"outbox {outbox:,}"] if outbox else []
        waiting += [f"{name}: key changed" for name in held]
        waiting += [" ".join(f"{name}:{count}" for name, count in self.unread.items())] if self.unread else []
        while True:
            row = " | ".join([f"{self.name} {self.standing}", *line, *waiting])
            if not line or len(row) < columns:
                return row
            line.pop()

    def left(self) -> list[Line]:
        """The last line, if something is left to send."""
        if not self.unsettled:
            return []
        many = counted(len(self.unsettled), "message is", "messages are")
        return [note(f"{many} not delivered yet; kept here, and sent at the next start.")]


def _held(number: int, to: str) -> Line:
    return state(f"#{number} held for {to}: the key changed, and /accept {to} sends it")


def _at_end(names: dict[str, None], name: str) -> None:
    """It was used last."""
    names.pop(name, None)
    names[name] = None
    if len(names) > NAMES_REMEMBERED_MAX:
        del names[next(iter(names))]
