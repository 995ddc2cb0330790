"""The name on a letter is confirmed by a pin or the directory, which is not asked too often."""

import pytest

from tests.core.client.incoming import ack, numbered, texts, write
from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, CAROL
from tests.core.client.server_double import nothing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.limits import HELD_LETTERS_PER_SENDER_MAX, STRANGER_NAMES_PER_S_MAX


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
