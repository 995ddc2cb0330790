"""Chatting on a terminal, as people see it."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.chat.screens import ChatScreen, chat, command, until_shown, words
from tests.cli.escapes import ESCAPES, FAKED
from tests.cli.processes import PATIENCE_S, Server, running
from tests.cli.screen import CANONICAL, ECHO

DELIVERED = r"        #{} delivered to {} \(.*\)"


def test_two_people_chat_and_what_comes_in_does_not_tear_what_is_being_typed(server: Server) -> None:
    with chat(server, "ada") as ada, chat(server, "ben") as ben:
        ada.turn_to("ben")
        ada.type("is the build green?\r")
        ada.until(ada.says(DELIVERED.format(1, "ben")))
        ben.until(ben.says("<ada> is the build green\\?"))
        ada.type("half a 亀")
        ada.until(lambda: ada.typed == "ben> half a 亀")
        ben.turn_to("ada")
        for number in range(10):
            ben.type(f"line {number}\r")
        ada.until(ada.says("<ben> line 9"))
        assert [line for line in ada.lines if "<ben>" in line] == [f"<ben> line {number}" for number in range(10)]
        ada.until(lambda: ada.typed == "ben> half a 亀" and "ben:10" in ada.toolbar)
        ada.until(lambda: ada.column == len("ben> half a ") + 2)
        ada.type("!\x7f?\r")
        ben.until(ben.says("<ada> half a 亀\\?"))
        ada.until(ada.says("<ada> #2 half a 亀\\?"))
        ada.until(lambda: ada.typed == "ben>" and "ben:" not in ada.toolbar)


def test_what_is_said_while_one_is_away_waits_and_is_marked_as_new(server: Server) -> None:
    with chat(server, "cleo") as cleo:
        with chat(server, "dirk") as dirk:
            cleo.turn_to("dirk")
            dirk.type("\x04")
            assert dirk.ended() == 0
        cleo.until(cleo.says("dirk is away\\."))
        cleo.type("one\r")
        cleo.type("two\r")
        cleo.until(cleo.says(r"        #2 stored for dirk \(away since \d\d:\d\d\)"))
        cleo.until(lambda: "outbox 2" in cleo.toolbar)
        with chat(server, "dirk") as dirk:
            dirk.until(dirk.says("<cleo> two"))
            assert dirk.lines[-3:] == ["--- 2 new ---", "<cleo> one", "<cleo> two"]
            cleo.until(cleo.says(r"        #2 delivered to dirk \(.* by mailbox\)"))
            cleo.until(lambda: "outbox" not in cleo.toolbar)
            dirk.type("/quit\r")
            assert dirk.ended() == 0
        with chat(server, "dirk") as dirk:  # it was shown, and is not new any more
            assert not any("new" in line for line in dirk.lines if line.startswith("---"))


def test_mail_that_came_while_nobody_looked_is_new_at_the_next_start(server: Server) -> None:
    with chat(server, "emil"):
        pass  # killed: it exists
    with chat(server, "fay") as fay:
        fay.turn_to("emil")
        fay.type("are you there?\r")
        fay.until(fay.says("        #1 (stored for|delivered to) emil.*"))
        assert command(server, "emil", "send", "fay", "from a script")[1] == 0
        fay.until(fay.says("<emil> from a script"))
    with chat(server, "emil") as emil:
        emil.until(emil.says("<fay> are you there\\?"))
        assert emil.says("--- 1 new ---")()


def test_several_lines_that_are_pasted_are_one_message(server: Server) -> None:
    with chat(server, "gus") as gus:
        gus.turn_to("gus")
        gus.type("\x1b[200~one\rgus> two\r\x1b[201~")
        gus.until(lambda: "| gus> two" in "".join(gus.rows))
        gus.type("three\r")
        gus.until(gus.says("<gus> one"))
        gus.until(gus.says(DELIVERED.format(1, "gus")))
        assert gus.says("<gus> #1 one")()
        assert gus.says(r" {10}\| gus> two")()
        assert gus.says(r" {13}\| gus> two")()


def test_tab_goes_through_names_and_commands(server: Server) -> None:
    with chat(server, "hal") as hal:
        for name in ("inga", "ivan"):
            hal.turn_to(name)
        hal.type("/t\t")
        hal.until(lambda: hal.typed == "ivan> /to")
        hal.type("i\t")
        hal.until(lambda: hal.typed == "ivan> /to ivan")
        hal.type("\t")
        hal.until(lambda: hal.typed == "ivan> /to inga")
        hal.type("\x1b[Z")
        hal.until(lambda: hal.typed == "ivan> /to ivan")
        hal.type("\t\r")
        hal.until(lambda: hal.typed == "inga>")


def test_the_prompt_is_there_before_what_a_chat_needs_is_imported() -> None:
    program = """
import sys
import udpchat_cli.commands.chat, udpchat_cli.chat.line
slow = {"pydantic", "statemachine", "cryptography", "cbor2", "udpchat_core.client", "udpchat_cli.chat.room"}
sys.exit(repr(slow & set(sys.modules)) if slow & set(sys.modules) else 0)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_what_is_typed_while_the_chat_starts_is_done_once_it_is_there(server: Server) -> None:
    screen = ChatScreen(words(server, "jack"))
    try:
        screen.until(lambda: screen.toolbar == "starting")  # the kernel gives what is there in the order of writing
        screen.type("/to jack\rearly\r")
        screen.until(screen.says("<jack> #1 early"))
        screen.until(screen.says("<jack> early"))
        assert screen.typed == "jack>"
    finally:
        screen.child.close(force=True)


@pytest.mark.parametrize("key", ["\x04", "\x03"])
def test_an_end_that_is_typed_while_the_chat_starts_ends_it(server: Server, key: str) -> None:
    screen = ChatScreen(words(server, "jill"))
    try:
        screen.until(lambda: bool(screen.rows))
        screen.type(key)
        screen.until_end()
        assert screen.modes & (ECHO | CANONICAL) == ECHO | CANONICAL
        assert "starting" not in "".join(screen.rows)
        assert screen.ended() == 0
    finally:
        screen.child.close(force=True)


def test_a_chat_that_cannot_start_leaves_one_sentence_and_the_terminal_as_it_was(server: Server) -> None:
    with chat(server, "jan"):
        screen = ChatScreen(words(server, "jan"))
        try:
            screen.until_end()
            assert screen.modes & (ECHO | CANONICAL) == ECHO | CANONICAL
            rows = "".join(screen.rows)
            assert rows.startswith(f"udpchat: jan@127.0.0.1:{server.port} is at work already")
            assert "starting" not in rows
            assert screen.ended() == 8
        finally:
            screen.child.close(force=True)


def test_a_name_that_somebody_else_has_is_refused_in_one_sentence(server: Server) -> None:
    assert command(server, "jim", "chat")[1] == 0
    screen = ChatScreen([*words(server, "jim")[:-1], str(server.folder / "another jim")])
    try:
        screen.until_end()
        assert "".join(screen.rows).count("refused jim: somebody else has this name") == 1
        assert screen.ended() == 6
    finally:
        screen.child.close(force=True)


def test_an_unknown_command_sends_nothing_and_names_the_nearest(server: Server) -> None:
    with chat(server, "jo") as jo:
        jo.turn_to("jo")
        jo.type("/wo\r")
        jo.until(lambda: any("did you mean /who?" in line for line in jo.lines))
        jo.type("//wo\r")
        jo.until(jo.says("<jo> /wo"))
        assert jo.says("<jo> #1 /wo")()


def test_what_was_typed_comes_back_in_the_next_session(server: Server) -> None:
    with chat(server, "kit") as kit:
        kit.turn_to("kit")
        kit.type("remember me\r")
        kit.until(kit.says("<kit> remember me"))
        kit.type("\x04")
        assert kit.ended() == 0
    with chat(server, "kit") as kit:
        kit.until(lambda: kit.typed == "kit>")  # whom one wrote to last
        kit.type("\x1b[A")
        kit.until(lambda: kit.typed == "kit> remember me")
        kit.type("\x1b[A")
        kit.until(lambda: kit.typed == "kit> /to kit")
    typed = list((server.folder / "kit").glob("*.typed"))
    assert [path.stat().st_mode & 0o777 for path in typed] == [0o600]


def test_a_terminal_that_is_resized_has_one_prompt(server: Server) -> None:
    with chat(server, "lea") as lea:
        lea.turn_to("lea")
        lea.type("half")
        lea.until(lambda: lea.typed == "lea> half")
        lea.resize(50)
        lea.type(" and half")
        lea.until(lambda: lea.typed == "lea> half and half")
        lea.resize(80)
        lea.type("\r")
        lea.until(lea.says("<lea> half and half"))
        assert sum(row.startswith("lea>") for row in lea.rows) == 1


@pytest.mark.parametrize(("name", "key"), [("max", "\x04"), ("mia", "\x03")])
def test_the_end_leaves_the_terminal_as_it_was(server: Server, name: str, key: str) -> None:
    with chat(server, name) as screen:
        assert not screen.modes & (ECHO | CANONICAL)
        screen.type("half")
        screen.until(lambda: screen.typed == "> half")
        screen.type("\x03")
        screen.until(lambda: screen.typed == ">")
        before = screen.rows[:-2]
        screen.type(key)
        screen.until_end()
        assert screen.modes & ECHO
        assert screen.modes & CANONICAL
        assert screen.ended() == 0
        assert screen.rows == before


def test_a_signal_ends_it_in_order(server: Server) -> None:
    with chat(server, "nils") as nils:
        nils.child.kill(signal.SIGTERM)
        nils.until_end()
        assert nils.modes & ECHO
        assert nils.ended() == 0


def test_what_was_not_sent_when_it_was_killed_is_sent_at_the_next_start(tmp_path: Path) -> None:
    with running(tmp_path) as server, chat(server, "ola") as ola:
        with chat(server, "pia") as pia:
            pia.turn_to("ola")
            server.process.send_signal(signal.SIGSTOP)
            ola.child.kill(signal.SIGSTOP)
            pia.type("before it was killed\r")
            pia.until(lambda: "outbox 1" in pia.toolbar)
            until = time.monotonic() + PATIENCE_S
            while "before it was killed" not in command(server, "pia", "history")[0]:
                assert time.monotonic() < until, "it is on the disk, which may be slow"
            pia.child.kill(signal.SIGKILL)
            pia.until_end()
        server.process.send_signal(signal.SIGCONT)
        ola.child.kill(signal.SIGCONT)
        with chat(server, "pia") as pia:
            pia.until(pia.says(DELIVERED.format(1, "ola")))
        ola.until(ola.says("<pia> before it was killed"))


def test_a_server_that_goes_and_returns_is_said_once(tmp_path: Path) -> None:
    with running(tmp_path) as server, chat(server, "quin") as quin:
        server.process.kill()
        server.process.communicate()
        quin.turn_to("rob")
        quin.type("are you there?\r")
        quin.until(lambda: any("does not answer. It is tried again" in line for line in quin.lines))
        quin.until(lambda: quin.toolbar.startswith("quin no answer"))
        server.begin()
        quin.until(quin.says("You are online again, at .*"))
        quin.until(quin.says("        #1 not sent to rob: nobody is registered under that name"))


def test_another_server_key_is_loud_and_taken_when_the_user_says_so(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        with chat(server, "sam") as sam:
            assert any("is new to you" in line for line in sam.lines)
            sam.type("\x04")
            assert sam.ended() == 0
        server.end()
        server.begin("another")
        sam = ChatScreen(words(server, "sam"))
        try:
            sam.until(lambda: any("HAS ANOTHER KEY THAN BEFORE" in line for line in sam.lines))
            sam.until(lambda: sam.toolbar == "sam offline (server key changed)")
            sam.type("/accept server\r")
            sam.until(lambda: sam.toolbar.startswith("sam online"))
            assert not any("is new to you" in line for line in sam.lines)
        finally:
            sam.child.close(force=True)


def test_a_changed_key_is_loud_and_messages_are_held_until_it_is_accepted(server: Server) -> None:
    with chat(server, "tess", rows=50) as tess, chat(server, "udo") as udo:
        udo.turn_to("tess")
        udo.type("hi\r")
        tess.until(tess.says("<udo> hi"))
        udo.until(udo.says(DELIVERED.format(1, "tess")))
        udo.type("/rotate\r")
        udo.until(
            lambda: (
                any("type" in line and "/rotate yes" in line for line in udo.lines) or "/rotate yes" in str(udo.rows)
            )
        )
        udo.type("/rotate yes\r")
        udo.until(lambda: any("You have a new key" in line for line in udo.lines))
        tess.until(lambda: any("udo HAS ANOTHER KEY NOW" in line for line in tess.lines))
        tess.turn_to("udo")
        tess.type("is it you?\r")
        tess.until(tess.says("        #1 held for udo.*"))
        tess.until(lambda: "udo: key changed" in tess.toolbar)
        tess.type("/accept udo\r")
        udo.until(udo.says("<tess> is it you\\?"))
        tess.until(tess.says("        #1 delivered to udo .*"))
        tess.until(lambda: "key changed" not in tess.toolbar)


def test_no_message_does_anything_but_be_read(server: Server) -> None:
    with chat(server, "vroni", rows=400) as vroni:
        with chat(server, "trudy"):
            pass
        for number, text in enumerate(ESCAPES.values(), 1):
            assert command(server, "trudy", "send", "vroni", "-", typed=text)[1] == 0
            until_shown(vroni, "trudy", number)
        assert vroni.title == ""
        heads = [row for row in vroni.rows if FAKED.match(row)]
        assert len(heads) == len(ESCAPES)  # one each
        assert any(r"\x1b]0;owned\x07after" in row for row in vroni.rows)
        vroni.type("/history trudy\r")
        vroni.until(vroni.says("--- now ---"))
        assert len([row for row in vroni.rows if FAKED.match(row)]) == len(heads)
    for escape in re.findall(rb"\x1b[^\x1b]{0,12}", bytes(vroni.raw)):
        assert re.match(rb"\x1b(\[[0-9;?]*[mhlABCDHJKG]|\[\?|>|=)", escape), escape


def test_no_color(server: Server) -> None:
    with chat(server, "wim", NO_COLOR="1") as wim, chat(server, "xenia") as xenia:
        for screen, name in ((wim, "wim"), (xenia, "xenia")):
            screen.turn_to(name)
            screen.type("hi\r")
            screen.until(screen.says(f"<{name}> hi"))
        coloured = re.compile(rb"\x1b\[([0-9]+;)*(3[0-7]|9[0-7])[;m]")
        assert not coloured.search(wim.raw)
        assert coloured.search(xenia.raw)
