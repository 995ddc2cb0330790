"""What the inbox holds, remembers and acknowledges has caps, and one sender does not use up all of it."""

import pytest

from tests.core.client.incoming import ACKNOWLEDGED, ack, mail, numbered, outcomes, texts, write
from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, CAROL, STRANGER
from tests.core.client.world import World
from udpchat_core.client import inbox
from udpchat_core.delivery import order
from udpchat_core.errors import Reason
from udpchat_core.limits import EPOCHS_PER_SENDER_MAX, HELD_LETTERS_PER_SENDER_MAX


def test_what_is_too_far_ahead_of_a_gap_is_ignored_unanswered(online: World, bob: Peer) -> None:
    # R-9.4-5
    far = 1 + HELD_LETTERS_PER_SENDER_MAX
    write(online, bob, *numbered(bob, far))
    assert online.drops == [Reason.BUSY]
    write(online, bob, *numbered(bob, far - 1))
    assert online.drops == [Reason.BUSY]
    assert online.client.sizes()["held"] == 1
    assert online.sent == []


def test_what_is_held_of_an_old_epoch_makes_room_for_the_new_one(online: World, bob: Peer) -> None:
    # R-9.4-5
    write(online, bob, *numbered(bob, *range(2, 2 + HELD_LETTERS_PER_SENDER_MAX - 1)))
    write(online, bob, bob.body(3, "new 3", epoch=8), bob.body(4, "new 4", epoch=8))
    assert online.client.sizes()["held"] == 2
    write(online, bob, bob.body(1, "new 1", epoch=8), bob.body(2, "new 2", epoch=8))
    assert texts(online) == ["new 1", "new 2", "new 3", "new 4"]
    assert online.client.sizes()["held"] == 0


def test_the_letters_of_one_epoch_do_not_take_more_than_a_senders_room(
    online: World, bob: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # R-9.4-5
    monkeypatch.setattr(inbox, "HELD_LETTERS_PER_SENDER_MAX", 3)
    monkeypatch.setattr(order, "HELD_LETTERS_PER_SENDER_MAX", 3)
    write(online, bob, bob.body(2, "old", epoch=6), *numbered(bob, 2, 3))
    assert online.client.sizes()["held"] == 3
    write(online, bob, bob.body(2, "newest", epoch=8))
    assert online.client.sizes()["held"] == 3
    assert online.drops == []


def test_so_many_letters_are_held_in_all(online: World, bob: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    # R-9.4-5
    monkeypatch.setattr(inbox, "HELD_LETTERS_MAX", 2)
    carol = online.know("carol", CAROL)
    write(online, bob, *numbered(bob, 2, 3))
    write(online, carol, *numbered(carol, 2))
    assert online.drops == [Reason.BUSY]
    mail(online, carol, numbered(carol, 2)[0], 5)
    assert online.collected() == []
    assert online.client.sizes()["held"] == 2
    write(online, carol, *numbered(carol, 1))
    assert texts(online) == ["1"]


def test_so_many_epochs_of_a_sender_are_remembered(online: World, bob: Peer) -> None:
    # R-9.4-5
    for epoch in range(EPOCHS_PER_SENDER_MAX + 1):
        write(online, bob, bob.body(2, f"held {epoch}", epoch=epoch))
    assert online.client.sizes()["held"] == EPOCHS_PER_SENDER_MAX
    write(online, bob, bob.body(1, "first of 0", epoch=0), bob.body(1, "first of 8", epoch=8))
    assert texts(online) == ["first of 0", "first of 8", "held 8"]


def test_so_many_senders_are_remembered(online: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "SENDERS_MAX", 2)
    peers = [online.know(name, CAROL) for name in ("bob", "carol", "dave")]
    for peer in peers:
        write(online, peer, peer.body(1, "one"), peer.body(3, "three"))
    assert online.client.sizes()["senders"] == 2
    assert online.client.sizes()["held"] == 2
    again = peers[0].body(1, "one")
    online.advance(1)
    online.forget()
    write(online, peers[0], again)
    assert online.acked(BOB) == [ack(online, again)]
    assert texts(online) == []


def test_so_many_letters_are_on_their_way_to_the_disk(
    online: World, bob: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "ENTERING_LETTERS_MAX", 2)
    online.disk.holding = True
    bodies = numbered(bob, 1, 2, 3)
    write(online, bob, *bodies)
    assert online.drops == [Reason.BUSY]
    assert online.client.sizes()["entering"] == 2
    online.commit()
    online.disk.holding = False
    write(online, bob, bodies[2])
    assert texts(online) == ["1", "2", "3"]


def test_so_many_copies_of_a_letter_are_acknowledged(online: World, bob: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "COPIES_MAX", 2)
    online.disk.holding = True
    for source in (BOB, CAROL, STRANGER):
        write(online, bob, bob.body(), source=source)
    for entry in (1, 2, 3):
        mail(online, bob, bob.body(), entry)
    online.commit()
    assert (len(online.acked(BOB)), len(online.acked(CAROL)), len(online.acked(STRANGER))) == (1, 1, 0)
    assert outcomes(online) == [(1, ACKNOWLEDGED), (2, ACKNOWLEDGED)]
