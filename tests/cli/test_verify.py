"""`verify` says what to compare and what to do, alone and through a `listen` that runs."""

import re
from pathlib import Path

import pytest

from tests.cli.processes import PATIENCE_S, Server
from tests.cli.user import User
from udpchat_cli.commands.verify import told

NUMBER = "".join(f"{group:05}" for group in range(12))
PEER = {
    "event": "peer",
    "name": "bob",
    "identity": "aa" * 32,
    "safety_number": NUMBER,
    "verified": False,
    "checked": True,
    "offered": "",
    "offered_number": "",
    "vouched": False,
}
SHOWN = [
    "safety number with bob, the same on both sides:",
    "",
    "  00000 00001 00002 00003",
    "  00004 00005 00006 00007",
    "  00008 00009 00010 00011",
    "",
]


def test_a_number_is_shown_in_twelve_groups_of_five_with_what_to_do() -> None:
    lines = told(PEER)
    assert lines[:6] == SHOWN
    assert "by another channel" in lines[6]
    assert "`udpchat verify bob --mark`" in lines[7]
    assert told(PEER | {"verified": True})[6:] == ["It was compared, and is marked as verified."]
    assert told(PEER | {"checked": False})[-1].startswith("The server does not answer")


@pytest.mark.parametrize(
    ("vouched", "says"), [(True, "The key before signed for it"), (False, "Nobody but the server")]
)
def test_another_key_is_said_loudly(vouched: bool, says: str) -> None:
    lines = told(PEER | {"verified": True, "offered": "bb" * 32, "offered_number": NUMBER[::-1], "vouched": vouched})
    assert lines[:6] == SHOWN
    assert lines[6] == (
        "WARNING: bob HAS ANOTHER KEY NOW. It was compared with the key before. Messages to bob are held."
    )
    assert lines[7].startswith(says)
    assert lines[11].split() == [NUMBER[::-1][at : at + 5] for at in range(0, 20, 5)]
    assert "`udpchat verify bob --accept`" in lines[-1]


def test_another_key_of_the_server_is_said_loudly() -> None:
    thing = {"event": "server_key", "server": "example.org", "key": "aa" * 32, "checked": True, "offered": ""}
    assert told(thing)[0] == "key of the server example.org:"
    assert told(thing)[2].split() == ["aaaaaaaa"] * 8
    changed = told(thing | {"offered": "bb" * 32})
    assert "WARNING: example.org HAS ANOTHER KEY NOW:" in changed
    assert "`udpchat verify --server --accept` takes it. If not, do not." in changed
    assert max(map(len, changed)) <= 120


def test_alone_and_beside_a_listen_it_is_the_same_number(users: tuple[User, User]) -> None:
    anna, bob = users
    for user in users:
        user.arrive()
    printed, complaint, status = anna.run("verify", bob.name)
    assert (complaint, status) == ("", 0)
    number = re.findall(r"(?m)^  [\d ]+$", printed)
    assert len("".join(number).split()) == 12
    listening = bob.start("listen")
    try:
        bob.wait_for_socket()
        printed, complaint, status = bob.run("verify", anna.name, "--mark")
        assert (complaint, status) == ("", 0)
        assert re.findall(r"(?m)^  [\d ]+$", printed) == number
        assert "marked as verified" in printed
        server, complaint, status = bob.run("verify", "--server")
        assert (complaint, status) == ("", 0)
        assert anna.run("verify", "--server")[0] == server
    finally:
        listening.terminate()
        listening.communicate(timeout=PATIENCE_S)
    assert "marked as verified" in bob.run("verify", anna.name)[0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "say whose key: PEER, the name of a user, or --server"),
        ("bob --server", "say whose key: PEER, the name of a user, or --server"),
        ("bob --mark --accept", "mark and accept: say one"),
        ("--server --mark", "with --server only --accept can be said"),
        ("bob", "there is no zoe@127.0.0.1"),
    ],
)
def test_what_cannot_be_asked_is_said(words: str, says: str, server: Server, tmp_path: Path) -> None:
    printed, complaint, status = User("zoe", server, tmp_path).run("verify", *words.split())
    assert (printed, status) == ("", 2)
    (line,) = complaint.splitlines()
    assert says in line
