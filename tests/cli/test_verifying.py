"""Keys are compared, marked, and decided about: both see one number, and a key that changed holds what is sent."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stage import FullDisk, Stage, play
from udpchat_cli import sending
from udpchat_cli.exits import Exit, Failed
from udpchat_cli.session import Session
from udpchat_cli.verifying import verify


async def told(session: Session, peer: str, act: str = "") -> tuple[dict[str, Any], Exit, str]:
    """What is told of a key, how it ended, and why."""
    things: list[dict[str, Any]] = [{}]
    try:
        await verify(session, peer, act, lambda thing: things.append(dict(thing)))
    except Failed as failed:
        return things[-1], failed.status, str(failed)
    return things[-1], Exit.DONE, ""


async def another_bob(stage: Stage) -> Session:
    """The name goes to somebody else, as if bob had lost his key."""
    stage.server.driver.call(stage.server.core.release, "bob")
    await asyncio.sleep(1)
    path = stage.who("bob").path
    path.rename(path.with_name("gone"))
    return await stage.online("bob")


def test_both_see_the_same_number_before_they_ever_wrote(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        bob, anna = await stage.online("bob"), await stage.online("anna")
        of_bob, status, _ = await told(anna, "bob")
        of_anna, _, _ = await told(bob, "anna")
        assert status is Exit.DONE
        assert of_bob["safety_number"] == of_anna["safety_number"]
        assert len(of_bob["safety_number"]) == 60
        assert (of_bob["identity"], of_bob["verified"], of_bob["checked"]) == (bob.core.identity.hex(), False, True)
        await anna.end()
        await bob.end()

    play(scene, tmp_path)


def test_a_mark_stays_until_it_is_taken_back(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        anna = await stage.online("anna")
        assert (await told(anna, "bob", "mark"))[0]["verified"] is True
        await anna.end()
        anna = await stage.online("anna")
        assert (await told(anna, "bob"))[0]["verified"] is True
        assert (await told(anna, "bob", "unmark"))[0]["verified"] is False
        await anna.end()

    play(scene, tmp_path)


def test_another_key_is_told_with_both_numbers_and_status_7_and_accepting_it_drops_the_mark(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        anna = await stage.online("anna")
        before, _, _ = await told(anna, "bob", "mark")
        bob = await another_bob(stage)
        changed, status, why = await told(anna, "bob")
        assert (status, why) == (
            Exit.KEY_CHANGED,
            "bob has another key now, and messages to bob are held until you decide",
        )
        assert changed == before | {
            "offered": bob.core.identity.hex(),
            "offered_number": (await told(bob, "anna"))[0]["safety_number"],
        }
        _, status, why = await told(anna, "bob", "mark")
        assert (status, why) == (Exit.USAGE, "bob has another key now: decide first whether to accept it")
        with pytest.raises(Failed, match="another key"):
            await sending.deliver(anna, "bob", "held", "delivered", 5, lambda _: None)
        after, status, _ = await told(anna, "bob", "accept")
        assert (status, after["verified"], after["offered"]) == (Exit.DONE, False, "")
        assert (after["identity"], after["safety_number"]) == (changed["offered"], changed["offered_number"])
        assert await anna.until(lambda: not len(anna.core._outbox), 30)  # what was held has arrived
        await anna.end()
        await bob.end()

    play(scene, tmp_path)


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        anna = await stage.online("anna")
        for peer, act, status, why in (
            ("nobody", "", Exit.UNKNOWN, "nobody has the name nobody there"),
            ("anna", "", Exit.USAGE, "anna is you: there is nothing to compare"),
            ("bob", "accept", Exit.USAGE, "the key of bob did not change: there is nothing to accept"),
            ("bob", "sign", Exit.USAGE, "nothing can be done as 'sign' here"),
            ("", "mark", Exit.USAGE, "nothing can be done as 'mark' here"),
            ("", "accept", Exit.USAGE, "the key of the server did not change: there is nothing to accept"),
        ):
            assert (await told(anna, peer, act))[1:] == (status, why)
        await anna.end()

    play(scene, tmp_path)


def test_without_a_server_what_is_remembered_is_told_and_can_be_marked(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        anna = await stage.online("anna")
        known, _, _ = await told(anna, "bob")
        server, _, _ = await told(anna, "")
        await anna.end()
        await stage.server.stop()
        stage.silence()
        anna = stage.session("anna")
        anna.start()
        assert (await told(anna, "bob"))[0] == known | {"checked": False}
        assert (await told(anna, "bob", "mark"))[0] == known | {"checked": False, "verified": True}
        assert (await told(anna, ""))[0] == server | {"checked": False}
        assert (await told(anna, "carl"))[1] is Exit.UNREACHABLE
        await anna.end()
        stage.start_server()

    play(scene, tmp_path)


def test_another_key_of_the_server_stops_everything_until_it_is_accepted(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        anna = await stage.online("anna")
        before, _, _ = await told(anna, "")
        assert before["checked"] is True
        await anna.end()
        await stage.server.stop()
        for file in (tmp_path / "server").iterdir():
            file.unlink()
        stage.start_server()
        anna = stage.session("anna")
        anna.start()
        changed, status, why = await told(anna, "")
        assert status is Exit.KEY_CHANGED
        assert why.endswith("has another key than before, and nothing is sent until you decide")
        assert changed == before | {"offered": changed["offered"]}
        assert anna.trouble is not None
        assert "`udpchat verify --server --accept`" in str(anna.trouble)
        after, status, _ = await told(anna, "", "accept")
        assert (status, after) == (Exit.DONE, before | {"key": changed["offered"]})
        await anna.end()
        anna = await stage.online("anna")
        assert (await told(anna, ""))[0] == after
        await anna.end()

    play(scene, tmp_path)


def test_a_mark_that_is_not_on_disk_is_not_claimed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob", "anna")
        store = FullDisk(stage.who("anna").path)
        anna = await stage.online("anna", opening=lambda _: store)
        await told(anna, "bob")
        store.is_full = True
        thing, status, why = await told(anna, "bob", "mark")
        assert (thing, status) == ({}, Exit.STATE)
        assert why == "the disk takes nothing at the moment, so this is not saved: try again"
        store.is_full = False
        await anna.end()

    play(scene, tmp_path)
