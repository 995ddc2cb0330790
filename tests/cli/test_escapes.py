"""No text of others does anything to the terminal of those who run the other commands, nor to their logs."""

import os
from pathlib import Path

import pyte
import pytest

from tests.cli.chat.screens import command, until_shown, words
from tests.cli.escapes import ESCAPES, FAKED
from tests.cli.processes import Server
from tests.cli.screen import Screen
from udpchat_cli.log import Log
from udpchat_cli.output import Output


def test_listen_and_history_show_them_as_text(server: Server) -> None:
    for name in ("trudy", "petra"):
        assert command(server, name, "chat")[1] == 0
    listen = Screen(words(server, "petra", "listen"), 400)
    try:
        for number, text in enumerate(ESCAPES.values(), 1):
            assert command(server, "trudy", "send", "petra", "-", typed=text)[1] in (0, 5)  # it may not be there yet
            until_shown(listen, "trudy", number)
    finally:
        listen.child.close(force=True)
    history = Screen(words(server, "petra", "history"), 400)
    assert history.ended() == 0
    for screen in (listen, history):
        assert screen.title == ""
        assert b"\x1b" not in screen.raw
        assert not [row for row in screen.rows if FAKED.match(row)]
        assert sum(row[:2] == "20" and row[19:27] == " <trudy>" for row in screen.rows) == len(ESCAPES)
    assert history.rows == listen.rows


@pytest.mark.parametrize("text", ESCAPES.values(), ids=ESCAPES)
@pytest.mark.parametrize("as_json", [False, True])
def test_what_commands_print_and_servers_log_is_text(text: str, as_json: bool, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        Output(as_json, file.fileno()).say(text.replace("\n", " "), {"event": "x", "name": text})
        log = Log(os.dup(file.fileno()), as_json=as_json)
        log.write(text, {"event": "x", "name": text})
        log.close()
    printed = (tmp_path / "out").read_bytes()
    assert printed.count(b"\n") == 2
    assert not any(byte < 32 and byte != 10 for byte in printed)
    screen = pyte.Screen(80, 400)
    pyte.ByteStream(screen).feed(printed.replace(b"\n", b"\r\n"))
    assert screen.title == ""
    assert screen.cursor.x == 0
