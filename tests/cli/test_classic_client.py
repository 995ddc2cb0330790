"""The client of the classic form at its disk: what it waits for there, and what it finds there."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cli.transcript import Typist
from tests.cli.virtual_time import VirtualTimeLoop
from udpchat_cli import classic_server
from udpchat_cli.classic_client import ClassicClient
from udpchat_cli.classic_server import ClassicServer
from udpchat_cli.opening import open_store
from udpchat_cli.values import Account
from udpchat_core import client_events as e
from udpchat_core.client_requests import EnterLetter
from udpchat_core.requests import StoreReply
from udpchat_net.stores.port import Request
from udpchat_net.stores.sqlite_client import SqliteClientStore

SENDER = bytes(range(32))


class SlowStore(SqliteClientStore):
    """Commits once `room` is set."""

    room: asyncio.Event

    async def commit(self, requests: Sequence[Request]) -> tuple[StoreReply, ...]:
        await self.room.wait()
        return await super().commit(requests)


def test_a_command_waits_until_the_message_before_it_is_on_disk(tmp_path: Path) -> None:
    async def scenario(loop: VirtualTimeLoop) -> None:
        server = ClassicServer(classic_server.open_store(str(tmp_path)), lambda *_: None, loop.clock())
        at = server.start([("127.0.0.1", 0)])
        made = open_store(Account("alice", "127.0.0.1", at.port), tmp_path / "alice.db")
        made.close()
        store, consoles = SlowStore(made.path), list[Typist]()
        store.room = asyncio.Event()
        store.room.set()

        def console(on_change: Callable[[], None]) -> Typist:
            consoles.append(Typist(on_change))
            return consoles[0]

        client = ClassicClient("alice", store, ("127.0.0.1", at.port), console, loop.clock())
        running = asyncio.ensure_future(client.run("127.0.0.1", 0))
        await asyncio.sleep(2)
        store.room.clear()
        for line in ("send alice hello", "what?", None):
            consoles[0].type(line)
        await asyncio.sleep(10)
        assert not any("Commands" in line for line in consoles[0].printed)
        assert not any("hello" in line for line in consoles[0].printed)
        store.room.set()
        assert await running == 0
        assert any("Commands" in line for line in consoles[0].printed)
        assert "[Message received by alice.]" in consoles[0].printed
        await server.stop()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualTimeLoop)
        runner.run(scenario(loop))


def test_a_text_that_an_end_cut_in_two_is_shown_whole(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        store = open_store(Account("alice", "127.0.0.1", 10_001), tmp_path / "alice.db")
        await store.commit(
            [EnterLetter(SENDER, bytes([part]) * 16, 1, part, "bob", 7, 8, part, 3, f"{part}, ") for part in (1, 2)]
        )
        client = ClassicClient("alice", store, ("127.0.0.1", 10_001), Typist)
        client.interrupt()
        letter = e.LetterReceived(SENDER, "bob", True, 7, 3, 3, "3", stored=False, waited=False, ack=bytes(16))
        lines = [*client.classic.told(e.Superseded()), *client.classic.told(letter)]
        await client.run("127.0.0.1", 0)
        return lines

    assert asyncio.run(scenario())[-1] == "bob: 1, 2, 3"
