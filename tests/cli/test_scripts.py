"""The commands as processes: in pipes, beside each other, and in a bot of ten lines of shell."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.cli.processes import COMMAND, PATIENCE_S, first_line, start
from tests.cli.user import User
from tests.ports import free_port
from tests.tools import FULL, needs_full

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def test_a_message_from_a_pipe_waits_for_the_next_who_listens(users: tuple[User, User]) -> None:
    anna, bob = users
    for user in users:
        user.arrive()
    assert {"event": "user", "name": bob.name, "online": True} in bob.things("who")
    text = "  error: \x1b[31mred\x1b[0m\n\n  at line 5\n"
    printed, complaint, status = anna.run("send", bob.name, "-", typed=text)
    assert (printed, status) == ("", 5)
    assert complaint.startswith(f"udpchat: not delivered to {bob.name} yet, as {bob.name} is away")
    assert anna.run("send", bob.name, "--wait", "stored", "and", "more") == ("", "", 0)
    assert {"event": "user", "name": anna.name, "online": False} in bob.things("who")
    assert bob.things("history") == bob.things("history", anna.name)
    (got, more) = bob.things("listen", "--count", "2")
    assert (got["event"], got["from"], got["confirmed"]) == ("received", anna.name, True)
    assert got["text"] == text.rstrip("\n")
    assert more["text"] == "and more"
    assert bob.run("listen", "--timeout", "0.2") == ("", "", 0)
    sent, _ = anna.things("history", bob.name)
    assert (sent["event"], sent["text"], sent["to"]) == ("sent", got["text"], bob.name)
    assert sent["state"] == "stored"  # bob has it by now, which nobody told anna's machine yet
    shown, _, _ = bob.run("history")
    assert TIME.sub("TIME", shown).splitlines()[:2] == [
        rf"TIME <{anna.name}>   error: \x1b[31mred\x1b[0m",
        " " * (len(anna.name) + 21) + "| ",
    ]


RUN = " ".join(COMMAND)
BOT = f"""\
set -u
field() {{ {sys.executable} -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }}   # or: jq -r .$1
while line=$({RUN} listen --json --count 1); do
    from=$(echo "$line" | field from)
    case $(echo "$line" | field text) in
        ping) {RUN} send --wait stored "$from" pong ;;
        stop) {RUN} send --wait stored "$from" bye; exit 0 ;;
        *)    {RUN} send --wait stored "$from" "say ping or stop" ;;
    esac
done
"""
"""As README has it."""


def test_a_bot_is_ten_lines_of_shell(users: tuple[User, User], tmp_path: Path) -> None:
    anna, bob = users
    (tmp_path / "bot").write_text(BOT)
    for user in users:
        user.arrive()
    running = subprocess.Popen(["sh", tmp_path / "bot"], env=bob.environ, stdout=subprocess.PIPE, text=True)
    for text in ("hello", "ping", "stop"):
        assert anna.run("send", "--wait", "stored", bob.name, text) == ("", "", 0)
    answers = [thing["text"] for thing in anna.things("listen", "--count", "3")]
    assert answers == ["say ping or stop", "pong", "bye"]
    assert running.communicate(timeout=PATIENCE_S)[0] == ""
    assert running.returncode == 0


@pytest.mark.parametrize("to", ["all", "listen"])
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_bot_in_shell_ends_where_it_is_interrupted(
    shell: str, to: str, users: tuple[User, User], tmp_path: Path
) -> None:
    """By Ctrl-C, which goes to the shell and to what it waits for; or by a signal for `listen` alone."""
    _, bob = users
    bob.arrive()
    saying_pid = f"sh -c 'echo $$ >{tmp_path}/pid; exec \"$@\"' -"
    (tmp_path / "bot").write_text(BOT.replace(f"$({RUN} listen", f"$({saying_pid} {RUN} listen"))
    words = [shell, str(tmp_path / "bot")]
    running = subprocess.Popen(
        words, env=bob.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        bob.wait_for_socket()
        if to == "all":
            os.killpg(running.pid, signal.SIGINT)
        else:
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGINT)
        assert running.communicate(timeout=PATIENCE_S)[0] == ""
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()


@pytest.mark.parametrize(("words", "status"), [((), 0), (("--count", "1"), 130), (("--timeout", "600"), 130)])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_a_listen_that_would_have_ended_by_itself(
    number: signal.Signals, words: tuple[str, ...], status: int, users: tuple[User, User]
) -> None:
    _, bob = users
    bob.arrive()
    listening = bob.start("listen", *words)
    bob.wait_for_socket()
    listening.send_signal(number)
    assert listening.communicate(timeout=PATIENCE_S)[0] == ""
    assert listening.returncode == status


def test_a_name_that_is_new_here_is_made_by_what_sends_or_receives_and_that_is_said(users: tuple[User, User]) -> None:
    for user, words in zip(users, (("send", "nobody-at-all", "hello"), ("listen", "--timeout", "0.2")), strict=True):
        _, complaint, status = user.run("who")
        assert (status, complaint.startswith(f"udpchat: there is no {user.account} in ")) == (2, True)
        assert not user.folder.exists()
        new, *others = user.run(*words)[1].splitlines()
        (path,) = user.folder.glob("client-*.db")
        assert new == f"udpchat: {user.account} is new on this machine: its keys were made, and are in {path}"
        assert user.run(*words)[1].splitlines() == others


def test_send_and_who_go_through_whoever_listens_with_the_same_identity(users: tuple[User, User]) -> None:
    anna, bob = users
    for user in users:
        user.arrive()
    listening = bob.start("listen", "--json")
    bob.wait_for_socket()
    try:
        queued, delivered = bob.things("send", bob.name, "to myself")
        assert (queued["event"], delivered["event"]) == ("queued", "delivered")
        assert json.loads(first_line(listening))["text"] == "to myself"
        _, complaint, status = bob.run("send", anna.name, "hello")
        assert status == 5
        assert f"not delivered to {anna.name} yet, as {anna.name} is away" in complaint
        assert bob.run("send", "nobody-at-all", "hello")[2] == 3
        assert {"event": "user", "name": bob.name, "online": True} in bob.things("who")
        assert [thing["text"] for thing in bob.things("history", anna.name)] == ["hello"]
        _, complaint, status = bob.run("listen")
        assert (status, f"{bob.account} is at work already" in complaint) == (8, True)
    finally:
        listening.send_signal(signal.SIGTERM)
        listening.communicate(timeout=PATIENCE_S)
    assert listening.returncode == 0
    assert not list(bob.folder.glob("*.sock"))


def test_commands_of_one_identity_at_once_come_one_after_the_other(users: tuple[User, User]) -> None:
    bob = users[1]
    bob.arrive()
    sending = [bob.start("send", bob.name, f"no. {number}") for number in range(4)]
    assert [process.communicate(timeout=PATIENCE_S)[0] for process in sending] == [""] * 4
    assert [process.returncode for process in sending] == [0] * 4
    assert {thing["text"] for thing in bob.things("listen", "--count", "4")} == {f"no. {n}" for n in range(4)}


def test_a_listener_that_was_killed_is_in_nobodys_way(users: tuple[User, User]) -> None:
    bob = users[1]
    bob.arrive()
    listening = bob.start("listen")
    bob.wait_for_socket()
    listening.kill()
    listening.communicate()
    assert list(bob.folder.glob("*.sock"))
    assert bob.run("send", bob.name, "still here") == ("", "", 0)
    assert [thing["text"] for thing in bob.things("listen", "--count", "1")] == ["still here"]


def test_a_reader_that_had_enough_ends_it_without_a_word(users: tuple[User, User]) -> None:
    bob = users[1]
    bob.arrive()
    for text in ("one", "two", "three"):
        assert bob.run("send", bob.name, text)[2] == 0
    shell = f"{' '.join(COMMAND)} history | head -1; {' '.join(COMMAND)} listen --json | head -1"
    done = subprocess.run(
        ["sh", "-c", shell], capture_output=True, text=True, env=bob.environ, timeout=PATIENCE_S, check=False
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 2
    left = [thing["text"] for thing in bob.things("listen", "--timeout", "0.2")]
    assert left == ["one", "two", "three"][3 - len(left) :]  # a pipe takes lines until `head` has gone
    assert len(left) < 3


@pytest.mark.parametrize(
    ("words", "typed", "says"),
    [
        (("send", "bob"), "", "there is nothing to send"),
        (("send", "bob", "-"), "\n\n", "there is nothing to send"),
        (("send", "bob", ""), "", "there is nothing to send"),
        (("send", "bob", "-"), "x" * 65_537, "a message has 65,536 bytes at most"),
        (("send", "bob", "é" * 32_769), "", "a message has 65,536 bytes at most"),
        (("history",), "", "there is no "),
        (("who",), "", "there is no "),
    ],
)
def test_what_cannot_be_done_is_said_and_makes_nobody(
    words: tuple[str, ...], typed: str, says: str, users: tuple[User, User]
) -> None:
    anna, _ = users
    printed, complaint, status = anna.run(*words, typed=typed)
    assert (printed, status) == ("", 2)
    assert says in complaint
    assert len(complaint.splitlines()) == 1
    assert not anna.folder.exists()


def test_a_server_whose_name_has_no_address_makes_nobody(users: tuple[User, User]) -> None:
    anna, _ = users
    for words in (("listen",), ("send", "bob", "hello")):
        printed, complaint, status = anna.run(*words, "--as", "anna@nowhere.invalid")
        assert (printed, status) == ("", 4)
        assert re.match(r"udpchat: (nowhere\.invalid has no address|the address of nowhere\.invalid cannot)", complaint)
    assert not anna.folder.exists()


# --- the server ---


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """A server by its new name, for invited users, that logs JSON; its folder, and its port."""
    folder, port = str(tmp_path / "own"), free_port()
    words = ("server", "--bind", f"127.0.0.1:{port}", "--bind", "127.0.0.1:0", "--admit", "invite", "--json")
    process = start(*words, "--state", folder, stdin=subprocess.DEVNULL)
    yield process, folder, port
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_a_server_serves_where_it_is_told_and_answers_its_operator(
    own: tuple[subprocess.Popen[str], str, int], tmp_path: Path
) -> None:
    process, folder, port = own
    started = json.loads(first_line(process))
    assert started["event"] == "started"
    assert started["addresses"][0] == f"127.0.0.1:{port}"
    assert len(started["addresses"]) == 2

    def operate(*words: str) -> tuple[str, str, int]:
        command = [*COMMAND, "server", *words, "--state", folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        return done.stdout, done.stderr, done.returncode

    environ = os.environ | {"UDPCHAT_STATE": str(tmp_path / "eve")}
    listen = [*COMMAND, "listen", "--as", f"eve@127.0.0.1:{port}"]
    refused = subprocess.run(listen, capture_output=True, text=True, env=environ, timeout=PATIENCE_S, check=False)
    assert refused.returncode == 6
    assert "takes only users who are invited, or on its list; for its list, the key of eve is " in refused.stderr
    status = json.loads(operate("status", "--json")[0])
    assert status["addresses"] == started["addresses"]
    assert (status["users"], status["online"], status["letters"]) == (0, 0, 0)
    assert status["refused"] == {"not_admitted": 1}
    shown = operate("status")[0].splitlines()
    assert shown[3] == "users        0, of them 0 online"
    assert status["key"] == started["key"]
    doctor = [*COMMAND, "doctor", f"127.0.0.1:{port}", "--state", str(tmp_path / "new")]
    users_see = subprocess.run(doctor, capture_output=True, text=True, timeout=PATIENCE_S, check=False).stdout
    groups = r"[0-9a-f]{8}( [0-9a-f]{8}){7}"
    seen = re.search(rf"(?m)^good +server key +({groups})$", users_see)
    assert seen is not None
    assert shown[1] == f"key          {seen[1]}"
    assert bytes.fromhex(seen[1]).hex() == started["key"]
    token, complaint, ended = operate("invite")
    until = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.fullmatch(rf"udpchat: it lets one new user in, once, until {until}:\n", complaint)
    assert ended == 0
    assert re.fullmatch(r"[A-Z2-7]{26}\n", token)
    invited, complaint, _ = operate("invite", "--json")
    assert complaint == ""
    assert json.loads(invited)["until_ms"] > time.time_ns() // 1_000_000
    assert operate("ban", "nobody") == ("", "udpchat: nobody has the name nobody here\n", 3)
    assert operate("release", "nobody")[2] == 3
    key = "ab" * 32
    assert operate("ban", key)[0] == f"{key} is banned; `udpchat server unban {key}` ends it\n"
    assert operate("unban", key)[0] == f"{key} is served again\n"
    assert operate("unban", key) == ("", "udpchat: this identity is not banned\n", 6)
    process.send_signal(signal.SIGTERM)
    logged = [json.loads(line) for line in process.communicate(timeout=PATIENCE_S)[0].splitlines()]
    assert [thing["event"] for thing in logged] == ["invited", "invited", "banned", "unbanned", "stopped"]
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$", thing["time"]) for thing in logged)
    assert token.strip() not in str(logged)
    assert process.returncode == 0
    _, complaint, ended = operate("status")
    assert (ended, "no server runs with the state in" in complaint) == (4, True)


@pytest.mark.parametrize(
    ("words", "says", "status"),
    [
        (("--bind", "203.0.113.7"), "203.0.113.7:10001 is no address of this machine", 2),
        (
            ("--bind", "127.0.0.1:0", "--admit", "nowhere"),
            "--admit: 'nowhere' is neither open nor invite nor a file",
            2,
        ),
        (("--bind", "127.0.0.1:0", "--admit", "LIST"), "LIST, line 3: a key has 64 hexadecimal digits", 2),
    ],
)
def test_a_server_that_cannot_serve_says_why(words: tuple[str, ...], says: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "LIST").write_text(f"# ours\n{'ab ' * 32} # anna\nbob\n")
    words = tuple(word.replace("LIST", str(tmp_path / "LIST")) for word in words)
    process = start("server", *words, "--state", str(tmp_path / "s"), stdin=subprocess.DEVNULL)
    (line,) = process.communicate(timeout=PATIENCE_S)[0].splitlines()
    assert process.returncode == status
    assert line.startswith("udpchat: ")
    assert says in line


def test_on_a_terminal_send_asks_for_the_text_and_says_how_it_stands(users: tuple[User, User]) -> None:
    anna, bob = users
    bob.arrive()
    words = ["-m", "udpchat_cli", "send", bob.name, "--wait", "stored"]
    screen = pexpect.spawn(sys.executable, words, env=anna.environ, encoding="utf-8", timeout=PATIENCE_S)
    screen.expect_exact(f"to {bob.name}: ")
    screen.sendline("typed by hand")
    screen.expect_exact(f"#1 stored for {bob.name} (away)")
    screen.expect(pexpect.EOF)
    screen.close()
    assert screen.exitstatus == 0
    assert [thing["text"] for thing in bob.things("listen", "--count", "1")] == ["typed by hand"]


@needs_full
def test_what_could_not_be_printed_is_said_and_stays_unread(users: tuple[User, User]) -> None:
    anna, bob = users
    for user in users:
        user.arrive()
    assert anna.run("send", bob.name, "--wait", "stored", "hello") == ("", "", 0)
    says = "udpchat: standard output cannot be written: No space left on device; see where it goes to, and that disk\n"
    for user, words in (
        (anna, ("history",)),
        (bob, ("listen", "--count", "1")),
        (bob, ("listen", "--json")),
        (anna, ("send", bob.name, "--json", "--wait", "stored", "more")),
    ):
        with FULL.open("wb") as full:
            run = subprocess.run(
                [*COMMAND, *words], stdout=full, stderr=subprocess.PIPE, text=True, env=user.environ, check=False
            )
        assert (run.stderr, run.returncode) == (says, 8), words
    assert [thing["text"] for thing in bob.things("listen", "--count", "2")] == ["hello", "more"]
