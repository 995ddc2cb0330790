"""What is typed is a message, unless it begins with a slash."""

import pytest

from udpchat_cli.chat.typed import COMMANDS, Do, Misuse, Say, completions, helped, read

NAMES = ["bob", "carol", "bert"]


@pytest.mark.parametrize("text", ["send me the file", "quit", "who is there?", "  indented", "a\nb", "1/2"])
def test_whatever_has_no_slash_is_a_message_as_it_is(text: str) -> None:
    assert read(text) == Say(text)


def test_two_slashes_begin_a_message_with_one() -> None:
    assert read("//etc/hosts is wrong") == Say("/etc/hosts is wrong")


@pytest.mark.parametrize("blank", ["", " ", "\n \n"])
def test_nothing_is_no_message(blank: str) -> None:
    assert read(blank) is None


@pytest.mark.parametrize(
    ("typed", "done"),
    [
        ("/to Bob", Do("to", "bob")),
        ("  /who ", Do("who", "")),
        ("/history", Do("history", "")),
        ("/history carol", Do("history", "carol")),
        ("/accept server", Do("accept", "server")),
        ("/accept bob", Do("accept", "bob")),
        ("/rotate", Do("rotate", "")),
        ("/verify Bob mark", Do("verify", "bob mark")),
        ("/verify server", Do("verify", "server")),
        ("/rotate yes", Do("rotate", "yes")),
    ],
)
def test_a_slash_begins_a_command(typed: str, done: Do) -> None:
    assert read(typed) == done


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("/wo", r"/wo is no command \(did you mean /who\?\)"),
        ("/usr/bin/python", "// begins a message with a slash"),
        ("/xyzzy", "/xyzzy is no command: "),
        ("/to", "/to NAME: say which"),
        ("/accept", r"/accept NAME\|server: say which"),
        ("/to bob and carol", "/to: 'and carol' is too much; nothing was done"),
        ("/to ...", "/to: '...' is no name"),
        ("/verify bob twice", "/verify: 'twice' is too much"),
        ("/who bob", "/who takes nothing after it"),
        ("/rotate now", "/rotate takes nothing after it"),
        ("/", "/ is no command"),
        ("/to\nbob", "is no command"),
    ],
)
def test_what_is_no_command_is_not_sent_as_a_message(typed: str, why: str) -> None:
    with pytest.raises(Misuse, match=why):
        read(typed)


@pytest.mark.parametrize(
    ("before", "offered"),
    [
        ("/w", ["/who"]),
        ("/a", ["/accept ", "/away"]),
        ("/to ", NAMES),
        ("/to b", ["bob", "bert"]),
        ("/accept s", ["server"]),
        ("/who ", []),
        ("ask ca", ["carol"]),
        ("ask ", []),
        ("b", ["bob", "bert"]),
        ("", ["/to bob ", "/to carol ", "/to bert "]),
        ("xx", []),
    ],
)
def test_tab_offers_commands_and_names_the_last_spoken_with_first(before: str, offered: list[str]) -> None:
    assert completions(before, NAMES) == offered


def test_the_help_has_every_command() -> None:
    assert all(any(line.startswith(f"  /{word}") for line in helped()) for word in COMMANDS)
