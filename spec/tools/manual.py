"""The manual page of the command, `packaging/udpchat.1`, from its parsers: for `man`, in the macros of man(7)."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from udpchat_cli.arguments import CLASSIC, make_parser
from udpchat_cli.exits import Exit
from udpchat_cli.grammar import COMMANDS, EVERYWHERE, Command

from .source import comments

PATH: Final = Path(__file__).parents[2] / "packaging" / "udpchat.1"
_SHARED: Final = {"--help", "--version", *(each.word for each in EVERYWHERE)}
_ENVIRONMENT: Final = (
    ("UDPCHAT_AS", "who speaks, NAME@HOST[:PORT], where --as does not say it"),
    ("UDPCHAT_STATE", "the state folder, where --state does not name it"),
    ("NO_COLOR", "if it is set, and not empty, nothing is coloured"),
)
_FILES: Final = (
    ("~/.config/udpchat/config.toml", "settings, as under udpchat chat; in $XDG_CONFIG_HOME if that is set"),
    ("~/.local/share/udpchat", "the state folder: keys, messages, outbox; for its owner only"),
)


def files() -> dict[Path, str]:
    """The page."""
    return {PATH: "\n".join(_page()) + "\n"}


def _page() -> Iterator[str]:
    yield '.\\" made by `make generate` from the parsers of the command'
    yield '.TH UDPCHAT 1 "" "udpchat" "User Commands"'
    yield from _section("NAME", "udpchat \\- chat for networks where nothing else works")
    yield ".SH SYNOPSIS"
    for number, command in enumerate((*COMMANDS.values(), *CLASSIC.values())):
        yield from [".br"] * bool(number)
        yield _synopsis(command)
    yield from _section(
        "DESCRIPTION",
        "One small server keeps the directory and the mailboxes; people talk directly",
        "to each other over UDP, and what does not arrive waits in the mailbox.",
        "Every message is acknowledged, shown once and in order, and sealed end to end.",
    )
    yield ".SH COMMANDS"
    for command in (*COMMANDS.values(), *CLASSIC.values()):
        yield from _described(command)
    yield ".SH OPTIONS OF EVERY COMMAND"
    for action in _actions(COMMANDS["chat"]):
        if set(action.option_strings) & _SHARED:
            yield from _item(_bold(action), str(action.help))
    yield ".SH EXIT STATUS"
    said = comments(Exit)
    for status in Exit:
        yield from _item(f"\\fB{status.value}\\fR", said[status.name])
    yield ".SH ENVIRONMENT"
    for name, what in _ENVIRONMENT:
        yield from _item(f"\\fB{_escaped(name)}\\fR", what)
    yield ".SH FILES"
    for name, what in _FILES:
        yield from _item(f"\\fI{_escaped(name)}\\fR", what)


def _section(title: str, *lines: str) -> Iterator[str]:
    yield f".SH {title}"
    yield from lines


def _synopsis(command: Command) -> str:
    words = [_usage(action) for action in _actions(command) if not set(action.option_strings) & _SHARED]
    return " ".join(["\\fBudpchat", f"{_escaped(command.name)}\\fR", *words])


def _described(command: Command) -> Iterator[str]:
    yield f".SS {_escaped(f'udpchat {command.name}')}"
    yield _sentence(command.summary)
    if command.more:
        yield from (".PP", ".nf", *map(_escaped, command.more.splitlines()), ".fi")
    for action in _actions(command):
        if not set(action.option_strings) & _SHARED:
            yield from _item(_bold(action), str(action.help))
    yield from (".PP", "Example:", ".PP", ".nf", ".RS", *map(_escaped, command.example.splitlines()), ".RE", ".fi")


def _actions(command: Command) -> list[argparse.Action]:
    return make_parser(command)._actions  # noqa: SLF001 - argparse has no other list of them


def _item(head: str, text: str) -> Iterator[str]:
    yield from (".TP", head, _sentence(text))


def _sentence(text: str) -> str:
    return _escaped(f"{text[0].upper()}{text[1:]}." if text[0].isalpha() else f"{text}.")


def _bold(action: argparse.Action) -> str:
    words = ", ".join(f"\\fB{_escaped(word)}\\fR" for word in action.option_strings)
    return " ".join(filter(None, (words, _value(action))))


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    choices = "|".join(action.choices or ())
    name = action.metavar or choices or action.dest.upper()
    return f"\\fI{_escaped(str(name))}\\fR"


def _usage(action: argparse.Action) -> str:
    is_list = action.nargs == "*" and " " not in str(action.metavar)  # else it names each of its words
    several = "..." if is_list or isinstance(action, argparse._AppendAction) else ""  # noqa: SLF001
    if not action.option_strings:
        return f"[{_value(action)}]" if action.nargs == "?" else f"{_value(action)}{several}"
    word = f"\\fB{_escaped(action.option_strings[-1])}\\fR"
    return f"[{' '.join(filter(None, (word, _value(action))))}]{several}"


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text
