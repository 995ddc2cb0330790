"""Letters being received: on disk before they are acknowledged, in order, once, by both ways, within caps."""

from collections.abc import Sequence

import pytest

from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, CAROL, STRANGER, private_key
from tests.core.client.world import World
from udpchat_core import events as e
from udpchat_core import messages as m
from udpchat_core.client import inbox
from udpchat_core.delivery import order
from udpchat_core.errors import Reason
from udpchat_core.limits import (
    COLLECTED_ENTRIES_MAX,
    EPOCHS_PER_SENDER_MAX,
    HELD_LETTERS_PER_SENDER_MAX,
    STRANGER_NAMES_PER_S_MAX,
)
from udpchat_core.requests import EnterLetter, FindLetter
from udpchat_core.secure.letter import ack_of

ACKNOWLEDGED, UNOPENABLE, UNWANTED = m.Outcome.ACKNOWLEDGED, m.Outcome.UNOPENABLE, m.Outcome.UNWANTED


def nothing(_: m.Message) -> Sequence[m.Message]:
    """No answer to a message."""
    return ()


@pytest.fixture
def bob(online: World) -> Peer:
    """Somebody who writes, and whose name the client has pinned."""
    peer = online.know("bob", BOB)
    online.send("bob")
    online.forget()
    return peer


def write(world: World, peer: Peer, *bodies: m.LetterBody, source: object = BOB) -> None:
    """Letters come in directly."""
    for body in bodies:
        world.receive(peer.letter(world.server.card, body), source)  # type: ignore[arg-type]


def mail(world: World, peer: Peer, body: m.LetterBody, entry: int) -> None:
    """A letter comes in from the mailbox."""
    world.push(peer.pushed(world.server.card, body, entry))


def ack(world: World, body: m.LetterBody) -> bytes:
    """The acknowledgement of a letter."""
    return ack_of(world.suite, body.secret)


def texts(world: World) -> list[str]:
    """What was shown, in order."""
    return [event.text for event in world.told(e.LetterReceived)]


def outcomes(world: World) -> list[tuple[int, m.Outcome]]:
    """What was collected, in order."""
    return [(entry.entry, entry.outcome) for entry in world.collected()]


def numbered(peer: Peer, *seqs: int, floor: int = 1) -> list[m.LetterBody]:
    """Letters with these numbers, whose texts are the numbers."""
    return [peer.body(seq, str(seq), floor=min(floor, seq)) for seq in seqs]


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


# --- once ---


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
    carols = m.CardBody(1, 1, 1, carol.identity, card.live, card.mail, "carol")
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


# --- names ---


def test_a_name_is_confirmed_if_it_is_pinned_to_the_sender(online: World, bob: Peer) -> None:
    # R-9.4-7
    write(online, bob, bob.body())
    assert [event.confirmed for event in online.told(e.LetterReceived)] == [True]
    assert online.server.count(m.Lookup) == 0


@pytest.mark.parametrize(("name", "confirmed"), [("carol", True), ("dave", False), ("nobody", False)])
def test_a_name_that_is_not_pinned_is_asked_for(online: World, bob: Peer, name: str, confirmed: bool) -> None:
    # R-9.4-7
    carol = online.know("carol", CAROL)
    online.know("dave")
    write(online, carol, carol.body(name=name))
    assert [(event.name, event.confirmed) for event in online.told(e.LetterReceived)] == [(name, confirmed)]
    assert {asked.name for asked in online.server.all(m.Lookup)} == {name}


def test_a_letter_is_shown_after_a_second_though_nobody_knows_whose_name_it_is(online: World) -> None:
    # R-9.4-7, R-9.4-12
    online.server.answers[m.Lookup] = nothing
    carol = online.know("carol", CAROL)
    one, two = numbered(carol, 1, 2)
    write(online, carol, one)
    assert online.acked(BOB) == [ack(online, one)]  # on disk all the same
    online.advance(0.999)
    write(online, carol, two)
    assert texts(online) == []
    online.advance(0.001)
    assert [(event.text, event.confirmed) for event in online.told(e.LetterReceived)] == [("1", False), ("2", False)]


def test_letters_of_others_do_not_wait_for_a_name(online: World, bob: Peer) -> None:
    online.server.answers[m.Lookup] = nothing
    carol = online.know("carol", CAROL)
    write(online, carol, carol.body(text="who am I"))
    write(online, bob, bob.body(text="you know me"))
    assert texts(online) == ["you know me"]
    asked = online.server.last(m.Lookup)
    online.push(m.Found(asked.id, carol.card, None, 60))
    assert [(event.text, event.confirmed) for event in online.told(e.LetterReceived)][1:] == [("who am I", True)]


def test_two_who_claim_one_name_are_told_apart(online: World) -> None:
    # R-9.4-7
    online.server.answers[m.Lookup] = nothing
    carol, other = online.know("carol", CAROL), online.know("carol", CAROL, person="mallory")
    write(online, other, other.body(text="other"))
    write(online, carol, carol.body(text="carol"))
    online.push(m.Found(online.server.last(m.Lookup).id, carol.card, None, 60))
    assert {event.text: event.confirmed for event in online.told(e.LetterReceived)} == {"other": False, "carol": True}


def test_a_name_under_dispute_is_not_confirmed_but_for_the_pinned_one(online: World, bob: Peer) -> None:
    # R-9.4-7
    other = online.know("bob", CAROL, person="mallory")
    online.advance(60)
    online.send("bob")
    write(online, other, other.body(text="I am bob now"))
    write(online, bob, bob.body(text="I am still"))
    told = [(event.text, event.confirmed) for event in online.told(e.LetterReceived)]
    assert told == [("I am bob now", False), ("I am still", True)]


def test_so_many_letters_of_a_sender_wait_for_its_name(online: World) -> None:
    # R-9.4-12
    online.server.answers[m.Lookup] = nothing
    carol = online.know("carol", CAROL)
    write(online, carol, *numbered(carol, *range(1, HELD_LETTERS_PER_SENDER_MAX)))
    assert texts(online) == []
    write(online, carol, *numbered(carol, HELD_LETTERS_PER_SENDER_MAX))
    assert texts(online) == [str(seq) for seq in range(1, HELD_LETTERS_PER_SENDER_MAX + 1)]


def test_so_many_names_of_strangers_are_asked_for_in_a_second(online: World) -> None:
    # R-9.4-9
    online.server.answers[m.Lookup] = nothing
    names = [f"stranger{number}" for number in range(STRANGER_NAMES_PER_S_MAX + 2)]
    for name in names:
        peer = online.know(name, CAROL)
        write(online, peer, peer.body(text=name))
    assert texts(online) == names[-2:]
    online.advance(1)
    assert sorted(texts(online)) == sorted(names)
    last = online.know("last", CAROL)
    write(online, last, last.body(text="last"))
    assert online.server.last(m.Lookup).name == "last"


def test_a_name_is_asked_for_no_more_once_its_letter_is_shown(online: World) -> None:
    # R-9.4-9
    online.server.answers[m.Lookup] = nothing
    carol = online.know("carol", CAROL)
    write(online, carol, carol.body())
    online.advance(1)
    asked = online.server.count(m.Lookup)
    assert asked >= 1
    assert online.client.sizes()["requests"] == 0
    online.advance(10)
    assert online.server.count(m.Lookup) == asked


def test_a_name_that_a_message_waits_for_is_asked_for_still(online: World) -> None:
    # R-9.4-9
    online.server.answers[m.Lookup] = nothing
    carol = online.know("carol", CAROL)
    online.send("carol")
    write(online, carol, carol.body())
    online.advance(1)
    assert texts(online) == ["hello"]
    online.push(m.Found(online.server.last(m.Lookup).id, carol.card, None, 60))
    assert online.server.last(m.Store).recipient == carol.identity


def test_a_name_that_is_pinned_to_another_is_not_confirmed(online: World, bob: Peer) -> None:
    # R-9.4-7
    carol = online.know("carol", CAROL)
    write(online, carol, carol.body(name="bob"))
    assert [event.confirmed for event in online.told(e.LetterReceived)] == [False]


# --- caps ---


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
