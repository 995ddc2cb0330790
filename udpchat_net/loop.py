"""The loop that a program runs on."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a program on the fastest loop there is: uvloop's if the extra "fast" is installed, asyncio's otherwise."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return asyncio.SelectorEventLoop  # the other one has no readers, and goes deaf after an ICMP error
    try:
        import uvloop  # noqa: PLC0415 - only if it is there, and a program is about to run
    except ImportError:
        return None
    return uvloop.new_event_loop
