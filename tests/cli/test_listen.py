"""`listen`: what was printed counts as seen, and only that; nothing is lost, and nothing comes twice."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stage import Stage, opened, play
from tests.cli.transcript import Typist
from udpchat_cli import sending
from udpchat_cli.classic_client import ClassicClient
from udpchat_cli.commands.listen import Listener
from udpchat_cli.exits import Exit, Failed
from udpchat_cli.output import Output
from udpchat_cli.session import Session
from udpchat_core.client_requests import EnterLetter
from udpchat_net.stores.sqlite_client import SqliteClientStore


class Screen:
    """A pipe that a listener prints to, and what came out of it."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        os.set_blocking(self.read, False)

    def texts(self) -> list[str]:
        """What was printed since."""
        try:
            data = os.read(self.read, 1 << 20)
        except BlockingIOError:
            return []
        return [json.loads(line)["text"] for line in data.splitlines()]

    def listener(self, session: Session, count: int | None = None) -> Listener:
        return Listener(session, Output(True, self.write), count)

    def close(self) -> None:
        for end in (self.read, self.write):
            try:
                os.close(end)
            except OSError:  # by the test
                continue


@pytest.fixture
def screen() -> Any:
    screen = Screen()
    yield screen
    screen.close()


async def send(stage: Stage, *texts: str, level: str = "stored") -> None:
    anna = await stage.online("anna")
    for text in texts:
        await sending.deliver(anna, "bob", text, level, None, lambda _: None)
    await anna.end()


async def listen(stage: Stage, screen: Screen, count: int | None = None, seconds: float = 600) -> Exit:
    """Listen as bob, to the end."""
    bob = stage.session("bob")
    try:
        return await screen.listener(bob, count).listen(seconds)
    finally:
        await bob.end()


def test_what_waited_comes_first_and_once(screen: Screen, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        await send(stage, "one", "two", "three")
        await (await stage.online("bob")).end()  # somebody else of his fetches it, and shows nothing
        assert await listen(stage, screen, count=2) is Exit.DONE
        assert screen.texts() == ["one", "two"]
        assert await listen(stage, screen, count=1) is Exit.DONE
        assert screen.texts() == ["three"]
        assert await listen(stage, screen, count=1, seconds=5) is Exit.QUEUED
        assert screen.texts() == []
        await send(stage, "four")
        assert await listen(stage, screen, seconds=5) is Exit.DONE
        assert screen.texts() == ["four"]

    play(scene, tmp_path)


def test_what_comes_beyond_the_count_stays_for_the_next(screen: Screen, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        await send(stage, "one", "two", "three")
        for text in ("one", "two", "three"):
            assert await listen(stage, screen, count=1, seconds=60) is Exit.DONE
            assert screen.texts() == [text]

    play(scene, tmp_path)


def test_long_texts_and_many_are_printed_whole(screen: Screen, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        store = opened(stage.who("bob"))
        letters = [
            EnterLetter(bytes(32), n.to_bytes(16), 1, n, "anna", 7 + n // 3, 8, 1 + n % 3, 3, f"{n} ")
            for n in range(900)
        ]
        await store.commit(letters[:-1])  # the last one is not there yet: 299 texts, and two parts of one
        store.close()
        assert await listen(stage, screen, seconds=1) is Exit.DONE
        assert screen.texts() == [f"{n} {n + 1} {n + 2} " for n in range(0, 897, 3)]
        store = opened(stage.who("bob"))
        await store.commit(letters[-1:])
        store.close()
        assert await listen(stage, screen, seconds=1) is Exit.DONE
        assert screen.texts() == ["897 898 899 "]

    play(scene, tmp_path)


def test_what_a_reader_that_went_away_did_not_get_is_there_for_the_next(screen: Screen, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        bob = stage.session("bob")
        gone = Screen()
        listening = asyncio.ensure_future(gone.listener(bob).listen(None))
        await asyncio.sleep(1)
        await send(stage, "one", level="delivered")
        assert gone.texts() == ["one"]
        os.close(gone.read)
        await send(stage, "two", "three")
        assert await listening is Exit.DONE
        await bob.end()
        gone.close()
        assert await listen(stage, screen, seconds=60) is Exit.DONE
        assert screen.texts() == ["two", "three"]

    play(scene, tmp_path)


def test_what_could_not_be_written_is_not_marked(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Output, "when_gone", lambda *_: None)  # only writing tells, as at a file or a socket

    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        await send(stage, "one", "two")
        os.close(screen.read)
        assert await listen(stage, screen) is Exit.DONE
        later = Screen()
        assert await listen(stage, later, count=2) is Exit.DONE
        assert later.texts() == ["one", "two"]
        later.close()

    play(scene, tmp_path)


@pytest.mark.parametrize(
    ("count", "seconds", "status"),
    [(None, None, Exit.DONE), (2, None, Exit.INTERRUPTED), (None, 60, Exit.INTERRUPTED), (1, 60, Exit.DONE)],
)
def test_a_signal_ends_it_in_order(
    count: int | None, seconds: float | None, status: Exit, screen: Screen, tmp_path: Path
) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        await send(stage, "one")
        bob = stage.session("bob")
        listening = asyncio.ensure_future(screen.listener(bob, count).listen(seconds))
        await asyncio.sleep(5)
        bob.interrupt()
        assert await listening is status
        await bob.end()
        assert {"event": "left", "name": "bob"} in stage.logged
        assert screen.texts() == ["one"]
        assert await listen(stage, screen, seconds=5) is Exit.DONE
        assert screen.texts() == []  # what was printed was seen

    play(scene, tmp_path)


def test_a_server_that_is_not_there_from_the_start_is_status_4(screen: Screen, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.silence()
        with pytest.raises(Failed, match="does not answer: is a server there") as failed:
            await listen(stage, screen)
        assert failed.value.status is Exit.UNREACHABLE

    play(scene, tmp_path)


def test_a_server_that_goes_and_comes_back_is_said_once_and_ends_nothing(
    screen: Screen, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scene(stage: Stage) -> None:
        bob = stage.session("bob")
        listening = asyncio.ensure_future(screen.listener(bob).listen(None))
        await asyncio.sleep(1)
        await stage.server.stop()
        await asyncio.sleep(600)
        stage.start_server()
        await asyncio.sleep(60)
        await send(stage, "back", level="delivered")
        assert screen.texts() == ["back"]
        bob.interrupt()
        await listening
        await bob.end()

    play(scene, tmp_path)
    assert capsys.readouterr().err.splitlines() == [
        "udpchat: the server does not answer; it is tried again, and nothing is lost",
        "udpchat: the server answers again",
    ]


def test_another_client_of_the_same_identity_ends_it(screen: Screen, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        bob = stage.session("bob")
        listening = asyncio.ensure_future(screen.listener(bob).listen(None))
        await asyncio.sleep(1)
        copy = stage.who("bob").path.read_bytes()
        there = tmp_path / "elsewhere" / "client.db"
        there.parent.mkdir()
        there.write_bytes(copy)
        other = stage.session("bob", lambda _: SqliteClientStore(there))
        other.start("127.0.0.1")
        with pytest.raises(Failed, match="came online at another place") as failed:
            await listening
        assert failed.value.status is Exit.REFUSED
        await bob.end()
        await other.end()

    play(scene, tmp_path)


def test_the_classic_client_leaves_nothing_unseen(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        await send(stage, "one", "two")
        consoles = list[Typist]()

        def console(on_change: Callable[[], None]) -> Typist:
            consoles.append(Typist(on_change))
            return consoles[0]

        store = opened(stage.who("bob"))
        client = ClassicClient("bob", store, ("127.0.0.1", stage.port), console, stage.loop.clock())
        running = asyncio.ensure_future(client.run("127.0.0.1", 0))
        await asyncio.sleep(5)
        consoles[0].type(None)
        await running
        assert any(line.endswith(" two") for line in consoles[0].printed)
        store = opened(stage.who("bob"))
        assert store.unseen(0, 10) == []
        store.close()

    play(scene, tmp_path)
