"""`doctor`: what does not work, and what to do about it; each line says good, wrong or not tested."""

from argparse import Namespace
from collections.abc import AsyncIterator
from pathlib import Path

from udpchat_net.loop import run as run_loop
from udpchat_net.stores.errors import StoreError
from udpchat_net.stores.paths import state_path
from udpchat_net.stores.reading import pinned_server_key

from .. import settings
from ..accounts import Speaker, chosen_folder, known, speaker
from ..arguments import Given
from ..doctor import account, machine, network
from ..doctor.finding import Finding, State, untested
from ..exits import Exit, Failed
from ..output import Output
from ..values import PORT_DEFAULT, Endpoint


def run(given: Given) -> int:
    """Look at everything, and print as it comes; the status of the first thing that is wrong. Raises `Failed`."""
    arguments = given.arguments
    who = _who(arguments)
    return run_loop(_examine(arguments, who, Output(arguments.json)))


def _who(arguments: Namespace) -> Speaker | None:
    """Who speaks; None if only a server is to be looked at, or a file keeps us from knowing."""
    if arguments.server is not None and arguments.speaker is None:
        if arguments.peer is not None:
            raise Failed(Exit.USAGE, "--peer: somebody has to ask for the peer, so say who with --as NAME@HOST[:PORT]")
        return None
    try:
        who = speaker(arguments)
    except Failed as failed:
        if failed.status is Exit.STATE:  # told of among the files
            return None
        raise
    if arguments.server is not None and _place(arguments.server) != (who.account.host, who.account.port):
        raise Failed(Exit.USAGE, f"{who.account} is at another server: give one of both")
    return who


def _place(server: Endpoint) -> tuple[str, int]:
    assert server.host is not None
    return server.host, server.port or PORT_DEFAULT


async def _examine(arguments: Namespace, who: Speaker | None, output: Output) -> Exit:
    status = Exit.DONE
    async for finding in _findings(arguments, who):
        output.say(finding.lines(output.columns), finding.thing())
        if finding.state is State.WRONG and status is Exit.DONE:
            status = finding.status
    return status


async def _findings(arguments: Namespace, who: Speaker | None) -> AsyncIterator[Finding]:
    said = settings.load()
    folder = chosen_folder(arguments, said)
    for finding in machine.examine_state(folder):
        yield finding
    yield machine.examine_port(said.bind)
    if who is None and arguments.server is None:
        yield untested("the rest", "which file cannot be used is said above: say who speaks with --as NAME@HOST[:PORT]")
        return
    host, port = (who.account.host, who.account.port) if who else _place(arguments.server)
    is_reached = True
    async for finding in network.examine(host, port, _pinned(folder, host, port, who)):
        is_reached = finding.status is not Exit.UNREACHABLE
        yield finding
    if not is_reached:
        yield untested("the rest", "it takes a server that answers")
        return
    if who is None:
        for finding in network.without_account():
            yield finding
        return
    async for finding in account.examine(who, arguments.peer):
        yield finding


def _pinned(folder: Path, host: str, port: int, who: Speaker | None) -> bytes | None:
    """The key of that server that is remembered, by who speaks, or by anybody of this machine."""
    try:
        if who is not None:
            return pinned_server_key(who.path) if who.is_known else None
        for each in known(folder):
            if (each.host, each.port) == (host, port):
                return pinned_server_key(state_path(folder, each.name, host, port))
    except StoreError:
        pass  # told of already, among the files
    return None
