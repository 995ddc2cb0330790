"""The command line is checked, word by word, and what is wrong is said in one line."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from udpchat_cli.arguments import ClassicClientOptions, ClassicServerOptions, Given, parse
from udpchat_cli.grammar import COMMANDS, SETTINGS, Command
from udpchat_cli.settings import _KEYS, Settings, load
from udpchat_cli.values import Account, Endpoint
from udpchat_core.fields import is_name


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("-s 10001", ClassicServerOptions(10001, None)),
        ("-s 1024", ClassicServerOptions(1024, None)),
        ("-s 65535 --state there", ClassicServerOptions(65535, "there")),
        ("--state there -s 10001", ClassicServerOptions(10001, "there")),
        ("--state=there -s 10001", ClassicServerOptions(10001, "there")),
        ("-c a 127.0.0.1 10001 20000", ClassicClientOptions("a", ("127.0.0.1", 10001), 20000, None)),
        ("-c ANNA_1 ::1 10001 20000", ClassicClientOptions("anna_1", ("::1", 10001), 20000, None)),
        ("-c a 0:0::1 10001 20000", ClassicClientOptions("a", ("::1", 10001), 20000, None)),
        ("--state -c -c -c 127.0.0.1 10001 20000", None),
        ("-c a 127.0.0.1 10001 20000 --state there", ClassicClientOptions("a", ("127.0.0.1", 10001), 20000, "there")),
    ],
)
def test_the_classic_forms_are_understood(words: str, options: object) -> None:
    if options is None:
        with pytest.raises(SystemExit):
            parse(words.split())
    else:
        assert parse(words.split()) == options


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "say what to do: `udpchat --help` lists the commands"),
        ("-s", "PORT is missing: say it as in `udpchat -s 10001`"),
        ("-s 80", "PORT: '80' is no port for this: give a number from 1024 to 65535"),
        ("-s 1023", "'1023' is no port"),
        ("-s 65536", "'65536' is no port"),
        ("-s -5", "'-5' is no port"),
        ("-s 10_001", "'10_001' is no port"),
        ("-s \u0661\u0660\u0660\u0660\u0661", "is no port"),  # digits, but not of a port
        ("-s 10001x", "'10001x' is no port"),
        ("-s 0010001", "'0010001' is no port"),
        ("-s 10001 10002", "'10002' is one word too many: `udpchat -s --help` tells more"),
        ("-s 10001 --stat there", "'--stat' is no option of this (did you mean --state?)"),
        ("-c", "-c takes NAME IP SERVER_PORT CLIENT_PORT, and here are 0 arguments"),
        ("-c a 127.0.0.1 10001", "and here are 3 arguments"),
        ("-c a 127.0.0.1 10001 20000 3", "and here are 5 arguments"),
        ("-c a b 10001 20000", "IP: 'b' is no IP address: give one, as 127.0.0.1 or ::1"),
        ("-c a localhost 10001 20000", "IP: 'localhost' is no IP address"),
        ("-c a 127.0.0.256 10001 20000", "IP: '127.0.0.256' is no IP address"),
        ("-c a 0.0.0.0 10001 20000", "IP: '0.0.0.0' is no address of one server"),
        ("-c a 224.0.0.1 10001 20000", "IP: '224.0.0.1' is no address of one server"),
        ("-c a fe80::1%eth0 10001 20000", "IP: 'fe80::1%eth0' is no address of one server"),
        ("-c a ::ffff:127.0.0.1 10001 20000", "IP: '::ffff:127.0.0.1' is an IPv4 address in disguise: give 127.0.0.1"),
        ("-c a! 127.0.0.1 10001 20000", "NAME: 'a!' is no name: 1 to 32 of a-z, 0-9, _ and -"),
        (f"-c {'a' * 33} 127.0.0.1 10001 20000", "is no name"),
        ("-c \u212aarl 127.0.0.1 10001 20000", "is no name"),  # a Kelvin sign, which folds to a k
        ("-c a 127.0.0.1 1 20000", "SERVER_PORT: '1' is no port"),
        ("-c a 127.0.0.1 10001 99999", "CLIENT_PORT: '99999' is no port"),
        ("--stat there -s 10001", "'--stat' is no option of every command (did you mean --state?)"),
        ("--json -s 10001", "'--json' is no option of this"),
    ],
)
def test_a_bad_argument_gets_one_clear_line_and_status_2(
    words: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words.split())
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("udpchat: ")
    assert says in line
    assert "classic" not in line  # what it is called inside


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Parse these words, which are wrong; the one line that is said."""

    def parsed(words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            parse(words.split())
        assert ended.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line.removeprefix("udpchat: ")

    return parsed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("foo", "'foo' is no command: `udpchat --help` lists those that are"),
        ("-x", "'-x' is no option of every command: the options of one command come after it"),
        ("--wait stored send bob hi", "'--wait' is an option of send: say it after the command"),
        ("--timeout=3 listen", "'--timeout' is an option of send, listen: say it after the command"),
        (
            "--jsn=yes who",
            "'--jsn' is no option of every command (did you mean --json?): the options of one command come after it",
        ),
        ("serv", "'serv' is no command (did you mean server?): `udpchat --help` lists those that are"),
        ("histroy", "'histroy' is no command (did you mean history?): `udpchat --help` lists those that are"),
        ("server --bid ::", "'--bid' is no option of this (did you mean --bind?): `udpchat server --help` tells more"),
        (
            "listen --cuont=3",
            "'--cuont' is no option of this (did you mean --count?): `udpchat listen --help` tells more",
        ),
        ("history bob eve", "'eve' is one word too many: `udpchat history --help` tells more"),
        ("send", "TO is missing: say it as in `udpchat send bob is the build green?`"),
        ("send bob hi --wait stord", "--wait: 'stord' is none of stored, delivered (did you mean stored?)"),
        ("completion basch", "bash|zsh|fish: 'basch' is none of bash, zsh, fish (did you mean bash?)"),
        ("chat --ui=9", "--ui: '9' is none of line, plain"),
        ("send bob hi --timeout soon", "--timeout: 'soon' is no time: give seconds, 0 to 2592000, as 30 or 0.5"),
        ("listen --count 0", "--count: '0' is no count: give a number, 1 or more"),
        ("who --as anna", "--as: 'anna' does not say where: give NAME@HOST[:PORT], as anna@example.org"),
        ("who --state", "--state: expected one argument"),
        (
            "server statsu",
            "server statsu: there is `server status`, `server invite`, `server ban`, `server unban`, `server release` "
            "(did you mean status?)",
        ),
        ("server ban", "WHO is missing: say it as in `udpchat server ban mallory`"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_nearest(words: str, says: str, refused: Callable[[str], str]) -> None:
    assert refused(words) == says


def given(words: str) -> tuple[str, dict[str, object]]:
    options = parse(words.split(" "))
    assert isinstance(options, Given)
    common = {"speaker", "state", "json"}
    return options.command.name, {k: v for k, v in vars(options.arguments).items() if k not in common}


SENT = {"wait": "delivered", "timeout": None}


@pytest.mark.parametrize(
    ("words", "name", "arguments"),
    [
        ("who", "who", {}),
        ("send bob is the build green?", "send", SENT | {"to": "bob", "text": ["is", "the", "build", "green?"]}),
        ("send BOB -", "send", SENT | {"to": "bob", "text": ["-"]}),
        ("send bob", "send", SENT | {"to": "bob", "text": ()}),
        ("send bob -5 degrees", "send", SENT | {"to": "bob", "text": ["-5", "degrees"]}),
        ("send bob -- --json", "send", SENT | {"to": "bob", "text": ["--json"]}),
        (
            "send bob a --wait stored b --timeout 3",
            "send",
            {"to": "bob", "text": ["a", "b"], "wait": "stored", "timeout": 3.0},
        ),
        ("send --timeout=0.5 bob hi", "send", SENT | {"timeout": 0.5, "to": "bob", "text": ["hi"]}),
        (
            "server --bind ::1 --bind 192.0.2.1:7 --admit invite",
            "server",
            {"bind": [Endpoint("::1", None), Endpoint("192.0.2.1", 7)], "admit": "invite"},
        ),
        ("server", "server", {"bind": None, "admit": "open"}),
        ("server status", "server status", {}),
        ("server --state there ban mallory", "server ban", {"who": "mallory"}),
        ("history", "history", {"peer": None}),
    ],
)
def test_words_and_options_come_in_any_order(words: str, name: str, arguments: dict[str, object]) -> None:
    assert given(words) == (name, arguments)


@pytest.mark.parametrize("words", ["{} who", "who {}"])
def test_options_of_every_command_stand_before_it_or_after(words: str) -> None:
    options = parse(words.format("--as anna@[::1] --state=there --json").split())
    assert isinstance(options, Given)
    arguments = options.arguments
    assert (arguments.speaker, arguments.state, arguments.json) == (Account("anna", "::1", 10001), "there", True)


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_help_shows_how_and_an_example(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([*(word for name in words for word in name.split()), "--help"])
    assert ended.value.code == 0
    said = capfd.readouterr().out
    assert said.startswith("usage: udpchat")
    (_, example) = said.split("\nexample:\n")
    assert example.startswith("  udpchat ") or "| udpchat" in example
    assert max(map(len, said.splitlines())) <= 120


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_who_speaks_is_offered_where_somebody_does(command: Command, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([*command.name.split(), "--help"])
    for_nobody = ("server", "sim", "spec", "completion")
    assert ("--as" not in capfd.readouterr().out) == command.name.startswith(for_nobody)


def test_help_shows_a_settings_file_that_is_understood(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["chat", "--help"])
    assert SETTINGS in capfd.readouterr().out
    path = tmp_path / "config.toml"
    path.write_text(SETTINGS)
    account = Account("anna", "example.org", 10001)
    assert load(path) == Settings(account, "/home/anna/chat", Endpoint(None, 20001), bell=True, ui="plain")
    assert set(tomllib.loads(SETTINGS)) == set(_KEYS)


def test_help_can_be_asked_for_by_word(capfd: pytest.CaptureFixture[str]) -> None:
    said = []
    for words in (["help", "server", "ban"], ["server", "ban", "--help"], ["server", "ban", "mallory", "-h"]):
        with pytest.raises(SystemExit) as ended:
            parse(words)
        assert ended.value.code == 0
        said.append(capfd.readouterr().out)
    assert said[0] == said[1] == said[2]
    assert said[0].startswith("usage: udpchat server ban")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_every_example_is_understood(command: Command) -> None:
    for line in command.example.splitlines():
        words = shlex.split(re.split("[|>]", line[line.index("udpchat ") :])[0])[1:]
        options = parse(words)
        assert isinstance(options, Given)
        assert options.command is command


@settings(max_examples=50)
@drawn(st.text(st.sampled_from("aZ09_-.! \n\u0130é"), max_size=34) | st.text(max_size=4))
def test_a_name_is_what_the_protocol_takes_for_one(text: str) -> None:
    folded = text.lower() if text.isascii() else text
    if not text.startswith("-"):
        try:
            options = parse(["-c", text, "127.0.0.1", "10001", "20000"])
        except SystemExit:
            assert not is_name(folded)
        else:
            assert isinstance(options, ClassicClientOptions)
            assert options.name == folded
            assert is_name(folded)


@pytest.mark.parametrize(
    "words",
    [["--help"], ["--version"], ["-s", "80"], ["-c", "a"], [], ["foo"], ["send", "--help"], ["listen", "--cuont"]],
    ids=" ".join,
)
def test_help_and_errors_wait_for_nothing_slow(words: list[str]) -> None:
    program = """
import sys
from udpchat_cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
slow = {"asyncio", "sqlite3", "pydantic", "statemachine", "cryptography", "cbor2"}
if sys.argv[1:] != ["--version"]:  # not by much, but they add up
    slow |= {"dataclasses", "inspect", "ipaddress", "json", "shutil", "tomllib"}
sys.exit(repr(slow & set(sys.modules)) if slow & set(sys.modules) else 0)
"""
    run = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
