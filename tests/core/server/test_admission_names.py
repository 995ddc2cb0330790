"""Names that change hands: released by the operator, or handed over by the identity that has them."""

import pytest

from tests.core.server.admission import INVITED, invite, refusal, register, rotated
from tests.core.server.letters import slot, store
from tests.core.server.world import LETTER, World, private_key
from udpchat_core.errors import LocalProtocolError
from udpchat_core.fields import CollectedEntry, Outcome, Refusal, RosterEntry, Rotation, Scope
from udpchat_core.messages import Collected, Found, Lookup, Mail, Ping, Registered, Roster, RosterChanged, Stored, Watch
from udpchat_core.messages import Store as StoreMessage
from udpchat_core.secure.rotation import make_rotation
from udpchat_core.server import Admission, Policy
from udpchat_core.server_events import MailCollected, NameReleased, NameRotated
from udpchat_core.server_requests import KeepLetter, ReleaseName

# --- a name that is released ---


def test_a_name_that_is_released_is_free_and_its_mailbox_gone(world: World) -> None:
    """R-8.9-6."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    alice.connect()  # she does not say goodbye
    assert isinstance(bob.ask(StoreMessage(1, alice.identity, slot(1), 0, LETTER)), Stored)
    world.carry_out(world.server.release("alice", world.now))
    assert world.told(NameReleased) == [NameReleased("alice")]
    assert refusal(bob.ask(Lookup(2, "alice"))) is Refusal.UNKNOWN
    assert alice.identity not in world.store.mail
    assert refusal(bob.ask(StoreMessage(3, alice.identity, slot(2), 0, LETTER))) is Refusal.UNKNOWN
    other = register(world.client("alice", who="somebody else"))
    assert isinstance(other, Registered)
    assert other.waiting == 0


def test_who_watches_a_name_hears_that_it_is_released_and_that_somebody_else_has_it(world: World) -> None:
    """R-8.9-6."""
    world.client("alice").online()
    bob = world.client("bob").online()
    page = bob.ask(Watch(1, Scope.ADD, ("alice",), None, None))
    assert isinstance(page, Roster)
    world.carry_out(world.server.release("alice", world.now))
    assert len(bob.heard(RosterChanged)) == 1
    gone = bob.ask(Watch(2, Scope.ADD, ("alice",), page.version, None))
    assert isinstance(gone, Roster)
    assert gone.entries == (RosterEntry("alice", False, 0),)
    world.advance(2)
    bob.hear()
    register(world.client("alice", who="somebody else", seq=8))
    assert len(bob.heard(RosterChanged)) == 1
    back = bob.ask(Watch(3, Scope.ADD, ("alice",), gone.version, None))
    assert isinstance(back, Roster)
    assert back.entries == (RosterEntry("alice", True, 8),)


def test_only_a_name_that_somebody_has_is_released(world: World) -> None:
    with pytest.raises(LocalProtocolError, match="nobody has the name alice"):
        world.server.release("alice", world.now)
    assert world.server.identity_of("alice") is None
    alice = world.client("alice").online()
    assert world.server.identity_of("alice") == alice.identity


def test_a_name_that_is_released_twice_at_once_is_free_once(world: World) -> None:
    """R-8.9-6: somebody may have it again before the second is durable."""
    world.client("alice").online()
    world.store.is_slow = True
    world.carry_out(world.server.release("alice", world.now))
    world.settle()
    world.store.asked.append(ReleaseName("alice"))
    world.server._storage._outstanding[ReleaseName("alice")] = None
    world.settle()
    assert world.told(NameReleased) == [NameReleased("alice")] * 2


def test_what_was_collected_when_the_name_went_is_told_to_nobody(world: World) -> None:
    """R-8.9-6."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    bob.ask(StoreMessage(1, alice.identity, slot(1), 0, LETTER))
    (mail,) = alice.heard(Mail)
    world.store.is_slow = True
    world.carry_out(world.server.release("alice", world.now))
    alice.say(Collected((CollectedEntry(mail.entry, Outcome.UNWANTED, None),)))
    world.settle()
    assert world.told(MailCollected) == []


# --- an identity that hands over its name ---


def test_a_name_is_handed_over_with_nothing_of_the_former(world: World) -> None:
    """R-8.2-11."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    bob.ask(StoreMessage(1, alice.identity, slot(1), 0, LETTER))
    alice.ask(StoreMessage(1, bob.identity, slot(2), 0, LETTER))
    second, rotation = rotated(world, "alice")
    answer = register(second, rotation=rotation)
    assert isinstance(answer, Registered)
    assert answer.waiting == 0
    assert world.told(NameRotated) == [NameRotated("alice")]
    found = bob.ask(Lookup(2, "alice"))
    assert isinstance(found, Found)
    assert (found.card, found.rotation) == (second.card, rotation)
    assert alice.identity not in world.store.mail
    alice.say(Ping(1))
    assert alice.hear() == []
    assert refusal(register(world.client("alice", seq=99))) is Refusal.NAME_TAKEN


def test_a_rotation_is_told_for_ever_also_after_a_restart_and_a_renewal(world: World) -> None:
    """R-8.2-11."""
    world.client("alice").online()
    second, rotation = rotated(world, "alice")
    register(second, rotation=rotation)
    world.restart()
    renewed = world.client("alice", who="alice the second", seq=6)
    assert isinstance(register(renewed), Registered)
    found = world.client("bob").online().ask(Lookup(2, "alice"))
    assert isinstance(found, Found)
    assert (found.card, found.rotation) == (renewed.card, rotation)


def test_a_rotation_that_holds_is_taken_by_a_server_that_does_not_know_the_former(world: World) -> None:
    """R-8.2-11: it may have lost its disk, and those who pinned the former will ask."""
    first = world.client("alice", who="alice the second")
    rotation = make_rotation(world.suite, private_key("alice identity"), first.identity, "alice")
    assert isinstance(register(first), Registered)
    assert isinstance(register(world.client("alice", who="alice the second", seq=6), rotation=rotation), Registered)
    found = world.client("bob").online().ask(Lookup(2, "alice"))
    assert isinstance(found, Found)
    assert found.rotation == rotation


@pytest.mark.parametrize("wrong", ["another name", "another identity", "nobody's signature"])
def test_a_rotation_that_does_not_hold_is_as_if_there_were_none(world: World, wrong: str) -> None:
    """R-2.4-3."""
    alice = world.client("alice").online()
    second, rotation = rotated(world, "alice")
    alice_private = private_key("alice identity")
    given = {
        "another name": make_rotation(world.suite, alice_private, second.identity, "alicia"),
        "another identity": make_rotation(world.suite, alice_private, bytes([7]) * 32, "alice"),
        "nobody's signature": Rotation(rotation.former, bytes(64)),
    }[wrong]
    assert refusal(register(second, rotation=given)) is Refusal.NAME_TAKEN
    assert world.server.identity_of("alice") == alice.identity


def test_who_is_banned_hands_its_name_to_nobody(world: World) -> None:
    """R-8.9-1."""
    alice = world.client("alice").online()
    world.carry_out(world.server.ban(alice.identity, world.now))
    second, rotation = rotated(world, "alice")
    assert refusal(register(second, rotation=rotation)) is Refusal.BANNED


def test_who_is_handed_a_name_needs_no_invitation_but_has_to_be_on_the_list() -> None:
    """R-8.9-2 R-8.9-3."""
    world = World(admission=INVITED)
    register(world.client("alice"), invite(world))
    second, rotation = rotated(world, "alice")
    assert isinstance(register(second, rotation=rotation), Registered)
    listed = World(admission=Admission(Policy.LISTED, frozenset({World().client("alice").identity})))
    register(listed.client("alice"))
    second, rotation = rotated(listed, "alice")
    assert refusal(register(second, rotation=rotation)) is Refusal.NOT_ADMITTED


def test_who_has_another_name_gives_it_up_for_the_one_it_is_handed(world: World) -> None:
    """R-8.2-4 R-8.2-11."""
    world.client("alice").online()
    other = world.client("alison", who="alice the second").online()
    rotation = make_rotation(world.suite, private_key("alice identity"), other.identity, "alice")
    register(world.client("alice", who="alice the second", seq=6), rotation=rotation)
    assert world.server.identity_of("alice") == other.identity
    assert world.server.identity_of("alison") is None


def test_the_order_of_what_the_store_is_asked_is_the_order_of_what_is_told(world: World) -> None:
    """R-8.9-6: a letter for somebody whose name is on its way out is kept for nobody, and its sender keeps it."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    world.store.is_slow = True
    world.carry_out(world.server.release("alice", world.now))
    store(bob, alice, (1,))
    assert [type(request) for request in world.store.asked] == [ReleaseName, KeepLetter]
    world.settle()
    assert isinstance(bob.hear()[0], Stored)
    assert world.told(NameReleased) == [NameReleased("alice")]
    world.restart()
    assert world.server.identity_of("alice") is None
