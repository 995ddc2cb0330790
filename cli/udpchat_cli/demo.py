"""`make demo`: a server and three clients chat on this machine, over a network that loses every fifth datagram.

They are the programs of the classic form, with real sockets and real disks, in one process; what they type is below.
"""

import asyncio
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from udpchat_net import udp
from udpchat_net.clock import Clock
from udpchat_net.loop import run
from udpchat_net.proxy import Proxy, Weather
from udpchat_net.stores.paths import state_path

from . import classic_server
from .classic_client import ClassicClient
from .classic_server import ClassicServer
from .display import PROMPT
from .exits import Exit
from .opening import open_store
from .values import Account

LOSS = 0.2
PATIENCE_S = 60
_HOST = "127.0.0.1"
_SEED = 1
_TABLE = "[Client table updated.]"

_BY_HAND = """
By hand, each in a terminal of its own:

    python3 udpchat.py -s 10001
    python3 udpchat.py -c anna 127.0.0.1 10001 20001
    python3 udpchat.py -c bert 127.0.0.1 10001 20002

and then type: send bert hello
"""


class Actor:
    """A console whose lines are typed by the script, and printed after its name."""

    is_broken = False

    def __init__(self, name: str, on_change: Callable[[], None]) -> None:
        self.printed: list[str] = []
        self._name, self._on_change = name, on_change
        self._typed: deque[str | None] = deque()

    @property
    def has_line(self) -> bool:
        """See `Console`."""
        return bool(self._typed)

    def take(self) -> str | None:
        """See `Console`."""
        return self._typed.popleft()

    def say(self, line: str) -> None:
        """See `Console`."""
        self.printed.append(line)
        _show(self._name, line)

    def ready(self) -> None:
        """See `Console`."""

    def start(self) -> None:
        """See `Console`."""

    def stop(self) -> None:
        """See `Console`."""

    def type(self, line: str | None) -> None:
        """Type a line; None ends the input."""
        if line is not None:
            _show(self._name, line)
        self._typed.append(line)
        self._on_change()


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens, who types what, and who prints what before it is over; the last is what to notice."""

    title: str
    typed: Sequence[tuple[str, str | None]]
    until: Sequence[tuple[str, str]]
    notice: str


_NAMES = ("anna", "bert", "cleo")
_SCENES = (
    Scene(
        "They chat. Each letter goes straight to its reader, sealed, until the reader says that it has it.",
        (
            ("anna", "send bert hello bert,   how  are you?"),
            ("bert", "send anna fine, and it is raining"),
            ("cleo", "send anna hello from cleo 🐢"),
        ),
        (("bert", "anna: hello bert"), ("anna", "bert: fine"), ("anna", "cleo: hello")),
        "What was lost on the way was sent again, and nothing is shown twice.",
    ),
    Scene(
        "Bert leaves.",
        (("bert", "dereg bert"),),
        (("bert", "[You are Offline. Bye.]"), ("anna", _TABLE), ("cleo", _TABLE)),
        "The others hear of it at once; or, if that is lost, when they next ask, within 20 seconds.",
    ),
    Scene(
        "Mail waits for him: the server keeps what it cannot read.",
        (
            ("anna", "send bert are you away?"),
            ("cleo", "send bert we meet at nine"),
            ("anna", "send bert at the harbour"),
        ),
        (
            ("anna", "[Messages received by the server and saved]"),
            ("cleo", "[Messages received by the server and saved]"),
        ),
        "It is on the server's disk; who wrote it keeps it as well, until Bert himself has it.",
    ),
    Scene(
        "Bert returns.",
        (("bert", "reg bert"),),
        (("bert", "are you away?"), ("bert", "we meet at nine"), ("bert", "at the harbour")),
        "Each of them came once, and those of one sender in their order.",
    ),
    Scene(
        "They all leave.",
        tuple((name, None) for name in _NAMES),
        tuple((name, "[You are Offline. Bye.]") for name in _NAMES),
        "An end of input says goodbye; a crash would be noticed after a minute.",
    ),
)


def main() -> int:
    """Play it; the exit status."""
    try:
        run(play())
    except TimeoutError:
        print(f"demo: the last lines did not come within {PATIENCE_S} s; the machine may be too busy", file=sys.stderr)
        return Exit.INTERNAL
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.DONE


async def play(clock: Clock | None = None) -> None:
    """All of it. Raises `TimeoutError`."""
    print(f"A server and three clients on this machine. Of 100 datagrams between them {100 * LOSS:.0f} are lost.")
    with tempfile.TemporaryDirectory(prefix="udpchat-demo-") as folder:
        proxy = Proxy(_SEED, Weather(loss=LOSS, delay_s_min=0.005, delay_s_max=0.02))
        server = ClassicServer(classic_server.open_store(folder), lambda line, _: _show("server", line), clock)
        face = udp.name_of(proxy.face(server.start([(_HOST, 0)])))
        actors: dict[str, Actor] = {}
        tasks = [asyncio.ensure_future(_client(name, Path(folder), face, actors, clock)) for name in _NAMES]
        try:
            await _until(actors, [(name, _TABLE) for name in _NAMES])
            _tell("They are registered, each name with a key of its own.", proxy)
            for scene in _SCENES:
                await _perform(scene, actors, proxy)
            await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE_S)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await server.stop()
            proxy.close()
    print(_BY_HAND)


async def _client(
    name: str, folder: Path, server: tuple[str, int], actors: dict[str, Actor], clock: Clock | None
) -> Exit:
    def console(on_change: Callable[[], None]) -> Actor:
        actors[name] = Actor(name, on_change)
        return actors[name]

    store = open_store(Account(name, *server), state_path(folder, name, *server))
    return await ClassicClient(name, store, server, console, clock).run(_HOST, 0)


async def _perform(scene: Scene, actors: dict[str, Actor], proxy: Proxy) -> None:
    print(f"\n{scene.title}\n")
    proxy.counts.clear()
    for actor in actors.values():
        actor.printed.clear()
    for name, line in scene.typed:
        actors[name].type(line)
    await _until(actors, scene.until)
    _tell(scene.notice, proxy)


async def _until(actors: dict[str, Actor], lines: Sequence[tuple[str, str]]) -> None:
    """Wait until each of them has printed a line with this in it, and all is quiet for a moment."""
    async with asyncio.timeout(PATIENCE_S):
        while not all(name in actors and any(part in line for line in actors[name].printed) for name, part in lines):
            await asyncio.sleep(0.05)
    await asyncio.sleep(1)


def _tell(notice: str, proxy: Proxy) -> None:
    lost, arrived = proxy.counts["lost"], proxy.counts["sent"]
    print(f"        ~ {lost + arrived} datagrams, {lost} of them lost. {notice}")


def _show(who: str, line: str) -> None:
    print(f"  {who:<7} {line}" if who == "server" else f"  {who:<7} {PROMPT}{line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
