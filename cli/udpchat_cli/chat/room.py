"""Joins a chat's model with a session and with where it is shown; carries out what was typed.

A session ends, and another one begins from the same store, when the user's key changed, or when the server's name got
an address at last. What was typed meanwhile waits.
"""

import asyncio
import time
from contextlib import suppress
from typing import Final

from udpchat_core import client_events as e
from udpchat_net.stores.reading import last_names, reading

from ..accounts import Speaker
from ..control import Control
from ..exits import Exit, Failed
from ..grammar import SETTLE_S
from ..mail import Text
from ..sending import answer
from ..session import NOWHERE, Event, Session, resolved, session
from ..values import Endpoint, endpoint_text
from . import keys
from .front import Front
from .lines import Line, Style, alarm, note
from .lookups import compare_keys, history
from .model import Chat, Standing
from .typed import Do, Misuse, Say, completions, helped, read

LEAVE_S_MAX: Final = 3.0
"""For what was sent to arrive, when the user wants to end: as long as direct tries and one to the server may take."""
MAIL_S_MAX: Final = 2.0
"""For all the mail that waited to arrive, before what came of it is shown."""
LOOK_UP_S: Final = 10.0
"""How long after the server's name had no address it is looked up again."""
NEW_TEXTS_MAX: Final = 500
"""Unseen texts shown at once."""
_LAST_LETTERS = 500


class Room:
    """One chat, from the beginning to the end. It is the `Desk` of its front."""

    def __init__(self, who: Speaker, bind: Endpoint | None, invite: bytes | None, front: Front) -> None:
        """`front` has started."""
        self._who, self._bind, self._invite = who, bind or Endpoint(None, None), invite
        self._host = endpoint_text(who.account.host, who.account.port)
        self.chat = Chat(who.account.name, self._host, lambda: time.time_ns() // 1_000_000)
        self._front, front.desk = front, self
        self._session: Session | None = None
        self._is_over = self._again = self._met = False
        self._later: asyncio.TimerHandle | None = None

    async def run(self) -> Exit:
        """Chat; the exit status. Raises `Failed`, `StoreError` and `udp.DriverError`."""
        begun = False
        try:
            while not begun or (self._again and not self._is_over):
                async with session(self._who, watch_all=True, offline=True) as running:
                    self._session, self._again = running, False
                    control = Control(self._who.path, lambda request, say: answer(running, request, say))
                    try:
                        await control.start()
                        if not begun:
                            self._begin()
                        begun = True
                        await self._visit(running)
                    finally:
                        await control.close()
                        self._stop_timer()
            return self._status()
        finally:
            await self._front.stop()
            self._front.show(self.chat.left())

    def _begin(self) -> None:
        self._remember()
        who, peer = self._who.account, self.chat.peer
        to = f"You write to {peer}" if peer else "/who shows who is there, and /to NAME says to whom you write"
        self._front.show([note(f"{who}. {to}; /help tells more, Ctrl-D ends.")])

    def _remember(self) -> None:
        with reading(self._who.path) as connection:
            self.chat.remember(last_names(connection, _LAST_LETTERS))

    async def _visit(self, running: Session) -> None:
        """One session."""
        self._met = running.core.server_key is not None
        with running.listening(self._happened):
            self._show_unseen(running)
            finder = None
            if running.start(self._bind.host, self._bind.port or 0, self._invite) == NOWHERE:
                self._front.show([alarm(f"{running.trouble}. It is looked up again; what you write is kept.")])
                finder = asyncio.ensure_future(self._look_up(running))
            try:
                with suppress(Failed):  # a signal
                    await self._obey_until_end(running)
                    await self._settle(running)
            finally:
                if finder is not None:
                    finder.cancel()

    async def _look_up(self, running: Session) -> None:
        account = running.account
        while not self._again:
            await asyncio.sleep(LOOK_UP_S)
            with suppress(Failed):
                await resolved(account.host, account.port)
                self._again = True
        running.changed()

    def _status(self) -> Exit:
        assert self._session is not None
        trouble = self._session.trouble
        if trouble is not None and trouble.status is Exit.KEY_CHANGED:
            return Exit.KEY_CHANGED
        if trouble is not None and not self.chat.was_online and not self.chat.unsettled:
            if self._front.is_patient:
                raise trouble
            if trouble.status is Exit.REFUSED:  # who looks at the lines was told
                return trouble.status
        return Exit.QUEUED if self.chat.unsettled else Exit.DONE

    # --- what is typed ---

    async def _obey_until_end(self, running: Session) -> None:
        while not self._again:
            await running.until(lambda: self._front.has_line or self._front.is_broken or self._is_over or self._again)
            if self._again or self._is_over or self._front.is_broken:
                return
            typed = self._front.take()
            if typed is None:
                self._is_over = True
                return
            try:
                await self._obey(running, typed)
            except (Misuse, Failed) as wrong:
                self._front.show([note(f"{wrong}.")])
            self._front.refresh()

    async def _obey(self, running: Session, typed: str) -> None:
        match read(typed):
            case Say(text):
                self._say(running, text)
            case Do(word, about):
                self._front.show([Line(((Style.STATE, f"/{word} "),), about, Style.STATE)])
                await self._do(running, word, about)

    def _say(self, running: Session, text: str) -> None:
        to = self.chat.peer
        if to is None:
            raise Misuse("Nothing was sent, as it is not clear to whom: /to NAME says it")
        number = running.core.next_message
        running.call(running.core.send, to, text)
        self._front.show(self.chat.sent(number, to, text, is_held=to in running.changed_keys))

    async def _do(self, running: Session, word: str, about: str) -> None:  # noqa: PLR0912 - a row for each command
        chat, core = self.chat, running.core
        match word, about:
            case "to", name:
                self._front.show(chat.turn_to(name))
            case "who", _:
                self._front.show(chat.who())
            case "help", _:
                self._front.show([note(line) for line in helped()])
            case "history", name:
                self._front.show(await asyncio.to_thread(history, self._who, name or chat.peer))
            case "verify", _:
                await compare_keys(running, about, self._front.show)
            case "accept", "server":
                running.accept_server_key()
                self._front.show([note("The new key of the server is taken.")])
                self._register(running)
            case "accept", name:
                running.accept_key(name)
                self._front.show([note(f"The new key of {name} is taken; what you write to {name} is for it.")])
            case "away", _:
                if chat.standing is Standing.AWAY:
                    raise Misuse("You are away already")
                running.driver.call(core.deregister)
            case "back", _:
                if chat.standing is Standing.ONLINE:
                    raise Misuse("You are online")
                self._register(running)
            case "rotate", "yes":
                running.call(core.rotate)
            case "rotate", _:
                self._front.show([note(line) for line in keys.ROTATE])
            case "quit", _:
                self._is_over = True

    def _register(self, running: Session) -> None:
        running.trouble = None
        self.chat.connecting()
        running.register(self._invite)

    # --- what happens ---

    def _happened(self, event: Event) -> None:
        running = self._session
        assert running is not None
        if isinstance(event, e.Registered):
            self._meet(running)
        if isinstance(event, e.LetterReceived):
            self._show_texts(self.chat.arrived(event, running.texts.add(event)))
        else:
            self._front.show(self.chat.told(event, running.changed_keys))
        match event:
            case e.Registered(_, waiting, renewed) if waiting and not renewed:
                self._stop_timer()
                self._later = asyncio.get_running_loop().call_later(MAIL_S_MAX, self._show_held)
            case e.PeersChanged():
                self.chat.roster(running.core.roster.items())
            case e.RegistrationRefused() if not self.chat.was_online:
                self._is_over = True
            case e.IdentityRotated(identity):
                self._front.show(keys.rotated(identity))
                self._again = True
            case _:
                pass
        self._front.refresh()

    def _meet(self, running: Session) -> None:
        key = running.core.server_key
        if not self._met and key is not None:
            self._front.show(keys.server_met(self._host, key))
        self._met = True

    def _show_unseen(self, running: Session) -> None:
        page: list[Text] = []
        for text in running.unseen():
            page.append(text)
            if len(page) == NEW_TEXTS_MAX:
                self._show_texts(page)
                page = []
        self._show_texts(page)

    def _show_held(self) -> None:
        self._show_texts(self.chat.release())
        self._front.refresh()

    def _show_texts(self, texts: list[Text]) -> None:
        """Show them; what was shown is seen."""
        running = self._session
        assert running is not None
        if texts:
            self._front.show(self.chat.shown(texts), ring=self._who.settings.bell)
        if not self._front.is_broken:
            for text in texts:
                running.seen(text)

    def _stop_timer(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None

    # --- the end ---

    async def _settle(self, running: Session) -> None:
        """Let what was sent arrive, and from a pipe what waited as well; a signal ends the wait."""
        if self._again or self._is_settled():
            return
        if not self._front.is_patient:
            await self._front.stop()
        await running.until(self._is_settled, SETTLE_S if self._front.is_patient else LEAVE_S_MAX)

    def _is_settled(self) -> bool:
        waits = bool(self.chat.unsettled) or (self._front.is_patient and self.chat.waits_for_mail)
        if self.chat.standing is Standing.CONNECTING:
            return not waits and not self._front.is_patient
        return self.chat.standing is not Standing.ONLINE or not waits

    # --- for the front ---

    def prompt(self) -> str:
        """Whom plain text goes to."""
        return f"{self.chat.peer}> " if self.chat.peer else "> "

    def toolbar(self, columns: int) -> str:
        """How things stand."""
        if self._session is None:
            return ""
        core = self._session.core
        outbox = core.sizes()["outbox"]
        return self.chat.toolbar(outbox, core.server_rtt_us, core.server_loss_ppm, self._session.changed_keys, columns)

    def completions(self, before: str) -> list[str]:
        """Commands and names."""
        return completions(before, self.chat.names)

    def active(self) -> None:
        """The user is there."""
        self.chat.active()

    def changed(self) -> None:
        """Look what was typed."""
        if self._session is not None:
            self._session.changed()
