"""An event loop with real sockets and real disks whose clock stands still while anything is under way.

When nothing is ready and no disk is at work, the clock jumps to the next timer. So minutes pass in a moment, and a busy
machine makes a test slow, but changes nothing about it. If nothing would ever happen again, that is an error at once.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

from udpchat_net.clock import Clock

T = TypeVar("T")
Args = TypeVarTuple("Args")
_GRACE_S = 0.004
"""Real time in which a datagram that was sent arrives: the kernel may hand it over a moment later."""
_START_NS = 1_767_268_800_000_000_000  # 2026-01-01T12:00:00Z
_DISK_S_MAX = 60


class _Selector(selectors.DefaultSelector):
    loop: "VirtualTimeLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.loop.jobs:
            return super().select(_DISK_S_MAX)  # it wakes the loop when it is done
        ready = super().select(_GRACE_S)
        if not ready:
            if timeout is None:
                raise RuntimeError("everything waits, and nothing will ever happen")
            self.loop.now_s += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """See above.

    Attributes:
        now_s: its time, which begins at 0.
        jobs: what is under way on threads.
    """

    def __init__(self) -> None:
        self.now_s, self.jobs = 0.0, 0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now_s

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Args], T], *args: *Args) -> asyncio.Future[T]:
        self.jobs += 1
        job = super().run_in_executor(executor, func, *args)
        job.add_done_callback(self._job_done)
        return job

    async def shutdown_default_executor(self, *arguments: Any) -> None:
        self.jobs += 1  # the threads that names are looked up on end
        await super().shutdown_default_executor(*arguments)
        self.jobs -= 1

    def clock(self) -> Clock:
        """For a driver on this loop."""
        return Clock(lambda: _START_NS + int(self.now_s * 1e9), lambda: int(self.now_s * 1e9))

    def _job_done(self, _: object) -> None:
        self.jobs -= 1
