"""`listen`: print what arrives. What was printed counts as seen, and only that."""

from argparse import Namespace

from udpchat_core import client_events as e
from udpchat_net.loop import run as run_loop

from ..accounts import Speaker, speaker
from ..arguments import Given
from ..control import Control, alone
from ..display import block
from ..exits import Exit, Failed, ReaderGone
from ..mail import Text, received, shown_name
from ..output import Output, complain
from ..sending import answer
from ..session import Event, Session, session
from ..wording import made, timestamp


def run(given: Given) -> int:
    """Listen; the exit status. Raises `Failed` and `StoreError`."""
    who = speaker(given.arguments)
    return alone(who.path, lambda: run_loop(_listen(who, given.arguments)))


async def _listen(who: Speaker, arguments: Namespace) -> Exit:
    async with session(who, watch_all=True) as running:
        if running.is_new:
            complain(made(who.account, who.path))
        output = Output(arguments.json)
        listener = Listener(running, output, arguments.count)
        control = Control(who.path, lambda request, say: answer(running, request, say))
        try:
            await control.start()
            status = await listener.listen(arguments.timeout)
            output.check()
            return status
        finally:
            await control.close()


class Listener:
    """Prints the texts that come to a session, `count` of them or without end."""

    def __init__(self, running: Session, output: Output, count: int | None) -> None:
        self._session, self._output, self._left = running, output, count
        self._reader_gone = self._was_online = self._said_offline = False

    async def listen(self, seconds: float | None) -> Exit:
        """Until there were as many as were wanted, the time is over, or a signal came. Raises `Failed`.

        A signal interrupts what would have ended by itself; a listener without an end has no other one.
        """
        self._output.when_gone(self._lose_reader)
        with self._session.listening(self._happened):
            for text in self._session.unseen():
                self._show(text)
            if self._is_done:
                return Exit.DONE
            self._session.start()
            try:
                in_time = await self._session.until(lambda: self._is_done or self._is_over, seconds)
            except Failed as failed:  # a signal
                return Exit.DONE if self._left is None and seconds is None else failed.status
        if self._is_over and not self._is_done and self._session.trouble is not None:
            raise self._session.trouble
        return Exit.DONE if in_time or self._left is None else Exit.QUEUED

    @property
    def _is_done(self) -> bool:
        return self._left == 0 or self._reader_gone

    @property
    def _is_over(self) -> bool:
        """Whether nothing will come: a server that was there once and does not answer now is tried again."""
        trouble = self._session.trouble
        return trouble is not None and not (self._was_online and trouble.status is Exit.UNREACHABLE)

    def _lose_reader(self) -> None:
        self._reader_gone = True
        self._session.changed()

    def _happened(self, event: Event) -> None:
        match event:
            case e.LetterReceived():
                for text in self._session.texts.add(event):
                    self._show(text)
            case e.Registered():
                if self._said_offline:
                    complain("the server answers again")
                self._was_online, self._said_offline = True, False
            case e.PeerKeyChanged(name):
                complain(
                    f"WARNING: {name} HAS ANOTHER KEY NOW, and messages to {name} are held: see `udpchat verify {name}`"
                )
            case e.ServerUnreachable() if self._was_online and not self._said_offline:
                self._said_offline = True
                complain("the server does not answer; it is tried again, and nothing is lost")
            case _:
                pass

    def _show(self, text: Text) -> None:
        if self._is_done:
            return  # it stays unseen
        try:
            head = f"{timestamp(text.sent_ms)} <{shown_name(text)}> "
            self._output.say(block(head, text.text, self._output.columns), received(text))
        except ReaderGone:
            self._lose_reader()
            return
        self._session.seen(text)
        if self._left is not None:
            self._left -= 1
