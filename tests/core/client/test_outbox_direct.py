"""Letters tried directly: at once, again, within the window, and handed to the mailbox when nobody answers."""

from tests.core.client.outgoing import mute, stored
from tests.core.client.scenery import BOB, CAROL
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.instant import MS, SECOND
from udpchat_core.limits import CONGESTION_WINDOW_START

# --- directly ---


def test_a_letter_is_sent_at_once_and_again_and_then_stored(online: World) -> None:
    # R-9.3-3
    bob = mute(online)
    online.send("bob")
    times = [0]
    for _ in range(499):
        online.advance(0.001)
        times += [(online.now - 1_700_000_000 * SECOND) // MS] * (len(bob.letters) - len(times))
    assert times == [0, 100, 250]
    assert online.server.all(m.Store) == []
    online.advance(0.001)
    assert [type(event) for event in online.events] == [e.MessageQueued, e.MessageUnanswered, e.MessageStored]
    body = stored(online, bob)[0]
    assert (body.secret, body.seq, body.epoch) == (bob.letters[0].secret, 1, bob.letters[0].epoch)
    assert online.server.last(m.Lookup).name == "bob"
    assert online.server.count(m.Lookup) == 2


def test_the_mailbox_gets_it_sealed_for_the_mail_key(online: World) -> None:
    bob = mute(online)
    online.send("bob")
    online.advance(1)
    bob.live = bytes(32)  # of no use
    assert stored(online, bob)[0].text == "hello"
    assert online.server.last(m.Store).recipient == bob.identity


def test_a_letter_to_somebody_who_is_away_is_stored_at_once(online: World) -> None:
    # R-9.3-3
    bob = online.know("bob")
    online.send("bob")
    assert online.events[1:] == [e.MessageStored(1, "bob", online=False)]
    assert [body.seq for body in stored(online, bob)] == [1]
    assert online.sent == []


def test_what_the_server_says_of_the_recipient_is_told(online: World) -> None:
    mute(online)
    online.server.answers[m.Store] = lambda asked: (m.Stored(asked.id, True, asked.attempt),)
    online.send("bob")
    online.advance(0.5)
    assert online.told(e.MessageStored) == [e.MessageStored(1, "bob", online=True)]


def test_who_came_online_as_stored_tells_is_looked_up_for_the_next_letter_and_gets_it_directly(online: World) -> None:
    # R-9.3-17
    online.know("bob")
    online.send("bob", "while away")
    bob = online.know("bob", BOB)
    online.send("bob", "still away")  # for all that is known
    online.server.answers[m.Store] = lambda asked: (m.Stored(asked.id, True, asked.attempt),)
    online.send("bob", "stored and pushed")
    assert online.server.count(m.Lookup) == 1
    assert bob.letters == []
    online.send("bob", "back again")
    assert online.server.count(m.Lookup) == 2
    assert [body.text for body in bob.letters] == ["back again"]
    online.send("bob", "and again")
    assert online.server.count(m.Lookup) == 2


def test_a_path_that_is_known_to_be_slow_is_waited_for(online: World) -> None:
    # R-9.3-3: 400 ms and half as much again, four times, and the disk: more than the longest wait, 1 s.
    bob = mute(online)
    online.send("bob")
    online.advance(0.4)
    online.receive(bob.ack(bob.letters[0]), BOB)
    bob.letters.clear()
    online.send("bob")
    sent = [0] * 4
    for second in range(4):
        sent[second] = len(bob.letters)
        online.advance(0.999)
        assert online.server.count(m.Store) == (second == 3)
        assert len(bob.letters) == sent[second]
        online.advance(0.001)
    assert sent == [1, 2, 3, 3]


def test_a_path_slower_than_the_budget_is_measured_by_what_comes_after_it(online: World) -> None:
    # R-9.3-12: 700 ms; the next letter waits for as long as it may, and needs no mailbox.
    bob = mute(online)
    online.send("bob", "measures")
    online.advance(0.7)
    assert len(online.told(e.MessageUnanswered)) == 1
    online.receive(bob.ack(bob.letters[0]), BOB)
    bob.letters.clear()
    online.send("bob", "next")
    online.advance(0.7)
    assert len(bob.letters) == 1
    online.receive(bob.ack(bob.letters[0]), BOB)
    assert len(online.told(e.MessageUnanswered)) == 1
    assert [event.stored for event in online.told(e.MessageDelivered)] == [True, False]


def test_a_probe_of_a_stored_letter_measures_nothing(online: World) -> None:
    # R-9.3-12: else the path would be taken for one of 30 s.
    bob = mute(online)
    online.send("bob", "stored")
    online.advance(31)
    online.receive(bob.ack(bob.letters[-1]), BOB)
    bob.letters.clear()
    online.send("bob", "next")
    online.advance(0.25)
    assert len(bob.letters) == 3


def test_a_fast_path_keeps_the_shortest_waits(online: World) -> None:
    bob = online.know("bob", BOB)
    online.send("bob")
    bob.answers = False
    online.send("bob")
    online.advance(0.1)
    assert len(bob.letters) == 3


def test_a_message_answered_late_is_measured_from_its_first_copy(online: World) -> None:
    bob = mute(online)
    online.send("bob")
    online.advance(0.3)
    online.receive(bob.ack(bob.letters[0]), BOB)
    assert online.told(e.MessageDelivered) == [e.MessageDelivered(1, "bob", False, 300_000, 2)]


def test_only_a_window_of_letters_is_under_way_to_one_identity(online: World) -> None:
    bob = mute(online)
    for number in range(CONGESTION_WINDOW_START + 4):
        online.send("bob", f"{number}")
    assert len(bob.letters) == CONGESTION_WINDOW_START
    online.receive(bob.ack(bob.letters[0]), BOB)  # one place is free, and the window is one wider
    assert len(bob.letters) == CONGESTION_WINDOW_START + 2
    online.send("carol")
    carol = online.know("carol", CAROL)
    online.advance(0.05)
    assert carol.letters == []


def test_losses_halve_the_window_once_a_round_trip(online: World) -> None:
    bob = mute(online)
    for number in range(40):
        online.send("bob", f"{number}")
    online.advance(0.11)  # the first tries of 16 letters went unanswered
    first = bob.letters[:CONGESTION_WINDOW_START]
    bob.letters.clear()
    online.receive(bob.ack(*first[:7]), BOB)
    assert bob.letters == []  # 9 are under way, and the window is 8
    online.receive(bob.ack(first[7]), BOB)
    assert len(bob.letters) == 1  # after 8 acknowledgements it is 9


def test_letters_behind_an_unanswered_one_do_not_halve_the_window_once_more(online: World) -> None:
    # R-9.3-13: bob may have them, and holds them until he has the first.
    bob = mute(online)
    online.send("bob", "lost")
    online.advance(0.11)  # the window is 8, and may be halved again from 0.2 s on
    online.send("bob", "behind it")
    online.advance(0.105)  # its first try went unanswered
    for number in range(20):
        online.send("bob", f"{number}")
    assert max(body.seq for body in bob.letters) == CONGESTION_WINDOW_START // 2


def test_messages_one_by_one_do_not_widen_the_window(online: World) -> None:
    # R-9.3-13
    bob = online.know("bob", BOB)
    for number in range(50):
        online.send("bob", f"{number}")
    bob.answers = False
    bob.letters.clear()
    for number in range(40):
        online.send("bob", f"{number}")
    assert len(bob.letters) == CONGESTION_WINDOW_START


def test_what_is_beyond_a_window_that_was_halved_is_not_sent_again_until_there_is_room(online: World) -> None:
    # R-9.3-15, R-9.3-3: and all go to the mailbox at the same time as ever.
    bob = mute(online)
    for number in range(CONGESTION_WINDOW_START):
        online.send("bob", f"{number}")
    for at_s, window in ((0.1, 8), (0.15, 4)):
        bob.letters.clear()
        online.advance(at_s)
        assert [body.seq for body in bob.letters] == [*range(1, window + 1)]
    bob.letters.clear()
    online.advance(0.249)
    assert (bob.letters, online.told(e.MessageUnanswered)) == ([], [])
    online.advance(0.001)
    assert len(online.told(e.MessageUnanswered)) == CONGESTION_WINDOW_START


def test_a_letter_is_tried_directly_while_its_recipient_answers_others(online: World) -> None:
    # R-9.3-3
    bob = mute(online)
    for number in range(3):
        online.send("bob", f"{number}")
    online.advance(0.3)
    first = bob.letters[0]
    bob.letters.clear()
    online.receive(bob.ack(first), BOB)
    online.advance(0.3)  # their budget is over, and bob answered within the last wait
    assert [body.seq for body in bob.letters] == [2, 3]
    assert online.told(e.MessageUnanswered) == []
    online.until(lambda: online.told(e.MessageUnanswered), 0.01)
    assert len(online.told(e.MessageUnanswered)) == 2
    assert len(bob.letters) == 2  # he did not answer any more


# --- paced ---


def test_an_address_that_is_gone_is_not_tried_on(online: World) -> None:
    bob = mute(online)
    online.server.answers[m.Lookup] = lambda asked: (m.Found(asked.id, *online.server.users["bob"], 1),)
    online.send("bob", "measures a slow path")
    online.advance(0.4)
    online.receive(bob.ack(bob.letters[0]), BOB)
    online.send("bob", "under way")
    online.publish(bob)
    online.advance(0.9)
    online.send("bob", "finds that bob is away")
    online.forget()
    online.advance(1.6)
    assert online.sent == []
    assert stored(online, bob) == []
    online.advance(1)
    assert [body.text for body in stored(online, bob)] == ["under way"]
