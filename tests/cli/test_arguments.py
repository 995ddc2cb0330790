"""The command line is checked, word by word, and what is wrong is said in one line."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udpchat_cli.arguments import ClassicClientOptions, ClassicServerOptions, parse
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
        ("", "say what to do: -s PORT runs a server, -c NAME IP SERVER_PORT CLIENT_PORT chats"),
        ("-s", "the following arguments are required: PORT"),
        ("-s 80", "PORT: '80' is no port for this: give a number from 1024 to 65535"),
        ("-s 1023", "'1023' is no port"),
        ("-s 65536", "'65536' is no port"),
        ("-s -5", "'-5' is no port"),
        ("-s 10_001", "'10_001' is no port"),
        ("-s \u0661\u0660\u0660\u0660\u0661", "is no port"),  # digits, but not of a port
        ("-s 10001x", "'10001x' is no port"),
        ("-s 0010001", "'0010001' is no port"),
        ("-s 10001 10002", "unrecognized arguments: 10002"),
        ("-s 10001 --stat there", "unrecognized arguments: --stat there"),
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
        ("--stat there -s 10001", "'--stat' is no command"),
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


@pytest.mark.parametrize("word", ["foo", "serve", "-x", "--nothing"])
def test_what_is_no_command_is_answered_with_those_that_are(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([word])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"udpchat: {word!r} is no command: -s PORT runs a server, -c NAME IP ")


@settings(max_examples=50)
@given(st.text(st.sampled_from("aZ09_-.! \n\u0130é"), max_size=34) | st.text(max_size=4))
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


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["-s", "80"], ["-c", "a"], []], ids=" ".join)
def test_help_and_errors_wait_for_nothing_slow(words: list[str]) -> None:
    program = """
import sys
from udpchat_cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
slow = {"asyncio", "sqlite3", "pydantic", "statemachine", "cryptography", "cbor2"}
sys.exit(repr(slow & set(sys.modules)) if slow & set(sys.modules) else 0)
"""
    run = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
