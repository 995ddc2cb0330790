"""Whose a name is can be asked, marked as compared, and the mark is of the key: with another one it is gone."""

import pytest

from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, CAROL
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.client.contacts import PeerKey
from udpchat_core.client_requests import SavePin, SaveVerified
from udpchat_core.errors import LocalProtocolError
from udpchat_core.secure.rotation import make_rotation


def check(world: World, name: str = "bob") -> None:
    world.do(world.client.check_key(name, world.now))


def verify(world: World, verified: bool = True) -> None:
    world.do(world.client.verify("bob", verified, world.now))


@pytest.fixture
def bob(online: World) -> Peer:
    """Bob, whose key was checked."""
    bob = online.know("bob", BOB)
    check(online)
    return bob


def test_a_name_that_was_never_written_to_is_pinned_before_it_counts_as_checked(online: World) -> None:
    bob = online.know("bob", BOB)
    online.disk.holding = True
    check(online)
    assert online.told(e.KeyChecked) == []
    assert online.client.peer_key("bob").identity is None
    online.commit()
    assert online.told(e.KeyChecked) == [e.KeyChecked("bob", known=True)]
    assert online.client.peer_key("bob") == PeerKey(bob.identity, verified=False, offered=None, vouched=False)


def test_a_known_name_is_asked_about_all_the_same(online: World, bob: Peer) -> None:
    check(online)
    assert online.told(e.KeyChecked) == [e.KeyChecked("bob", known=True)] * 2
    assert online.server.count(m.Lookup) == 2
    assert online.disk.all(SavePin) == [SavePin("bob", bob.identity)]


def test_what_nobody_asked_for_is_not_told(online: World) -> None:
    online.know("bob", BOB)
    online.send("bob")
    online.send("nobody")
    assert online.told(e.KeyChecked) == []


def test_a_name_that_nobody_has_is_told_so(online: World) -> None:
    check(online, "nobody")
    assert online.told(e.KeyChecked) == [e.KeyChecked("nobody", known=False)]
    assert online.client.peer_key("nobody") == PeerKey(None, verified=False, offered=None, vouched=False)


def test_what_is_no_name_is_not_asked_about(online: World) -> None:
    with pytest.raises(LocalProtocolError, match="is no name"):
        online.client.check_key("Bob!", online.now)


def test_a_check_waits_for_the_server(world: World) -> None:
    world.know("bob", BOB)
    check(world)
    assert world.told(e.KeyChecked) == []
    world.register()
    assert world.told(e.KeyChecked) == [e.KeyChecked("bob", known=True)]


def test_a_key_that_was_compared_is_marked_on_disk_and_stays_so(online: World, bob: Peer) -> None:
    online.disk.holding = True
    verify(online)
    assert online.told(e.PeerVerified) == []
    online.commit()
    online.disk.holding = False
    assert online.told(e.PeerVerified) == [e.PeerVerified("bob", bob.identity, verified=True)]
    assert online.disk.memory.load().verified == ("bob",)
    assert online.client.peer_key("bob").verified
    online.restart()
    assert online.client.peer_key("bob").verified
    verify(online, verified=False)
    assert not online.client.peer_key("bob").verified
    assert online.disk.memory.load().verified == ()


def test_a_name_without_a_key_cannot_be_verified(online: World) -> None:
    with pytest.raises(LocalProtocolError, match="no key of bob is known yet"):
        verify(online)
    assert online.disk.all(SaveVerified) == []


def test_another_key_is_seen_by_a_check_and_drops_the_mark_once_it_is_accepted(online: World, bob: Peer) -> None:
    # R-2.5-3
    verify(online)
    mallory = online.know("bob", CAROL, person="mallory")
    check(online)
    changed = PeerKey(bob.identity, verified=True, offered=mallory.identity, vouched=False)
    assert online.client.peer_key("bob") == changed
    assert online.told(e.KeyChecked)[-1] == e.KeyChecked("bob", known=True)
    with pytest.raises(LocalProtocolError, match="another key now: decide first"):
        verify(online)
    online.do(online.client.accept_key("bob", online.now))
    assert online.client.peer_key("bob") == PeerKey(mallory.identity, verified=False, offered=None, vouched=False)
    assert online.disk.memory.load().verified == ()
    online.restart()
    assert not online.client.peer_key("bob").verified


def test_a_key_that_changes_back_is_verified_still(online: World, bob: Peer) -> None:
    verify(online)
    online.know("bob", CAROL, person="mallory")
    check(online)
    online.know("bob", BOB)
    check(online)
    assert online.client.peer_key("bob") == PeerKey(bob.identity, verified=True, offered=None, vouched=False)


def test_whether_the_key_before_vouches_for_the_one_now_is_known(online: World, bob: Peer) -> None:
    second = Peer(online.suite, "bob", person="bob the second")
    rotation = make_rotation(online.suite, bob.private, second.identity, "bob")
    online.server.answers[m.Lookup] = lambda asked: (m.Found(asked.id, second.card, CAROL, 60, rotation),)
    check(online)
    assert online.client.peer_key("bob") == PeerKey(bob.identity, False, second.identity, vouched=True)


def test_a_mark_for_a_key_that_was_replaced_meanwhile_marks_nothing(online: World, bob: Peer) -> None:
    # R-2.5-3
    mallory = online.know("bob", CAROL, person="mallory")
    online.disk.holding = True
    verify(online)
    check(online)
    online.do(online.client.accept_key("bob", online.now))
    online.commit()
    online.commit()
    assert online.client.peer_key("bob") == PeerKey(mallory.identity, verified=False, offered=None, vouched=False)
    assert online.disk.memory.load().verified == ()


def test_a_mark_that_is_overtaken_by_the_users_other_decision_marks_nothing(online: World, bob: Peer) -> None:
    # R-2.5-3
    mallory = online.know("bob", CAROL, person="mallory")
    check(online)
    online.disk.holding = True
    online.do(online.client.accept_key("bob", online.now))
    verify(online)  # of bob's key still, as the other one is not on disk
    online.commit()
    online.commit()
    assert online.told(e.PeerVerified) == []
    assert online.client.peer_key("bob") == PeerKey(mallory.identity, verified=False, offered=None, vouched=False)
    assert online.disk.memory.load().verified == ()


def test_a_key_that_is_pinned_twice_at_once_is_one_key(online: World) -> None:
    bob = online.know("bob", BOB)
    online.disk.holding = True
    check(online)
    check(online)
    while online.disk.waiting:
        online.commit()
    assert online.disk.all(SavePin) == [SavePin("bob", bob.identity)] * 2
    assert online.told(e.KeyChecked) == [e.KeyChecked("bob", known=True)]
    online.disk.holding = False
    verify(online)
    assert online.client.peer_key("bob").verified


# --- what else is told about the server and a peer ---


def test_where_a_peer_is_is_told_as_the_directory_said_it(online: World, bob: Peer) -> None:
    assert online.client.peer_address("bob") == BOB
    assert online.client.peer_address("nobody") is None
    online.know("bob", None)
    check(online)
    assert online.client.peer_address("bob") is None


def test_the_servers_key_is_known_from_the_first_contact_on(world: World) -> None:
    before = world.client.server_key
    world.register()
    assert before is None
    assert world.client.server_key == world.disk.memory.load().server_key


def test_how_far_the_servers_clock_is_ahead_is_known_once_it_said_so(world: World) -> None:
    unknown = world.client.server_ahead_ms
    assert unknown is None
    world.register()
    before = world.client.server_ahead_ms
    assert before is not None
    world.client.handle_clock(world.now // 1_000 + 5_000, world.now)
    assert world.client.server_ahead_ms == before - 5_000
