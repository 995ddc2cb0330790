"""Chatting on a terminal: one row, or more, to type in, a toolbar below, and everything else above, as it comes.

Theory of operation. One application of prompt_toolkit runs from the beginning to the end; a line that is finished
leaves its buffer, and nothing else changes. What is to be shown is printed where the application stands, which is
drawn again below it: in one go, on the loop's thread, with the terminal in raw mode throughout, so that no key is
lost or echoed meanwhile. The terminal is never asked where its cursor is: not each of them answers, and an answer
that is late would come in between. Nothing is drawn in the scrollback, so copying and searching there works.
"""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.data_structures import Size
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import ColorDepth, Output, create_output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import Style as Styles

from .front import Closed, Desk
from .lines import Line, Style, note
from .recall import Recall

TYPED_CHARS_MAX: Final = 1 << 17
"""Characters of what is typed: any message is shorter; what is pasted beyond it is left out."""
_STYLES: Final = {
    Style.TEXT: "",
    Style.TIME: "dim",
    Style.NAME: "ansicyan bold",
    Style.OWN: "bold",
    Style.STATE: "dim",
    Style.NOTE: "dim",
    Style.ALARM: "ansired bold",
    Style.MARK: "ansiyellow",
}
_USUAL: Final = Size(rows=24, columns=80)
_TOOLBAR, _PROMPT = "toolbar", "prompt"


@dataclass(slots=True)
class _Offer:
    """What Tab offers for a word, between `base` and `after`; `shown` is what stands there as long as it goes on."""

    base: str
    after: str
    words: list[str]
    shown: Document
    at: int = 0


class LineFront:
    """A terminal; made and used on the loop's thread.

    Attributes:
        desk: the chat.
        is_broken: whether the terminal is gone.
        is_patient: the end of the input is somebody's wish to end.
    """

    is_patient = False
    trouble = None  # a terminal that is gone is none

    def __init__(self, state: Path) -> None:
        """`state` is the file of whoever types: what was typed is remembered beside it."""
        self.desk: Desk = Closed()
        self.is_broken = self._said_trouble = False
        self._recall = Recall(state.with_suffix(".typed"))
        self._waiting: deque[str | None] = deque()
        self._depth = ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else ColorDepth.DEPTH_4_BIT
        self._styles = Styles.from_dict(
            {**{str(style): how for style, how in _STYLES.items()}, _TOOLBAR: "dim", _PROMPT: "bold"}
        )
        self._buffer = Buffer(
            history=self._recall,
            multiline=True,
            on_text_changed=lambda _: self._typed(),
        )
        self._offer: _Offer | None = None
        self._app = self._made()
        self._running: asyncio.Task[None] | None = None

    def _made(self) -> Application[None]:
        typed = Window(
            BufferControl(self._buffer), wrap_lines=True, dont_extend_height=True, get_line_prefix=self._prefix
        )
        toolbar = Window(FormattedTextControl(self._toolbar), height=1, dont_extend_height=True)
        return Application(
            layout=Layout(HSplit([typed, toolbar])),
            key_bindings=_bindings(self),
            style=self._styles,
            color_depth=self._depth,
            include_default_pygments_style=False,
            output=_output(),
            erase_when_done=True,
        )

    def _prefix(self, number: int, wrapped: int) -> FormattedText:
        prompt = self.desk.prompt()
        if number == 0 and wrapped == 0:
            return FormattedText([(f"class:{_PROMPT}", prompt)])
        return FormattedText([(f"class:{Style.STATE}", " " * max(len(prompt) - 2, 0) + "| ")])

    def _toolbar(self) -> FormattedText:
        columns = self._app.output.get_size().columns
        return FormattedText([(f"class:{_TOOLBAR}", f" {self.desk.toolbar(columns - 1)}")])

    # --- begin and end ---

    async def start(self) -> None:
        """Take the terminal, and draw."""
        drawn = asyncio.Event()
        self._app.after_render += lambda _: drawn.set()
        self._running = asyncio.ensure_future(self._run())
        self._running.add_done_callback(lambda _: drawn.set())
        await drawn.wait()

    async def stop(self) -> None:
        """Give it back as it was."""
        if self._running is not None:
            if self._app.is_running:
                self._app.exit()
            await self._running
            self._running = None

    async def _run(self) -> None:
        try:
            await self._app.run_async(handle_sigint=False, set_exception_handler=False)
        except (OSError, EOFError):  # the terminal is gone
            self.is_broken = True
        self.ended()

    def ended(self) -> None:
        """There is no more to take."""
        self._waiting.append(None)
        self.desk.changed()

    # --- out ---

    def show(self, lines: Iterable[Line], *, ring: bool = False) -> None:
        """Print lines above what is being typed."""
        if self.is_broken:
            return
        output = self._app.output
        try:
            columns = output.get_size().columns
            fragments = [fragment for line in lines for fragment in _fragments(line, columns)]
            if self._app.is_running:
                self._app.renderer.erase()
            print_formatted_text(output, FormattedText(fragments), self._styles, color_depth=self._depth)
            if ring:
                output.bell()
            output.flush()
        except OSError:
            self.is_broken = True
            self.desk.changed()
        self._app.invalidate()

    def refresh(self) -> None:
        """Draw prompt and toolbar again."""
        self._app.invalidate()

    # --- in ---

    @property
    def has_line(self) -> bool:
        """Whether something that was typed, or the end, waits."""
        return bool(self._waiting)

    def take(self) -> str | None:
        """The next of it; None is the end."""
        return self._waiting.popleft()

    def finish(self) -> None:
        """What stands there is typed."""
        self._waiting.append(self._buffer.text)
        if self._buffer.text.strip():
            self._buffer.append_to_history()
        self._buffer.reset()
        if self._recall.trouble is not None and not self._said_trouble:
            self._said_trouble = True
            why = self._recall.trouble.strerror
            self.show([note(f"What you type is not remembered for the next time: {self._recall.path}: {why}.")])
        self.desk.changed()

    def complete(self, step: int) -> None:
        """Put the next thing that Tab offers in the place of the word before the cursor; or the one before it."""
        document = self._buffer.document
        if self._offer is None or self._offer.shown != document:
            before = document.text_before_cursor
            base = before[: before.rfind(" ") + 1]
            self._offer = _Offer(base, document.text_after_cursor, self.desk.completions(before), document)
            step = min(step, 0)
        if self._offer.words:
            self._offer.at = (self._offer.at + step) % len(self._offer.words)
            text = self._offer.base + self._offer.words[self._offer.at]
            self._offer.shown = self._buffer.document = Document(text + self._offer.after, len(text))

    def _typed(self) -> None:
        if len(self._buffer.text) > TYPED_CHARS_MAX:
            self._buffer.text = self._buffer.text[:TYPED_CHARS_MAX]
        self.desk.active()


def _fragments(line: Line, columns: int) -> Iterator[tuple[str, str]]:
    for row in line.rows(columns):
        for style, text in row:
            yield f"class:{style}", text
        yield "", "\n"


def _output() -> Output:
    if sys.platform == "win32":
        return create_output()
    from prompt_toolkit.output.vt100 import Vt100_Output  # noqa: PLC0415 - not on every system

    return Vt100_Output(sys.stdout, _size, term=os.environ.get("TERM"), enable_cpr=False)


def _size() -> Size:
    """Of the terminal; one that does not know has the usual one."""
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    return Size(rows or _USUAL.rows, columns or _USUAL.columns)


def _bindings(front: LineFront) -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _finish(_: KeyPressEvent) -> None:
        front.finish()

    @keys.add("escape", "enter")
    def _break_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("tab")
    def _complete(_: KeyPressEvent) -> None:
        front.complete(1)

    @keys.add("s-tab")
    def _complete_back(_: KeyPressEvent) -> None:
        front.complete(-1)

    @keys.add("c-c")
    @keys.add("<sigint>")
    def _interrupt(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit()

    @keys.add("c-d")
    def _end(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.delete()
        else:
            event.app.exit()

    @keys.add("c-l")
    def _clear(event: KeyPressEvent) -> None:
        event.app.renderer.clear()

    @keys.add("c-z")
    def _suspend(event: KeyPressEvent) -> None:
        event.app.suspend_to_background()

    return keys
