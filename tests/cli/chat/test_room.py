"""A chat without a terminal: what is shown counts as seen, what is not does not, and a server may be found late."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

import pytest

from tests.cli.chat.screens import command, words
from tests.cli.processes import PATIENCE_S, Server
from tests.cli.stage import opened
from udpchat_cli import accounts, session
from udpchat_cli.arguments import Given, parse
from udpchat_cli.chat import room
from udpchat_cli.chat.front import Closed, Desk
from udpchat_cli.chat.lines import Line
from udpchat_cli.exits import Exit, Failed
from udpchat_core.address import Address
from udpchat_net.loop import run


class Paper:
    """A front that keeps what it is shown."""

    is_patient = False
    trouble = None

    def __init__(self, is_broken: bool) -> None:
        self.desk: Desk = Closed()
        self.is_broken = is_broken
        self.lines: list[str] = []
        self.rings = 0
        self._typed: list[str | None] = []
        self._changed = asyncio.Event()

    @property
    def has_line(self) -> bool:
        return bool(self._typed)

    def take(self) -> str | None:
        return self._typed.pop(0)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        self.lines.append("stopped")

    def show(self, lines: Iterable[Line], *, ring: bool = False) -> None:
        self.rings += ring
        self.lines += ["".join(text for _, text in row) for line in lines for row in line.rows(None)]
        self._changed.set()

    def refresh(self) -> None:
        self._changed.set()

    def type(self, line: str | None) -> None:
        self._typed.append(line)
        self.desk.changed()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def has(self, end: str) -> bool:
        return any(line.endswith(end) for line in self.lines)


def who(server: Server, name: str) -> accounts.Speaker:
    given = parse(words(server, name))
    assert isinstance(given, Given)
    return accounts.speaker(given.arguments)


def chatting(
    speaker: accounts.Speaker, play: Callable[[Paper], Awaitable[None]], *, is_broken: bool = False
) -> tuple[Exit, Paper]:
    """Chat, with somebody who plays."""

    async def main() -> tuple[Exit, Paper]:
        paper = Paper(is_broken)
        chat = asyncio.ensure_future(room.Room(speaker, None, None, paper).run())
        played = asyncio.ensure_future(play(paper))
        done, _ = await asyncio.wait([chat, played], return_when=asyncio.FIRST_EXCEPTION)
        for each in done:
            each.result()
        return await chat, paper

    return run(main())


def test_a_server_whose_name_has_no_address_is_found_once_it_has_one(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaker = who(server, "rita")
    opened(speaker).close()
    find, found = session.resolved, asyncio.Event()

    async def resolved(host: str, port: int) -> Address:
        if not found.is_set():
            raise Failed(Exit.UNREACHABLE, f"{host} has no address")
        return await find(host, port)

    for module in (session, room):
        monkeypatch.setattr(module, "resolved", resolved)
    monkeypatch.setattr(room, "LOOK_UP_S", 0.01)

    async def play(paper: Paper) -> None:
        paper.type("/to rita")
        paper.type("kept")
        await paper.until(lambda: paper.has("#1 queued for rita (not connected yet)"))
        assert paper.has("has no address. It is looked up again; what you write is kept.")
        found.set()
        await paper.until(lambda: paper.has("<rita> kept"))
        paper.type(None)

    assert chatting(speaker, play)[0] is Exit.DONE


def test_what_could_not_be_shown_is_shown_the_next_time(server: Server) -> None:
    for name in ("sven", "tom"):
        assert command(server, name, "chat")[1] == 0
    assert command(server, "tom", "send", "sven", "hello", "--wait", "stored")[1] == 0
    assert command(server, "sven", "send", "tom", "hello", "--wait", "stored")[1] == 0  # and takes the mail

    async def nothing(paper: Paper) -> None:
        pass

    async def quit_once_shown(paper: Paper) -> None:
        await paper.until(lambda: paper.has("<tom> hello"))
        paper.type("/quit")

    chatting(who(server, "sven"), nothing, is_broken=True)
    _, paper = chatting(who(server, "sven"), quit_once_shown)
    assert paper.has("--- 1 new ---")
    _, paper = chatting(who(server, "sven"), nothing, is_broken=True)
    assert not paper.has("<tom> hello")


def test_it_rings_if_the_user_wants_that(server: Server) -> None:
    for bell in (False, True):
        speaker = who(server, "uli")
        speaker = replace(speaker, settings=replace(speaker.settings, bell=bell))

        async def play(paper: Paper, text: str = f"hello {bell}") -> None:
            paper.type("/to uli")
            paper.type(text)
            await paper.until(lambda: paper.has(f"<uli> {text}"))
            paper.type("/quit")

        assert chatting(speaker, play)[1].rings == bell


def test_other_commands_of_the_same_user_go_through_a_running_chat(server: Server) -> None:
    assert command(server, "vitus", "chat")[1] == 0

    async def play(paper: Paper) -> None:
        await paper.until(lambda: any(line.startswith("You are online, at ") for line in paper.lines))
        printed, status = await asyncio.to_thread(
            command, server, "wanda", "send", "vitus", "from a script", "--wait", "stored"
        )
        assert (printed, status) == ("", 0)
        await paper.until(lambda: any(line.endswith("from another udpchat command") for line in paper.lines))
        paper.type(None)

    async def look_back(paper: Paper) -> None:
        paper.type("/history")
        await paper.until(lambda: any("<wanda> #1 to vitus, stored: from a script" in line for line in paper.lines))
        paper.type(None)

    speaker = who(server, "wanda")
    status, paper = chatting(speaker, play)
    assert status is Exit.DONE
    assert any("stored for vitus (away)" in line for line in paper.lines)
    assert chatting(speaker, look_back)[0] is Exit.DONE


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("/back", "You are online."),
        ("/accept server", "the key of the server did not change: there is nothing to accept."),
        ("/accept bob", "the key of bob did not change: there is nothing to accept."),
        ("/history", "Nothing was said yet."),
        ("x" * 70_000, "a message has 1 to 65,536 bytes of UTF-8; this one has 70,000."),
    ],
)
def test_what_cannot_be_done_is_said(server: Server, typed: str, answer: str) -> None:
    async def play(paper: Paper) -> None:
        await paper.until(lambda: any(line.startswith("You are online, at ") for line in paper.lines))
        paper.type("/to bob")
        paper.type(typed)
        await paper.until(lambda: paper.has(answer))
        paper.type("/away")
        await paper.until(lambda: paper.has("/back comes back."))
        paper.type("/away")
        await paper.until(lambda: paper.has("You are away already."))
        paper.type("/quit")

    assert chatting(who(server, "yara"), play)[0] is Exit.DONE
