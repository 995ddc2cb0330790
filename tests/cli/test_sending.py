"""A message is sent, and how it stands is told by what is true of it: each outcome has its status."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stage import FullDisk, Stage, opened, play
from udpchat_cli import sending
from udpchat_cli.commands.history import rows
from udpchat_cli.exits import Exit, Failed
from udpchat_cli.session import NOWHERE, Session
from udpchat_core.limits import DIRECT_WINDOW_LETTERS


class Sent:
    """What became of one message: the states that were told, how it ended, and how long that took."""

    def __init__(self) -> None:
        self.things: list[Mapping[str, Any]] = []
        self.status, self.why = Exit.DONE, ""
        self.seconds = 0.0

    @property
    def states(self) -> list[str]:
        return [thing["event"] for thing in self.things]

    async def by(
        self, session: Session, to: str, text: str = "hello", level: str = "delivered", seconds: float | None = None
    ) -> "Sent":
        began = asyncio.get_running_loop().time()
        try:
            await sending.deliver(session, to, text, level, seconds, self.things.append)
        except Failed as failed:
            self.status, self.why = failed.status, str(failed)
        self.seconds = asyncio.get_running_loop().time() - began
        return self


def test_who_is_there_gets_it_and_that_is_told(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        bob, anna = await stage.online("bob"), await stage.online("anna")
        sent = await Sent().by(anna, "bob")
        assert (sent.status, sent.states) == (Exit.DONE, ["queued", "delivered"])
        assert sent.things[1]["message"] == sent.things[0]["message"] == 1
        assert (await Sent().by(anna, "bob", level="stored")).status is Exit.DONE
        await anna.end()
        await bob.end()

    play(scene, tmp_path)


def test_for_who_is_away_it_is_clear_at_once_that_it_is_stored_only(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        anna = await stage.online("anna")
        sent = await Sent().by(anna, "bob")
        assert (sent.status, sent.states) == (Exit.STORED, ["queued", "stored"])
        assert sent.why == (
            "not delivered to bob yet, as bob is away: the server has it on disk, and this machine as well"
        )
        assert sent.seconds < 2
        assert (await Sent().by(anna, "bob", level="stored")).status is Exit.DONE
        await anna.end()
        assert [row.thing["state"] for row in rows(stage.who("anna"), None)] == ["stored", "stored"]

    play(scene, tmp_path)


def test_who_says_how_long_waits_for_somebody_who_is_away(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        anna = await stage.online("anna")
        in_vain = await Sent().by(anna, "bob", seconds=60)
        assert (in_vain.status, round(in_vain.seconds)) == (Exit.STORED, 60)
        waiting = asyncio.ensure_future(Sent().by(anna, "bob", seconds=60))
        await asyncio.sleep(20)
        bob = await stage.online("bob")
        sent = await waiting
        assert (sent.status, sent.states) == (Exit.DONE, ["queued", "stored", "delivered"])
        await anna.end()
        await bob.end()

    play(scene, tmp_path)


def test_nobody_of_that_name_is_status_3(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        anna = await stage.online("anna")
        sent = await Sent().by(anna, "nobody")
        assert (sent.status, sent.states) == (Exit.UNKNOWN, ["queued", "refused"])
        assert sent.why == "not sent to nobody: nobody is registered under that name"
        assert sent.things[1]["reason"] == "unknown"
        await anna.end()

    play(scene, tmp_path)


def test_without_a_server_it_is_status_4_and_the_next_session_sends_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("anna")
        bob, at = await stage.online("bob"), stage.address
        stage.silence()
        anna = stage.session("anna")
        anna.start("127.0.0.1")
        sent = await Sent().by(anna, "bob")
        assert (sent.status, sent.states) == (Exit.UNREACHABLE, ["queued"])
        server = f"127.0.0.1:{stage.port}"
        kept = f"message 1 is kept, and sent by the next udpchat of anna@{server}"
        assert sent.why == f"{kept}; {server} does not answer: is a server there?"
        assert sent.seconds < 4  # nobody knows where bob is, so nothing else is waited for
        await anna.end()
        stage.address = at
        got = list[str]()
        with bob.listening(lambda event: got.append(getattr(event, "text", ""))):
            anna = await stage.online("anna")
            await bob.until(lambda: "hello" in got)
        await anna.end()
        await bob.end()

    play(scene, tmp_path)


def test_without_an_address_of_the_server_it_is_kept_as_well(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        store = opened(stage.who("anna"))
        anna = Session(stage.who("anna").account, store, NOWHERE, clock=stage.loop.clock())
        anna.trouble = Failed(Exit.UNREACHABLE, "example.org has no address")
        assert anna.start() == NOWHERE
        sent = await Sent().by(anna, "bob")
        assert sent.status is Exit.UNREACHABLE
        assert sent.why == (
            f"message 1 is kept, and sent by the next udpchat of {anna.account}; example.org has no address"
        )
        await anna.end()
        store = opened(stage.who("anna"))
        assert [letter.text for letter in store.load().outbox] == ["hello"]
        store.close()

    play(scene, tmp_path)


async def troubled(stage: Stage, trouble: Exit) -> Session:
    """A session of anna that knows where bob is, and whose server has gone, or has another key now."""
    anna = await stage.online("anna", watch_all=True)
    assert (await Sent().by(anna, "bob")).status is Exit.DONE
    await stage.server.stop()
    if trouble is Exit.KEY_CHANGED:
        (stage.folder / "server" / "server.db").unlink()
        stage.start_server()
    await anna.until(lambda: anna.trouble is not None)
    assert anna.trouble is not None
    assert anna.trouble.status is trouble
    return anna


@pytest.mark.parametrize("trouble", [Exit.UNREACHABLE, Exit.KEY_CHANGED])
def test_who_is_there_gets_it_directly_while_the_server_is_in_trouble(trouble: Exit, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        bob = await stage.online("bob")
        anna = await troubled(stage, trouble)
        for level in sending.LEVELS:
            sent = await Sent().by(anna, "bob", level=level)
            assert (sent.status, sent.states) == (Exit.DONE, ["queued", "delivered"])
        await anna.end()
        await bob.end()

    play(scene, tmp_path)


@pytest.mark.parametrize("trouble", [Exit.UNREACHABLE, Exit.KEY_CHANGED])
def test_who_went_without_a_word_is_tried_directly_and_no_longer_than_that_takes(trouble: Exit, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        bob = await stage.online("bob")
        anna = await troubled(stage, trouble)
        await bob.end()
        for _ in range(DIRECT_WINDOW_LETTERS + 2):  # the last ones wait for those before, and are not tried
            sent = await Sent().by(anna, "bob")
            assert (sent.status, sent.states) == (trouble, ["queued"])
            assert 0.4 < sent.seconds < sending.DIRECT_S_MAX + 0.01
        sent = await Sent().by(anna, "bob", seconds=0.2)
        assert (sent.status, round(sent.seconds, 3)) == (trouble, 0.2)
        for stranger in ("carl", "dora"):
            sent = await Sent().by(anna, stranger)
            assert (sent.status, sent.states) == (trouble, ["queued"])
            assert sent.seconds < 0.1
        await anna.end()

    play(scene, tmp_path)


def test_a_session_that_goes_on_says_that_it_has_the_message(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        bob = await stage.online("bob")
        anna = await troubled(stage, Exit.UNREACHABLE)
        await bob.end()
        request = {"do": "send", "to": "bob", "text": "hi", "level": "delivered"}
        has_it = f"is kept, and sent by the udpchat of {anna.account} that is running, once it can"
        with pytest.raises(Failed) as failed:
            await sending.answer(anna, request, lambda _: None)
        assert str(failed.value) == f"message 2 {has_it}; {anna.trouble}"
        stage.start_server()
        with pytest.raises(Failed) as failed:
            await sending.answer(anna, request | {"seconds": 0}, lambda _: None)
        assert str(failed.value) == f"message 3 {has_it}; {anna.trouble}"
        await anna.until(lambda: anna.is_online)
        with pytest.raises(Failed) as failed:
            await sending.answer(anna, request | {"seconds": 0}, lambda _: None)
        assert str(failed.value) == f"the server did not take it within the time; message 4 {has_it}"
        waiting = asyncio.ensure_future(sending.answer(anna, request | {"seconds": 60}, lambda _: None))
        await asyncio.sleep(1)
        anna.interrupt()
        with pytest.raises(Failed) as failed:
            await waiting
        assert str(failed.value) == f"interrupted; message 5 is kept, and sent by the next udpchat of {anna.account}"
        await anna.end()

    play(scene, tmp_path)


def test_another_key_is_status_7_and_stays_so_until_the_user_decides(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        anna = await stage.online("anna")
        await Sent().by(anna, "bob")
        stage.server.driver.call(stage.server.core.release, "bob")
        await asyncio.sleep(1)
        path = stage.who("bob").path
        path.rename(path.with_name("gone"))
        bob = await stage.online("bob")
        await asyncio.sleep(120)  # what is known of bob is asked anew
        sent = await Sent().by(anna, "bob", "second")
        assert (sent.status, sent.states) == (Exit.KEY_CHANGED, ["queued", "held"])
        assert "the message is held until you decide" in sent.why
        again = await Sent().by(anna, "bob", "third")
        assert (again.status, again.states) == (Exit.KEY_CHANGED, ["queued", "held"])
        anna.accept_key("bob")
        assert (await Sent().by(anna, "bob", "fourth")).status is Exit.DONE
        with pytest.raises(Failed, match="the key of bob did not change") as failed:
            anna.accept_key("bob")
        assert failed.value.status is Exit.USAGE
        await anna.end()
        await bob.end()

    play(scene, tmp_path)


def test_a_full_disk_is_status_8(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("anna", "bob")
        anna = await stage.online("anna", opening=lambda who: FullDisk(who.path))
        store = anna._store
        assert isinstance(store, FullDisk)
        store.is_full = True
        sent = await Sent().by(anna, "bob")
        assert (sent.status, sent.states) == (Exit.STATE, [])
        assert "the message is not saved, and not sent" in sent.why
        store.is_full = False
        await anna.end()

    play(scene, tmp_path)


def test_what_the_server_did_not_take_in_time_is_status_9(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        anna = await stage.online("anna")
        sent = await Sent().by(anna, "bob", seconds=0)
        assert (sent.status, sent.states) == (Exit.QUEUED, ["queued"])
        assert "message 1 is kept, and sent by the next udpchat" in sent.why
        await anna.end()

    play(scene, tmp_path)


def test_a_signal_ends_the_wait_and_it_is_said_that_the_message_is_kept(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        anna = await stage.online("anna")
        waiting = asyncio.ensure_future(Sent().by(anna, "bob", seconds=60))
        await asyncio.sleep(10)
        anna.interrupt()
        sent = await waiting
        assert sent.status is Exit.INTERRUPTED
        assert sent.why.startswith("interrupted; message 1 is kept")
        assert sent.seconds < 20
        await anna.end()
        assert {"event": "left", "name": "anna"} in stage.logged[-2:]

    play(scene, tmp_path)


@pytest.mark.parametrize(("text", "says"), [("", "1 to 65,536 bytes"), ("\ud800", "lone surrogate")])
def test_what_cannot_be_sent_is_status_2(text: str, says: str, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        anna = await stage.online("anna")
        sent = await Sent().by(anna, "bob", text)
        assert sent.status is Exit.USAGE
        assert says in sent.why
        await anna.end()

    play(scene, tmp_path)


# --- what another command asks for ---


def test_a_session_answers_what_another_command_asks(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        anna = await stage.online("anna", watch_all=True)
        said = list[Mapping[str, Any]]()
        await anna.until(lambda: len(anna.core.roster) == 2)
        await sending.answer(anna, {"do": "who"}, said.append)
        request = {"do": "send", "to": "bob", "text": "hi", "level": "stored", "seconds": 5}
        await sending.answer(anna, request, said.append)
        assert said == [
            {"event": "user", "name": "anna", "online": True},
            {"event": "user", "name": "bob", "online": False},
            {"event": "queued", "message": 1, "to": "bob"},
            {"event": "stored", "message": 1, "to": "bob", "online": False},
        ]
        await anna.end()

    play(scene, tmp_path)


def test_who_is_there_is_not_told_before_it_is_known(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("anna")
        stage.silence()
        anna = stage.session("anna", watch_all=True)
        anna.start("127.0.0.1")
        with pytest.raises(Failed, match="does not answer") as failed:
            await sending.answer(anna, {"do": "who"}, lambda _: pytest.fail("it was told"))
        assert failed.value.status is Exit.UNREACHABLE
        await anna.end()

    play(scene, tmp_path)


@pytest.mark.parametrize("trouble", [Exit.UNREACHABLE, Exit.KEY_CHANGED])
def test_who_was_there_is_not_told_as_if_it_were_now(trouble: Exit, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        bob = await stage.online("bob")
        anna = await troubled(stage, trouble)
        assert anna.core.roster == {"anna": True, "bob": True}
        with pytest.raises(Failed) as failed:
            await sending.answer(anna, {"do": "who"}, lambda _: pytest.fail("it was told"))
        assert failed.value is anna.trouble
        await anna.end()
        await bob.end()

    play(scene, tmp_path)


def test_who_is_there_is_not_told_by_somebody_who_went_away_by_will(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        anna = await stage.online("anna", watch_all=True)
        await anna.until(lambda: bool(anna.core.roster))
        anna.call(anna.core.deregister)
        await anna.until(lambda: not anna.is_online)
        with pytest.raises(Failed, match="that is running is away: type /back there") as failed:
            await sending.answer(anna, {"do": "who"}, lambda _: pytest.fail("it was told"))
        assert failed.value.status is Exit.UNREACHABLE
        await anna.end()

    play(scene, tmp_path)


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"do": "fly"},
        {"do": "send", "to": "bob", "text": 5, "level": "stored"},
        {"do": "send", "to": "bob", "text": "hi", "level": "read"},
        {"do": "send", "to": "bob", "text": "hi", "level": "stored", "seconds": "5"},
        {"do": "send", "to": "bob", "text": "hi", "level": "stored", "seconds": float("nan")},
        {"do": "send", "to": "BOB!", "text": "hi", "level": "stored"},
    ],
    ids=str,
)
def test_what_it_cannot_be_asked_is_refused_and_changes_nothing(request_: dict[str, Any], tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        anna = await stage.online("anna")
        with pytest.raises(Failed) as failed:
            await sending.answer(anna, request_, lambda _: pytest.fail("it was done"))
        assert failed.value.status is Exit.USAGE
        assert anna.core.sizes()["outbox"] == 0
        await anna.end()

    play(scene, tmp_path)
