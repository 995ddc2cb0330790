"""Names are pinned before anything is sent, and there is room for so many."""

import pytest

from tests.core.client.scenery import BOB, CAROL
from tests.core.client.server_double import nothing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.client import contacts
from udpchat_core.client_requests import PinOutgoing, SaveOutgoing, SavePin
from udpchat_core.errors import LocalProtocolError

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
