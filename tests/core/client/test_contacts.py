"""Whom names mean: pinned before anything is sent, asked again in time, and never changed without the user."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.core.client.scenery import BOB, CAROL, DAY, START
from tests.core.client.world import World
from udpchat_core import events as e
from udpchat_core import messages as m
from udpchat_core.client import contacts
from udpchat_core.errors import LocalProtocolError, Reason
from udpchat_core.instant import SECOND
from udpchat_core.requests import PinOutgoing, SaveOutgoing, SavePin


def nothing(_: m.Message) -> Sequence[m.Message]:
    """No answer to a message."""
    return ()


# --- how long an answer is believed ---


def test_an_answer_is_believed_for_a_minute(online: World) -> None:
    online.know("bob", BOB)
    online.send("bob")
    online.advance(59.9)
    online.send("bob")
    assert online.server.count(m.Lookup) == 1
    online.advance(0.1)
    online.send("bob")
    assert online.server.count(m.Lookup) == 2
    assert len(online.told(e.MessageDelivered)) == 3


@pytest.mark.parametrize(("ttl_s", "believed_s"), [(0, 1), (5, 5), (1_000, 60)])
def test_an_answer_is_believed_as_long_as_the_server_says_but_a_minute_at_most(
    online: World, ttl_s: int, believed_s: int
) -> None:
    # R-9.3-17
    online.know("bob", BOB)
    online.server.answers[m.Lookup] = lambda asked: (m.Found(asked.id, *online.server.users["bob"], ttl_s),)
    online.send("bob")
    online.advance(believed_s - 0.1)
    online.send("bob")
    assert online.server.count(m.Lookup) == 1
    online.advance(0.1)
    online.send("bob")
    assert online.server.count(m.Lookup) == 2


@pytest.mark.parametrize(("wait_s", "believed_s"), [(0, 1), (5, 5), (1_000, 10)])
def test_that_nobody_has_a_name_is_believed_for_ten_seconds_at_most(
    online: World, wait_s: int, believed_s: int
) -> None:
    online.server.answers[m.Lookup] = lambda asked: (m.Refused(asked.id, m.Refusal.UNKNOWN, wait_s, 0),)
    first = online.send("nobody")
    online.advance(believed_s - 0.1)
    second = online.send("nobody")
    assert online.server.count(m.Lookup) == 1
    assert online.told(e.MessageRefused) == [
        e.MessageRefused(number, "nobody", m.Refusal.UNKNOWN) for number in (first, second)
    ]
    online.server.answers.clear()
    online.know("nobody", BOB)
    online.advance(0.1)
    online.send("nobody")
    assert len(online.told(e.MessageDelivered)) == 1


def test_all_messages_to_a_name_that_nobody_has_are_refused(online: World) -> None:
    # R-9.2-7
    online.server.answers[m.Lookup] = nothing
    numbers = [online.send("nobody") for _ in range(3)]
    online.push(m.Refused(online.server.last(m.Lookup).id, m.Refusal.UNKNOWN, 10, 0))
    assert [event.message for event in online.told(e.MessageRefused)] == numbers
    assert online.client.sizes()["outbox"] == 0


def test_without_a_server_what_is_known_is_believed(online: World) -> None:
    bob = online.know("bob", BOB)
    online.send("bob")
    online.deregister()
    online.advance(3_600)
    online.send("bob", "later")
    assert [letter.text for letter in bob.letters] == ["hello", "later"]


def test_a_directory_that_does_not_answer_in_time_holds_nobody_up_who_is_known(online: World) -> None:
    # R-9.3-11
    bob = online.know("bob", BOB)
    online.send("bob")
    online.advance(60)
    online.server.silent = True
    online.send("bob", "later")
    online.send("bob", "last")
    online.advance(0.2)
    assert [letter.text for letter in bob.letters] == ["hello"]
    online.advance(0.1)
    assert [letter.text for letter in bob.letters] == ["hello", "later", "last"]
    online.advance(5)
    assert len(online.told(e.MessageDelivered)) == 3
    assert len(online.told(e.ServerUnreachable)) == 1


def test_a_user_whom_a_server_lost_is_written_to_as_known(online: World) -> None:
    # R-9.3-11, R-9.2-7
    online.know("bob", BOB)
    online.send("bob")
    online.advance(60)
    del online.server.users["bob"]
    online.send("bob")
    online.advance(0.3)
    assert online.told(e.MessageRefused) == []
    assert len(online.told(e.MessageDelivered)) == 2


def test_a_user_of_whom_only_the_pin_is_known_is_asked_for_again(online: World) -> None:
    # R-9.2-7
    online.know("bob", BOB)
    online.send("bob")
    online.restart()
    online.register()
    del online.server.users["bob"]
    online.send("bob")
    online.advance(9.9)
    assert online.told(e.MessageRefused) == []
    online.know("bob", BOB)
    online.advance(0.1)
    assert len(online.told(e.MessageDelivered)) == 2


# --- pins ---


def test_a_name_and_each_letter_are_pinned_on_disk_before_anything_is_sent(online: World) -> None:
    # R-9.2-2, R-9.2-6
    bob = online.know("bob", BOB)
    online.send("bob")
    online.restart()
    online.disk.holding = True
    online.register()
    online.send("carol")
    online.send("bob")
    online.commit()
    assert len(bob.letters) == 1 + 1  # bob is pinned since before, so one commit of the letter is enough
    carol = online.know("carol", CAROL)
    online.advance(10)
    online.send("carol")
    online.commit()
    assert [type(request) for request in online.disk.waiting[-1]] == [SavePin, PinOutgoing]
    assert carol.letters == []
    online.commit()
    assert len(carol.letters) == 1


def test_a_first_contact_is_looked_up_once(online: World) -> None:
    online.know("bob", BOB)
    online.send("bob")
    assert online.server.count(m.Lookup) == 1
    assert online.disk.all(SavePin) == [SavePin("bob", online.peers[BOB].identity)]


def test_a_pinned_name_is_not_pinned_again(online: World) -> None:
    online.know("bob", BOB)
    online.send("bob")
    online.restart()
    online.register()
    online.send("bob")
    assert len(online.disk.all(SavePin)) == 1
    assert online.disk.all(SaveOutgoing)[-1].recipient == online.peers[BOB].identity


# --- a key that changed ---


def changed(world: World) -> Any:
    """The directory says that bob is somebody else now; a message to bob waits."""
    world.know("bob", BOB)
    world.send("bob", "before")
    other = world.know("bob", CAROL, person="mallory")
    world.advance(60)
    world.send("bob", "waits")
    return other


def test_messages_wait_for_the_user_when_a_key_changed(online: World) -> None:
    # R-9.2-2, R-9.2-6
    pinned = online.know("bob").identity
    other = changed(online)
    online.send("bob", "waits too")
    online.advance(600)
    assert online.told(e.PeerKeyChanged) == [e.PeerKeyChanged("bob", pinned, other.identity, vouched=False)]
    assert [event.message for event in online.told(e.MessageDelivered)] == [1]
    assert online.told(e.MessageRefused) == []
    assert other.letters == []


def test_accepting_the_key_sends_what_waited(online: World) -> None:
    # R-9.2-2
    other = changed(online)
    online.send("bob", "since")
    online.do(online.client.accept_key("bob", online.now))
    assert [letter.text for letter in other.letters] == ["since"]
    assert [(event.message, event.refusal) for event in online.told(e.MessageRefused)] == [
        (2, m.Refusal.KEY_CHANGED)  # it was typed when bob was the other, and is on disk as for it
    ]
    assert online.disk.memory.load().pins == (SavePin("bob", other.identity),)
    online.send("bob", "more")
    assert other.letters[-1].text == "more"


def test_accepting_the_key_refuses_what_was_meant_for_the_old_one(online: World) -> None:
    # R-9.2-2
    bob = online.know("bob")
    online.send("bob", "stored for the old key")
    other = online.know("bob", CAROL, person="mallory")
    online.advance(60)
    online.send("bob")
    online.do(online.client.accept_key("bob", online.now))
    assert [event.message for event in online.told(e.MessageRefused)] == [1]
    assert {asked.recipient for asked in online.server.all(m.Store)} == {bob.identity}
    assert [letter.text for letter in other.letters] == ["hello"]


def test_what_waited_is_sent_after_a_restart_to_the_key_that_was_accepted(online: World) -> None:
    other = changed(online)
    online.send("bob", "since")
    online.disk.holding = True
    online.do(online.client.accept_key("bob", online.now))
    online.lost = lambda _: True
    online.commit()
    online.disk.holding = False
    online.restart()
    online.lost = lambda _: False
    online.register()
    assert [letter.text for letter in other.letters] == ["since"]


def test_accepting_without_a_server_sends_once_there_is_one(online: World) -> None:
    other = changed(online)
    online.send("bob", "since")
    online.deregister()
    online.do(online.client.accept_key("bob", online.now))
    online.register()
    online.advance(60)
    assert [letter.text for letter in other.letters] == ["since"]


def test_a_key_that_changes_back_needs_no_decision(online: World) -> None:
    # R-9.2-2
    changed(online)
    online.send("bob", "since")
    bob = online.know("bob", BOB)
    online.advance(10)
    assert [letter.text for letter in bob.letters] == ["waits", "since"]
    with pytest.raises(LocalProtocolError):
        online.client.accept_key("bob", online.now)


def test_an_answer_from_before_the_users_decision_does_not_undo_it(online: World) -> None:
    # R-9.2-2
    other = changed(online)
    bob = online.know("bob", BOB)
    online.send("bob", "since")
    online.server.answers[m.Lookup] = nothing
    online.advance(10)
    online.disk.holding = True
    online.do(online.client.accept_key("bob", online.now))
    online.push(m.Found(online.server.last(m.Lookup).id, bob.card, BOB, 60))
    online.disk.holding = False
    online.commit()
    assert [(event.pinned, event.offered) for event in online.told(e.PeerKeyChanged)] == [
        (bob.identity, other.identity),
        (other.identity, bob.identity),
    ]
    assert online.disk.memory.load().pins == (SavePin("bob", other.identity),)
    assert [event.message for event in online.told(e.MessageRefused)] == [2]  # and not what waited for the decision


def test_a_key_that_changes_once_more_is_told_once_more(online: World) -> None:
    other = changed(online)
    online.advance(30)
    another = online.know("bob", CAROL, person="mallory's brother")
    online.advance(30)
    assert [event.offered for event in online.told(e.PeerKeyChanged)] == [other.identity, another.identity]
    online.send("bob", "since")
    online.do(online.client.accept_key("bob", online.now))
    assert [letter.text for letter in another.letters] == ["since"]


def test_there_is_no_key_to_accept_unless_it_changed(online: World) -> None:
    online.know("bob", BOB)
    online.send("bob")
    for name in ("bob", "carol"):
        with pytest.raises(LocalProtocolError, match="did not change"):
            online.client.accept_key(name, online.now)
    online.send("bob")
    assert len(online.told(e.MessageDelivered)) == 2


# --- cards ---


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"name": "carol"}, Reason.NAME),
        ({"expires_s": START // SECOND - 2 * DAY}, Reason.EXPIRED),
        ({"live": bytes(32)}, Reason.POINT),
    ],
)
def test_a_card_that_does_not_hold_is_asked_for_again(online: World, changed: dict[str, Any], reason: Reason) -> None:
    # R-2.3-7
    bob = online.know("bob", BOB)
    online.send("bob")
    online.restart()
    online.register()
    online.server.users["bob"] = (bob.carded(**changed), BOB)
    online.send("bob")
    assert online.drops == [reason]
    online.advance(9.9)
    assert len(online.told(e.MessageDelivered)) == 1
    online.publish(bob, BOB)
    online.advance(0.1)
    assert len(online.told(e.MessageDelivered)) == 2


def test_an_older_card_does_not_take_the_place_of_the_known_one(online: World) -> None:
    # R-2.3-5, R-2.3-7
    bob = online.know("bob", BOB)
    online.send("bob")
    online.advance(60)
    online.server.users["bob"] = (bob.carded(seq=4, live=bytes(31) + b"x"), BOB)
    online.send("bob")
    assert online.drops == [Reason.EXPIRED]
    online.advance(0.3)
    assert len(online.told(e.MessageDelivered)) == 2


def test_a_forged_card_is_refused(online: World) -> None:
    bob = online.know("bob", BOB)
    online.server.users["bob"] = (bytes(64) + bob.card[64:], BOB)
    online.send("bob")
    assert online.drops == [Reason.SIGNATURE]
    assert online.disk.all(SavePin) == []


@pytest.mark.parametrize("behind", [0, 1])
def test_a_name_is_asked_for_again_only_if_a_letter_waits_for_it(online: World, behind: int) -> None:
    bob = online.know("bob", BOB)
    bob.answers = False
    online.send("bob")
    for number in range(behind):
        online.send("bob", f"behind {number}")
    online.restart()
    online.server.users["bob"] = (bytes(64) + bob.card[64:], BOB)
    online.register()
    online.receive(bob.ack(bob.letters[0]), BOB)
    assert [event.message for event in online.told(e.MessageDelivered)] == [1]
    online.forget()
    online.publish(bob, BOB)
    bob.answers = True
    online.advance(10)
    assert online.server.count(m.Lookup) == behind
    assert len(online.told(e.MessageDelivered)) == behind


# --- caps ---


def test_of_too_many_contacts_the_least_recently_used_without_letters_goes(
    online: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contacts, "CONTACTS_MAX", 2)
    online.know("bob", BOB)
    online.know("carol", CAROL)
    online.send("bob")
    online.send("carol")
    online.send("bob")
    online.server.answers[m.Lookup] = nothing
    online.send("dave")
    assert online.client.sizes()["contacts"] == 2
    online.send("bob")
    assert [asked.name for asked in online.server.all(m.Lookup)] == ["bob", "carol", "dave"]
    online.send("carol")
    assert [asked.name for asked in online.server.all(m.Lookup)] == ["bob", "carol", "dave", "carol"]
    online.send("erin")
    assert online.client.sizes()["contacts"] == 3  # with letters for each of them


def test_of_too_many_pins_a_further_contact_is_refused(online: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts, "PINS_MAX", 1)
    online.know("bob", BOB)
    online.send("bob")
    online.send("bob")
    with pytest.raises(LocalProtocolError, match="too many contacts"):
        online.client.send("carol", "hello", online.now)
    assert online.client.next_message == 3


def test_beyond_the_pins_a_strangers_name_is_confirmed_each_time(
    online: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # R-9.4-7, R-9.2-6
    monkeypatch.setattr(contacts, "STRANGER_PINS_MAX", 0)
    bob = online.know("bob", BOB)
    online.receive(bob.letter(online.server.card, bob.body(1, "one")), BOB)
    online.receive(bob.letter(online.server.card, bob.body(2, "two")), BOB)
    online.advance(60)
    online.receive(bob.letter(online.server.card, bob.body(3, "three")), BOB)
    assert [event.confirmed for event in online.told(e.LetterReceived)] == [True] * 3
    assert online.server.count(m.Lookup) == 2
    assert online.disk.all(SavePin) == []


def test_a_message_taken_while_there_was_room_is_pinned_though_there_is_none_now(
    online: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    online.server.answers[m.Lookup] = nothing
    online.send("bob")
    monkeypatch.setattr(contacts, "PINS_MAX", 0)
    bob = online.know("bob", BOB)
    del online.server.answers[m.Lookup]
    online.advance(0.5)
    assert [letter.text for letter in bob.letters] == ["hello"]
