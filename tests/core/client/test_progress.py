"""How far each message is: as far as the last of its letters."""

import pytest

from tests.core.client.scenery import BOB
from tests.core.client.server_double import nothing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.bodies import LetterBody
from udpchat_core.client_requests import SaveOutgoing
from udpchat_core.errors import LocalProtocolError
from udpchat_core.fields import Refusal
from udpchat_core.limits import PARTS_MAX, TEXT_PARTS_BYTES_MAX
from udpchat_core.secure.letter import ack_of, slot_of

LONG = "x" * 2_000


def kinds(world: World) -> list[type]:
    """What the application was told."""
    return [type(event) for event in world.events]


def receipts(world: World, *bodies: LetterBody) -> list[m.Receipt]:
    """What a server passes on of them."""
    return [m.Receipt(slot_of(world.suite, b.secret), ack_of(world.suite, b.secret)) for b in bodies]


def test_a_long_text_is_split_into_letters_that_follow_each_other(online: World) -> None:
    bob = online.know("bob", BOB)
    online.send("bob", LONG)
    online.send("bob", "next")
    assert [(body.seq, body.part, body.parts, len(body.text)) for body in bob.letters] == [
        (1, 1, 3, 800),
        (2, 2, 3, 800),
        (3, 3, 3, 400),
        (4, 1, 1, 4),
    ]
    assert "".join(body.text for body in bob.letters[:3]) == LONG
    assert len({body.secret for body in bob.letters}) == 4
    assert len({body.sent_ms for body in bob.letters[:3]}) == 1


def test_the_longest_text_of_the_widest_characters_fits(online: World) -> None:
    online.know("bob", BOB)
    online.send("bob", "\U0001f600" * (TEXT_PARTS_BYTES_MAX // 4))
    assert len(online.disk.all(SaveOutgoing)) == PARTS_MAX - 1
    assert [event.message for event in online.told(e.MessageDelivered)] == [1]


@pytest.mark.parametrize("text", ["", "x" * (TEXT_PARTS_BYTES_MAX + 1), "\ud800"])
def test_a_text_that_cannot_be_sent_is_refused_and_nothing_is_done(online: World, text: str) -> None:
    with pytest.raises(LocalProtocolError):
        online.client.send("bob", text, online.now)
    assert online.client.next_message == 1
    assert online.client.sizes()["outbox"] == 0


@pytest.mark.parametrize("name", ["", "Bob", "-rf", "b" * 33, "bob\n", "b b", "bób"])
def test_what_is_no_name_is_refused_and_nothing_is_done(online: World, name: str) -> None:
    with pytest.raises(LocalProtocolError, match="is no name"):
        online.client.send(name, "hello", online.now)
    assert online.client.next_message == 1


def test_each_event_comes_once_a_message(online: World) -> None:
    bob = online.know("bob", BOB)
    bob.answers = False
    online.send("bob", LONG)
    online.advance(1)
    assert kinds(online) == [e.MessageQueued, e.MessageUnanswered, e.MessageStored]
    online.push(*receipts(online, *(bob.open(asked.letter) for asked in online.server.all(m.Store))))
    assert kinds(online)[3:] == [e.MessageDelivered]
    assert online.told(e.MessageDelivered) == [e.MessageDelivered(1, "bob", True, 1_000_000, 9)]


def test_a_message_is_queued_when_all_of_it_is_on_disk(online: World) -> None:
    online.know("bob")
    online.disk.holding = True
    online.do(online.client.send("bob", LONG, online.now))
    assert online.told(e.MessageQueued) == []
    online.commit()
    assert online.told(e.MessageQueued) == [e.MessageQueued(1, "bob")]


def test_a_message_is_stored_when_its_last_letter_is(online: World) -> None:
    online.know("bob")
    online.server.answers[m.Store] = nothing
    online.send("bob", LONG)
    for count, asked in enumerate(online.server.all(m.Store), 1):
        assert online.told(e.MessageStored) == []
        online.push(m.Stored(asked.id, count == 3, asked.attempt))
    assert online.told(e.MessageStored) == [e.MessageStored(1, "bob", online=True)]


@pytest.mark.parametrize("first", ["stored", "delivered"])
def test_a_message_is_stored_when_each_letter_is_stored_or_acknowledged(online: World, first: str) -> None:
    bob = online.know("bob")
    online.server.answers[m.Store] = nothing
    online.send("bob", "x" * 900)
    one, two = online.server.all(m.Store)
    (receipt,) = receipts(online, bob.open(one.letter))
    steps: list[m.Message] = [m.Stored(two.id, False, two.attempt), receipt]
    for step in steps if first == "stored" else reversed(steps):
        assert online.told(e.MessageStored) == []
        online.push(step)
    assert online.told(e.MessageStored) == [e.MessageStored(1, "bob", online=False)]
    online.push(*receipts(online, bob.open(two.letter)))
    assert [event.stored for event in online.told(e.MessageDelivered)] == [True]


def test_a_letter_that_is_stored_twice_does_not_count_for_another(online: World) -> None:
    bob = online.know("bob")
    online.server.answers[m.Store] = nothing
    online.send("bob", "x" * 900)
    one, _ = online.server.all(m.Store)
    online.push(m.Stored(one.id, False, one.attempt))
    bob.renew(6)
    online.publish(bob)
    online.advance(61)
    online.push(m.Returned(one.slot))
    online.advance(31)
    again = [asked for asked in online.server.all(m.Store) if asked.slot == one.slot][-1]
    assert again.attempt > one.attempt
    online.push(m.Stored(again.id, False, again.attempt))
    assert online.told(e.MessageStored) == []


def test_a_message_is_refused_once_and_never_delivered_though_parts_of_it_are(online: World) -> None:
    bob = online.know("bob")
    online.server.answers[m.Store] = nothing
    online.send("bob", LONG)
    one, two, three = online.server.all(m.Store)
    online.push(m.Refused(one.id, Refusal.BANNED, 0, 0), m.Refused(two.id, Refusal.TOO_LONG, 0, 0))
    online.push(m.Stored(three.id, False, three.attempt))
    online.push(*receipts(online, bob.open(three.letter)))
    assert online.events[1:] == [e.MessageRefused(1, "bob", Refusal.BANNED)]
    assert online.client.sizes()["outbox"] == 0


def test_a_message_delivered_in_part_before_it_was_given_up_is_expired(online: World) -> None:
    bob = online.know("bob")
    online.send("bob", "x" * 900)
    online.push(*receipts(online, bob.open(online.server.all(m.Store)[0].letter)))
    online.sleep(14.1)
    online.advance(120)
    assert online.told(e.MessageExpired) == [e.MessageExpired(1, "bob")]
    assert online.told(e.MessageDelivered) == []


def test_after_a_restart_a_message_is_as_far_as_its_letters_that_are_left(online: World) -> None:
    bob = online.know("bob", BOB)
    bob.answers = False
    online.send("bob", LONG)
    online.receive(bob.ack(bob.letters[0]), BOB)
    online.forget()
    online.restart()
    bob.answers = True
    online.register()
    assert [event.message for event in online.told(e.MessageDelivered)] == [1]
    assert online.told(e.MessageQueued) == []
    assert online.send("bob") == 2
