"""`send`: a message, from a script or by hand.

If another udpchat works with the same identity (a `chat` or a `listen`), that one is asked to send it.
"""

import sys
from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from udpchat_core.limits import TEXT_PARTS_BYTES_MAX
from udpchat_net.loop import run as run_loop

from ..accounts import Speaker, speaker
from ..arguments import Given
from ..control import Say, alone, ask
from ..descriptors import descriptor, read_some
from ..exits import Exit, Failed, ReaderGone
from ..grammar import SETTLE_S
from ..output import Output, complain
from ..sending import LEVELS, deliver
from ..session import session
from ..wording import made, state_line


def run(given: Given) -> int:
    """Send it; the exit status. Raises `Failed` and `StoreError`."""
    arguments, who = given.arguments, speaker(given.arguments)
    text = _text(arguments)
    output = Output(arguments.json)

    def say(thing: Mapping[str, Any]) -> None:
        if arguments.json or (output.is_terminal and thing["event"] in LEVELS):  # cron mails whatever is printed
            with suppress(ReaderGone):  # the message is to arrive all the same
                output.say(state_line(thing), thing)

    def work() -> None:
        run_loop(_send(who, arguments, text, say))

    def through() -> None:
        request = {"do": "send", "to": arguments.to, "text": text, "level": arguments.wait}
        request |= {} if arguments.timeout is None else {"seconds": arguments.timeout}
        ask(who.path, request, say, SETTLE_S if arguments.timeout is None else arguments.timeout)

    alone(who.path, work, through)
    output.check()
    return Exit.DONE


async def _send(who: Speaker, arguments: Namespace, text: str, say: Say) -> None:
    async with session(who, offline=True) as running:
        if running.is_new:
            complain(made(who.account, who.path))
        running.start()
        await deliver(running, arguments.to, text, arguments.wait, arguments.timeout, say)


def _text(arguments: Namespace) -> str:
    """What to send. Raises `Failed` for what cannot be."""
    words = list(arguments.text)
    if words and words != ["-"]:
        return _checked(" ".join(words))
    source = descriptor(sys.stdin)
    if not words and source is not None and sys.stdin.isatty():
        print(f"to {arguments.to}: ", end="", file=sys.stderr, flush=True)
        return _checked(sys.stdin.readline().rstrip("\r\n"))
    data = bytearray()
    while len(data) <= TEXT_PARTS_BYTES_MAX and (more := read_some(source)):
        data += more
    return _checked(data.decode(errors="replace").rstrip("\r\n"))


def _checked(text: str) -> str:
    if not text:
        raise Failed(Exit.USAGE, "there is nothing to send: give a text, or pipe one in")
    size = len(text.encode(errors="replace"))
    if size > TEXT_PARTS_BYTES_MAX:
        raise Failed(Exit.USAGE, f"a message has {TEXT_PARTS_BYTES_MAX:,} bytes at most, and this is longer: split it")
    return text
