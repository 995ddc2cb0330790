"""The command line: what it says, checked, or one clear line.

The classic forms `-s PORT` and `-c NAME IP SERVER_PORT CLIENT_PORT` are rewritten to commands before anything is
parsed, so that commands with names stand beside them. Nothing here is slow to import.
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import NoReturn

from udpchat_core.limits import NAME_CHARS_MAX

from .exits import Exit

PORT_MIN, PORT_MAX = 1024, 65535
CLASSIC = {"-s": "classic-server", "-c": "classic-client"}
_OPTIONS = ("--version", "--help", "-h")
_CLIENT_WORDS = ("NAME", "IP", "SERVER_PORT", "CLIENT_PORT")
_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{NAME_CHARS_MAX - 1}}}")
_PORT_DIGITS_MAX = 5

_FORMS = "-s PORT runs a server, -c NAME IP SERVER_PORT CLIENT_PORT chats, --help tells more"
_HELP = """\
usage: udpchat -s PORT                                   run a server
       udpchat -c NAME IP SERVER_PORT CLIENT_PORT        chat as NAME, through the server at IP

Chat for networks where nothing else works. Ports are 1024 to 65535.

A client takes these lines, from a terminal, a pipe or a file:
  send NAME TEXT    to NAME directly, or to the mailbox while NAME is away
  dereg NAME        go offline (NAME is your own); mail waits
  reg NAME          come back
  accept [NAME]     take the key that NAME has now, or the server

options:
  --state DIR       keep keys and messages there, and not where UDPCHAT_STATE says or the system keeps such data
  --version         the version
  -h, --help        this

exit status: 0 done, 1 a fault of this program, 2 wrong arguments or an address that cannot be had, 4 server not
responding, 6 refused by the server, 7 the server's key changed, 8 state locked or not usable, 9 not delivered yet,
130 interrupted twice
"""


@dataclass(frozen=True, slots=True)
class ClassicServerOptions:
    """Of `-s`: the port, and the state folder if not the usual one."""

    port: int
    state: str | None


@dataclass(frozen=True, slots=True)
class ClassicClientOptions:
    """Of `-c`: who, where the server is, the own port, and the state folder if not the usual one."""

    name: str
    server: tuple[str, int]
    port: int
    state: str | None


Options = ClassicServerOptions | ClassicClientOptions


def parse(arguments: Sequence[str] | None = None) -> Options:
    """What the arguments, or the process's own, ask for. Raises `SystemExit`, after a line if they are wrong."""
    parser = _parser()
    given = parser.parse_args(rewritten(list(sys.argv[1:] if arguments is None else arguments), parser))
    if given.command is None:
        parser.error(f"say what to do: {_FORMS}")
    if given.command == CLASSIC["-s"]:
        return ClassicServerOptions(given.port, given.state)
    return ClassicClientOptions(given.name, (given.ip, given.server_port), given.client_port, given.state)


def rewritten(words: list[str], parser: argparse.ArgumentParser) -> list[str]:
    """The classic forms as commands: `-s` or `-c`, where a command would be."""
    at = 0
    while at < len(words) and (words[at].startswith("--state=") or words[at] == "--state"):
        at += 1 if "=" in words[at] else 2
    if at < len(words):
        if words[at] not in CLASSIC and words[at] not in _OPTIONS:
            parser.error(f"{words[at]!r} is no command: {_FORMS}")
        words[at] = CLASSIC.get(words[at], words[at])
    return words


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        print(f"udpchat: {message.removeprefix('argument ')}", file=sys.stderr)
        raise SystemExit(Exit.USAGE)

    def format_help(self) -> str:
        return _HELP


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that takes as long as all the rest."""

    def __call__(self, *_: object) -> NoReturn:
        from importlib.metadata import version  # noqa: PLC0415 - see above

        print(f"udpchat {version('udpchat')}")
        raise SystemExit(Exit.DONE)


class _ClientWords(argparse.Action):
    """The four words of `-c`, each checked by name."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, *_: object
    ) -> None:
        assert isinstance(values, list)
        if len(values) != len(_CLIENT_WORDS):
            parser.error(f"-c takes {' '.join(_CLIENT_WORDS)}, and here are {len(values)} arguments")
        checks: tuple[Callable[[str], object], ...] = (_name, _ip, _port, _port)
        for word, value, check in zip(_CLIENT_WORDS, values, checks, strict=True):
            try:
                setattr(namespace, word.lower(), check(value))
            except argparse.ArgumentTypeError as error:
                parser.error(f"{word}: {error}")


def _parser() -> _Parser:
    parser = _Parser("udpchat", allow_abbrev=False)
    parser.add_argument("--version", action=_Version, nargs=0)
    parser.add_argument("--state")
    commands = parser.add_subparsers(dest="command")
    server = commands.add_parser(CLASSIC["-s"], allow_abbrev=False)
    server.add_argument("port", metavar="PORT", type=_port)
    client = commands.add_parser(CLASSIC["-c"], allow_abbrev=False)
    client.add_argument("words", nargs="*", action=_ClientWords)
    for command in (server, client):
        command.add_argument("--state", default=argparse.SUPPRESS)
    return parser


def _port(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= _PORT_DIGITS_MAX
    if not is_number or not PORT_MIN <= int(text) <= PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no port for this: give a number from {PORT_MIN} to {PORT_MAX}")
    return int(text)


def _name(text: str) -> str:
    name = text.lower() if text.isascii() else text
    if not _NAME.fullmatch(name):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name: 1 to {NAME_CHARS_MAX} of a-z, 0-9, _ and -, beginning with a letter or digit"
        )
    return name


def _ip(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no IP address: give one, as 127.0.0.1 or ::1") from None
    if address.is_unspecified or address.is_multicast or "%" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no address of one server: give that, as 127.0.0.1 or ::1")
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        raise argparse.ArgumentTypeError(f"{text!r} is an IPv4 address in disguise: give {address.ipv4_mapped}")
    return str(address)
