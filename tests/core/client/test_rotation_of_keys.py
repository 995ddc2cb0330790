"""A user's new identity, and what those who knew the one before are told; invitations on the way to the server."""

import pytest

from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, CAROL
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.client_requests import SaveIdentity, SavePin
from udpchat_core.errors import LocalProtocolError
from udpchat_core.fields import Refusal, Rotation
from udpchat_core.secure.rotation import check_rotation_untrusted, make_rotation


def found(world: World, other: Peer, rotation: Rotation | None) -> None:
    """The directory says that `other` has its name, and gives this rotation with it."""
    world.server.answers[m.Lookup] = lambda asked: (m.Found(asked.id, other.card, CAROL, 60, rotation),)


def handed(world: World, by: Peer, to: Peer, name: str = "bob") -> Rotation:
    return make_rotation(world.suite, by.private, to.identity, name)


# --- of a peer ---


def test_a_key_that_the_one_before_signed_is_told_so_and_is_the_users_to_accept(online: World) -> None:
    # R-2.4-1, R-2.4-5
    bob = online.know("bob", BOB)
    online.send("bob", "before")
    second = Peer(online.suite, "bob", person="bob the second")
    found(online, second, handed(online, bob, second))
    online.advance(60)
    online.send("bob", "waits")
    assert online.told(e.PeerKeyChanged) == [
        e.PeerKeyChanged("bob", bob.identity, second.identity, vouched=True),
    ]
    assert [event.message for event in online.told(e.MessageDelivered)] == [1]


@pytest.mark.parametrize("wrong", ["by another", "for another", "for another name"])
def test_a_rotation_that_does_not_hold_vouches_for_nothing(online: World, wrong: str) -> None:
    # R-2.4-3
    bob = online.know("bob", BOB)
    online.send("bob", "before")
    mallory = Peer(online.suite, "bob", person="mallory")
    given = {
        "by another": handed(online, mallory, bob),
        "for another": handed(online, bob, Peer(online.suite, "bob", person="a third")),
        "for another name": handed(online, bob, mallory, "rob"),
    }[wrong]
    found(online, mallory, Rotation(bob.identity, given.signature))
    online.advance(60)
    online.send("bob", "waits")
    assert [event.vouched for event in online.told(e.PeerKeyChanged)] == [False]


def test_a_rotation_of_somebody_who_was_not_pinned_vouches_for_nothing(online: World) -> None:
    # R-2.4-3, R-2.4-5: two rotations in a row, and the user knew the first identity only.
    online.know("bob", BOB)
    online.send("bob", "before")
    second, third = (Peer(online.suite, "bob", person=f"bob the {which}") for which in ("second", "third"))
    found(online, third, handed(online, second, third))
    online.advance(60)
    online.send("bob", "waits")
    assert [event.vouched for event in online.told(e.PeerKeyChanged)] == [False]


# --- of the user ---


def test_a_new_identity_is_on_disk_before_it_is_told(online: World) -> None:
    before = online.client.identity
    online.disk.holding = True
    online.do(online.client.rotate(online.now))
    assert online.told(e.IdentityRotated) == []
    (saved,) = online.disk.all(SaveIdentity)
    online.commit()
    assert online.told(e.IdentityRotated) == [e.IdentityRotated(saved.public)]
    assert saved.rotation.former == before
    check_rotation_untrusted(online.suite, saved.rotation, saved.public, "alice")


def test_the_next_life_registers_the_name_with_the_word_of_the_identity_before(online: World) -> None:
    # R-8.2-11
    before = online.client.identity
    online.do(online.client.rotate(online.now))
    online.restart()
    online.register()
    (rotated,) = online.told(e.IdentityRotated)
    assert online.client.identity == rotated.identity != before
    asked = online.server.last(m.Register)
    assert asked.rotation is not None
    assert asked.rotation.former == before
    assert (online.server.card.identity, online.server.card.name) == (rotated.identity, "alice")
    assert online.server.card.seq == online.server.cards[-2].seq + 1


def test_the_own_name_means_the_new_identity(online: World) -> None:
    online.disk.memory.apply([SavePin("alice", online.client.identity)])
    online.do(online.client.rotate(online.now))
    assert online.disk.memory.load().pins == (SavePin("alice", online.told(e.IdentityRotated)[0].identity),)


def test_an_identity_is_kept_while_letters_wait_for_an_acknowledgement(online: World) -> None:
    """Under another identity a copy of what was delivered already would be another message to its recipient."""
    online.know("bob", BOB).answers = False
    online.send("bob")
    with pytest.raises(LocalProtocolError, match="wait to be delivered"):
        online.client.rotate(online.now)
    assert online.disk.all(SaveIdentity) == []


# --- invitations ---


def test_an_invitation_is_shown_inside_the_link_and_nowhere_else(world: World) -> None:
    # R-8.9-3
    token = bytes(range(100, 116))
    world.do(world.client.register(world.now, invite=token))
    assert world.server.last(m.Register).invite == token
    assert world.is_online()
    world.advance(3_700)
    assert world.server.last(m.Register).invite == token


def test_what_is_no_invitation_is_said_at_once(world: World) -> None:
    with pytest.raises(LocalProtocolError, match="an invitation has 16 bytes; this one has 3"):
        world.client.register(world.now, invite=b"abc")


def test_who_is_not_admitted_is_told_so(world: World) -> None:
    world.server.answers[m.Register] = lambda asked: (m.Refused(asked.id, Refusal.NOT_ADMITTED, 0, 0),)
    world.register()
    assert world.told(e.RegistrationRefused) == [e.RegistrationRefused(Refusal.NOT_ADMITTED)]
    assert not world.is_online()
