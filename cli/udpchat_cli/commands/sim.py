"""`sim`: clients that chat on a simulated bad network, as a table, and the way of one message as a ladder."""

import os
import shlex
import sys
import time
from argparse import Namespace
from dataclasses import asdict
from typing import Any, Final

from udpchat_net.simulation.chatter import Chatter, outcome
from udpchat_net.simulation.invariants import Violation
from udpchat_net.simulation.ladder import Hop, Ladder, drawn
from udpchat_net.simulation.runner import run as run_scenario
from udpchat_net.simulation.world import World

from .. import schema
from ..arguments import Given
from ..exits import Exit, Failed
from ..output import Output
from ..wording import counted

_BAR_CELLS: Final = 40
_FAULTS: Final = {"Loss": "lost", "Delay": "delayed", "Duplication": "duplicated", "Reorder": "overtaken"}
_OPTIONS: Final = ("clients", "messages", "minutes", "loss", "delay", "dup", "reorder", "seed")


def run(given: Given) -> int:
    """Simulate, and print; the exit status. Raises `Failed` and `ReaderGone`."""
    arguments = given.arguments
    if arguments.trace is not None and arguments.trace > arguments.messages:
        raise Failed(Exit.USAGE, f"--trace: there is no message {arguments.trace}, {arguments.messages} are sent")
    chatter = Chatter(
        clients=arguments.clients,
        messages=arguments.messages,
        minutes=arguments.minutes,
        seed=arguments.seed,
        loss=arguments.loss,
        delay_us=arguments.delay * 1_000,
        duplication=arguments.dup,
        reorder=arguments.reorder,
    )
    shown = _Shown(chatter, arguments.trace)
    started_ns = time.process_time_ns()
    try:
        run_scenario(shown.scenario, watch=shown.watch)
    except Violation as violation:
        raise Failed(Exit.INTERNAL, f"{violation}; see it again with `{_replay(arguments)}`, and report it") from None
    finally:
        shown.bar.clear()
    shown.print(Output(arguments.json), (time.process_time_ns() - started_ns) // 1_000)
    return Exit.DONE


def _replay(arguments: Namespace) -> str:
    """What to type to have the same run."""
    return shlex.join(["udpchat", "sim", *(f"--{name}={getattr(arguments, name)}" for name in _OPTIONS)])


class _Shown:
    """One run, and how it is shown."""

    def __init__(self, chatter: Chatter, trace: int | None) -> None:
        self.bar = _Bar()
        self.scenario = chatter.scenario()
        self._chatter, self._trace = chatter, trace
        self._ladder: Ladder | None = None

    def watch(self, world: World) -> None:
        """Follow the world that is about to run."""
        self._world = world
        if self._trace is not None:
            self._ladder = Ladder(world, self._trace)
            world.observers.append(self._ladder)
        for cell in range(_BAR_CELLS):
            world.at(self.scenario.heal_us * cell // _BAR_CELLS, self.bar.draw, cell)

    def print(self, output: Output, cpu_us: int) -> None:
        """The ladder, if it was asked for, and the table."""
        if self._ladder is not None:
            output.say(f"message {self._trace}, milliseconds of virtual time")
            for line in drawn(self._ladder):
                output.say(line)
            for rung in self._ladder.rungs:
                if output.as_json and isinstance(rung, Hop):
                    output.say("", _hop(rung))
            output.say("")
        came = asdict(outcome(self._world, self.scenario.heal_us))
        took = {"seed": self._chatter.seed, "virtual_us": self._world.now_us, "cpu_us": cpu_us}
        thing = schema.made("simulated", **came, **took)
        output.say("\n".join(_table(self._chatter, thing)), thing)


def _hop(hop: Hop) -> dict[str, Any]:
    ends = {"from": hop.source, "to": hop.destination}
    times = {"at_us": hop.at_us, "arrivals_us": list(hop.arrivals_us)}
    return schema.made("hop", **ends, **times, what=hop.what, bytes=hop.bytes)


def _table(chatter: Chatter, thing: dict[str, Any]) -> list[str]:
    delivered = thing["direct"] + thing["by_mailbox"]
    rows = [
        ("seed", f"{chatter.seed}: the same options give the same table"),
        ("chatting", f"{counted(chatter.clients, 'client', 'clients')}, {thing['virtual_us'] / 1e6:,.0f} virtual s"),
        ("sent", counted(thing["sent"], "message", "messages")),
        ("not sent", f"{thing['unknown']:,}, as the recipient had not registered yet"),
        ("delivered", f"{delivered:,}, each once and in order"),
        ("  directly", f"{thing['direct']:,}"),
        ("  by mailbox", f"{thing['by_mailbox']:,}"),
        ("  late", f"{thing['late']:,}, once the network was mended"),
        ("retries", f"{thing['retries']:,}"),
        ("time", f"p50 {_ms(thing['p50_us'])}, p99 {_ms(thing['p99_us'])}, worst {_ms(thing['worst_us'])}"),
        ("datagrams", f"{thing['datagrams']:,}, {thing['bytes']:,} bytes"),
        *((f"  {word}", f"{thing['faults'].get(fault, 0):,}") for fault, word in _FAULTS.items()),
        ("processor", f"{thing['cpu_us'] / 1e6:.1f} s"),
    ]
    without_nothing = ("not sent", "  late")
    return [f"{what:<14}{how}" for what, how in rows if what not in without_nothing or not how.startswith("0,")]


def _ms(us: int) -> str:
    return f"{us / 1_000:,.0f} ms"


class _Bar:
    """How far it is, on a terminal on standard error."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def draw(self, cells: int) -> None:
        if self._is_shown:
            bar = f"[{'#' * cells}{'.' * (_BAR_CELLS - cells)}] {100 * cells // _BAR_CELLS} %"
            print(f"\r{bar}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
