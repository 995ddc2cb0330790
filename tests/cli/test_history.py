"""`history`: what was said by both sides, in this machine's order, and how each message stands."""

import asyncio
import json
import re
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stage import HOST, opened, speaker
from udpchat_cli.arguments import Given
from udpchat_cli.commands import history
from udpchat_cli.exits import Exit
from udpchat_cli.grammar import COMMANDS
from udpchat_cli.values import Account
from udpchat_core.client_requests import EnterLetter, MarkStored, SaveOutgoing, SavePin, SettleOutgoing
from udpchat_net.stores.port import Request

BOB, EVE = b"b" * 32, b"e" * 32


def came(number: int, text: str, received_ms: int, sender: bytes = BOB, part: int = 1, parts: int = 1) -> Request:
    name = "bob" if sender == BOB else "eve"
    return EnterLetter(sender, number.to_bytes(16), 1, number, name, 1_000 * parts, received_ms, part, parts, text)


def went(message: int, text: str, sent_ms: int, to: str = "bob", part: int = 1, parts: int = 1) -> SaveOutgoing:
    return SaveOutgoing(bytes([message, part]) * 8, message, part, parts, to, sent_ms, text, None)


def settled(letter: SaveOutgoing, outcome: str) -> Request:
    return SettleOutgoing(letter.secret, outcome)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a history of anna's."""
    store = opened(speaker(tmp_path, "anna"))
    first, second, third = went(1, "hello", 100), went(2, "what?", 300), went(3, "so", 500, "eve")
    long = [went(4, "a", 700, part=1, parts=2), went(4, "b", 700, part=2, parts=2)]
    requests: list[Request] = [
        SavePin("bob", BOB),
        *(first, second, third, *long, settled(first, "delivered"), settled(third, "refused")),
        settled(long[0], "delivered"),
        MarkStored(first.secret),
        MarkStored(second.secret),
        came(1, "hi", 200),
        came(2, "one ", 400, part=1, parts=2),
        came(3, "I am bob\nreally", 450, EVE),
        came(4, "text", 600, part=2, parts=2),
    ]
    asyncio.run(store.commit(requests))
    store.close()
    return tmp_path


def printed(
    folder: Path, capfd: pytest.CaptureFixture[str], peer: str | None = None, as_json: bool = False
) -> list[str]:
    account = Account("anna", HOST, 10_001)
    given = Namespace(speaker=account, state=str(folder), json=as_json, peer=peer)
    assert history.run(Given(COMMANDS["history"], given)) is Exit.DONE
    return [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", line) for line in capfd.readouterr().out.splitlines()]


def things(folder: Path, capfd: pytest.CaptureFixture[str], peer: str | None = None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed(folder, capfd, peer, True)]


def test_both_sides_are_shown_in_the_order_of_this_machine(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert printed(folder, capfd) == [
        "TIME <anna> #1 to bob, delivered: hello",
        "TIME <bob> hi",
        "TIME <anna> #2 to bob, stored: what?",
        "TIME <?65656565 (calls itself eve)> I am bob",
        " " * 49 + "| really",
        "TIME <anna> #3 to eve, refused: so",
        "TIME <bob> one text",
        "TIME <anna> #4 to bob, queued: ab",
    ]


def test_with_one_peer_it_is_what_was_said_with_that_one(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert [thing["text"] for thing in things(folder, capfd, "eve")] == ["I am bob\nreally", "so"]
    assert [thing["text"] for thing in things(folder, capfd, "bob")] == ["hello", "hi", "what?", "one text", "ab"]
    assert things(folder, capfd, "nobody") == []


def test_as_json_it_has_both_words_and_states(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, second, third, *_ = things(folder, capfd)
    assert first == {"event": "sent", "message": 1, "to": "bob", "sent_ms": 100, "text": "hello", "state": "delivered"}
    assert (second["event"], second["from"], second["confirmed"]) == ("received", "bob", True)
    assert (third["message"], third["state"]) == (2, "stored")


@pytest.mark.parametrize(
    ("state", "letters"),
    [
        ("queued", "--"),
        ("queued", "-s"),
        ("queued", "s-"),
        ("queued", "sd-"),
        ("stored", "ss"),
        ("stored", "ds"),
        ("stored", "sd"),
        ("delivered", "dd"),
        ("refused", "-r"),
        ("refused", "dr"),
        ("expired", "esd"),
        ("expired", "de"),
    ],
)
def test_a_message_stands_where_the_last_of_its_letters_does(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], state: str, letters: str
) -> None:
    requests: list[Request] = []
    for part, at in enumerate(letters, 1):
        letter = went(1, "x", 100, part=part, parts=len(letters))
        requests += [letter, *([] if at == "-" else [MarkStored(letter.secret)])]
        requests += [settled(letter, outcome) for outcome in ("delivered", "refused", "expired") if outcome[0] == at]
    store = opened(speaker(tmp_path, "anna"))
    asyncio.run(store.commit(requests))
    store.close()
    assert [thing["state"] for thing in things(tmp_path, capfd)] == [state]


def test_it_marks_nothing_and_can_be_read_while_another_works_with_it(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = opened(speaker(folder, "anna"))
    asyncio.run(store.commit([came(9, "just now", 900)]))
    assert things(folder, capfd)[-1]["text"] == "just now"
    assert len(store.unseen(0, 100)) == 5
    store.close()
