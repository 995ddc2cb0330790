"""Letters received are on disk before they are acknowledged or shown, and shown in order."""

from tests.core.client.incoming import ACKNOWLEDGED, UNWANTED, ack, mail, numbered, outcomes, texts, write
from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB
from tests.core.client.world import World
from udpchat_core.client_requests import EnterLetter, FindLetter

# --- on disk, then acknowledged ---


def test_nothing_is_acknowledged_or_shown_before_it_is_on_disk(online: World, bob: Peer) -> None:
    # R-9.4-1
    online.disk.holding = True
    body = bob.body()
    write(online, bob, body)
    mail(online, bob, bob.body(2, "mail"), 7)
    assert online.sent == []
    assert online.collected() == []
    assert texts(online) == []
    online.commit()
    assert online.acked(BOB) == [ack(online, body)]
    assert outcomes(online) == [(7, ACKNOWLEDGED)]
    assert texts(online) == ["hello", "mail"]


def test_the_entry_and_the_watermark_are_one_request(online: World, bob: Peer) -> None:
    # R-9.4-3
    write(online, bob, bob.body(1, "hello", part=2, parts=3))
    entry = online.disk.all(EnterLetter)[0]
    assert (entry.sender, entry.epoch, entry.seq, entry.text) == (bob.identity, 7, 1, "hello")
    assert (entry.part, entry.parts, entry.name, entry.received_ms) == (2, 3, "bob", online.now // 1_000)
    assert online.disk.memory.load().watermarks == ((bob.identity, 7, 1),)


def test_a_letter_ahead_of_a_gap_is_held_unanswered_until_the_gap_is_filled(online: World, bob: Peer) -> None:
    # R-9.4-1, R-9.4-3
    one, two, three = numbered(bob, 1, 2, 3)
    write(online, bob, three, two)
    assert online.sent == []
    assert online.disk.asked == []
    assert online.client.sizes()["held"] == 2
    write(online, bob, one)
    assert texts(online) == ["1", "2", "3"]
    assert online.acked(BOB) == [ack(online, body) for body in (one, two, three)]
    assert online.client.sizes()["held"] == 0


def test_what_is_held_is_forgotten_in_a_crash_and_comes_again(online: World, bob: Peer) -> None:
    one, two = numbered(bob, 1, 2)
    write(online, bob, two)
    online.restart()
    online.register()
    write(online, bob, one)
    assert texts(online) == ["1"]
    write(online, bob, two)
    assert texts(online) == ["1", "2"]


def test_letters_of_one_turn_share_an_acknowledgement(online: World, bob: Peer) -> None:
    bodies = numbered(bob, 1, 2, 3)
    online.disk.holding = True
    write(online, bob, *reversed(bodies))
    online.commit()
    assert len(online.sent) == 1
    assert online.acked(BOB) == [ack(online, body) for body in bodies]


# --- passing over ---


def test_a_number_is_passed_over_only_if_a_floor_is_above_it(online: World, bob: Peer) -> None:
    # R-9.4-3, R-9.4-11
    write(online, bob, *numbered(bob, 4, 5, 7))
    assert texts(online) == []
    write(online, bob, bob.body(8, "8", floor=5))
    assert texts(online) == ["4", "5"]
    write(online, bob, bob.body(9, "9", floor=9))
    assert texts(online) == ["4", "5", "7", "8", "9"]


def test_a_sender_that_is_new_here_may_begin_with_any_number_at_its_floor(online: World, bob: Peer) -> None:
    write(online, bob, bob.body(1_000_000, "back", floor=1_000_000))
    assert texts(online) == ["back"]


def test_a_letter_whose_number_was_passed_without_it_is_not_wanted(online: World, bob: Peer) -> None:
    # R-9.4-4
    write(online, bob, bob.body(2, "2", floor=2))
    late = numbered(bob, 1)[0]
    write(online, bob, late)
    mail(online, bob, late, 8)
    assert texts(online) == ["2"]
    assert online.acked(BOB) == [ack(online, bob.body(2, "2"))]
    assert outcomes(online) == [(8, UNWANTED)]
    assert len(online.disk.all(FindLetter)) == 2


def test_watermarks_are_there_after_a_restart(online: World, bob: Peer) -> None:
    # R-9.4-3
    write(online, bob, *numbered(bob, 1, 2))
    online.restart()
    online.register()
    write(online, bob, *numbered(bob, 3))
    assert texts(online) == ["1", "2", "3"]
