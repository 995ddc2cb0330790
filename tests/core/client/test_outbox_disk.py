"""Letters to send are on disk first, and numbered: secret, epoch, seq and floor; a full outbox takes no more."""

import pytest

from tests.core.client.outgoing import mute, receipt, stored
from tests.core.client.scenery import BOB, CAROL
from tests.core.client.server_double import nothing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.client import outbox
from udpchat_core.client_requests import PinOutgoing, SaveOutgoing, SavePin, SettleOutgoing
from udpchat_core.datagrams import Acks
from udpchat_core.errors import LocalProtocolError
from udpchat_core.fields import Refusal
from udpchat_core.secure.letter import ack_of
from udpchat_core.wire import serialize

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
    assert [event.refusal for event in online.told(e.MessageRefused)] == [Refusal.KEY_CHANGED]


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
