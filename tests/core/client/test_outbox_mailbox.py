"""Letters in the mailbox: stored again until acknowledged, refused, and returned for a newer card."""

import pytest

from tests.core.client.outgoing import mute, receipt, slot, stored
from tests.core.client.scenery import BOB, SERVER
from tests.core.client.server_double import nothing, refusing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.actions import Received
from udpchat_core.client_requests import SettleOutgoing
from udpchat_core.fields import Refusal
from udpchat_core.limits import NOTED_SLOTS_MAX, NUMBER_LIMIT
from udpchat_core.wire import encode, pack

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


@pytest.mark.parametrize("refusal", [Refusal.QUOTA, Refusal.UNKNOWN, Refusal.NOT_REGISTERED])
def test_a_mailbox_without_room_is_tried_again_less_and_less_often(online: World, refusal: Refusal) -> None:
    # R-9.3-8
    online.know("bob")
    online.server.answers[m.Store] = refusing(refusal)
    online.send("bob")
    told = [] if refusal is Refusal.NOT_REGISTERED else [e.MessagePostponed(1, "bob", refusal)]
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
    online.server.answers[m.Store] = refusing(Refusal.BUSY)
    online.send("bob")
    del online.server.answers[m.Store]
    online.advance(1)
    assert len(online.told(e.MessageStored)) == 1


@pytest.mark.parametrize("refusal", [Refusal.BANNED, Refusal.TOO_LONG, Refusal.NOT_ADMITTED])
def test_other_refusals_of_store_are_answers(online: World, refusal: Refusal) -> None:
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
