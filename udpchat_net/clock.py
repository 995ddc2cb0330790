"""Where the core's time comes from."""

from collections.abc import Callable
from time import monotonic_ns, time_ns

from udpchat_core.instant import Instant

_NS_PER_US, _NS_PER_MS = 1_000, 1_000_000


class Clock:
    """`Instant`: the wall clock's time when this was made, plus what a clock that nobody sets has counted since.

    Without arguments the system's clocks, in nanoseconds.
    """

    def __init__(self, wall_ns: Callable[[], int] = time_ns, elapsed_ns: Callable[[], int] = monotonic_ns) -> None:
        self._wall_ns, self._elapsed_ns = wall_ns, elapsed_ns
        self._start_ns = wall_ns() - elapsed_ns()

    def now(self) -> Instant:
        """It neither stalls nor jumps."""
        return Instant((self._start_ns + self._elapsed_ns()) // _NS_PER_US)

    def wall_ms(self) -> int:
        """Milliseconds of Unix time, as the machine has it now."""
        return self._wall_ns() // _NS_PER_MS
