"""Letters acknowledged, directly or by a receipt: over on disk first, and by nothing that is forged."""

from tests.core.client.outgoing import mute, receipt, slot, stored
from tests.core.client.scenery import BOB, STRANGER
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.datagrams import Acks
from udpchat_core.errors import Reason
from udpchat_core.secure.letter import ack_of
from udpchat_core.wire import serialize


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
