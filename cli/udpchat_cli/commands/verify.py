"""`verify`: compare keys with somebody, remember that it was done, and decide about keys that changed.

If a `chat` or `listen` works with the same identity, that one is asked.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from udpchat_net.loop import run as run_loop
from udpchat_net.stores.errors import StoreLocked

from ..accounts import Speaker, need_known, speaker
from ..arguments import Given
from ..control import NobodyThere, Say, ask
from ..exits import Exit, Failed
from ..output import Output
from ..session import session
from ..verifying import CHECK_S_MAX, DISK_S_MAX, verify
from ..wording import fingerprint

_GROUP, _GROUPS_A_LINE = 5, 4
_ACTS: Final = ("mark", "unmark", "accept")
Said = Callable[[str, str], str]


def run(given: Given) -> int:
    """Tell of the key, and do what is asked for; the exit status. Raises `Failed`, `ReaderGone` and `StoreError`."""
    arguments = given.arguments
    acts = [act for act in _ACTS if getattr(arguments, act)]
    if (arguments.peer is None) is not arguments.server:
        raise Failed(Exit.USAGE, "say whose key: PEER, the name of a user, or --server")
    if len(acts) > 1 or (arguments.server and acts not in ([], ["accept"])):
        what = "with --server only --accept can be said" if arguments.server else f"{' and '.join(acts)}: say one"
        raise Failed(Exit.USAGE, what)
    who, peer, act = speaker(arguments), arguments.peer or "", "".join(acts)
    need_known(who)
    output = Output(arguments.json)

    def say(thing: Mapping[str, Any]) -> None:
        output.say("\n".join(told(thing)), thing)

    try:
        run_loop(_verify(who, peer, act, say))
    except StoreLocked as locked:
        try:
            ask(who.path, {"do": "verify", "peer": peer, "act": act}, say, CHECK_S_MAX + DISK_S_MAX)
        except NobodyThere:
            raise locked from None
    return Exit.DONE


async def _verify(who: Speaker, peer: str, act: str, say: Say) -> None:
    async with session(who, offline=True) as running:
        running.start()
        await verify(running, peer, act, say)


def _said(act: str, name: str) -> str:
    return f"`udpchat verify {name or '--server'} --{act}`"


def told(thing: Mapping[str, Any], said: Said = _said) -> list[str]:
    """What is told of a key; `said` tells how an act about the key of somebody, "" for the server, is asked for."""
    return _peer(thing, said) if thing["event"] == "peer" else _server(thing, said)


def _peer(thing: Mapping[str, Any], said: Said) -> list[str]:
    name = thing["name"]
    lines = [f"safety number with {name}, the same on both sides:", "", *_groups(thing["safety_number"]), ""]
    if thing["offered"]:
        return lines + _changed(thing, said)
    if thing["verified"]:
        lines.append("It was compared, and is marked as verified.")
    else:
        lines += [
            f"Compare it with what {name} sees, by another channel: face to face, by telephone. If it is the same,",
            f"{said('mark', name)} remembers that, and nobody reads or writes in between.",
        ]
    if not thing["checked"]:
        lines.append("The server does not answer: this is the key as it was known before.")
    return lines


def _changed(thing: Mapping[str, Any], said: Said) -> list[str]:
    name = thing["name"]
    before = "It was compared with the key before. " if thing["verified"] else ""
    who_says = (
        f"The key before signed for it: {name} most likely made a new one; or somebody has the key before."
        if thing["vouched"]
        else f"Nobody but the server says so: {name} may have a new machine; or somebody stands in between."
    )
    return [
        f"WARNING: {name} HAS ANOTHER KEY NOW. {before}Messages to {name} are held.",
        who_says,
        "",
        f"The number with the key that {name} has now:",
        "",
        *_groups(thing["offered_number"]),
        "",
        f"Compare it with what {name} sees, by another channel: face to face, by telephone. If it is the same,",
        f"{said('accept', name)} takes the new key, and sends what was held. If not, do not.",
    ]


def _server(thing: Mapping[str, Any], said: Said) -> list[str]:
    where = thing["server"]
    lines = [f"key of the server {where}:", "", f"  {fingerprint(bytes.fromhex(thing['key']))}", ""]
    if thing["offered"]:
        return [
            *lines,
            f"WARNING: {where} HAS ANOTHER KEY NOW:",
            "",
            f"  {fingerprint(bytes.fromhex(thing['offered']))}",
            "",
            "The server may have been set up anew; or somebody stands in between, who could see who talks to whom.",
            "Nothing is sent to it. Ask whoever runs it, by another channel, for its key. If it is the one above,",
            f"{said('accept', '')} takes it. If not, do not.",
        ]
    lines.append("Whoever runs the server can tell if it is right." if thing["checked"] else _SILENT)
    return lines


_SILENT: Final = "The server does not answer: this is the key as it was known before."


def _groups(number: str) -> list[str]:
    groups = [number[at : at + _GROUP] for at in range(0, len(number), _GROUP)]
    return [f"  {' '.join(groups[at : at + _GROUPS_A_LINE])}" for at in range(0, len(groups), _GROUPS_A_LINE)]
