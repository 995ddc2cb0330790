"""The local socket: for its owner only, bounded, and never in the way of the next process."""

import asyncio
import json
import os
import socket
import stat
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from udpchat_cli import control
from udpchat_cli.control import Control, NobodyThere, Say, alone, ask, control_path
from udpchat_cli.exits import Exit, Failed
from udpchat_net.stores.errors import StoreLocked

Things = list[dict[str, Any]]


async def echo(request: dict[str, Any], say: Say) -> None:
    if "fail" in request:
        raise Failed(Exit.REFUSED, "no, and that is \x1b[2J it")
    say({"event": "echo", "request": request})


def talk(state: Path, of: Callable[[], Any], answer: Callable[[dict[str, Any], Say], Awaitable[None]] = echo) -> Any:
    """What `of` returns, called on a thread while the socket of `state` is answered."""

    async def scene() -> Any:
        answering = Control(state, answer)
        await answering.start()
        try:
            return await asyncio.to_thread(of)
        finally:
            await answering.close()

    return asyncio.run(scene())


def asked(state: Path, **request: Any) -> Things:
    things: Things = []
    ask(state, request, things.append, 5)
    return things


def raw(path: Path, data: bytes) -> bytes:
    """What comes back for these bytes."""
    with socket.socket(socket.AF_UNIX) as connected:
        connected.settimeout(30)
        connected.connect(str(path))
        found = b""
        with suppress(OSError):  # it may be closed before all of it was read
            connected.sendall(data)
            connected.shutdown(socket.SHUT_WR)
            while more := connected.recv(1 << 16):
                found += more
        return found


def test_a_request_is_answered_line_by_line_until_its_end(tmp_path: Path) -> None:
    text = "\u2028 \x00 \U0001f422" * 3_000
    assert talk(tmp_path / "a.db", lambda: asked(tmp_path / "a.db", text=text)) == [
        {"event": "echo", "request": {"text": text}}
    ]


def test_what_is_wrong_comes_back_with_its_status(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="no, and that is") as failed:
        talk(tmp_path / "a.db", lambda: asked(tmp_path / "a.db", fail=True))
    assert failed.value.status is Exit.REFUSED


def test_the_socket_is_for_its_owner_only_and_gone_at_the_end(tmp_path: Path) -> None:
    path = control_path(tmp_path / "a.db")
    assert path == tmp_path / "a.db.sock"
    mode = talk(tmp_path / "a.db", lambda: path.stat().st_mode)
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert not path.exists()


def test_a_socket_that_a_killed_process_left_is_nobody_and_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "a.db.sock"))
        left.listen()
    with pytest.raises(NobodyThere):
        asked(tmp_path / "a.db")
    assert talk(tmp_path / "a.db", lambda: asked(tmp_path / "a.db")) == [{"event": "echo", "request": {}}]


def test_without_a_socket_there_is_nobody(tmp_path: Path) -> None:
    with pytest.raises(NobodyThere):
        asked(tmp_path / "a.db")


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of the folder in /tmp."""
    monkeypatch.setattr(control, "_short_folder", lambda: tmp_path / "short")
    return tmp_path / "short"


def test_where_the_path_is_too_long_the_socket_is_in_a_folder_of_ones_own(short: Path, tmp_path: Path) -> None:
    state = tmp_path / ("x" * 100) / "a.db"
    state.parent.mkdir()
    assert control_path(state).parent == short
    assert control_path(state) != control_path(state.with_name("b.db"))
    with pytest.raises(NobodyThere):
        asked(state)
    assert talk(state, lambda: asked(state)) == [{"event": "echo", "request": {}}]
    assert stat.S_IMODE(short.stat().st_mode) == 0o700


@pytest.mark.parametrize("how", ["open to others", "a link", "a file"])
def test_a_folder_that_somebody_else_may_have_made_is_not_trusted(how: str, short: Path, tmp_path: Path) -> None:
    state = tmp_path / ("x" * 100) / "a.db"
    state.parent.mkdir()
    if how == "open to others":
        short.mkdir()
        short.chmod(0o755)
    elif how == "a link":
        (tmp_path / "real").mkdir(mode=0o700)
        short.symlink_to(tmp_path / "real")
    else:
        short.touch()
    for trying in (lambda: asked(state), lambda: talk(state, lambda: None)):
        with pytest.raises(Failed, match=r"is not yours alone|cannot be used") as failed:
            trying()
        assert failed.value.status is Exit.STATE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"hello\n",
        b"[1]\n",
        b'"text"\n',
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b"x" * (2 * control.LINE_BYTES_MAX),
        b'{"a":"' + b"x" * (2 * control.LINE_BYTES_MAX) + b'"}\n',
    ],
    ids=lambda data: repr(data[:8]),
)
def test_what_is_no_request_is_told_so_and_harms_nothing(data: bytes, tmp_path: Path) -> None:
    state = tmp_path / "a.db"

    def trying() -> tuple[bytes, Things]:
        return raw(control_path(state), data), asked(state)

    answer, after = talk(state, trying)
    assert after == [{"event": "echo", "request": {}}]
    if answer:  # else the kernel dropped it, because not all was read
        end = json.loads(answer)
        assert (end["event"], end["status"]) == ("end", Exit.USAGE)


def test_whoever_asks_and_goes_away_harms_nothing(tmp_path: Path) -> None:
    state, gone = tmp_path / "a.db", threading.Event()

    async def slowly(request: dict[str, Any], say: Say) -> None:
        if "slowly" in request:
            await asyncio.to_thread(gone.wait)
            for _ in range(100):
                say({"event": "echo", "text": "x" * 10_000})
        await echo(request, say)

    def trying() -> Things:
        with socket.socket(socket.AF_UNIX) as connected:
            connected.connect(str(control_path(state)))
            connected.sendall(b'{"slowly":true}\n')
        gone.set()
        return asked(state)

    assert talk(state, trying, slowly) == [{"event": "echo", "request": {}}]


def test_only_so_many_are_answered_at_once_and_the_next_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "CONNECTIONS_MAX", 2)
    state = tmp_path / "a.db"

    def trying() -> None:
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for each in waiting:
            each.connect(str(control_path(state)))
        with pytest.raises(Failed, match="has gone, and did not say how it ended"):
            asked(state)
        for each in waiting:
            each.close()
        while True:
            try:
                assert asked(state) == [{"event": "echo", "request": {}}]
            except Failed:  # those who left are not forgotten yet
                os.sched_yield()
            else:
                return

    talk(state, trying)


def test_who_asks_and_reads_nothing_holds_up_no_end(tmp_path: Path) -> None:
    state = tmp_path / "a.db"

    async def much(request: dict[str, Any], say: Say) -> None:
        for _ in range(1_000):
            say({"event": "echo", "text": "x" * 10_000})

    async def scene() -> None:
        answering = Control(state, much)
        await answering.start()
        with socket.socket(socket.AF_UNIX) as silent:
            silent.connect(str(control_path(state)))
            silent.sendall(b"{}\n")
            while not answering._answering:
                await asyncio.sleep(0)
            await answering.close()
        assert not answering._answering

    asyncio.run(scene())


def test_a_fault_ends_one_request_in_one_line(tmp_path: Path) -> None:
    async def wrong(_: dict[str, Any], say: Say) -> None:
        raise TypeError("a fault\nof two lines")

    with pytest.raises(Failed, match=r"please report it: TypeError at .*: a fault of two lines$") as failed:
        talk(tmp_path / "a.db", lambda: asked(tmp_path / "a.db"), wrong)
    assert failed.value.status is Exit.INTERNAL


def test_an_end_in_the_middle_of_a_request_is_told(tmp_path: Path) -> None:
    state = tmp_path / "a.db"

    async def scene() -> None:
        begun = asyncio.Event()

        async def forever(_: dict[str, Any], say: Say) -> None:
            say({"event": "queued"})
            begun.set()
            await asyncio.Event().wait()

        answering = Control(state, forever)
        await answering.start()
        asking = asyncio.ensure_future(asyncio.to_thread(asked, state))
        await begun.wait()
        await answering.close()
        with pytest.raises(Failed, match="the udpchat that was asked has ended") as failed:
            await asking
        assert failed.value.status is Exit.UNREACHABLE

    asyncio.run(scene())


# --- one after the other ---


class State:
    """A state that somebody has for so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def work(self) -> str:
        self.looks -= 1
        if self.looks >= 0:
            raise StoreLocked("it is in use")
        return "alone"


def test_a_state_that_a_command_has_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    assert alone(tmp_path / "a.db", State(2).work) == "alone"
    assert alone(tmp_path / "a.db", State(2).work, lambda: asked(tmp_path / "a.db")) == "alone"


def test_who_answers_is_asked_and_else_in_the_way(tmp_path: Path) -> None:
    state = tmp_path / "a.db"
    assert talk(state, lambda: alone(state, State(1).work, lambda: str(asked(state)[0]["event"]))) == "echo"
    with pytest.raises(StoreLocked):
        talk(state, lambda: alone(state, State(1).work))


def test_a_state_that_stays_in_use_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "LOCK_S_MAX", 0)
    with pytest.raises(StoreLocked):
        alone(tmp_path / "a.db", State(10**9).work)


def test_a_process_that_is_stopped_does_not_hold_others_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "GRACE_S", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "a.db.sock"))
        silent.listen()
        with pytest.raises(Failed, match="does not answer: is it stopped, or suspended") as failed:
            ask(tmp_path / "a.db", {}, print, 0)
    assert failed.value.status is Exit.STATE
