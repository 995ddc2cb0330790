"""A letter is shown once, however many copies come by whichever way, and all copies are acknowledged."""

import pytest

from tests.core.client.incoming import ACKNOWLEDGED, ack, mail, numbered, outcomes, texts, write
from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, CAROL
from tests.core.client.world import World
from udpchat_core.client_requests import EnterLetter, FindLetter
from udpchat_core.errors import Reason
from udpchat_core.limits import HELD_LETTERS_PER_SENDER_MAX


@pytest.mark.parametrize("restart", [False, True])
def test_a_copy_of_a_letter_is_acknowledged_again_and_not_shown(online: World, bob: Peer, restart: bool) -> None:
    # R-9.4-2
    body = bob.body()
    write(online, bob, body)
    if restart:
        online.restart()
        online.register()
    write(online, bob, body, source=CAROL)
    mail(online, bob, body, 9)
    assert texts(online) == ["hello"]
    assert online.acked(CAROL) == [ack(online, body)]
    assert outcomes(online) == [(9, ACKNOWLEDGED)]


def test_a_copy_in_another_epoch_under_another_number_is_not_shown_again(online: World, bob: Peer) -> None:
    # R-9.4-2
    bodies = numbered(bob, 1, 2)
    write(online, bob, *bodies)
    again = bob.body(1, "2", epoch=8)
    assert again.secret == bodies[1].secret
    write(online, bob, again)
    assert texts(online) == ["1", "2"]
    assert online.acked(BOB)[-1] == ack(online, again)
    write(online, bob, bob.body(2, "3", epoch=8))
    assert texts(online) == ["1", "2", "3"]


def test_copies_that_come_while_the_disk_works_are_all_acknowledged(online: World, bob: Peer) -> None:
    # R-9.4-1, R-9.4-2
    body = bob.body()
    online.disk.holding = True
    write(online, bob, body)
    write(online, bob, body, body, source=CAROL)
    mail(online, bob, body, 3)
    mail(online, bob, body, 5)
    online.commit()
    assert (online.acked(BOB), online.acked(CAROL)) == ([ack(online, body)], [ack(online, body)])
    assert outcomes(online) == [(3, ACKNOWLEDGED), (5, ACKNOWLEDGED)]
    assert texts(online) == ["hello"]
    assert len(online.disk.all(EnterLetter)) == 1


def test_copies_of_what_is_held_are_all_acknowledged_in_the_end(online: World, bob: Peer) -> None:
    one, two = numbered(bob, 1, 2)
    write(online, bob, two)
    write(online, bob, two, source=CAROL)
    mail(online, bob, two, 4)
    assert online.sent == []
    assert online.collected() == []
    write(online, bob, one)
    assert online.acked(CAROL) == [ack(online, two)]
    assert outcomes(online) == [(4, ACKNOWLEDGED)]


def test_one_letter_under_two_numbers_at_a_time_is_one_entry(online: World, bob: Peer) -> None:
    # R-9.4-2
    gap, held = numbered(bob, 1, 2)
    write(online, bob, held, source=CAROL)
    mail(online, bob, held, 6)
    online.disk.holding = True
    again = bob.body(1, "2", epoch=8)
    write(online, bob, again)
    write(online, bob, gap)
    online.commit()
    assert texts(online) == ["2", "1"]
    assert (online.acked(BOB), online.acked(CAROL)) == ([ack(online, again), ack(online, gap)], [ack(online, again)])
    assert (6, ACKNOWLEDGED) in outcomes(online)
    assert online.client.sizes()["entering"] == 0


def test_mail_that_waits_behind_a_gap_is_acknowledged_if_the_history_has_it(online: World, bob: Peer) -> None:
    # R-9.4-2, R-9.4-10: from another epoch of its sender, whose gap may never be filled.
    write(online, bob, bob.body(1, "2", epoch=8))
    mail(online, bob, numbered(bob, 2)[0], 6)
    assert outcomes(online) == [(6, ACKNOWLEDGED)]
    assert online.client.sizes()["held"] == 0
    assert texts(online) == ["2"]


def test_the_history_is_asked_once_at_a_time_however_often_mail_is_pushed(online: World, bob: Peer) -> None:
    online.disk.holding = True
    body = bob.body(seq=2)
    for entry in range(1, 9):
        online.push(bob.pushed(online.server.card, body, entry))
    assert len(online.disk.all(FindLetter)) == 1
    online.disk.holding = False
    online.commit()
    online.push(bob.pushed(online.server.card, body, 9))
    assert len(online.disk.all(FindLetter)) == 2


def test_mail_that_waits_behind_a_gap_and_is_new_stays_held(online: World, bob: Peer) -> None:
    one, two = numbered(bob, 1, 2)
    mail(online, bob, two, 6)
    assert online.collected() == []
    assert online.client.sizes()["held"] == 1
    write(online, bob, one)
    assert texts(online) == ["1", "2"]


def test_what_was_looked_for_may_have_been_reached_meanwhile(online: World, bob: Peer) -> None:
    one, two = numbered(bob, 1, 2)
    online.disk.holding = True
    mail(online, bob, two, 6)
    write(online, bob, one)
    online.commit()
    assert texts(online) == ["1", "2"]
    assert outcomes(online) == [(6, ACKNOWLEDGED)]


@pytest.mark.parametrize("elsewhere", ["reached", "passed"])
def test_mail_behind_a_gap_is_looked_for_again_if_its_copy_in_another_epoch_came_meanwhile(
    online: World, bob: Peer, elsewhere: str
) -> None:
    # R-9.4-10: the answer says "missing", is for both copies, and must not be the last that is asked for this one.
    if elsewhere == "passed":
        write(online, bob, bob.body(2, "passes 1", epoch=8, floor=2))
    online.disk.holding = True
    waits = bob.body(2, "letter")
    mail(online, bob, waits, 6)
    write(online, bob, bob.body(1, "letter", epoch=8))
    online.commit()
    online.disk.holding = False
    assert outcomes(online) == []
    if elsewhere == "passed":
        write(online, bob, bob.body(3, "letter", epoch=8))
    online.push(bob.pushed(online.server.card, waits, 6))
    assert outcomes(online) == [(6, ACKNOWLEDGED)]
    assert (online.client.sizes()["held"], texts(online).count("letter")) == (0, 1)


def test_mail_too_far_ahead_to_be_held_is_acknowledged_if_the_history_has_it(online: World, bob: Peer) -> None:
    # R-9.4-2, R-9.4-5, R-9.4-10
    far = 2 + HELD_LETTERS_PER_SENDER_MAX
    write(online, bob, bob.body(1, str(far), epoch=8))
    known, new = numbered(bob, far, far + 1)
    mail(online, bob, known, 6)
    mail(online, bob, new, 7)
    assert outcomes(online) == [(6, ACKNOWLEDGED)]
    assert (online.client.sizes()["held"], online.client.sizes()["entering"]) == (0, 0)


@pytest.mark.parametrize("looked_for", ["too far ahead in another epoch", "passed in another epoch"])
def test_a_letter_that_is_reached_while_it_is_looked_for_is_entered_all_the_same(
    online: World, bob: Peer, looked_for: str
) -> None:
    # R-9.4-3: its number would be passed without it, and it could never be entered again.
    write(online, bob, bob.body(2, "passes 1", floor=2))
    write(online, bob, bob.body(2, "letter", epoch=8))
    online.forget()
    online.disk.holding = True
    if looked_for == "passed in another epoch":
        write(online, bob, bob.body(1, "letter"), source=CAROL)
    else:
        mail(online, bob, bob.body(3 + HELD_LETTERS_PER_SENDER_MAX, "letter"), 6)
    write(online, bob, bob.body(1, "gap", epoch=8))
    online.commit()
    assert texts(online) == ["gap", "letter"]
    one = ack(online, bob.body(2, "letter"))
    assert online.acked(BOB) == [ack(online, bob.body(1, "gap")), one]
    if looked_for == "passed in another epoch":
        assert online.acked(CAROL) == [one]
    else:
        assert outcomes(online) == [(6, ACKNOWLEDGED)]
    assert online.client.sizes()["entering"] == 0


def test_another_letter_under_a_number_that_is_held_is_refused(online: World, bob: Peer) -> None:
    write(online, bob, bob.body(2, "the one"), bob.body(2, "the other"))
    assert online.drops == [Reason.FIELDS]
    write(online, bob, bob.body(1, "first"))
    assert texts(online) == ["first", "the one"]
