"""What an operator asks of a running server is done when it is durable, and told then."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stage import HOST, Stage, play
from udpchat_cli import schema, sending, shed, values
from udpchat_cli.commands.operator import lines
from udpchat_cli.commands.server import DISK_S_MAX, Operator, admitted
from udpchat_cli.exits import Exit, Failed
from udpchat_core.errors import Reason
from udpchat_core.fields import Refusal
from udpchat_core.requests import StoreReply
from udpchat_core.server.admission import OPEN, Admission, Policy
from udpchat_net import udp
from udpchat_net.stores.port import Request


async def asked(operator: Operator, **request: Any) -> dict[str, Any]:
    things: list[Any] = []
    await operator.answer(request, things.append)
    (thing,) = things
    return dict(thing)


def test_a_banned_user_is_served_no_more_until_the_ban_ends(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        operator = Operator(stage.server, stage.store)
        anna = await stage.online("anna")
        assert (await asked(operator, do="status"))["online"] == 1
        banned = await asked(operator, do="ban", who="anna")
        assert banned == {"event": "banned", "name": "anna", "identity": anna.core.identity.hex()}
        assert (await asked(operator, do="status"))["online"] == 0
        await anna.end()
        anna = stage.session("anna")
        anna.start(HOST)
        with pytest.raises(Failed, match="the server does not serve this name"):
            await anna.online()
        await anna.end()
        assert await asked(operator, do="unban", who=banned["identity"]) == {
            "event": "unbanned",
            "identity": banned["identity"],
        }
        await (await stage.online("anna")).end()

    play(scene, tmp_path)


async def let_in(stage: Stage, name: str, token: bytes, admits: bool) -> None:
    session = stage.session(name)
    session.start(HOST, invite=token)
    if admits:
        await session.online()
    else:
        with pytest.raises(Failed, match="takes only users who are invited"):
            await session.online()
    await session.end()


def test_an_invitation_lets_one_in_and_no_more(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        operator = Operator(stage.server, stage.store)
        made = await asyncio.gather(*(asked(operator, do="invite") for _ in range(3)))
        tokens = [values.invite(thing["token"]) for thing in made]
        assert len(set(tokens)) == 3
        assert not any(values.invite_text(token) in str(stage.logged) for token in tokens)
        for name, admits in (("anna", True), ("bert", False)):
            await let_in(stage, name, tokens[0], admits)

    play(scene, tmp_path, admission=Admission(Policy.INVITE))


def test_a_released_name_and_its_mail_are_gone(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        operator = Operator(stage.server, stage.store)
        await stage.known("bob")
        anna = await stage.online("anna")
        await sending.deliver(anna, "bob", "hi", "stored", None, lambda _: None)
        status = await asked(operator, do="status")
        assert (status["users"], status["online"], status["letters"]) == (2, 1, 1)
        assert await asked(operator, do="release", who="bob") == {"event": "released", "name": "bob"}
        status = await asked(operator, do="status")
        assert (status["users"], status["letters"]) == (1, 0)
        await anna.end()

    play(scene, tmp_path)


def test_what_was_shed_is_counted_by_reason(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        operator = Operator(stage.server, stage.store)
        with pytest.raises(Failed):
            await (await stage.online("anna")).end()
        junk, _ = udp.bind(HOST, 0)
        for payload in (b"junk", b"junk", b"u\1\1"):
            junk.sendto(payload, udp.name_of(stage.address))
        await asyncio.sleep(1)
        junk.close()
        status = await asked(operator, do="status")
        assert status["refused"] == {"not_admitted": 1}
        assert status["dropped"] == {"magic": 2, "size": 1}

    play(scene, tmp_path, admission=Admission(Policy.INVITE))


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"do": "ban", "who": "nobody"}, Exit.UNKNOWN),
        ({"do": "release", "who": "nobody"}, Exit.UNKNOWN),
        ({"do": "release", "who": "00" * 32}, Exit.REFUSED),
        ({"do": "unban", "who": "00" * 32}, Exit.REFUSED),
        ({"do": "ban", "who": "zz" * 32}, Exit.UNKNOWN),
        ({"do": "ban", "who": 5}, Exit.USAGE),
        ({"do": "dance"}, Exit.USAGE),
        ({}, Exit.USAGE),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_said_with_its_status(request_: dict[str, Any], status: Exit, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        with pytest.raises(Failed) as failed:
            await asked(Operator(stage.server, stage.store), **request_)
        assert failed.value.status is status

    play(scene, tmp_path)


def test_a_disk_that_takes_nothing_is_said_and_nothing_is_told_as_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(requests: Sequence[Request]) -> tuple[StoreReply, ...]:
        return tuple(StoreReply(request, durable=False) for request in requests)

    async def scene(stage: Stage) -> None:
        monkeypatch.setattr(stage.store, "commit", full)
        began = stage.loop.time()
        with pytest.raises(Failed, match="disk takes nothing at the moment") as failed:
            await asked(Operator(stage.server, stage.store), do="invite")
        assert failed.value.status is Exit.STATE
        assert round(stage.loop.time() - began) == DISK_S_MAX

    play(scene, tmp_path)


def test_whoever_runs_it_is_told_in_words_what_was_shed() -> None:
    assert set(shed.DROPPED) == set(Reason)
    assert set(shed.REFUSED) == set(Refusal)
    assert shed.dropped("prefix rate") == "as one network began too many links in a second"
    thing = schema.made(
        "status",
        addresses=["192.0.2.1:10001"],
        key="0123456789abcdef" * 4,
        uptime_s=60,
        users=0,
        online=0,
        letters=1,
        dropped={"link": 11, "magic": 1},
        refused={"not_admitted": 1_000},
        unsent={},
        errors={},
        sizes={},
    )
    assert lines(thing).splitlines() == [
        "serving      192.0.2.1:10001",
        "key          01234567 89abcdef 01234567 89abcdef 01234567 89abcdef 01234567 89abcdef",
        "for          0:01:00",
        "users        0, of them 0 online",
        "mailboxes    1 letter",
        "dropped      11 of a link that ended, as after a restart: it is made anew",
        "             1 of another protocol",
        "refused      1,000 of somebody who is not invited, or not on the list",
        "not sent     nothing",
        "not received nothing",
    ]


# --- who may register ---


def test_admission_is_a_word_or_a_list_of_keys(tmp_path: Path) -> None:
    assert admitted("open") == OPEN
    assert admitted("invite") == Admission(Policy.INVITE)
    path = tmp_path / "list"
    path.write_text(f"# us\n\n{'ab' * 32}\n  {'cd ' * 32} # bob \U0001f422\n{'AB' * 32}\n")
    assert admitted(str(path)) == Admission(Policy.LISTED, frozenset({b"\xab" * 32, b"\xcd" * 32}))


@pytest.mark.parametrize("line", ["bob", "ab" * 31, "ab" * 33, "zz" * 32])
def test_a_line_that_is_no_key_is_said_with_its_number(line: str, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(f"{'ab' * 32}\n{line}\n")
    with pytest.raises(Failed, match="list, line 2: a key has 64 hexadecimal digits"):
        admitted(str(path))


@pytest.mark.parametrize("token", [bytes(16), b"\xff" * 16, bytes(range(16))])
def test_an_invitation_is_read_as_it_is_printed(token: bytes) -> None:
    assert values.invite(values.invite_text(token)) == values.invite(values.invite_text(token).lower()) == token
