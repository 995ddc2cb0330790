"""Whole worlds in which identities change: who knew the former one hears of it unasked, and nothing goes astray."""

from collections.abc import Iterable
from typing import Any

import pytest

from udpchat_core.client_events import (
    IdentityRotated,
    LetterReceived,
    MessageDelivered,
    MessageRefused,
    PeerKeyChanged,
    RegistrationRefused,
)
from udpchat_core.fields import Refusal
from udpchat_core.instant import Instant
from udpchat_core.secure.suite import Suite
from udpchat_core.server import Admission, Policy, Server
from udpchat_core.server_events import InviteMade, NameReleased, UserBanned
from udpchat_core.server_requests import ServerState
from udpchat_net.simulation.cores import Cores
from udpchat_net.simulation.faults import SERVER, Duplication, Fault, Loss, Reorder
from udpchat_net.simulation.world import SECOND, World

TOLD_S_MAX = 5
"""A change is pushed at once, to one client once a second; then it is pulled, and looked up."""
BAD = (Loss(probability=0.2), Duplication(probability=0.1), Reorder(probability=0.1))


class Invited(Cores):
    """A server that asks new identities for an invitation."""

    def server(self, suite: Suite, state: ServerState, now: Instant) -> Server:
        return Server(suite, state, now, Admission(Policy.INVITE))


def friends(faults: Iterable[Fault] = (), **more: Any) -> World:
    """Ann and bob, who know each other."""
    world = World(11, ("ann", "bob"), faults, **more)
    for name in ("ann", "bob"):
        world.register(name)
    world.run(20 * SECOND)
    world.send("ann", "bob", "hello")
    world.send("bob", "ann", "hello")
    world.run((60 if tuple(faults) else 5) * SECOND)
    assert len(told(world, "ann", MessageDelivered)) == len(told(world, "bob", MessageDelivered)) == 1
    return world


def told(world: World, name: str, kind: type[Any]) -> list[Any]:
    return [event for _, event in world.events(name) if isinstance(event, kind)]


def owner(world: World, name: str) -> bytes:
    """I of who has the name at the server."""
    core = world.nodes[SERVER].core
    assert isinstance(core, Server)
    identity = core.identity_of(name)
    assert identity is not None
    return identity


def rotate(world: World, name: str) -> None:
    """The user takes a new identity, and the program begins anew with it."""
    world.call(name, lambda core, now: core.rotate(now))
    world.run(SECOND)
    assert len(told(world, name, IdentityRotated)) == 1
    world.restart(name)


@pytest.mark.parametrize("faults", [(), BAD], ids=["good", "bad"])
def test_every_contact_is_told_of_a_rotation_without_asking(faults: tuple[Fault, ...]) -> None:
    # R-8.2-11
    world = friends(faults)
    before = owner(world, "bob")
    rotate(world, "bob")
    world.run(TOLD_S_MAX * SECOND if not faults else 60 * SECOND)
    after = owner(world, "bob")
    assert after != before
    assert told(world, "ann", PeerKeyChanged) == [PeerKeyChanged("bob", before, after, vouched=True)]


def test_messages_to_a_new_identity_wait_for_the_user_and_then_arrive() -> None:
    # R-9.2-2 R-2.4-4
    world = friends()
    rotate(world, "bob")
    world.run(TOLD_S_MAX * SECOND)
    world.send("ann", "bob", "are you bob?")
    world.run(30 * SECOND)
    assert len(told(world, "ann", MessageDelivered)) == 1
    world.accept_key("ann", "bob")
    world.run(5 * SECOND)
    assert [event.text for event in told(world, "bob", LetterReceived)] == ["hello", "are you bob?"]
    world.send("bob", "ann", "yes")
    world.run(5 * SECOND)
    last = told(world, "ann", LetterReceived)[-1]
    assert (last.text, last.confirmed) == ("yes", True)


def test_who_was_away_is_told_when_it_comes_back() -> None:
    # R-8.2-11
    world = friends()
    world.deregister("ann")
    world.run(2 * SECOND)
    rotate(world, "bob")
    world.run(3_700 * SECOND)
    world.register("ann")
    world.run(TOLD_S_MAX * SECOND)
    assert [event.vouched for event in told(world, "ann", PeerKeyChanged)] == [True]


def test_a_letter_for_the_identity_before_is_refused_and_said_and_never_sealed_for_the_next() -> None:
    # R-9.2-2
    world = friends()
    world.deregister("bob")
    world.run(2 * SECOND)
    world.send("ann", "bob", "for the bob of before")
    world.run(2 * SECOND)
    world.call("bob", lambda core, now: core.rotate(now))
    world.run(SECOND)
    world.restart("bob")
    world.register("bob")
    world.run(TOLD_S_MAX * SECOND)
    world.accept_key("ann", "bob")
    world.run(60 * SECOND)
    assert [event.refusal for event in told(world, "ann", MessageRefused)] == [Refusal.KEY_CHANGED]
    assert [event.text for event in told(world, "bob", LetterReceived)] == ["hello"]


def test_a_name_that_the_operator_released_is_another_ones_and_contacts_are_told_so() -> None:
    # R-8.9-6
    other = World(12, ("bob",)).nodes["bob"].store
    world = friends()
    world.leave("bob")
    world.run(2 * SECOND)
    world.call(SERVER, lambda core, now: core.release("bob", now))
    world.run(2 * SECOND)
    assert told(world, SERVER, NameReleased) == [NameReleased("bob")]
    world.nodes["bob"].store = other
    world.restart("bob")
    world.register("bob")
    world.run(2 * TOLD_S_MAX * SECOND)
    assert [event.vouched for event in told(world, "ann", PeerKeyChanged)] == [False]


def test_who_is_banned_is_told_and_stays_away_over_a_restart_of_the_server() -> None:
    # R-8.9-1
    world = friends()
    bob = owner(world, "bob")
    world.call(SERVER, lambda core, now: core.ban(bob, now))
    world.run(25 * SECOND)
    assert told(world, SERVER, UserBanned) == [UserBanned(bob, "bob")]
    assert told(world, "bob", RegistrationRefused) == [RegistrationRefused(Refusal.BANNED)]
    world.restart(SERVER)
    world.register("bob")
    world.run(5 * SECOND)
    assert len(told(world, "bob", RegistrationRefused)) == 2
    world.send("ann", "bob", "are you there?")
    world.run(60 * SECOND)
    assert [event.refusal for event in told(world, "ann", MessageRefused)] == [Refusal.BANNED]


@pytest.mark.parametrize("faults", [(), BAD], ids=["good", "bad"])
def test_an_invitation_lets_one_in(faults: tuple[Fault, ...]) -> None:
    # R-8.9-3 R-8.9-4
    world = World(13, ("ann", "bob"), faults, cores=Invited())
    world.call(SERVER, lambda core, now: core.invite(now))
    world.run(SECOND)
    (made,) = told(world, SERVER, InviteMade)
    for name in ("ann", "bob"):
        world.call(name, lambda core, now: core.register(now, invite=made.token))
        world.run(20 * SECOND)
    assert owner(world, "ann")
    assert told(world, "ann", RegistrationRefused) == []
    assert told(world, "bob", RegistrationRefused) == [RegistrationRefused(Refusal.NOT_ADMITTED)]
