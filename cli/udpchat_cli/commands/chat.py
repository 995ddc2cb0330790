"""`chat`: somebody chats, on a terminal or line by line.

The prompt is there before what a chat needs is imported, which takes twice as long as the prompt does; what is typed
meanwhile waits.
"""

import os
import sys

from udpchat_net.loop import run as run_loop

from ..accounts import Speaker, speaker
from ..arguments import Given
from ..chat.front import Front
from ..exits import Exit, Failed
from ..imports import much_imported


def run(given: Given) -> int:
    """Chat; the exit status. Raises `Failed`, `StoreError` and `udp.DriverError`."""
    if given.arguments.json:
        raise Failed(Exit.USAGE, "chat is for people: programs have `udpchat listen --json` and `udpchat send --json`")
    who = speaker(given.arguments)
    chosen = given.arguments.ui or who.settings.ui
    return run_loop(_chat(who, given, is_plain=chosen == "plain" or not _can_edit()))


async def _chat(who: Speaker, given: Given, *, is_plain: bool) -> Exit:
    front = _front(who, is_plain)
    await front.start()
    try:
        with much_imported():
            from ..chat.room import Room  # noqa: PLC0415 - see above
        room = Room(who, given.arguments.bind or who.settings.bind, given.arguments.invite, front)
        status = await room.run()
    finally:
        await front.stop()
    if front.trouble is not None:
        raise front.trouble
    return status


def _can_edit() -> bool:
    """Whether there is a terminal on both sides, that can do more than add lines."""
    is_terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    return is_terminal and os.environ.get("TERM", "" if sys.platform == "win32" else "dumb") != "dumb"


def _front(who: Speaker, is_plain: bool) -> Front:
    if is_plain:
        from ..chat.plain import Plain  # noqa: PLC0415 - one of the two

        return Plain()
    from ..chat.line import LineFront  # noqa: PLC0415 - the library takes a while

    return LineFront(who.path)
