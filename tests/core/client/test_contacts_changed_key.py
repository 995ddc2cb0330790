"""A key that changed: messages wait for the user, who decides, and nothing undoes it."""

from typing import Any

import pytest

from tests.core.client.scenery import BOB, CAROL
from tests.core.client.server_double import nothing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.client_requests import SavePin
from udpchat_core.errors import LocalProtocolError
from udpchat_core.fields import Refusal


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
        (2, Refusal.KEY_CHANGED)  # it was typed when bob was the other, and is on disk as for it
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
