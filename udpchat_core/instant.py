"""Time as the core sees it: given by the caller, never read."""

from typing import NewType

Instant = NewType("Instant", int)
"""Microseconds: wall time at start plus elapsed monotonic time, so that it neither stalls nor jumps."""

MS = 1_000
SECOND = 1_000_000


def after(now: Instant, us: int) -> Instant:
    """The instant `us` microseconds after `now`."""
    return Instant(now + us)
