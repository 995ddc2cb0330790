"""Who is banned is gone at once and for as long as it says, and its name stays with it."""

import pytest

from tests.core.server.admission import refusal, register
from tests.core.server.letters import slot
from tests.core.server.world import LETTER, World
from udpchat_core.errors import LocalProtocolError
from udpchat_core.fields import Refusal
from udpchat_core.messages import Found, Lookup, Ping, Refused, Register, Registered
from udpchat_core.messages import Store as StoreMessage
from udpchat_core.server_events import UserBanned, UserLeft, UserUnbanned


def test_who_is_banned_is_gone_at_once_and_does_not_come_back(world: World) -> None:
    """R-8.9-1."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    world.carry_out(world.server.ban(alice.identity, world.now))
    assert world.told(UserBanned) == [UserBanned(alice.identity, "alice")]
    assert world.told(UserLeft) == [UserLeft("alice")]
    alice.say(Ping(1))
    assert alice.hear() == []
    found = bob.ask(Lookup(1, "alice"))
    assert isinstance(found, Found)
    assert found.address is None
    assert refusal(register(world.client("alice", seq=6))) is Refusal.BANNED
    world.restart()
    assert refusal(register(world.client("alice", seq=7))) is Refusal.BANNED


def test_letters_for_who_is_banned_are_refused(world: World) -> None:
    """R-8.9-1."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    world.carry_out(world.server.ban(alice.identity, world.now))
    assert refusal(bob.ask(StoreMessage(1, alice.identity, slot(1), 0, LETTER))) is Refusal.BANNED


def test_the_name_of_who_is_banned_stays_with_it(world: World) -> None:
    """R-8.9-1."""
    world.client("alice").online()
    world.carry_out(world.server.ban(world.client("alice").identity, world.now))
    assert refusal(register(world.client("alice", who="mallory"))) is Refusal.NAME_TAKEN


def test_who_is_banned_while_it_registers_is_told_so(world: World) -> None:
    """R-8.9-1."""
    world.store.is_slow = True
    alice = world.client("alice").connect()
    world.carry_out(world.server.ban(alice.identity, world.now))
    alice.say(Register(3))
    world.settle()
    assert alice.hear() == [Refused(3, Refusal.BANNED, 0, 0)]
    assert world.told(UserBanned) == [UserBanned(alice.identity, None)]


def test_a_ban_ends(world: World) -> None:
    alice = world.client("alice").online()
    with pytest.raises(LocalProtocolError, match="not banned"):
        world.server.unban(alice.identity, world.now)
    world.carry_out(world.server.ban(alice.identity, world.now))
    world.carry_out(world.server.ban(alice.identity, world.now))
    world.carry_out(world.server.unban(alice.identity, world.now))
    assert world.told(UserUnbanned) == [UserUnbanned(alice.identity)]
    assert isinstance(register(world.client("alice", seq=6)), Registered)
    world.restart()
    assert isinstance(register(world.client("alice", seq=7)), Registered)


def test_there_is_an_end_to_bans(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udpchat_core.server.admission.BANS_MAX", 1)
    world.carry_out(world.server.ban(bytes(32), world.now))
    with pytest.raises(LocalProtocolError, match="1 identities are banned"):
        world.server.ban(bytes([1]) * 32, world.now)


def test_what_the_operator_wants_waits_for_a_disk_that_is_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.client("alice").online()
    world.store.is_slow = True
    monkeypatch.setattr("udpchat_core.server.storage.STORE_REQUESTS_MAX", 0)
    with pytest.raises(LocalProtocolError, match="far behind"):
        world.server.invite(world.now)
    with pytest.raises(LocalProtocolError, match="far behind"):
        world.server.ban(bytes(32), world.now)
    with pytest.raises(LocalProtocolError, match="far behind"):
        world.server.release("alice", world.now)
    assert world.server.sizes()["invites"] == 0
