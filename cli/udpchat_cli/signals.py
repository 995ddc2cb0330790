"""Signals that ask a program to end."""

import asyncio
import signal
import sys
from collections.abc import Callable


def on_signals(interrupt: Callable[[], None]) -> None:
    """Have it called for signals that ask a program to end."""
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(interrupt))
    else:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, interrupt)
