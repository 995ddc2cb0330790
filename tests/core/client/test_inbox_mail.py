"""Letters out of the mailbox: collected as what they are; and letters that are not for this user."""

import pytest

from tests.core.client.incoming import ACKNOWLEDGED, UNOPENABLE, UNWANTED, ack, mail, numbered, outcomes, texts, write
from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, CAROL, STRANGER, private_key
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.bodies import CardBody
from udpchat_core.errors import Reason
from udpchat_core.limits import COLLECTED_ENTRIES_MAX

# --- mail ---


def test_mail_that_no_key_opens_goes_back(online: World, bob: Peer) -> None:
    # R-9.4-4
    lost_key = online.suite.dh_public(private_key("a mail key that is gone"))
    body = bob.body()
    online.push(bob.pushed(online.server.card, body, 2, letter=bob.letter(online.server.card, body, lost_key)))
    damaged = bob.pushed(online.server.card, body, 3)
    online.push(m.Mail(3, damaged.slot, damaged.letter[:-1] + bytes((damaged.letter[-1] ^ 1,))))
    assert outcomes(online) == [(2, UNOPENABLE), (3, UNOPENABLE)]
    assert online.drops == [Reason.KEY, Reason.SEAL]
    assert texts(online) == []


def test_mail_that_is_no_letter_or_is_under_a_wrong_slot_is_not_wanted(online: World, bob: Peer) -> None:
    # R-9.4-4
    good = bob.pushed(online.server.card, bob.body(), 1)
    online.push(m.Mail(2, b"some other slot.", good.letter))
    online.push(m.Mail(3, good.slot, bytes(181)))
    online.push(m.Mail(4, good.slot, online.server.record(m.Superseded()) + bytes(181)))
    forged = bob.body(sender=online.know("carol").identity)
    online.push(bob.pushed(online.server.card, forged, 5))
    assert outcomes(online) == [(2, UNWANTED), (3, UNWANTED), (4, UNWANTED), (5, UNWANTED)]
    assert online.drops == [Reason.FIELDS, Reason.MAGIC, Reason.TYPE, Reason.SIGNATURE]
    assert texts(online) == []


def test_each_entry_is_collected_by_its_own_number(online: World, bob: Peer) -> None:
    # R-9.4-6
    for entry, body in zip((9, 4, 70), numbered(bob, 1, 2, 3), strict=True):
        mail(online, bob, body, entry)
    assert sorted(outcomes(online)) == [(4, ACKNOWLEDGED), (9, ACKNOWLEDGED), (70, ACKNOWLEDGED)]
    assert [entry.ack for entry in online.collected()] == [ack(online, body) for body in numbered(bob, 1, 2, 3)]


def test_many_entries_are_collected_in_several_messages(online: World, bob: Peer) -> None:
    online.disk.holding = True
    many = COLLECTED_ENTRIES_MAX + 3
    for seq in range(1, many + 1):
        mail(online, bob, numbered(bob, seq)[0], seq)
    online.commit()
    assert [len(said.entries) for said in online.server.all(m.Collected)] == [COLLECTED_ENTRIES_MAX, 3]
    assert len(texts(online)) == many


def test_what_is_entered_after_leaving_is_not_collected_and_comes_again(online: World, bob: Peer) -> None:
    online.disk.holding = True
    mail(online, bob, bob.body(), 4)
    online.disk.holding = False
    online.deregister()
    online.commit()
    assert online.collected() == []
    online.register()
    mail(online, bob, bob.body(), 4)
    assert outcomes(online) == [(4, ACKNOWLEDGED)]
    assert texts(online) == ["hello"]


def test_letters_that_waited_are_told_from_those_that_came_meanwhile(online: World, bob: Peer) -> None:
    online.deregister()
    online.server.waiting = 2
    online.register()
    bodies = numbered(bob, 1, 2, 3, 4)
    mail(online, bob, bodies[0], 1)
    write(online, bob, bodies[1])
    mail(online, bob, bodies[2], 2)
    mail(online, bob, bodies[3], 3)
    seen = [(event.text, event.stored, event.waited) for event in online.told(e.LetterReceived)]
    assert seen == [("1", True, True), ("2", False, False), ("3", True, True), ("4", True, False)]


def test_mail_that_comes_before_the_answer_to_register_has_waited(online: World, bob: Peer) -> None:
    online.deregister()
    online.server.answers[m.Register] = lambda _: ()  # lost, for now
    online.do(online.client.register(online.now))
    bodies = numbered(bob, 1, 2)
    mail(online, bob, bodies[0], 1)
    del online.server.answers[m.Register]
    online.advance(1)  # the answer to the next try does not count what was collected
    assert online.is_online()
    mail(online, bob, bodies[1], 2)
    seen = [(event.text, event.waited) for event in online.told(e.LetterReceived)]
    assert seen == [("1", True), ("2", False)]


def test_a_renewal_does_not_make_new_mail_old(online: World, bob: Peer) -> None:
    online.server.waiting = 1
    online.advance(3_600)
    mail(online, bob, bob.body(), 1)
    assert [event.waited for event in online.told(e.LetterReceived)] == [False]


# --- what is not for this user ---


@pytest.mark.parametrize("of", ["recipient", "key", "signature", "small order"])
def test_a_letter_that_is_not_to_this_user_and_key_is_refused(online: World, bob: Peer, of: str) -> None:
    card, body = online.server.card, bob.body()
    carol = online.know("carol", CAROL)
    carols = CardBody(1, 1, 1, carol.identity, card.live, card.mail, "carol")
    payload = {
        "recipient": lambda: bob.letter(carols, body),
        "key": lambda: bob.letter(card, body, online.suite.dh_public(carol.live)),
        "signature": lambda: carol.letter(card, body),
        "small order": lambda: bob.letter(card, bob.body(sender=bytes(32))),
    }[of]()
    online.receive(payload, BOB)
    reasons = {"recipient": Reason.SEAL, "key": Reason.KEY, "signature": Reason.SIGNATURE, "small order": Reason.POINT}
    assert online.drops == [reasons[of]]
    assert online.sent == []
    assert online.disk.asked == []


def test_a_letter_from_anywhere_is_acknowledged_where_it_came_from(online: World, bob: Peer) -> None:
    body = bob.body()
    write(online, bob, body, source=STRANGER)
    assert online.acked(STRANGER) == [ack(online, body)]
    assert online.acked(BOB) == []
