"""Letters being sent: numbered, tried directly, handed to the mailbox, kept until acknowledged, given up late."""

from collections.abc import Callable, Sequence

import pytest

from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, CAROL, DAY, SERVER, STRANGER
from tests.core.client.world import World
from udpchat_core import events as e
from udpchat_core import messages as m
from udpchat_core.actions import Received
from udpchat_core.client import outbox
from udpchat_core.datagrams import Acks
from udpchat_core.errors import LocalProtocolError, Reason
from udpchat_core.instant import MS, SECOND, Instant
from udpchat_core.limits import (
    CONGESTION_WINDOW_START,
    DIRECT_WINDOW_LETTERS,
    NOTED_SLOTS_MAX,
    NUMBER_LIMIT,
    PACED_BURST_LETTERS_MAX,
    STORED_WINDOW_LETTERS,
)
from udpchat_core.requests import PinOutgoing, SaveOutgoing, SavePin, SettleOutgoing
from udpchat_core.secure.letter import ack_of, slot_of
from udpchat_core.wire import encode, pack, serialize


def nothing(_: m.Message) -> Sequence[m.Message]:
    """No answer to a message."""
    return ()


def refusing(refusal: m.Refusal) -> Callable[[m.Store], Sequence[m.Message]]:
    """A server that stores nothing, for this reason."""
    return lambda asked: (m.Refused(asked.id, refusal, 0, 0),)


def mute(world: World) -> Peer:
    """Bob, who is online and answers nothing."""
    bob = world.know("bob", BOB)
    bob.answers = False
    return bob


def stored(world: World, peer: Peer) -> list[m.LetterBody]:
    """What the Stores say, in order."""
    return [peer.open(asked.letter) for asked in world.server.all(m.Store)]


def slot(world: World, body: m.LetterBody) -> bytes:
    """The server's name for a letter."""
    return slot_of(world.suite, body.secret)


def receipt(world: World, body: m.LetterBody) -> m.Receipt:
    """The recipient's acknowledgement by way of the server."""
    return m.Receipt(slot(world, body), ack_of(world.suite, body.secret))


# --- on disk first, and what it is called ---


def test_nothing_is_sent_before_the_message_is_on_disk(online: World) -> None:
    # R-9.2-1
    bob = online.know("bob", BOB)
    online.send("bob")
    online.disk.holding = True
    online.send("bob", "second")
    assert len(bob.letters) == 1
    assert [event.message for event in online.told(e.MessageQueued)] == [1]
    online.commit()
    assert [letter.text for letter in bob.letters] == ["hello", "second"]
    assert [event.message for event in online.told(e.MessageQueued)] == [1, 2]


def test_every_copy_of_a_letter_has_its_secret(online: World) -> None:
    # R-9.2-1
    bob = mute(online)
    online.send("bob")
    online.advance(31)
    online.restart()
    online.register()
    online.advance(31)
    saved = online.disk.all(SaveOutgoing)[0]
    assert len(bob.letters) >= 8
    assert {body.secret for body in bob.letters + stored(online, bob)} == {saved.secret}


def test_letters_to_one_identity_are_numbered_from_1_in_the_order_of_sending(online: World) -> None:
    # R-9.2-4
    bob, carol = online.know("bob", BOB), online.know("carol", CAROL)
    for text in ("a", "b"):
        online.send("bob", text)
        online.send("carol", text)
    assert [(body.seq, body.text) for body in bob.letters] == [(1, "a"), (2, "b")]
    assert [(body.seq, body.text) for body in carol.letters] == [(1, "a"), (2, "b")]


def test_an_epoch_is_new_at_every_start_and_what_is_outstanding_keeps_its_order(online: World) -> None:
    # R-9.2-3
    bob = mute(online)
    online.send("bob", "delivered")
    online.receive(bob.ack(bob.letters[0]), BOB)
    for text in ("a", "b", "c"):
        online.send("bob", text)
    before = bob.letters[-3:]
    bob.letters.clear()
    online.restart()
    online.register()
    after = bob.letters
    assert [body.text for body in after] == [body.text for body in before] == ["a", "b", "c"]
    assert [body.secret for body in after] == [body.secret for body in before]
    assert [body.seq for body in after] == [1, 2, 3]
    assert {body.epoch for body in after}.isdisjoint({body.epoch for body in before})


def test_what_was_not_pinned_before_a_restart_is_pinned_then(online: World) -> None:
    # R-9.2-2
    online.know("bob", BOB)
    online.send("bob")
    online.server.answers[m.Lookup] = nothing
    online.advance(60)
    online.know("carol", CAROL)
    online.send("carol")
    online.restart()
    online.server.answers.clear()
    online.register()
    assert len(online.disk.all(PinOutgoing)) == 2
    assert len(online.told(e.MessageDelivered)) == 2


def test_a_letter_restored_for_another_identity_than_its_name_has_now_is_refused(online: World) -> None:
    # R-9.2-2: the program ended between the user's decision and the end of the letters of the old key.
    mute(online)
    online.send("bob")
    online.disk.memory.apply([SavePin("bob", online.know("mallory").identity)])
    online.restart()
    assert [event.refusal for event in online.told(e.MessageRefused)] == [m.Refusal.KEY_CHANGED]


@pytest.mark.parametrize("after", [0, 1, 2])
def test_floor_is_the_lowest_number_that_is_neither_acknowledged_nor_given_up(online: World, after: int) -> None:
    # R-9.2-5
    bob = mute(online)
    for text in ("a", "b", "c"):
        online.send("bob", text)
    for body in bob.letters[:after]:
        online.receive(bob.ack(body), BOB)
    online.send("bob", "d")
    assert (bob.letters[-1].seq, bob.letters[-1].floor) == (4, 1 + after)


def test_floor_does_not_pass_what_is_outstanding(online: World) -> None:
    # R-9.2-5
    bob = mute(online)
    for text in ("a", "b", "c"):
        online.send("bob", text)
    online.receive(bob.ack(*bob.letters[1:3]), BOB)
    online.send("bob", "d")
    assert bob.letters[-1].floor == 1


def test_a_letter_is_pinned_though_its_name_was_looked_up_while_it_was_saved(online: World) -> None:
    # R-9.2-2
    online.server.answers[m.Lookup] = nothing
    online.send("bob", "one")
    online.disk.holding = True
    online.send("bob", "two")
    bob = online.know("bob", BOB)
    online.push(m.Found(online.server.last(m.Lookup).id, bob.card, BOB, 60))
    online.disk.holding = False
    online.commit()
    assert [body.text for body in bob.letters] == ["one", "two"]
    assert len(online.disk.all(PinOutgoing)) == 2


def test_a_message_refused_before_it_was_on_disk_is_over(online: World) -> None:
    # R-9.2-2
    online.know("bob")
    online.send("bob", "stored")
    other = online.know("bob", CAROL, person="mallory")
    online.disk.holding = True
    online.send("bob", "typed for the key before")
    online.advance(61)
    online.do(online.client.accept_key("bob", online.now))
    assert [event.message for event in online.told(e.MessageRefused)] == [1, 2]
    online.disk.holding = False
    online.commit()
    assert online.told(e.MessageQueued) == [e.MessageQueued(1, "bob")]
    assert [settled.outcome for settled in online.disk.all(SettleOutgoing)] == ["refused", "refused"]
    assert online.client.sizes()["outbox"] == 0
    assert other.letters == []


def test_a_letter_may_be_over_before_its_identity_is_on_disk(online: World) -> None:
    bob = mute(online)
    online.send("bob")
    online.server.answers[m.Lookup] = nothing
    online.send("carol")
    online.restart()
    online.register()
    online.disk.holding = True
    carol = online.know("carol", CAROL)
    online.push(m.Found(online.server.last(m.Lookup).id, carol.card, CAROL, 60))
    letter = next(saved for saved in online.disk.memory.load().outbox if saved.to == "carol")
    online.receive(serialize(Acks((ack_of(online.suite, letter.secret),))), CAROL)
    online.commit()
    assert [event.to for event in online.told(e.MessageDelivered)] == ["carol"]
    assert carol.letters == []
    assert bob.letters


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


def measured(world: World) -> Peer:
    """Bob, who is 80 ms away, so that a window of 16 has intervals of 4 ms; from now on he answers nothing."""
    bob = mute(world)
    world.send("bob", "measures the path")
    world.advance(0.08)
    world.receive(bob.ack(bob.letters[0]), BOB)
    world.advance(0.2)
    bob.letters.clear()
    return bob


def test_a_long_text_is_spread_over_the_round_trip(online: World) -> None:
    # R-9.3-14
    bob = measured(online)
    online.send("bob", "." * 800 * CONGESTION_WINDOW_START)
    sent = [len(bob.letters)]
    while sent[-1] < CONGESTION_WINDOW_START:
        online.advance(0.004)
        sent.append(len(bob.letters))
    assert sent == [*range(PACED_BURST_LETTERS_MAX, CONGESTION_WINDOW_START + 1)]


def test_a_lone_message_leaves_at_once_however_long_the_path(online: World) -> None:
    # R-9.3-14
    bob = measured(online)
    for number in range(1, 4):
        online.send("bob")
        assert len(bob.letters) == number
        online.receive(bob.ack(bob.letters[-1]), BOB)
        online.advance(0.01)


def test_there_is_one_timer_for_all_that_wait_for_their_time_and_none_when_nothing_does(online: World) -> None:
    # R-9.3-14
    bob = measured(online)
    before = online.client.sizes()["timers"]
    for number in range(PACED_BURST_LETTERS_MAX):
        online.send("bob", f"{number}")
    assert online.client.sizes()["timers"] == before + PACED_BURST_LETTERS_MAX
    for number in range(3):
        online.send("bob", f"{number}")
        assert online.client.sizes()["timers"] == before + PACED_BURST_LETTERS_MAX + 1
    online.now = Instant(online.now + 60_000)  # the process was busy, and an acknowledgement comes before the timer
    online.receive(bob.ack(bob.letters[0]), BOB)
    assert len(bob.letters) == PACED_BURST_LETTERS_MAX + 3
    assert online.client.sizes()["timers"] == before + PACED_BURST_LETTERS_MAX + 2
    online.receive(bob.ack(*bob.letters), BOB)
    assert online.client.sizes()["timers"] == before


def test_retries_leave_when_they_are_due_and_new_letters_after_them(online: World) -> None:
    # R-9.3-15
    bob = measured(online)
    online.send("bob", "." * 800 * PACED_BURST_LETTERS_MAX)
    online.until(lambda: len(bob.letters) > PACED_BURST_LETTERS_MAX, 0.001)
    assert len(bob.letters) == 2 * PACED_BURST_LETTERS_MAX  # what left at once is due at once
    online.send("bob", "new")
    online.advance(0.007)  # the window was halved, so the interval is 8 ms
    assert len(bob.letters) == 2 * PACED_BURST_LETTERS_MAX
    online.advance(0.001)
    assert bob.letters[-1].text == "new"


def test_direct_letters_do_not_run_ahead_of_the_lowest_unacknowledged(online: World) -> None:
    # R-9.3-2
    bob = online.know("bob", BOB)
    online.send("bob", "first")
    bob.answers = False
    online.send("bob", "stays")
    online.advance(0.05)
    lowest = bob.letters[-1]
    for number in range(3 * DIRECT_WINDOW_LETTERS):
        online.send("bob", f"{number}")
        online.receive(
            serialize(Acks(tuple(ack_of(online.suite, b.secret) for b in bob.letters[-16:] if b != lowest))), BOB
        )
    highest = max(body.seq for body in bob.letters)
    assert highest == lowest.seq + DIRECT_WINDOW_LETTERS - 1
    online.receive(bob.ack(lowest), BOB)
    assert max(body.seq for body in bob.letters) > highest


def test_stores_do_not_run_ahead_of_the_lowest_that_is_not_stored(online: World) -> None:
    # R-9.3-2
    bob = online.know("bob")
    online.server.answers[m.Store] = lambda asked: (
        () if bob.open(asked.letter).seq == 1 else (m.Stored(asked.id, False, asked.attempt),)
    )
    for number in range(STORED_WINDOW_LETTERS + 8):
        online.send("bob", f"{number}")
    assert max(body.seq for body in stored(online, bob)) == STORED_WINDOW_LETTERS
    del online.server.answers[m.Store]
    online.advance(0.5)
    assert max(body.seq for body in stored(online, bob)) == STORED_WINDOW_LETTERS + 8


def test_a_direct_letter_waits_for_the_window_of_the_mailbox(online: World) -> None:
    # R-9.3-2
    bob = mute(online)
    online.server.answers[m.Store] = nothing
    for number in range(2 * STORED_WINDOW_LETTERS):
        online.send("bob", f"{number}")
        if number % 8 == 7:
            online.advance(0.6)
    online.advance(5)
    assert {body.seq for body in stored(online, bob)} == set(range(1, STORED_WINDOW_LETTERS + 1))
    late = [body for body in bob.letters if body.seq > STORED_WINDOW_LETTERS]
    assert late  # in the direct window, and tried on
    del online.server.answers[m.Store]
    online.advance(60)
    assert len(online.told(e.MessageStored)) == 2 * STORED_WINDOW_LETTERS


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


# --- stored ---


def test_being_stored_does_not_end_a_letter(online: World) -> None:
    # R-9.3-1
    bob = online.know("bob")
    online.send("bob")
    assert online.disk.all(SettleOutgoing) == []
    assert online.client.sizes()["outbox"] == 1
    online.push(receipt(online, stored(online, bob)[0]))
    assert [event.stored for event in online.told(e.MessageDelivered)] == [True]
    assert len(online.disk.all(SettleOutgoing)) == 1


def test_a_stored_letter_is_stored_again_less_and_less_often(online: World) -> None:
    # R-9.3-4
    online.know("bob")
    online.send("bob")
    gaps = []
    for _ in range(7):
        online.forget()
        gaps.append(online.until(lambda: online.server.count(m.Store)))
    assert gaps == [30, 30, 60, 120, 240, 300, 300]


def test_a_stored_letter_is_tried_directly_too_while_the_recipient_is_online(online: World) -> None:
    # R-9.3-4
    bob = mute(online)
    online.send("bob")
    online.advance(0.6)
    online.forget()
    bob.letters.clear()
    online.advance(90)
    assert len(bob.letters) == 3
    assert online.server.count(m.Store) == 3
    online.receive(bob.ack(bob.letters[0]), BOB)
    assert len(online.told(e.MessageDelivered)) == 1


def test_a_store_is_asked_until_it_is_answered(online: World) -> None:
    online.know("bob")
    online.server.answers[m.Store] = nothing
    online.send("bob")
    online.advance(1.6)
    assert online.server.all(m.Store) == [online.server.last(m.Store)] * 4
    assert online.told(e.MessageStored) == []


def test_a_later_sealing_of_an_earlier_life_is_outdone(online: World) -> None:
    # R-9.3-5
    bob = online.know("bob")
    online.server.answers[m.Store] = lambda asked: (m.Stored(asked.id, False, max(asked.attempt, high)),)
    high = 2**47
    online.send("bob")
    first, second = online.server.all(m.Store)
    assert (first.slot, second.slot) == (second.slot, first.slot)
    assert second.attempt == 2**47 + 1
    assert online.told(e.MessageStored) == [e.MessageStored(1, "bob", online=False)]
    assert len({body.secret for body in stored(online, bob)}) == 1


def test_an_attempt_that_cannot_be_outdone_is_taken_as_it_is(online: World) -> None:
    online.know("bob")
    online.server.answers[m.Store] = lambda asked: (m.Stored(asked.id, False, NUMBER_LIMIT - 1),)
    online.send("bob")
    assert online.server.last(m.Store).attempt == NUMBER_LIMIT - 1
    assert online.told(e.MessageStored) == [e.MessageStored(1, "bob", online=False)]
    online.push(m.Returned(online.server.last(m.Store).slot))
    online.know("bob", seq=6)
    online.advance(120)
    assert online.server.last(m.Store).attempt == NUMBER_LIMIT - 1


def test_every_life_stores_with_a_higher_attempt(online: World) -> None:
    # R-9.3-5, R-9.3-16
    online.know("bob")
    online.send("bob")
    for _ in range(3):
        online.restart()
        online.register()
    attempts = [asked.attempt for asked in online.server.all(m.Store)]
    assert attempts == sorted(set(attempts))
    assert len(attempts) == 4


@pytest.mark.parametrize("refusal", [m.Refusal.QUOTA, m.Refusal.UNKNOWN, m.Refusal.NOT_REGISTERED])
def test_a_mailbox_without_room_is_tried_again_less_and_less_often(online: World, refusal: m.Refusal) -> None:
    # R-9.3-8
    online.know("bob")
    online.server.answers[m.Store] = refusing(refusal)
    online.send("bob")
    told = [] if refusal is m.Refusal.NOT_REGISTERED else [e.MessagePostponed(1, "bob", refusal)]
    assert online.told(e.MessagePostponed) == told
    gaps: list[float] = []
    postponed: list[e.MessagePostponed] = []
    for _ in range(12):
        online.forget()
        gaps.append(online.until(lambda: online.server.count(m.Store), 0.5))
        postponed += online.told(e.MessagePostponed)
    assert postponed == []
    assert gaps == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]
    assert online.told(e.MessageRefused) == []
    del online.server.answers[m.Store]
    online.advance(300)
    assert len(online.told(e.MessageStored)) == 1


def test_a_busy_server_stores_later(online: World) -> None:
    # R-9.3-8
    online.know("bob")
    online.server.answers[m.Store] = refusing(m.Refusal.BUSY)
    online.send("bob")
    del online.server.answers[m.Store]
    online.advance(1)
    assert len(online.told(e.MessageStored)) == 1


@pytest.mark.parametrize("refusal", [m.Refusal.BANNED, m.Refusal.TOO_LONG, m.Refusal.NOT_ADMITTED])
def test_other_refusals_of_store_are_answers(online: World, refusal: m.Refusal) -> None:
    # R-9.3-8
    online.know("bob")
    online.server.answers[m.Store] = refusing(refusal)
    online.send("bob")
    assert online.told(e.MessageRefused) == [e.MessageRefused(1, "bob", refusal)]
    assert [settled.outcome for settled in online.disk.all(SettleOutgoing)] == ["refused"]
    sizes = online.client.sizes()
    assert {what for what, size in sizes.items() if size} == {"contacts", "roster", "timers"}


# --- returned ---


def test_a_returned_letter_is_sealed_again_only_for_a_newer_card(online: World) -> None:
    # R-9.3-6
    bob = online.know("bob")
    online.send("bob")
    first = online.server.last(m.Store)
    online.push(m.Returned(first.slot))
    assert online.server.last(m.Noted) == m.Noted((first.slot,))
    online.forget()
    online.advance(100)
    assert online.server.all(m.Store) == []
    assert 3 <= online.server.count(m.Lookup) <= 5
    bob.renew(6)
    online.publish(bob)
    online.advance(61)
    again = online.server.all(m.Store)[0]
    assert (again.slot, again.attempt > first.attempt) == (first.slot, True)
    assert bob.open(again.letter).text == "hello"
    assert len(online.told(e.MessageStored)) == 0  # said once, before


def test_a_letter_returned_before_stored_came_counts_as_stored_then(online: World) -> None:
    # R-9.3-6
    bob = online.know("bob")
    online.server.answers[m.Store] = nothing
    online.send("bob")
    first = online.server.last(m.Store)
    online.push(m.Returned(first.slot))
    bob.renew(6)
    online.publish(bob)
    del online.server.answers[m.Store]
    online.advance(62)
    assert bob.open(online.server.last(m.Store).letter).text == "hello"
    assert online.server.last(m.Store).attempt > first.attempt
    assert len(online.told(e.MessageStored)) == 1


def test_returned_for_a_letter_that_is_not_stored_is_only_noted(online: World) -> None:
    bob = mute(online)
    online.send("bob")
    online.push(m.Returned(slot(online, bob.letters[0])), m.Returned(b"nobody's letter."))
    assert [noted.slots for noted in online.server.all(m.Noted)] == [
        (slot(online, bob.letters[0]), b"nobody's letter."),
    ]
    online.receive(bob.ack(bob.letters[0]), BOB)
    assert len(online.told(e.MessageDelivered)) == 1


def test_receipts_of_one_turn_share_a_noted_as_far_as_they_fit(online: World) -> None:
    slots = [number.to_bytes(16) for number in range(NOTED_SLOTS_MAX + 1)]
    suite, link = online.suite, online.server.link
    records = [pack([encode(m.Returned(each))]) for each in slots]
    received = [Received(SERVER, link.seal(suite, record)) for record in records]
    online.do(online.client.receive_datagrams(received, online.now))
    assert [list(noted.slots) for noted in online.server.all(m.Noted)] == [slots[:-1], slots[-1:]]


# --- acknowledged ---


def test_a_receipt_is_noted_only_when_the_end_of_the_letter_is_on_disk(online: World) -> None:
    # R-9.3-7
    bob = online.know("bob")
    online.send("bob")
    online.disk.holding = True
    online.push(receipt(online, stored(online, bob)[0]))
    online.push(receipt(online, stored(online, bob)[0]))
    assert len(online.told(e.MessageDelivered)) == 1
    assert online.server.count(m.Noted) == 0
    online.commit()
    assert online.server.all(m.Noted) == [m.Noted((online.server.last(m.Store).slot,))]


def test_a_receipt_whose_letter_ends_on_disk_after_leaving_is_noted_when_it_comes_again(online: World) -> None:
    # R-9.3-7
    bob = online.know("bob")
    online.send("bob")
    online.disk.holding = True
    online.push(receipt(online, stored(online, bob)[0]))
    online.disk.holding = False
    online.deregister()
    online.commit()
    assert online.server.count(m.Noted) == 0
    online.register()
    online.push(receipt(online, stored(online, bob)[0]))
    assert online.server.count(m.Noted) == 1


def test_a_receipt_of_a_letter_that_ended_long_ago_is_noted_at_once(online: World) -> None:
    online.push(m.Receipt(b"some old letter.", bytes(16)))
    assert online.server.all(m.Noted) == [m.Noted((b"some old letter.",))]
    assert online.events == []


def test_a_direct_ack_of_a_stored_letter_ends_it_and_its_receipt_is_noted(online: World) -> None:
    # R-9.3-7
    bob = mute(online)
    online.send("bob")
    online.advance(1)
    online.disk.holding = True
    online.receive(bob.ack(bob.letters[0]), BOB)
    online.push(receipt(online, bob.letters[0]))
    assert online.server.count(m.Noted) == 0
    online.commit()
    assert online.server.count(m.Noted) == 1
    assert len(online.told(e.MessageDelivered)) == 1


def test_an_end_that_is_not_on_disk_after_a_crash_is_found_again(online: World) -> None:
    # R-9.3-7
    bob = online.know("bob")
    online.send("bob")
    online.disk.holding = True
    online.push(receipt(online, stored(online, bob)[0]))
    online.disk.holding = False
    online.restart()
    online.forget()
    online.register()
    online.push(receipt(online, stored(online, bob)[0]))
    assert len(online.told(e.MessageDelivered)) == 1
    assert online.server.count(m.Noted) == 1


def test_forged_acknowledgements_end_nothing(online: World) -> None:
    # R-9.3-7
    bob = mute(online)
    online.send("bob", "one")
    online.send("bob", "two")
    online.advance(1)
    one, two = stored(online, bob)
    forged = bytes(16)
    online.receive(serialize(Acks((forged, forged))), STRANGER)
    online.push(m.Receipt(slot(online, one), forged))
    online.push(m.Receipt(slot(online, one), ack_of(online.suite, two.secret)))
    assert online.drops == [Reason.LINK, Reason.LINK, Reason.SEAL, Reason.SEAL]
    assert online.told(e.MessageDelivered) == []
    # A receipt that is none is noted, for the server to drop, and the letter stays in the outbox.
    assert {noted for each in online.server.all(m.Noted) for noted in each.slots} == {slot(online, one)}
    online.push(receipt(online, one))
    assert [event.message for event in online.told(e.MessageDelivered)] == [1]


def test_one_forged_ack_does_not_hide_the_others_of_its_datagram(online: World) -> None:
    bob = mute(online)
    online.send("bob")
    online.receive(serialize(Acks((bytes(16), ack_of(online.suite, bob.letters[0].secret)))), STRANGER)
    assert online.drops == [Reason.LINK]
    assert len(online.told(e.MessageDelivered)) == 1


def test_an_ack_of_a_letter_from_before_a_restart_ends_it(online: World) -> None:
    bob = mute(online)
    online.send("bob", "one")
    online.send("bob", "two")
    online.restart()
    online.receive(bob.ack(*bob.letters), BOB)
    assert [event.message for event in online.told(e.MessageDelivered)] == [1, 2]
    online.forget()
    bob.letters.clear()
    online.register()
    online.advance(60)
    assert bob.letters == []


# --- given up ---


def test_a_message_is_given_up_after_14_days(online: World) -> None:
    # R-9.3-9
    online.know("bob")
    number = online.send("bob")
    online.sleep(13.9)
    assert online.told(e.MessageExpired) == []
    online.sleep(0.2)
    online.advance(60)
    assert online.told(e.MessageExpired) == [e.MessageExpired(number, "bob")]
    assert [settled.outcome for settled in online.disk.all(SettleOutgoing)] == ["expired"]
    assert online.client.sizes()["outbox"] == 0


def test_nothing_is_given_up_while_the_client_is_offline_nor_in_its_first_minute_online(online: World) -> None:
    # R-9.3-9
    bob = online.know("bob")
    online.send("bob", "one")
    online.send("bob", "two")
    online.deregister()
    online.sleep(20)
    assert online.told(e.MessageExpired) == []
    online.register()
    online.advance(59)
    assert online.told(e.MessageExpired) == []
    online.push(receipt(online, stored(online, bob)[0]))
    online.advance(1)
    assert [event.message for event in online.told(e.MessageDelivered)] == [1]
    assert [event.message for event in online.told(e.MessageExpired)] == [2]


@pytest.mark.parametrize("silent", [True, False])
def test_nothing_is_given_up_on_waking_from_a_sleep_before_the_server_answered_for_a_minute(
    online: World, silent: bool
) -> None:
    # R-9.3-9
    online.know("bob")
    online.send("bob")
    online.sleep(13.99)
    online.server.silent = silent
    online.sleep(2)
    assert online.told(e.MessageExpired) == []
    online.advance(3_600)
    assert len(online.told(e.MessageExpired)) == (not silent)


@pytest.mark.parametrize("wrong", ["client", "server"])
def test_a_clock_alone_gives_nothing_up(online: World, wrong: str) -> None:
    # R-9.3-9
    online.know("bob")
    online.send("bob")
    if wrong == "client":
        online.do(online.client.handle_clock((online.now // SECOND + 20 * DAY) * 1_000, online.now))
    else:
        ahead = (online.now // SECOND + 20 * DAY) * 1_000
        online.server.answers[m.Register] = lambda asked: (
            m.Registered(asked.id, BOB, 0, m.ServerLimits(1, 1, 1, 1, 1), ahead),
        )
    online.advance(2 * 3_600)
    assert online.told(e.MessageExpired) == []


def test_a_message_of_an_earlier_life_is_as_old_as_its_date_says(online: World) -> None:
    # R-9.3-9: nothing else of when it was sent is on the disk
    online.know("bob")
    number = online.send("bob")
    online.restart()
    online.register()
    online.sleep(13.9)
    online.advance(3_700)
    assert online.told(e.MessageExpired) == []
    online.sleep(0.1)
    online.advance(3_700)
    assert online.told(e.MessageExpired) == [e.MessageExpired(number, "bob")]


@pytest.mark.parametrize("registered", [True, False])
def test_a_message_that_was_dated_by_a_clock_that_was_wrong_is_as_old_as_it_is(world: World, registered: bool) -> None:
    # R-9.3-9: by the clock of the server, then and now, or as of the first registration
    world.know("bob")
    world.do(world.client.handle_clock(world.now // MS - 30 * DAY * 1_000, world.now))
    if registered:
        world.register()
    number = world.send("bob")
    world.do(world.client.handle_clock(world.now // MS, world.now))
    world.register()
    world.advance(2 * 3_600)
    assert world.told(e.MessageExpired) == []
    world.sleep(14)
    world.advance(2 * 3_600)
    assert world.told(e.MessageExpired) == [e.MessageExpired(number, "bob")]


@pytest.mark.parametrize("answers", [True, False])
def test_nothing_is_sealed_for_a_card_that_is_past_its_time(online: World, answers: bool) -> None:
    # R-9.3-12: whether the directory gives it again, or does not answer (R-9.3-11)
    bob = online.know("bob")
    online.send("bob")
    online.deregister()
    online.sleep(92)
    online.register()
    online.forget()
    if not answers:
        online.server.answers[m.Lookup] = lambda _: ()
    online.send("bob", "later")
    online.advance(1)
    assert [body.text for body in stored(online, bob) if body.text == "later"] == []
    online.server.answers.pop(m.Lookup, None)
    bob.card = bob.carded(seq=6, expires_s=online.now // SECOND + 90 * DAY)
    online.publish(bob)
    online.advance(15)
    assert "later" in [body.text for body in stored(online, bob)]


def test_the_clock_is_what_letters_are_dated_by(online: World) -> None:
    bob = online.know("bob", BOB)
    online.do(online.client.handle_clock(1_234_567_890_123, online.now))
    online.send("bob")
    online.advance(1)
    online.send("bob")
    assert [body.sent_ms for body in bob.letters] == [1_234_567_890_123, 1_234_567_891_123]


def test_what_is_stored_behind_a_letter_that_is_given_up_is_stored_again_for_its_floor(online: World) -> None:
    # R-9.3-9, R-9.3-10
    bob = online.know("bob")
    for text in ("old", "older"):
        online.send("bob", text)
    online.sleep(1)
    for text in ("young", "younger"):
        online.send("bob", text)
    before = {asked.slot: asked.attempt for asked in online.server.all(m.Store)}
    online.server.answers[m.Store] = refusing(m.Refusal.QUOTA)
    online.send("bob", "youngest, not stored")
    online.sleep(12.99)
    online.forget()
    online.advance(2 * 3_600)
    assert len(online.told(e.MessageExpired)) == 2
    again = [asked for asked in online.server.all(m.Store) if bob.open(asked.letter).floor == 3]
    again = [asked for asked in again if asked.slot in before]
    assert sorted({bob.open(asked.letter).text for asked in again}) == ["young", "younger"]
    assert all(asked.attempt > before[asked.slot] for asked in again)


def test_each_letter_behind_is_stored_once_again_however_many_are_given_up(online: World) -> None:
    # R-9.3-9
    online.know("bob")
    for number in range(8):
        online.send("bob", f"old {number}")
    online.sleep(1)
    online.send("bob", "young")
    online.sleep(12.9)
    behind = online.server.all(m.Store)[-1].slot
    while not online.told(e.MessageExpired):
        online.forget()
        due = online.client.next_timeout()
        assert due is not None
        online.advance((due - online.now) / SECOND)
    assert len(online.told(e.MessageExpired)) == 8
    assert [asked.slot for asked in online.server.all(m.Store)].count(behind) == 1


def test_a_letter_stored_again_with_a_higher_floor_has_a_higher_attempt(online: World) -> None:
    # R-9.3-10
    bob = online.know("bob")
    online.send("bob", "one")
    online.send("bob", "two")
    online.push(receipt(online, stored(online, bob)[0]))
    first = online.server.last(m.Store)
    online.advance(31)
    again = online.server.last(m.Store)
    assert (bob.open(first.letter).floor, bob.open(again.letter).floor) == (1, 2)
    assert again.attempt > first.attempt
    online.advance(31)
    assert online.server.last(m.Store).attempt == again.attempt


# --- caps, and misuse ---


def test_a_full_outbox_refuses_a_message_whole(online: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "OUTBOX_LETTERS_MAX", 3)
    bob = online.know("bob")
    online.send("bob")
    online.send("bob")
    online.forget()
    with pytest.raises(LocalProtocolError, match="too many messages wait"):
        online.client.send("bob", "x" * 1_000, online.now)
    assert online.disk.asked == []
    assert online.client.next_message == 3
    online.send("bob")
    online.push(receipt(online, bob.open(online.server.last(m.Store).letter)))
    online.send("bob")
