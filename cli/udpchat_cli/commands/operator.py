"""`server status`, `invite`, `ban`, `unban` and `release`: asked of the running server at its local socket."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from udpchat_net.stores.paths import server_path

from .. import settings
from ..accounts import chosen_folder
from ..arguments import Given
from ..control import NobodyThere, ask
from ..exits import Exit, Failed
from ..output import Output, complain
from ..shed import dropped, refused
from ..wording import counted, fingerprint, timestamp

ANSWER_S_MAX: Final = 15.0
"""For the server to answer: longer than its disk may take."""


def run(given: Given) -> int:
    """Ask, and print the answer; the exit status. Raises `Failed` and `ReaderGone`."""
    folder = chosen_folder(given.arguments, settings.load())
    output = Output(given.arguments.json)
    request = {"do": given.command.name.removeprefix("server ")}
    who = getattr(given.arguments, "who", None)
    if who is not None:
        request["who"] = who.hex() if isinstance(who, bytes) else who

    def say(thing: Mapping[str, Any]) -> None:
        if thing["event"] == "invitation" and not output.as_json:
            complain(f"it lets one new user in, once, until {timestamp(thing['until_ms'])}:")
        output.say(lines(thing), thing)

    try:
        ask(server_path(folder), request, say, ANSWER_S_MAX)
    except NobodyThere:
        raise Failed(
            Exit.UNREACHABLE, f"no server runs with the state in {folder}: start one, or name its folder with --state"
        ) from None
    return Exit.DONE


def lines(thing: Mapping[str, Any]) -> str:
    """An answer, to read."""
    match thing["event"]:
        case "status":
            return "\n".join(_status(thing))
        case "invitation":
            return str(thing["token"])  # and nothing else: it is for pipes as well
        case "banned":
            return f"{thing['name'] or thing['identity']} is banned; `udpchat server unban {thing['identity']}` ends it"
        case "unbanned":
            return f"{thing['identity']} is served again"
    return f"{thing['name']} belongs to nobody any more: whoever registers it first has it"


def _status(thing: Mapping[str, Any]) -> list[str]:
    rows = [
        ("serving", " and ".join(thing["addresses"])),
        ("key", fingerprint(bytes.fromhex(thing["key"]))),
        ("for", str(timedelta(seconds=thing["uptime_s"]))),
        ("users", f"{thing['users']:,}, of them {thing['online']:,} online"),
        ("mailboxes", counted(thing["letters"], "letter", "letters")),
        *_rows("dropped", thing["dropped"], dropped),
        *_rows("refused", thing["refused"], refused),
        ("not sent", _counts(thing["unsent"])),
        ("not received", _counts(thing["errors"])),
    ]
    return [f"{what:<13}{how}" for what, how in rows]


def _rows(what: str, counts: Mapping[str, int], in_words: Callable[[str], str]) -> list[tuple[str, str]]:
    """A line for each reason."""
    lines = [f"{count:,} {in_words(reason)}" for reason, count in counts.items()] or ["nothing"]
    return [("" if at else what, line) for at, line in enumerate(lines)]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.items()) or "nothing"
