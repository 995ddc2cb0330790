"""Ports for programs that are told theirs by number."""

from random import SystemRandom
from typing import Final

from udpchat_net import udp

_LOWEST: Final = 20_000
_HIGHEST: Final = 32_767
"""Below those that systems give to sockets which name no port: no other test gets one of these by chance."""


def free_port() -> int:
    """A UDP port that nobody has now; whoever is told it has it a moment later."""
    while True:
        port = SystemRandom().randint(_LOWEST, _HIGHEST)
        try:
            bound, _ = udp.bind("0.0.0.0", port)
        except udp.DriverError:
            continue
        bound.close()
        return port
