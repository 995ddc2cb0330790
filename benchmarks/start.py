"""How long the command takes to start, against what it cannot do without.

    python -m benchmarks.start [--rounds N]

`--help`, a usage error and a completion script are held against the bare interpreter; the prompt of `chat`, in a
terminal of 80 columns, against an interpreter that imports what others wrote of all that is imported by then, and
nothing of ours. What a chat needs besides is imported once the prompt is there: a row says how long it takes until
the first line stands above the prompt. Wall clock, from the start of the process; all in turns, round by round;
medians. Bytecode is cached, as it is wherever the program is installed.
"""

import argparse
import os
import pty
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from statistics import median
from termios import TIOCSWINSZ
from typing import Final

from udpchat_cli.opening import open_store
from udpchat_cli.values import Account
from udpchat_net.stores.paths import state_path

ROUNDS: Final = 11
BARE_MAX, PROMPT_MAX = 4.0, 1.4
_ACCOUNT = Account("anna", "127.0.0.1", 10_001)
_COMMAND = (sys.executable, "-m", "udpchat_cli")
_BARE = (sys.executable, "-c", "pass")
_PROMPT = "import udpchat_cli.commands.chat, udpchat_cli.chat.line"
_CHAT = f"{_PROMPT}, udpchat_cli.chat.room"
_OURS = ("udpchat_cli", "udpchat_net", "udpchat_core")
_IMPORT = """
from contextlib import suppress
from importlib import import_module

for name in {}:
    with suppress(ImportError):  # some are there only inside another
        import_module(name)
"""
_PROMPT_SHOWS, _CHAT_SHOWS = b"starting", b"Ctrl-D ends"  # the toolbar is drawn after the prompt
_WINDOW = (24).to_bytes(2, sys.byteorder) + (80).to_bytes(2, sys.byteorder) + bytes(4)
_READ_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Start:
    """Something that is started.

    Attributes:
        name: for the table.
        run: starts it, and returns after how many seconds of wall clock it was there.
        against: the name of what it is held against.
        most: how many times as long it may take.
    """

    name: str
    run: Callable[[], float]
    against: str = ""
    most: float | None = None


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser("python -m benchmarks.start", description="How long the command takes to start.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"starts of each ({ROUNDS})")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="udpchat-bench-") as folder:
        starts = list(_starts(Path(folder)))
        took: dict[str, list[float]] = {start.name: [] for start in starts}
        for number in range(rounds + 1):
            for start in starts:
                seconds = start.run()
                if number:  # the first makes the caches
                    took[start.name].append(seconds)
    print(table(starts, {name: median(times) for name, times in took.items()}), end="")


def table(starts: list[Start], took: Mapping[str, float]) -> str:
    """In Markdown, with what each took in seconds."""
    lines = ["| start | ms | times | of | at most |", "|---|--:|--:|---|--:|"]
    for start in starts:
        ms = f"{1e3 * took[start.name]:.0f}"
        times = f"{took[start.name] / took[start.against]:.2f}" if start.against else ""
        lines.append(f"| {start.name} | {ms} | {times} | {start.against} | {start.most or ''} |")
    return "\n".join(lines) + "\n"


def _starts(folder: Path) -> list[Start]:
    path = state_path(folder, *_ACCOUNT)
    open_store(_ACCOUNT, path).close()
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ |= {"PYTHONPYCACHEPREFIX": str(folder / "cache"), "TERM": "xterm", "UDPCHAT_STATE": str(folder)}

    def process(*command: str) -> Callable[[], float]:
        return lambda: _until_over(command, environ)

    def chat(shows: bytes) -> Callable[[], float]:
        return lambda: until_shown((*_COMMAND, "chat", str(_ACCOUNT)), environ, shows)

    return [
        Start("the bare interpreter", process(*_BARE)),
        Start("`--help`", process(*_COMMAND, "--help"), "the bare interpreter", BARE_MAX),
        Start("a usage error", process(*_COMMAND, "sned"), "the bare interpreter", BARE_MAX),
        Start("`completion bash`", process(*_COMMAND, "completion", "bash"), "the bare interpreter", BARE_MAX),
        Start("the libraries of the prompt", process(sys.executable, "-c", foreign(_PROMPT, environ))),
        Start("the prompt", chat(_PROMPT_SHOWS), "the libraries of the prompt", PROMPT_MAX),
        Start("the libraries of a chat", process(sys.executable, "-c", foreign(_CHAT, environ))),
        Start("the first line of a chat", chat(_CHAT_SHOWS), "the libraries of a chat"),
    ]


def foreign(imports: str, environ: Mapping[str, str]) -> str:
    """A program that imports what these imports import, less what is ours."""
    tell = f"import sys; before = {{*sys.modules}}; {imports}; print(*(n for n in sys.modules if n not in before))"
    told = subprocess.run([sys.executable, "-c", tell], env=environ, capture_output=True, check=True, text=True).stdout
    return _IMPORT.format([name for name in told.split() if name.partition(".")[0] not in _OURS])


def _until_over(command: tuple[str, ...], environ: Mapping[str, str]) -> float:
    begun_s = time.perf_counter()
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begun_s


def until_shown(command: tuple[str, ...], environ: Mapping[str, str], shows: bytes) -> float:
    """Start it in a terminal, and end it once that is shown."""
    import fcntl  # noqa: PLC0415 - not on every system, as terminals like this one

    begun_s = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, TIOCSWINSZ, _WINDOW)
        os.execve(command[0], command, dict(environ))
    shown = b""
    try:
        while shows not in shown:
            shown += os.read(terminal, _READ_BYTES)
        return time.perf_counter() - begun_s
    except OSError as error:
        raise RuntimeError(f"it ended, and said: {shown.decode(errors='replace')}") from error
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


if __name__ == "__main__":
    main()
