"""The command line: what it says, checked, or one clear line.

Where a command would be, the classic forms `-s PORT` and `-c NAME IP SERVER_PORT CLIENT_PORT` are recognised before
anything is parsed. The words of a command are checked by a parser of its own, made from its row of the table, so that
options and words come in any order. Nothing here is slow to import.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, NoReturn

from . import values
from .exits import Exit
from .grammar import COMMANDS, EVERYWHERE, Argument, Command, Taken
from .parser import Parser, Version, nearest, print_version, say, wrong

_WITH_VALUE: Final = tuple(each.word for each in EVERYWHERE if "action" not in each.taken)
_FLAGS: Final = tuple(each.word for each in EVERYWHERE if "action" in each.taken)
_HELP_WORDS: Final = ("-h", "--help", "help")
_CLIENT_WORDS: Final = ("NAME", "IP", "SERVER_PORT", "CLIENT_PORT")

CLASSIC: Final = {
    "-s": Command(
        "-s",
        "the classic form: run a server",
        "udpchat -s 10001",
        "",
        (Argument("port", {"metavar": "PORT", "type": values.port, "help": "1024 to 65535"}),),
    ),
    "-c": Command(
        "-c",
        "the classic form: chat",
        "udpchat -c anna 127.0.0.1 10001 20001",
        "",
        (Argument("words", {"metavar": " ".join(_CLIENT_WORDS), "nargs": "*", "help": "ports are 1024 to 65535"}),),
        "It takes these lines, from a terminal, a pipe or a file:\n"
        "  send NAME TEXT    to NAME directly, or to the mailbox while NAME is away\n"
        "  dereg NAME        go offline (NAME is your own); mail waits\n"
        "  reg NAME          come back\n"
        "  accept [NAME]     take the key that NAME has now, or the server",
    ),
}
_EXITS: Final = """\
exit status: 0 done, 1 a fault of this program, 2 wrong arguments or an address that cannot be had, 3 unknown user,
4 server not responding, 5 stored and not delivered yet, 6 refused by the server, 7 a key changed, 8 state locked or
not usable, or output that cannot be written, 9 still queued, 130 interrupted"""


class ClassicServerOptions(NamedTuple):
    """Of `-s`: the port, and the state folder if not the usual one."""

    port: int
    state: str | None


class ClassicClientOptions(NamedTuple):
    """Of `-c`: who, where the server is, the own port, and the state folder if not the usual one."""

    name: str
    server: tuple[str, int]
    port: int
    state: str | None


class Given(NamedTuple):
    """A command with a name, and what its arguments say; see `grammar` for which there are."""

    command: Command
    arguments: argparse.Namespace


Options = ClassicServerOptions | ClassicClientOptions | Given


def parse(arguments: Sequence[str] | None = None) -> Options:
    """What the arguments, or the process's own, ask for.

    Raises `SystemExit`, after a line if they are wrong; and `ReaderGone`.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    at = _command_at(words, 0)
    if at >= len(words):
        wrong("say what to do: `udpchat --help` lists the commands")
    word, rest = words[at], words[:at] + words[at + 1 :]
    if word == "help" and at < len(rest):
        return parse([*rest, "--help"])
    if word in _HELP_WORDS:
        say(overview())
        raise SystemExit(Exit.DONE)
    if word == "--version":
        print_version()
    if word in CLASSIC:
        return _classic(CLASSIC[word], rest)
    if word.startswith("-"):
        _not_everywhere(word.partition("=")[0])
    command = _named(word, rest)
    return Given(command, _checked(make_parser(command), rest))


def make_parser(command: Command) -> Parser:
    """The parser of one command."""
    parser = Parser(f"udpchat {command.name}")
    fill(parser, command)
    return parser


def fill(parser: Parser, command: Command) -> None:
    """Make a parser take the arguments of a command, and say so."""
    example = "\n  ".join(command.example.splitlines())
    parser.description = f"{command.summary[0].upper()}{command.summary[1:]}."
    parser.epilog = f"{command.more}\n\nexample:\n  {example}".lstrip("\n")
    shared = [each for each in EVERYWHERE if command.name not in CLASSIC or each.word == "--state"]
    parser.example = command.example.splitlines()[0]
    for argument in (*command.arguments, *shared):
        hidden = Taken(help=argparse.SUPPRESS) if argument.word == "--as" and not command.speaks else Taken()
        parser.add_argument(argument.word, **(argument.taken | hidden))
    parser.add_argument(
        "--version", action=Version, nargs=0, default=argparse.SUPPRESS, help="print the version and end"
    )


def whole() -> Parser:
    """One parser with all commands below it, for what reads parsers: completion of shells, and the manual page."""
    root = Parser("udpchat")
    root.description = "Chat for networks where nothing else works."
    root.add_argument("--version", action=Version, nargs=0, help="print the version and end")
    below = {"": root.add_subparsers(metavar="COMMAND")}
    for command in COMMANDS.values():
        first, _, second = command.name.rpartition(" ")
        if first not in below:
            parent = below[""].choices.get(first) or below[""].add_parser(first)
            below[first] = parent.add_subparsers(metavar="COMMAND")
        fill(below[first].add_parser(second, help=command.summary), command)
    return root


def overview() -> str:
    """What `--help` says without a command."""
    rows = [(each.name, each.summary) for each in COMMANDS.values()]
    shared = [(f"{each.word} {each.taken.get('metavar', '')}", each.taken["help"]) for each in EVERYWHERE]
    lines = [
        "usage: udpchat COMMAND ...                              `udpchat COMMAND --help` tells more, with an example",
        "       udpchat -s PORT                                  the classic server",
        "       udpchat -c NAME IP SERVER_PORT CLIENT_PORT       the classic client",
        "",
        "Chat for networks where nothing else works.",
        "",
        "commands:",
        *(f"  {name:<16} {summary}" for name, summary in rows),
        "",
        "everywhere:",
        *(f"  {word:<23} {what}" for word, what in shared),
        f"  {'--version, -h, --help':<23} the version; this",
        "",
        "example:",
        "  udpchat server                                      on a machine that the others reach",
        "  udpchat chat anna@192.0.2.1                         on theirs",
        "",
        _EXITS,
    ]
    return "\n".join(lines)


# --- which command ---


def _not_everywhere(option: str) -> NoReturn:
    """Where a command would be, there is an option that not every command has."""
    having = [each.name for each in COMMANDS.values() if option in (argument.word for argument in each.arguments)]
    if having:
        wrong(f"{option!r} is an option of {', '.join(having)}: say it after the command")
    close = nearest(option, [*_WITH_VALUE, *_FLAGS, "--help", "--version"])
    wrong(f"{option!r} is no option of every command{close}: the options of one command come after it")


def _command_at(words: list[str], at: int) -> int:
    """Where the first word is, from there on, that is no option of every command or its value."""
    while at < len(words):
        if words[at] in _WITH_VALUE:
            at += 2
        elif words[at] in _FLAGS or words[at].startswith(tuple(f"{word}=" for word in _WITH_VALUE)):
            at += 1
        else:
            break
    return at


def _named(word: str, rest: list[str]) -> Command:
    """The command of this word, or of this and the next one, which is taken out of `rest` then."""
    seconds = {name.partition(" ")[2]: name for name in COMMANDS if name.startswith(f"{word} ")}
    if not seconds and word not in COMMANDS:
        names = list(dict.fromkeys(name.partition(" ")[0] for name in COMMANDS))
        wrong(f"{word!r} is no command{nearest(word, names)}: `udpchat --help` lists those that are")
    at = _command_at(rest, 0)
    second = rest[at] if at < len(rest) else "--help"
    if second in seconds:
        del rest[at]
        return COMMANDS[seconds[second]]
    if word not in COMMANDS or (seconds and not second.startswith("-")):
        there_are = ", ".join(f"`{word} {each}`" for each in seconds)
        wrong(f"{word} {second}: there is {there_are}{nearest(second, list(seconds))}")
    return COMMANDS[word]


def _checked(parser: Parser, words: list[str]) -> argparse.Namespace:
    given, left = parser.parse_known_intermixed_args(words)
    if left:
        known = [option for action in parser._actions for option in action.option_strings]  # noqa: SLF001 - its list
        unknown = next((word.partition("=")[0] for word in left if word.startswith("-")), left[0])
        what = "is no option of this" if unknown.startswith("-") else "is one word too many"
        parser.error(f"{unknown!r} {what}{nearest(unknown, known)}: `{parser.prog} --help` tells more")
    return given


# --- the classic forms ---


def _classic(command: Command, words: list[str]) -> ClassicServerOptions | ClassicClientOptions:
    parser = make_parser(command)
    given = _checked(parser, words)
    if command.name == "-s":
        return ClassicServerOptions(given.port, given.state)
    if len(given.words) != len(_CLIENT_WORDS):
        parser.error(f"-c takes {' '.join(_CLIENT_WORDS)}, and here are {len(given.words)} arguments")
    checks: tuple[Callable[[str], object], ...] = (values.name, values.ip, values.port, values.port)
    checked = []
    for what, word, check in zip(_CLIENT_WORDS, given.words, checks, strict=True):
        try:
            checked.append(check(word))
        except argparse.ArgumentTypeError as error:
            parser.error(f"{what}: {error}")
    name, host, server_port, port = checked
    assert isinstance(name, str)
    assert isinstance(host, str)
    assert isinstance(server_port, int)
    assert isinstance(port, int)
    return ClassicClientOptions(name, (host, server_port), port, given.state)
