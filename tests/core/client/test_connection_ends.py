"""How a session ends: superseded by another device, or left, with the server told if it can be."""

import pytest

from tests.core.client.handshakes import hint, kinds, lost_at
from tests.core.client.scenery import BOB
from tests.core.client.server_double import nothing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.datagrams import Hello, Init, Record
from udpchat_core.errors import Reason
from udpchat_core.fields import ServerLimits
from udpchat_core.wire import parse_untrusted

# --- superseded ---


def test_a_superseded_client_does_not_come_back_by_itself(online: World) -> None:
    # R-9.1-6
    online.push(m.Superseded())
    assert online.events == [e.Superseded()]
    assert not online.is_online()
    online.forget()
    online.advance(2 * 3_600)
    assert kinds(online) == []
    online.register()
    assert online.is_online()


def test_ones_own_renewal_is_no_supersession(online: World) -> None:
    # R-9.1-6
    online.advance(3_600)
    online.push(m.Superseded(), link=online.server.links[0])
    assert online.told(e.Superseded) == []
    assert online.is_online()


def test_ones_own_renewal_is_no_supersession_though_registered_was_lost(online: World) -> None:
    # R-9.1-6
    online.server.answers[m.Register] = nothing
    online.advance(3_600)
    online.push(m.Superseded(), link=online.server.links[0])
    del online.server.answers[m.Register]
    online.advance(0.5)
    assert online.told(e.Superseded) == []
    assert online.is_online()
    # And not either if the next handshake has begun already.
    online.server.answers[m.Register] = nothing
    online.advance(3_600)
    online.lost = lambda sent: isinstance(parse_untrusted(sent.payload), Init)
    online.receive(hint(online))
    online.push(m.Superseded(), link=online.server.links[1])
    assert online.told(e.Superseded) == []


def test_a_client_superseded_on_its_newest_link_yields_though_registered_was_lost(world: World) -> None:
    # R-9.1-6
    world.server.answers[m.Register] = nothing
    world.register()
    world.push(m.Superseded())
    assert world.events == [e.Superseded()]
    world.forget()
    world.advance(3_600)
    assert kinds(world) == []


@pytest.mark.parametrize("under_way", ["greeting", "initiating", "unreachable"])
def test_a_client_can_be_superseded_while_it_renews(online: World, under_way: str) -> None:
    if under_way == "greeting":
        online.lost = lost_at(*range(100))
        online.advance(3_600)
    elif under_way == "initiating":
        online.lost = lambda sent: isinstance(parse_untrusted(sent.payload), Init)
        online.advance(3_600)
    else:
        online.server.silent = True
        online.advance(30)
    online.push(m.Superseded())
    assert online.told(e.Superseded) == [e.Superseded()]


def test_a_client_that_is_superseded_while_it_leaves_has_left(online: World) -> None:
    online.server.answers[m.Deregister] = lambda _: (m.Superseded(),)
    online.deregister()
    assert online.events == [e.Deregistered(confirmed=True)]


# --- leaving ---


def test_leaving_is_confirmed_by_the_server(online: World) -> None:
    online.deregister()
    assert online.events == [e.Deregistered(confirmed=True)]
    assert not online.is_online()


def test_leaving_is_tried_five_times_and_then_said_to_be_unconfirmed(online: World) -> None:
    online.server.silent = True
    online.deregister()
    online.deregister()
    online.advance(2.499)
    assert online.events == []
    assert len(set(online.server.all(m.Deregister))) == 1
    online.advance(0.001)
    assert online.server.count(m.Deregister) == 5
    assert online.events == [e.Deregistered(confirmed=False)]


def test_leaving_when_never_registered_is_done_at_once(world: World) -> None:
    world.deregister()
    assert world.events == [e.Deregistered(confirmed=True)]
    assert kinds(world) == []


@pytest.mark.parametrize("lost", [0, 1])
def test_leaving_before_there_is_a_link_is_done_at_once(world: World, lost: int) -> None:
    world.lost = lost_at(lost)
    world.register()
    world.deregister()
    assert world.events == [e.Deregistered(confirmed=True)]
    world.advance(10)
    assert not world.is_online()
    assert world.server.count(m.Register) == 0


@pytest.mark.parametrize("kind", [Hello, Init])
def test_leaving_during_a_renewal_is_said_on_the_link_that_there_is(online: World, kind: type) -> None:
    online.lost = lambda sent: isinstance(parse_untrusted(sent.payload), kind)
    online.advance(3_600)
    online.deregister()
    assert online.told(e.Deregistered) == [e.Deregistered(confirmed=True)]


def test_leaving_while_registering_is_said_on_both_links(online: World) -> None:
    # Whether the server has the new link registered cannot be known: one of them is.
    online.server.answers[m.Register] = nothing
    online.advance(3_600)
    online.server.answers[m.Deregister] = nothing
    online.deregister()
    assert online.server.count(m.Deregister) == 2
    assert len({message.id for message in online.server.all(m.Deregister)}) == 1
    del online.server.answers[m.Deregister]
    online.advance(0.5)
    assert online.told(e.Deregistered) == [e.Deregistered(confirmed=True)]


def test_a_late_registered_does_not_undo_leaving(online: World) -> None:
    online.server.answers[m.Register] = nothing
    online.advance(3_600)
    online.server.answers[m.Deregister] = nothing
    online.deregister()
    online.push(m.Registered(online.server.last(m.Register).id, BOB, 0, ServerLimits(1, 1, 1, 1, 1), 0))
    assert online.drops == [Reason.MESSAGE]
    assert online.told(e.Registered) == []


def test_leaving_an_unreachable_server_is_done_at_once_and_unconfirmed(online: World) -> None:
    online.server.silent = True
    online.advance(30)
    online.deregister()
    assert online.told(e.Deregistered) == [e.Deregistered(confirmed=False)]


def test_leaving_when_superseded_is_done_at_once(online: World) -> None:
    online.push(m.Superseded())
    online.deregister()
    assert online.told(e.Deregistered) == [e.Deregistered(confirmed=True)]


def test_a_hint_while_leaving_is_followed_to_say_goodbye_on_a_link_that_is_known(online: World) -> None:
    online.server.forgotten = 1
    online.deregister()
    assert len(online.server.links) == 2
    assert online.told(e.Deregistered) == [e.Deregistered(confirmed=True)]
    assert online.told(e.Registered) == []
    assert not online.is_online()


@pytest.mark.parametrize("kind", [Init, Record])
def test_leaving_by_a_hint_that_leads_nowhere_ends_all_the_same(online: World, kind: type) -> None:
    online.server.answers[m.Deregister] = nothing
    online.deregister()
    online.lost = lambda sent: isinstance(parse_untrusted(sent.payload), kind)
    online.receive(hint(online))
    online.advance(10)
    assert online.events == [e.Deregistered(confirmed=False)]


def test_a_user_who_comes_back_while_leaving_is_online(online: World) -> None:
    online.server.answers[m.Deregister] = nothing
    online.deregister()
    online.register()
    assert online.is_online()
    online.advance(10)
    assert online.told(e.Deregistered) == []
    assert [event.renewed for event in online.told(e.Registered)] == [True]


def test_an_answer_about_leaving_that_nobody_waits_for_is_refused(online: World) -> None:
    online.push(m.Deregistered(1))
    assert online.drops == [Reason.MESSAGE]
    assert online.is_online()


def test_registered_that_nobody_waits_for_is_refused(online: World) -> None:
    online.push(m.Registered(1, BOB, 5, ServerLimits(1, 1, 1, 1, 1), 0))
    assert online.drops == [Reason.MESSAGE]
    assert online.events == []


def test_a_client_that_left_ignores_letters(online: World) -> None:
    # R-9.1-7
    bob = online.know("bob", BOB)
    letter = bob.letter(online.server.card, bob.body())
    link = online.server.link
    online.server.answers[m.Deregister] = nothing
    online.deregister()
    online.receive(letter, BOB)
    online.push(bob.pushed(online.server.card, bob.body(), 1), link=link)
    online.push(m.Superseded(), link=link)
    online.receive(letter, BOB)
    assert online.told(e.LetterReceived) == []
    assert online.sent == []
    assert online.collected() == []
