"""Who may come that is new: invitations, the list, and so many new names of one network."""

from itertools import count

import pytest

from tests.core.server.admission import DAY_S, INVITED, invite, refusal, register
from tests.core.server.world import World
from udpchat_core import limits
from udpchat_core.address import Address
from udpchat_core.errors import LocalProtocolError
from udpchat_core.fields import Refusal
from udpchat_core.messages import Message, Register, Registered
from udpchat_core.server import Admission, Policy
from udpchat_core.server_events import InviteMade
from udpchat_core.server_requests import SaveInvite

_hosts = count(1)

# --- invitations ---


def test_where_invitations_are_asked_for_nobody_new_comes_without_one() -> None:
    """R-8.9-3."""
    world = World(admission=INVITED)
    assert refusal(register(world.client("alice"))) is Refusal.NOT_ADMITTED
    assert refusal(register(world.client("alice"), bytes(16))) is Refusal.NOT_ADMITTED
    assert not world.store.users
    assert isinstance(register(world.client("alice"), invite(world)), Registered)
    assert world.server.refused == {Refusal.NOT_ADMITTED: 2}


def test_who_has_a_name_needs_no_invitation() -> None:
    """R-8.9-3."""
    world = World(admission=INVITED)
    register(world.client("alice"), invite(world))
    assert isinstance(register(world.client("alice", seq=6)), Registered)
    world.restart()
    assert isinstance(register(world.client("alice", seq=7)), Registered)


def test_an_invitation_is_used_once() -> None:
    """R-8.9-4: also by two who come while the first of them is on the way to the disk, and after a restart."""
    world = World(admission=INVITED)
    token = invite(world)
    world.store.is_slow = True
    alice, bob = world.client("alice").connect(), world.client("bob").connect()
    alice.say(Register(1, token))
    assert refusal(bob.ask(Register(1, token))) is Refusal.NOT_ADMITTED
    world.settle()
    assert isinstance(alice.hear()[0], Registered)
    world.restart()
    assert refusal(register(world.client("carol"), token)) is Refusal.NOT_ADMITTED


def test_an_invitation_that_was_not_used_is_good_after_a_restart() -> None:
    """R-8.9-4: that is, where its use did not become durable."""
    world = World(admission=INVITED)
    token = invite(world)
    world.store.is_slow = True
    world.client("alice").connect().say(Register(1, token))
    world.restart()
    world.store.is_slow = False
    assert isinstance(register(world.client("bob"), token), Registered)


def test_an_invitation_is_not_good_for_ever() -> None:
    """R-8.9-4."""
    world = World(admission=INVITED)
    token = invite(world)
    assert world.told(InviteMade) == [InviteMade(token, world.now // 1_000 + limits.INVITE_DAYS * DAY_S * 1_000)]
    world.server._context.set_clock(world.now // 1_000 + limits.INVITE_DAYS * DAY_S * 1_000, world.now)
    late = world.client("alice", life_s=2 * limits.INVITE_DAYS * DAY_S)
    assert refusal(register(late, token)) is Refusal.NOT_ADMITTED
    world.advance(2 * 3_600)
    assert world.store.invites == {}
    assert world.server.sizes()["invites"] == 0


def test_no_more_than_a_hash_of_an_invitation_is_kept() -> None:
    """R-8.9-4."""
    world = World(admission=INVITED)
    token = invite(world)
    (kept,) = [request for request in world.store.log if isinstance(request, SaveInvite)]
    assert token not in kept.hash
    assert kept.hash == world.suite.hash(b"udpchat/1 invite\0" + token)


def test_an_invitation_is_told_when_it_is_durable_and_no_earlier(world: World) -> None:
    world.store.is_slow = True
    world.carry_out(world.server.invite(world.now))
    assert world.told(InviteMade) == []
    world.settle()
    assert len(world.told(InviteMade)) == 1


def test_there_is_an_end_to_invitations(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udpchat_core.server.admission.INVITES_MAX", 2)
    world.store.is_slow = True
    world.carry_out(world.server.invite(world.now))
    world.carry_out(world.server.invite(world.now))
    with pytest.raises(LocalProtocolError, match="2 invitations are not used yet"):
        world.server.invite(world.now)


# --- the list ---


def test_where_there_is_a_list_it_holds_for_everybody() -> None:
    """R-8.9-2."""
    alice = World().client("alice").identity
    world = World(admission=Admission(Policy.LISTED, frozenset({alice})))
    assert isinstance(register(world.client("alice")), Registered)
    assert refusal(register(world.client("bob"))) is Refusal.NOT_ADMITTED
    world.admission = Admission(Policy.LISTED)
    world.restart()
    assert refusal(register(world.client("alice", seq=6))) is Refusal.NOT_ADMITTED


# --- bans ---


def test_an_old_invitation_stays_until_the_disk_has_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    invite(world)
    monkeypatch.setattr("udpchat_core.server.storage.STORE_REQUESTS_MAX", 0)
    world.advance((limits.INVITE_DAYS + 1) * DAY_S)
    assert world.server.sizes()["invites"] == 1
    monkeypatch.undo()
    world.advance(3_600)
    assert world.server.sizes()["invites"] == 0


# --- new names ---


def newcomers(world: World, host: bytes, number: int) -> list[Message]:
    """The answers to so many new identities from one host, each at a port of its own."""
    answers = []
    for _ in range(number):
        client = world.client(f"n{next(_hosts)}")
        client.address = Address(host, 1_024 + next(_hosts))
        answers.append(register(client))
        world.advance(0.5)
    return answers


def test_new_names_of_one_network_are_bounded_and_others_are_not(world: World) -> None:
    """R-8.9-5."""
    few, host = limits.NEW_NAMES_PER_PREFIX_MAX, bytes((192, 0, 2, 1))
    assert all(isinstance(answer, Registered) for answer in newcomers(world, host, few))
    assert refusal(newcomers(world, host, 1)[0]) is Refusal.TOO_MANY
    assert isinstance(newcomers(world, bytes((192, 0, 2, 2)), 1)[0], Registered)
    known = world.client("n1", seq=9)
    known.address = Address(host, 1_023)
    assert isinstance(register(known), Registered)
    world.advance(60)
    assert isinstance(newcomers(world, host, 1)[0], Registered)


def test_new_names_of_the_servers_own_machine_are_not_bounded(world: World) -> None:
    """R-8.9-5."""
    answers = newcomers(world, bytes((127, 0, 0, 1)), limits.NEW_NAMES_PER_PREFIX_MAX + 5)
    assert all(isinstance(answer, Registered) for answer in answers)
