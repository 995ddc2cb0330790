"""`chat`: somebody chats, on a terminal or line by line."""

import os
import sys

from udpchat_net.driver import run as run_loop

from ..accounts import Speaker, speaker
from ..arguments import Given
from ..chat.front import Desk, Front
from ..chat.room import Room, recalled_path
from ..exits import Exit


def run(given: Given) -> int:
    """Chat; the exit status. Raises `Failed`, `StoreError` and `udp.DriverError`."""
    who, arguments = speaker(given.arguments), given.arguments
    chosen = arguments.ui or who.settings.ui
    is_plain = chosen == "plain" or not _can_edit()

    async def chat() -> Exit:
        room = Room(
            who, arguments.bind or who.settings.bind, arguments.invite, lambda desk: _front(desk, who, is_plain)
        )
        return await room.run()

    return run_loop(chat())


def _can_edit() -> bool:
    """Whether there is a terminal on both sides, that can do more than add lines."""
    is_terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    return is_terminal and os.environ.get("TERM", "" if sys.platform == "win32" else "dumb") != "dumb"


def _front(desk: Desk, who: Speaker, is_plain: bool) -> Front:
    if is_plain:
        from ..chat.plain import Plain  # noqa: PLC0415 - one of the two

        return Plain(desk)
    from ..chat.line import LineFront  # noqa: PLC0415 - the library takes a while

    return LineFront(desk, recalled_path(who.path))
