"""What the machine may lack, for tests that ask other programs, or for networks that it does not have."""

import shutil
import socket
from pathlib import Path

import pytest

FULL = Path("/dev/full")
"""A file that takes nothing, as a disk without room."""


def needs_tool(command: str, package: str) -> pytest.MarkDecorator:
    """Skips a test where there is no such command; `package` is Debian's that has it."""
    missing = f"{command} is not on this machine (Debian: apt-get install {package})"
    return pytest.mark.skipif(shutil.which(command) is None, reason=missing)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(
    not _has_ipv6(), reason="no socket can have ::1 here (Linux: sysctl net.ipv6.conf.all.disable_ipv6=0)"
)
needs_full = pytest.mark.skipif(not FULL.exists(), reason=f"{FULL} is a device of Linux: there is no file that is full")
