"""What somebody with keys and identities can do with handshakes, links and requests without end.

- INITs from many ports of one host: 5 a second a host:
  `test_a_flood_of_inits_from_many_ports_is_bounded_by_the_host`
- INITs under one token: 8 pending, 5 a second, RESP shorter than INIT:
  `test_a_flood_of_inits_under_one_token_is_bounded_and_holds_up_nobody`
- half-open links: they are dropped after 10 s:
  `test_half_open_links_are_dropped_and_change_nothing`
- requests without end: 50 a second a session:
  `test_a_flood_of_requests_holds_up_nobody`
- a claimed source address for a letter: an ACK is shorter than its letter:
  `test_a_letter_from_a_claimed_address_makes_no_more_than_one_shorter_datagram`
- a crowd of links in its own name: the newest wins, one each:
  `test_many_links_of_one_identity_leave_one`
"""

from collections.abc import Callable

import pytest

from tests.simulation.evil.scene import Scene
from udpchat_core import messages as m
from udpchat_core.datagrams import Init, Resp
from udpchat_core.errors import Reason
from udpchat_core.fields import CollectedEntry, Outcome, Scope
from udpchat_core.limits import INITS_PER_PREFIX_PER_S_MAX, PENDING_LINKS_PER_ADDRESS_MAX
from udpchat_net.simulation.evil import EvilPeer
from udpchat_net.simulation.faults import SERVER
from udpchat_net.simulation.world import SECOND


def test_a_flood_of_inits_under_one_token_is_bounded_and_holds_up_nobody() -> None:
    """R-8.1-3, R-8.8-1: an address has eight pending links, a prefix five new ones a second; RESP is short."""
    scene = Scene()
    eve = scene.peer(connected=False)
    eve.greet()
    scene.run(0.1)
    assert eve.token is not None
    key = scene.oracle.ledger.server_key()
    for _ in range(400):
        for _ in range(3):
            eve.send(eve.server, eve.initiate(eve.token, key))
        scene.run(0.01)
        assert scene.sizes(SERVER)["pending links"] <= PENDING_LINKS_PER_ADDRESS_MAX
    resps = [each for each in eve.datagrams if each.payload[2] == Resp.type]
    assert 1 <= len(resps) <= PENDING_LINKS_PER_ADDRESS_MAX
    assert not {eve.identity} & set(scene.directory.mailboxes)
    scene.world.restart("ann")
    scene.run(1)
    scene.chat()
    scene.end()


def test_a_flood_of_inits_from_many_ports_is_bounded_by_the_host() -> None:
    """R-8.8-1: ports are for free, so the host counts."""
    scene = Scene()
    eve, key = scene.peer(connected=False), scene.oracle.ledger.server_key()
    places = [type(eve.address)(eve.address.host, 1_000 + port) for port in range(200)]
    begun_us = scene.world.now_us
    for place in places:
        eve.greet(place)
        scene.run(0.01)
        assert eve.token is not None
        eve.send(eve.server, eve.initiate(eve.token, key), source=place)
        scene.run(0.01)
    resps = [each for each in eve.datagrams if each.payload[2] == Resp.type]
    seconds = (scene.world.now_us - begun_us) / SECOND
    assert len(resps) <= INITS_PER_PREFIX_PER_S_MAX * (seconds + 1)
    scene.chat()
    scene.end()


def test_half_open_links_are_dropped_and_change_nothing() -> None:
    """R-8.1-3, R-8.1-4: who never confirms a link has none, and is in no directory, as has who replays an INIT."""
    scene = Scene()
    key = scene.oracle.ledger.server_key()
    before = scene.state()
    for each in scene.crowd(60, connected=False):
        each.greet()
        scene.run(0.002)
        assert each.token is not None
        each.send(each.server, each.initiate(each.token, key))
    for init in scene.network.of(Init):
        scene.network.replay(init)
    scene.run(0.1)
    assert scene.sizes(SERVER)["pending links"] >= 60
    scene.run(12)
    assert scene.sizes(SERVER)["pending links"] == 0
    assert scene.state() == before
    scene.chat()
    scene.end()


@pytest.mark.parametrize("kind", [m.Register, m.Lookup, m.Watch, m.Ping, m.Store, m.Collected])
def test_a_flood_of_requests_holds_up_nobody(kind: type[m.Message]) -> None:
    """R-8.8-3: a session has its fifty requests a second, and takes them of nobody else."""
    scene = Scene()
    crowd = scene.crowd(8)
    bob = crowd[0].look_up("bob")
    made: Callable[[EvilPeer], m.Message] = {
        m.Register: lambda eve: m.Register(eve.new_id()),
        m.Lookup: lambda eve: m.Lookup(eve.new_id(), f"nobody{eve.new_id()}"),
        m.Watch: lambda eve: m.Watch(eve.new_id(), Scope.ADD, tuple(f"n{eve.new_id()}" for _ in range(32)), None, None),
        m.Ping: lambda eve: m.Ping(eve.new_id()),
        m.Store: lambda eve: eve.store(bob, eve.body("hello", seq=9)),
        m.Collected: lambda eve: m.Collected((CollectedEntry(eve.new_id(), Outcome.UNWANTED, None),)),
    }[kind]
    for _ in range(6):
        for eve in crowd:
            for _ in range(25):
                many = 1 if kind in (m.Store, m.Watch) else 15
                eve.say(*(made(eve) for _ in range(many)))
        scene.chat(1, 0.1)
    scene.run(2)
    assert scene.friends.longest_us < SECOND
    if kind is not m.Store:
        assert scene.world.nodes[SERVER].dropped[Reason.SESSION_RATE] > 0
    scene.chat()
    scene.end()


def test_a_letter_from_a_claimed_address_makes_no_more_than_one_shorter_datagram() -> None:
    """R-9.4-1: an ACK goes to where the copy came from: it is shorter than the letter, and there is one a copy."""
    scene = Scene()
    eve, victim = scene.peer(), scene.peer("victim", connected=False)
    bob, place = eve.look_up("bob"), scene.world.network.address("bob")
    letter = eve.letter(bob, eve.body("from elsewhere"))
    for number in range(200):
        eve.send(place, letter, source=victim.address, after_us=number * 5_000)
    scene.run(2)
    assert 1 <= len(victim.datagrams) <= 200
    assert sum(len(each.payload) for each in victim.datagrams) * 5 < 200 * len(letter)
    scene.chat()
    scene.end()


def test_many_links_of_one_identity_leave_one() -> None:
    """R-8.2-8: who connects again and again supersedes itself, and has one link."""
    scene = Scene()
    eve = scene.peer()
    for _ in range(20):
        eve.connect()
        scene.run(0.3)
    assert scene.sizes(SERVER)["links"] == 3
    scene.chat()
    scene.end()
