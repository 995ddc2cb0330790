"""A session: where its server is, how it ends, and what it says when it is in trouble."""

import asyncio
import socket
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stage import HOST, Stage, play, speaker
from udpchat_cli import sending, session
from udpchat_cli.exits import Exit, Failed
from udpchat_cli.probe import greet
from udpchat_core import client_events as e
from udpchat_core.address import Address
from udpchat_core.server.admission import Admission, Policy
from udpchat_net import udp

NOBODY = Address(b"\x7f\0\0\1", 9)


# --- where the server is ---


def looked_up(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[Address]:
    """The addresses of example.org, if this is what the system answers."""

    async def getaddrinfo(*_: object, **__: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return [(0, 0, 0, "", name) for name in answer]

    async def scene() -> list[Address]:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        return await session.addresses_of("example.org", 7)

    return asyncio.run(scene())


def test_every_address_of_a_name_counts_once_in_the_systems_order(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [("2001:db8::1", 7, 0, 0), ("192.0.2.1", 7), ("192.0.2.1", 7)]
    assert looked_up(monkeypatch, names) == [
        Address(socket.inet_pton(socket.AF_INET6, "2001:db8::1"), 7),
        Address(bytes((192, 0, 2, 1)), 7),
    ]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (socket.gaierror(socket.EAI_NONAME, "no"), "example.org has no address: see whether the name is right"),
        (socket.gaierror(socket.EAI_AGAIN, "no"), "no name server answers; try again, or give an IP address"),
        (UnicodeError("label too long"), "example.org has no address"),
    ],
)
def test_a_name_without_an_address_is_status_4(error: Exception, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failed, match=says) as failed:
        looked_up(monkeypatch, error)
    assert failed.value.status is Exit.UNREACHABLE


def test_of_several_addresses_the_one_that_answers_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(stage: Stage) -> None:
        async def found(*addresses: Address) -> Address:
            async def addresses_of(*_: object) -> list[Address]:
                return [*addresses]

            monkeypatch.setattr(session, "addresses_of", addresses_of)
            return await session.resolved("example.org", 7)

        assert await found(NOBODY, stage.address) == stage.address
        assert await found(stage.address, NOBODY) == stage.address
        assert await found(stage.address) == stage.address
        assert await found(NOBODY, Address(NOBODY.host, 11)) == NOBODY

    play(scene, tmp_path)


def test_a_greeting_gets_the_servers_key_and_leaves_nothing_there(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        answer = await greet([stage.address])
        anna = await stage.online("anna")
        assert answer == (stage.address, anna.core.server_key)
        await anna.end()

    play(scene, tmp_path)


def test_an_answer_to_another_greeting_is_none(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        liar, at = udp.bind(HOST, 0)

        def lie() -> None:
            _, name = liar.recvfrom(2_000)
            for payload in (b"", b"u\1\2" + bytes(100), b"u\1\2" + bytes(84)):
                liar.sendto(payload, name)

        stage.loop.add_reader(liar, lie)
        assert await greet([at]) is None
        stage.loop.remove_reader(liar)
        liar.close()

    play(scene, tmp_path)


# --- the whole of it, as commands use it ---


def test_a_session_makes_the_identity_and_says_goodbye(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        who = speaker(tmp_path, "anna", stage.port)
        async with session.session(who) as running:
            running.start()
            await running.online()
        assert who.is_known
        async with session.session(who) as again:
            assert again.core.identity == running.core.identity
        assert [thing["event"] for thing in stage.logged[1:]] == ["registered", "left"]

    play(scene, tmp_path)


def test_a_session_of_a_server_without_an_address_can_be_sent_with_and_makes_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nowhere(host: str, port: int) -> list[Address]:
        raise Failed(Exit.UNREACHABLE, f"{host} has no address")

    async def scene(stage: Stage) -> None:
        await stage.known("anna")
        monkeypatch.setattr(session, "addresses_of", nowhere)
        async with session.session(stage.who("anna"), offline=True) as running:
            running.start()
            with pytest.raises(Failed, match=r"message 1 is kept, .* has no address"):
                await sending.deliver(running, "bob", "hi", "delivered", None, lambda _: None)
        for who in ("anna", "newcomer"):
            with pytest.raises(Failed, match="has no address"):
                async with session.session(stage.who(who)):
                    pytest.fail("it began")
        assert not stage.who("newcomer").is_known
        async with session.session(stage.who("anna"), offline=True) as running:
            assert running.core.sizes()["outbox"] == 1

    play(scene, tmp_path)


def trouble(stage: Stage, name: str = "anna") -> Awaitable[Failed]:
    """How registering fails."""

    async def register() -> Failed:
        running = stage.session(name)
        try:
            running.start(HOST)
            with pytest.raises(Failed) as failed:
                await running.online()
            return failed.value
        finally:
            await running.end()

    return register()


def test_a_server_that_does_not_admit_says_so_and_which_key_to_list(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        failed = await trouble(stage)
        assert failed.status is Exit.REFUSED
        assert "takes only users who are invited, or on its list; for its list, the key of anna is " in str(failed)
        key = bytes.fromhex(str(failed).rpartition(" ")[2])
        await stage.server.stop()
        stage.start_server(Admission(Policy.LISTED, frozenset({key})))
        await (await stage.online("anna")).end()

    play(scene, tmp_path, admission=Admission(Policy.INVITE))


def test_a_name_that_somebody_else_has_is_said(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("anna")
        stage.who("anna").path.unlink()
        failed = await trouble(stage)
        assert failed.status is Exit.REFUSED
        assert "somebody else has this name" in str(failed)

    play(scene, tmp_path)


def test_another_key_of_the_server_is_status_7(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("anna")
        await stage.server.stop()
        (tmp_path / "server" / "server.db").unlink()
        stage.start_server()
        failed = await trouble(stage)
        assert failed.status is Exit.KEY_CHANGED
        assert "accept it with `udpchat verify --server --accept`" in str(failed)
        assert not any(thing["event"] == "registered" for thing in stage.logged[-1:])

    play(scene, tmp_path)


def test_what_is_on_its_way_to_the_disk_is_let_in_and_named_before_the_end(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("bob")
        anna = await stage.online("anna")
        await sending.deliver(anna, "bob", "hi", "stored", None, lambda _: None)
        bob = await stage.online("bob")
        while not bob.core.sizes()["entering"]:
            await asyncio.sleep(0)
        await bob.end()
        bob = stage.session("bob")
        assert [(text.text, text.confirmed) for text in bob.unseen()] == [("hi", True)]
        await bob.end()
        await anna.end()

    play(scene, tmp_path)


def test_a_callback_is_called_while_it_listens_and_not_after(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        anna = stage.session("anna")
        heard: list[object] = []
        with anna.listening(heard.append):
            anna.start(HOST)
            await anna.online()
        assert [type(event) for event in heard] == [e.Registered]
        await anna.end()
        assert len(heard) == 1

    play(scene, tmp_path)


def test_a_fault_of_this_program_is_not_waited_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: object) -> None:
        raise TypeError("a fault")

    async def scene(stage: Stage) -> None:
        anna = await stage.online("anna")
        monkeypatch.setattr(anna.core, "handle_timeout", fault)
        with pytest.raises(TypeError, match="a fault"):
            await anna.until(lambda: False)
        with pytest.raises(TypeError, match="a fault"):
            await anna.end()

    play(scene, tmp_path)


@pytest.mark.parametrize("stops", [0, 1])
def test_waiting_ends_with_a_signal_more_than_it_may(stops: int, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        anna = await stage.online("anna")
        waiting = asyncio.ensure_future(anna.until(lambda: False, 30, stops))
        await asyncio.sleep(1)
        anna.interrupt()
        if stops:
            assert await waiting is False
        else:
            with pytest.raises(Failed, match="interrupted") as failed:
                await waiting
            assert failed.value.status is Exit.INTERRUPTED
        await anna.end()

    play(scene, tmp_path)
