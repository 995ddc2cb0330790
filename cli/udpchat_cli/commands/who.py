"""`who`: who is there, and who is away. If a `chat` or `listen` works with the same identity, that one is asked."""

from collections.abc import Mapping
from typing import Any

from udpchat_core import client_events as e
from udpchat_net.loop import run as run_loop

from .. import schema
from ..accounts import Speaker, need_known, speaker
from ..arguments import Given
from ..control import alone, ask
from ..exits import Exit, Failed
from ..output import Output
from ..sending import ROSTER_S_MAX
from ..session import Event, session
from ..wording import reason


def run(given: Given) -> int:
    """Print it; the exit status. Raises `Failed`, `ReaderGone` and `StoreError`."""
    who = speaker(given.arguments)
    need_known(who)
    output = Output(given.arguments.json)

    def say(thing: Mapping[str, Any]) -> None:
        output.say(f"{thing['name']:<33}{'online' if thing['online'] else 'away'}", thing)

    def work() -> None:
        for thing in run_loop(_roster(who)):
            say(thing)

    alone(who.path, work, lambda: ask(who.path, {"do": "who"}, say, ROSTER_S_MAX))
    return Exit.DONE


async def _roster(who: Speaker) -> list[dict[str, Any]]:
    came: list[Event] = []
    async with session(who, watch_all=True) as running:
        with running.listening(lambda event: came.append(event) if _answers(event) else None):
            running.start()
            await running.online()
            if not await running.until(lambda: bool(came), ROSTER_S_MAX):
                raise Failed(Exit.UNREACHABLE, "the server did not say who is there: try again")
        refused = came[0]
        if isinstance(refused, e.WatchRefused):
            raise Failed(Exit.REFUSED, f"the server does not show who is there: {reason(refused.refusal)}")
        return [schema.made("user", name=name, online=online) for name, online in sorted(running.core.roster.items())]


def _answers(event: Event) -> bool:
    """The list is told once it is whole, and it has at least this user."""
    return isinstance(event, e.PeersChanged | e.WatchRefused)
