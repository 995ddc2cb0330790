"""What a registered, idle client costs the server: as measured, and no more than that without somebody noticing."""

import gc
import tracemalloc
from contextlib import ExitStack
from unittest.mock import patch

from benchmarks.server_memory import Crowd
from udpchat_core.server.session import unpacked

CLIENTS = 100_000 // 64
"""Tables that double in size are as full of these as of 100,000."""
PINGS = 3
BYTES_MAX = 570
"""Allocated, and hardly above what it is: two slots more are seen. Resident are 20 more, as allocators round up."""
CAPPED = (
    "admission.INIT_PREFIXES_MAX",
    "directory.DIRECTORY_CHANGES_MAX",
    "links.INIT_PREFIXES_MAX",
    "server.SESSION_BUCKETS_MAX",
)
"""Limits of what is kept of so many and no more: of this few clients it would be kept of each."""


def test_an_idle_client_costs_no_more_than_this() -> None:
    Crowd(PINGS).register(50)  # code and caches
    with ExitStack() as stack:
        for name in CAPPED:
            stack.enter_context(patch(f"udpchat_core.server.{name}", 16))
        crowd = Crowd(PINGS)
        gc.collect()
        stack.callback(tracemalloc.stop)
        tracemalloc.start()
        crowd.register(CLIENTS)
        crowd.rest()
        unpacked.cache_clear()
        gc.collect()
        each = tracemalloc.get_traced_memory()[0] / CLIENTS
    assert crowd.online == CLIENTS + 1
    assert BYTES_MAX / 2 < each < BYTES_MAX
