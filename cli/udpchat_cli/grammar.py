"""Every command, in one table: what it is called, what it takes, what it does, and an example.

The parser, its help, the completion of shells and the manual page are made from it. `module` is the module of
`commands` that carries a command out; nothing here is slow to import.
"""

import os
from collections.abc import Callable
from typing import Final, NamedTuple, TypedDict, Unpack

from . import values

SETTLE_S: Final = 30
"""How long `send` waits at most for news, unless it is told: by then any network that lets it through has."""


_FOR_NOBODY: Final = frozenset({"server", "operator", "sim", "spec", "completion"})
SETTINGS: Final = """\
  as = "anna@example.org"     # who speaks
  state = "/home/anna/chat"   # where keys and messages are kept
  bind = "20001"              # where `chat` receives
  bell = true                 # ring when a message comes
  ui = "plain"                # "line" or "plain\""""
"""A settings file that says all that there is to say; see `settings`."""


class Taken(TypedDict, total=False):
    """What argparse is told about an argument."""

    help: str
    metavar: str
    dest: str
    nargs: str
    action: str
    choices: tuple[str, ...]
    type: Callable[[str], object]
    default: object


class Argument(NamedTuple):
    """An option, if its word begins with a dash; or a word in its place."""

    word: str
    taken: Taken


class Command(NamedTuple):
    """A command.

    Attributes:
        name: one word, or two: `server status`.
        summary: what it does, in a line.
        example: lines to try.
        module: of `commands`.
        arguments: beside those that every command has.
        more: what else its help says.
    """

    name: str
    summary: str
    example: str
    module: str
    arguments: tuple[Argument, ...] = ()
    more: str = ""

    @property
    def speaks(self) -> bool:
        """Whether somebody does it, who can be said with `--as`."""
        return self.module not in _FOR_NOBODY


def _takes(word: str, **taken: Unpack[Taken]) -> Argument:
    return Argument(word, taken)


_WHO = _takes("who", metavar="WHO", type=values.user, help="the name of a user, or its key, 64 hexadecimal digits")
_SECONDS: Final = values.seconds

EVERYWHERE: Final = (
    _takes(
        "--as",
        metavar="NAME@HOST[:PORT]",
        dest="speaker",
        type=values.account,
        help="who speaks, through the server at HOST; else UDPCHAT_AS, the settings, or the one there is",
    ),
    _takes(
        "--state", metavar="DIR", help="keep keys and messages there; else UDPCHAT_STATE, the settings, or the system"
    ),
    _takes("--json", action="store_true", help="print one JSON object a line"),
)
"""Options of every command."""

_DECLARED: Final = (
    Command(
        "server",
        "run a server",
        "udpchat server\nudpchat server --bind 192.0.2.1 --bind [2001:db8::1]:10002 --admit invite",
        "server",
        (
            _takes(
                "--bind",
                metavar="ADDR[:PORT]",
                action="append",
                type=values.bind,
                help="serve there, and only there; may be said several times",
            ),
            _takes(
                "--admit",
                metavar="open|invite|FILE",
                default="open",
                help="who may register: everybody, for new names those with an invitation, or the keys in FILE",
            ),
        ),
        "FILE has the key of a user a line, 64 hexadecimal digits, and after a # whose it is. It is read at the start.",
    ),
    Command(
        "server status",
        "what the running server has seen and shed",
        "udpchat server status --json",
        "operator",
    ),
    Command(
        "server invite",
        "make an invitation, for one new user of the running server",
        "udpchat server invite",
        "operator",
    ),
    Command(
        "server ban",
        "serve a user no more",
        "udpchat server ban mallory",
        "operator",
        (_WHO,),
    ),
    Command("server unban", "serve a banned user again", "udpchat server unban mallory", "operator", (_WHO,)),
    Command(
        "server release",
        "let a name be taken by somebody else; its mailbox is lost",
        "udpchat server release anna",
        "operator",
        (_takes("who", metavar="NAME", type=values.name, help="of a user who lost the key"),),
    ),
    Command(
        "chat",
        "chat",
        "udpchat chat anna@example.org",
        "chat",
        (
            _takes(
                "account",
                metavar="NAME@HOST[:PORT]",
                nargs="?",
                type=values.account,
                help="who you are, at which server; a new name is made",
            ),
            _takes("--bind", metavar="[ADDR:]PORT", type=values.bind, help="receive there"),
            _takes("--invite", metavar="TOKEN", type=values.invite, help="an invitation of whoever runs the server"),
            _takes(
                "--ui", choices=("line", "plain"), help="with line editing, or line by line; plain where no terminal is"
            ),
        ),
        "What would be said each time can be in a settings file, of which every line may be left out. It is\n"
        "~/.config/udpchat/config.toml; on macOS ~/Library/Application Support/udpchat/config.toml, on Windows\n"
        f"%APPDATA%\\udpchat\\config.toml.\n\n{SETTINGS}",
    ),
    Command(
        "send",
        "send a message, from a script or by hand",
        "udpchat send bob is the build green?\nmake 2>&1 | tail -5 | udpchat send bob -",
        "send",
        (
            _takes("to", metavar="TO", type=values.name, help="the name of a user"),
            _takes(
                "text",
                metavar="TEXT",
                nargs="*",
                default=(),
                help="what to say; - or nothing: what comes from standard input",
            ),
            _takes(
                "--wait",
                choices=("stored", "delivered"),
                default="delivered",
                help="until the server has it on disk, or until the recipient has, as if nothing is said",
            ),
            _takes(
                "--timeout",
                metavar="S",
                type=_SECONDS,
                help=f"wait so many seconds; else until it is clear how it stands, {SETTLE_S} at most",
            ),
        ),
        "Exit status: 0 the level waited for was reached, 3 nobody has that name, 4 the server does not answer,\n"
        "5 stored and not delivered yet, 6 refused, 7 held because a key changed, 9 still queued. What was not\n"
        "delivered is kept, and sent by the udpchat of the same name that is running, or by the next one. A name that\n"
        "is new on this machine is made, and that is said.",
    ),
    Command(
        "listen",
        "print what arrives, for bots",
        "udpchat listen --json --count 1 | jq -r .text",
        "listen",
        (
            _takes("--count", metavar="N", type=values.count, help="end after so many messages"),
            _takes("--timeout", metavar="S", type=_SECONDS, help="end after so many seconds"),
        ),
        "Messages that no other udpchat showed yet come first. What was printed counts as seen, also what a pipe\n"
        "took and nobody read: say `--count 1`, not `| head -1`. A name that is new on this machine is made, and that\n"
        "is said.\n"
        "Exit status: 0 as many came as were wanted, or the time is over and no number was said, or a signal ended\n"
        "what had no other end; 9 the time is over and fewer came, 130 a signal came before either.",
    ),
    Command("who", "who is there, and who is away", "udpchat who --as anna@example.org", "who"),
    Command(
        "history",
        "what was said, by both sides",
        "udpchat history bob | less",
        "history",
        (_takes("peer", metavar="PEER", nargs="?", type=values.name, help="only with this user"),),
    ),
    Command(
        "verify",
        "compare keys with somebody, or look at the server's",
        "udpchat verify bob\nudpchat verify bob --mark\nudpchat verify --server",
        "verify",
        (
            _takes("peer", metavar="PEER", nargs="?", type=values.name, help="the name of a user"),
            _takes("--mark", action="store_true", help="remember that the number was compared, and is the same"),
            _takes("--unmark", action="store_true", help="forget that"),
            _takes("--accept", action="store_true", help="take the key that is another one than before"),
            _takes("--server", action="store_true", help="the key of the server, and of nobody else"),
        ),
        "The safety number has 60 digits, the same on both sides unless somebody stands in between: compare it\n"
        "by another channel. If the key changes, the mark goes, and messages are held until you decide: exit status 7.",
    ),
    Command(
        "doctor",
        "find out what does not work",
        "udpchat doctor example.org:10001",
        "doctor",
        (
            _takes("server", metavar="HOST[:PORT]", nargs="?", type=values.server, help="the server to look at"),
            _takes("--peer", metavar="NAME", type=values.name, help="look for the way to this user as well"),
        ),
        "It needs no account where HOST is given, and looks at registration and clock where one is.\n"
        "Exit status: that of the first thing that is wrong; 0 if nothing is.",
    ),
    Command(
        "sim",
        "watch the protocol on a bad network",
        "udpchat sim --clients 5 --loss 0.2\nudpchat sim --loss 0.3 --messages 20 --trace 7",
        "sim",
        (
            _takes("--clients", metavar="N", type=values.whole(2, 1_000), default=5, help="how many chat; 5"),
            _takes("--messages", metavar="N", type=values.whole(1, 100_000), default=100, help="they send in all; 100"),
            _takes("--minutes", metavar="M", type=values.whole(1, 1_440), default=1, help="within so many; 1"),
            _takes("--loss", metavar="P", type=values.part, default=0.1, help="what part is lost; 0.1, every tenth"),
            _takes(
                "--delay", metavar="MS", type=values.whole(0, 60_000), default=50, help="milliseconds later at most; 50"
            ),
            _takes("--dup", metavar="P", type=values.part, default=0.02, help="what part arrives twice; 0.02"),
            _takes("--reorder", metavar="P", type=values.part, default=0.02, help="what part is overtaken; 0.02"),
            _takes(
                "--seed",
                metavar="S",
                type=values.whole(0, 2**63 - 1),
                default=1,
                help="of everything that chance decides: the same gives the same run; 1",
            ),
            _takes("--trace", metavar="N", type=values.whole(1, 100_000), help="show the way of the Nth message too"),
        ),
        "A server and its clients run in virtual time, on a network that loses, delays, duplicates and reorders as it\n"
        "is told. In the end it is mended, and everything has to arrive, once and in order: exit status 1 if it does\n"
        "not, which would be a fault of udpchat.",
    ),
    Command("spec", "list the sections of the protocol reference", "udpchat spec", "spec"),
    Command(
        "spec show",
        "read the protocol reference",
        "udpchat spec show 9.3 | less\nudpchat spec show R-4.2-1\nudpchat spec show grammar",
        "spec",
        (
            _takes(
                "section",
                metavar="SECTION",
                nargs="?",
                help="its number, the id of a requirement in it, or `grammar`; else all of them",
            ),
        ),
    ),
    Command(
        "completion",
        "print what makes a shell complete these commands",
        "udpchat completion bash > ~/.local/share/bash-completion/completions/udpchat",
        "completion",
        (_takes("shell", metavar="bash|zsh|fish", choices=("bash", "zsh", "fish"), help="which shell"),),
    ),
)

_FOLDER: Final = os.path.join(os.path.dirname(__file__), "commands")
COMMANDS: Final = {each.name: each for each in _DECLARED if os.path.exists(os.path.join(_FOLDER, f"{each.module}.py"))}
"""By name; those that this program has."""
