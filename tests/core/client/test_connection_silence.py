"""A silent server: found by tries and pings, greeted less and less often, and asked again when it is back."""

import pytest

from tests.core.client.handshakes import kinds
from tests.core.client.server_double import nothing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.datagrams import Init
from udpchat_core.wire import parse_untrusted


def test_a_server_that_leaves_five_tries_unanswered_is_unreachable(world: World) -> None:
    # R-9.1-5
    world.server.silent = True
    world.register()
    world.advance(2.499)
    assert len(world.server.datagrams) == 5
    assert world.events == []
    world.advance(0.001)
    assert world.events == [e.ServerUnreachable()]


def test_an_unreachable_server_is_greeted_less_and_less_often(world: World) -> None:
    # R-9.1-5
    world.server.silent = True
    world.register()
    world.advance(2.5)
    gaps = []
    for _ in range(8):
        world.forget()
        gaps.append(world.until(lambda: world.server.datagrams))
    assert gaps == [1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize("silent_from", [m.Register, "resp"])
def test_silence_later_on_the_path_is_unreachable_too(world: World, silent_from: type[m.Message] | str) -> None:
    if silent_from == "resp":
        world.lost = lambda sent: isinstance(parse_untrusted(sent.payload), Init)
    else:
        world.server.answers[m.Register] = nothing
    world.register()
    world.advance(2.5)
    assert world.events == [e.ServerUnreachable()]
    world.lost = lambda _: False
    world.server.answers.clear()
    world.advance(1)
    assert world.is_online()


def test_the_user_can_have_an_unreachable_server_greeted_at_once(world: World) -> None:
    world.server.silent = True
    world.register()
    world.advance(60)
    world.server.silent = False
    world.register()
    assert world.is_online()


def test_pings_find_a_silent_server_and_all_requests_are_asked_again_when_it_is_back(online: World) -> None:
    # R-9.1-5
    online.know("bob")
    online.server.silent = True
    online.send("bob")
    online.send("carol")
    online.advance(3)
    assert online.told(e.ServerUnreachable) == [e.ServerUnreachable()]
    assert not online.is_online()
    asked = {message.id: message for message in online.server.all(m.Lookup)}
    assert len(online.server.all(m.Lookup)) == 10
    online.forget()
    online.server.silent = False
    online.advance(1)
    assert online.is_online()
    assert {message.id: message for message in online.server.all(m.Lookup)} == asked
    assert len(online.told(e.MessageStored)) == 1
    assert [event.renewed for event in online.told(e.Registered)] == [False]


def test_a_ping_goes_out_every_16_to_20_seconds(online: World) -> None:
    online.advance(600)
    assert 30 <= online.server.count(m.Ping) <= 37


def test_an_unanswered_ping_makes_the_server_unreachable(online: World) -> None:
    online.server.silent = True
    online.advance(16)
    before = online.server.count(m.Ping)
    online.advance(7)
    assert before <= 5
    assert online.server.count(m.Ping) == 5
    assert online.told(e.ServerUnreachable) == [e.ServerUnreachable()]


def test_no_ping_is_sent_by_a_client_that_left(online: World) -> None:
    online.deregister()
    online.forget()
    online.advance(3_600)
    assert kinds(online) == []
