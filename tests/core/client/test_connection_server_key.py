"""The server's key: pinned when it is proved, and another one stops everything until the user decides."""

import pytest

from tests.core.client.handshakes import kinds, lost_at
from tests.core.client.scenery import TOKEN, private_key
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core.client_requests import SaveServerKey
from udpchat_core.datagrams import Hello
from udpchat_core.errors import LocalProtocolError, Reason
from udpchat_core.secure.keys import SMALL_ORDER_X25519
from udpchat_core.secure.link import retry


def test_the_servers_key_is_pinned_once_a_resp_proved_it(world: World) -> None:
    # R-9.1-1
    world.lost = lost_at(1)
    world.register()
    assert world.disk.all(SaveServerKey) == []
    assert world.client.server_key is None
    world.advance(0.5)
    assert world.disk.all(SaveServerKey) == [SaveServerKey(world.server.public)]
    assert world.client.server_key == world.server.public


def test_another_server_key_stops_everything_but_hello_until_the_user_decides(online: World) -> None:
    # R-9.1-1
    pinned = online.server.public
    online.restart()
    online.server.private = private_key("another server")
    online.register()
    online.advance(10)
    assert online.told(e.ServerKeyChanged) == [e.ServerKeyChanged(pinned, online.server.public)]
    assert set(kinds(online)) == {Hello}
    assert Reason.KEY in online.drops
    assert not online.is_online()
    online.do(online.client.accept_server_key(online.now))
    assert online.disk.all(SaveServerKey) == [SaveServerKey(online.server.public)]
    online.advance(30)
    assert online.is_online()


def test_a_forged_retry_with_another_key_stops_no_greeting(online: World) -> None:
    # R-9.1-13
    online.restart()
    online.server.silent = True
    online.register()
    hello = online.server.datagrams[-1]
    for other in range(1, 200):
        online.receive(retry(hello, TOKEN, bytes([other]) * 32))
    assert online.told(e.ServerKeyChanged) == []
    online.server.silent = False
    online.advance(0.5)
    assert online.is_online()
    assert online.told(e.ServerKeyChanged) == []


def test_of_ever_other_keys_the_user_is_told_now_and_then(online: World) -> None:
    # R-9.1-13
    online.restart()
    online.server.silent = True
    online.register()
    hello = online.server.datagrams[-1]
    online.advance(2.6)
    for other in range(200):
        online.receive(retry(hello, TOKEN, bytes([other % 100 + 1]) * 32))
        online.advance(0.1)
    assert len(online.told(e.ServerKeyChanged)) <= 5
    told = online.told(e.ServerKeyChanged)[-1].offered
    online.do(online.client.accept_server_key(online.now))
    assert online.disk.all(SaveServerKey)[-1] == SaveServerKey(told)


def test_there_is_no_server_key_to_accept_unless_it_changed(online: World) -> None:
    with pytest.raises(LocalProtocolError, match="did not change"):
        online.client.accept_server_key(online.now)


def test_a_hostile_server_key_is_a_server_that_does_not_answer(world: World) -> None:
    world.server.silent = True
    world.register()
    hello = world.server.datagrams[-1]
    world.receive(retry(hello, TOKEN, next(iter(SMALL_ORDER_X25519))))
    assert world.drops == [Reason.POINT]
    assert kinds(world) == [Hello]
    world.advance(3)
    assert world.events == [e.ServerUnreachable()]
    world.server.silent = False
    world.advance(1)
    assert world.is_online()
