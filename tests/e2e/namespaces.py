"""Networks of Linux's own for tests: a server and two clients, each in a namespace, and a kernel that drops datagrams.

```
ann 10.77.1.2 ---- 10.77.1.1 (server 10.77.0.1) 10.77.2.1 ---- 10.77.2.2 bob
```

The namespaces have no names: they are gone when this process lets go of them. A socket stays in the one that it was
made in, so one process has sockets in all three. Datagrams are dropped on arrival, by nftables.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

_CLONE_NEWNET = 0x4000_0000
_THIS = "/proc/thread-self/ns/net"


class Unavailable(Exception):
    """The machine does not let us: one sentence says what is missing."""


@dataclass(frozen=True)
class Namespace:
    """A network of its own, by an open file."""

    file: int

    @contextmanager
    def inside(self) -> Iterator[None]:
        """What this thread makes meanwhile, sockets and processes, is in there."""
        outside = os.open(_THIS, os.O_RDONLY)
        _enter(self.file)
        try:
            yield
        finally:
            _enter(outside)
            os.close(outside)

    def run(self, *command: str) -> str:
        """A command in there; what it said. Raises `Unavailable` if it fails."""
        with self.inside():
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unavailable(f"{' '.join(command)} fails here: {done.stderr.strip()}")
        return done.stdout

    def drop(self, percent: int) -> None:
        """Lose so many of a hundred datagrams that arrive, at random."""
        self.run("nft", "add table inet lossy")
        self.run("nft", "add chain inet lossy arriving { type filter hook input priority 0 ; }")
        self.run("nft", f"add rule inet lossy arriving meta l4proto udp numgen random mod 100 < {percent} counter drop")

    def dropped(self) -> int:
        """How many were lost."""
        words = self.run("nft", "list", "table", "inet", "lossy").split()
        return int(words[words.index("packets") + 1])


@contextmanager
def three() -> Iterator[tuple[Namespace, Namespace, Namespace]]:
    """The server's namespace, ann's and bob's, connected. Raises `Unavailable`."""
    if sys.platform != "linux":
        raise Unavailable("only Linux has network namespaces")
    if os.geteuid():
        raise Unavailable("only root may make network namespaces: run it as root")
    for tool, package in (("ip", "iproute2"), ("nft", "nftables")):
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is not on this machine (Debian: apt-get install {package})")
    with ExitStack() as stack:
        server, ann, bob = (stack.enter_context(_namespace()) for _ in range(3))
        server.run("ip", "address", "add", "10.77.0.1/32", "dev", "lo")
        for number, client in enumerate((ann, bob), 1):
            peer = f"/proc/{os.getpid()}/fd/{client.file}"
            server.run("ip", "link", "add", f"to{number}", "type", "veth", "peer", "name", "eth0", "netns", peer)
            server.run("ip", "address", "add", f"10.77.{number}.1/24", "dev", f"to{number}")
            server.run("ip", "link", "set", f"to{number}", "up")
            client.run("ip", "address", "add", f"10.77.{number}.2/24", "dev", "eth0")
            client.run("ip", "link", "set", "eth0", "up")
            client.run("ip", "route", "add", "default", "via", f"10.77.{number}.1")
        server.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        yield server, ann, bob


@contextmanager
def _namespace() -> Iterator[Namespace]:
    outside = os.open(_THIS, os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        raise Unavailable(
            f"no network namespace can be made: {os.strerror(ctypes.get_errno())} (Docker: --cap-add SYS_ADMIN)"
        )
    namespace = Namespace(os.open(_THIS, os.O_RDONLY))
    _enter(outside)
    os.close(outside)
    try:
        namespace.run("ip", "link", "set", "lo", "up")
        yield namespace
    finally:
        os.close(namespace.file)


def _enter(file: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(file, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
