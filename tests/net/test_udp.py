"""A socket that cannot be had is refused in one sentence, and an address is what the core takes for one."""

import errno
import os

import pytest

from udpchat_core.address import Address
from udpchat_net import udp


@pytest.mark.parametrize(
    ("host", "port", "says"),
    [
        ("192.0.2.1", 10_001, "192.0.2.1:10001 is no address of this machine: choose"),
        ("localhost", 10_001, "localhost is no IP address: give one"),
        ("127.0.0.1", 70_000, "127.0.0.1:70000 has no such port: choose"),
    ],
)
def test_an_address_that_cannot_be_had_is_refused_in_one_sentence(host: str, port: int, says: str) -> None:
    with pytest.raises(udp.DriverError, match=says):
        udp.bind(host, port)


def test_a_port_in_use_is_refused_in_one_sentence() -> None:
    bound, at = udp.bind("127.0.0.1", 0)
    with pytest.raises(udp.DriverError, match=f"127.0.0.1:{at.port} is in use by another program: stop"):
        udp.bind("127.0.0.1", at.port)
    bound.close()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (errno.EACCES, "[::1]:80 may not be used without special rights: choose"),
        (errno.EAFNOSUPPORT, "[::1]:80 cannot be used, this machine has no such network: choose"),
        (errno.EIO, "[::1]:80 cannot be used: [Errno 5] Input/output error"),
    ],
)
def test_other_refusals_of_the_system_are_told_apart(code: int, says: str) -> None:
    assert udp._why("[::1]:80", OSError(code, os.strerror(code))).startswith(says)


def test_nothing_can_be_answered_to_port_0() -> None:
    assert udp.address_of(("127.0.0.1", 0)) is None
    assert udp.address_of(("fe80::1%eth0", 5, 0, 2)) == Address(b"\xfe\x80" + bytes(13) + b"\x01", 5)
