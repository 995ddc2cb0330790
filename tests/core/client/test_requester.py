"""Requests to the server: under one id until answered, so many in flight, patient with a busy server."""

from typing import Any

import pytest

from tests.core.client.scenery import BOB
from tests.core.client.server_double import nothing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.errors import Reason
from udpchat_core.fields import Refusal
from udpchat_core.limits import REQUESTS_IN_FLIGHT_MAX


def busy(wait_s: int) -> dict[type[m.Message], object]:
    """A server that asks for patience."""
    return {m.Lookup: lambda asked: (m.Refused(asked.id, Refusal.BUSY, wait_s, 0),)}


def names(world: World) -> list[str]:
    """Who was looked up."""
    return [asked.name for asked in world.server.all(m.Lookup)]


def test_an_unanswered_request_is_made_again_under_its_id(online: World) -> None:
    # R-9.1-5
    online.server.answers[m.Lookup] = nothing
    online.send("bob")
    online.advance(1.999)
    assert online.server.all(m.Lookup) == [online.server.last(m.Lookup)] * 4


def test_no_id_is_used_for_two_requests_on_whichever_link(online: World) -> None:
    # R-5.1-7
    online.send("bob")
    online.send("carol")
    online.client.deregister(online.now)
    online.register()
    online.send("dave")
    kinds: tuple[type[Any], ...] = (m.Register, m.Lookup, m.Ping)
    asked = [(type(each), each.id) for kind in kinds for each in online.server.all(kind)]
    assert len(dict.fromkeys(asked)) >= 4
    assert len({id_ for _, id_ in dict.fromkeys(asked)}) == len(dict.fromkeys(asked))


def test_so_many_requests_are_in_flight_and_the_others_wait_in_order(online: World) -> None:
    online.server.answers[m.Lookup] = nothing
    for number in range(REQUESTS_IN_FLIGHT_MAX + 2):
        online.send(f"user{number}")
    assert names(online) == [f"user{number}" for number in range(REQUESTS_IN_FLIGHT_MAX)]
    assert online.client.sizes()["requests"] == REQUESTS_IN_FLIGHT_MAX + 2
    first = online.server.all(m.Lookup)[0]
    online.push(m.Refused(first.id, Refusal.UNKNOWN, 10, 0))
    assert names(online)[-1] == f"user{REQUESTS_IN_FLIGHT_MAX}"
    assert online.server.count(m.Lookup) == REQUESTS_IN_FLIGHT_MAX + 1


def test_there_is_one_request_about_one_thing(online: World) -> None:
    online.server.answers[m.Lookup] = nothing
    online.send("bob")
    online.send("bob")
    assert names(online) == ["bob"]


def test_what_is_asked_without_a_link_is_asked_once_there_is_one(world: World) -> None:
    world.know("bob", BOB)
    world.do(world.client.start(world.now))
    world.send("bob")
    world.advance(60)
    assert world.server.datagrams == []
    world.register()
    assert len(world.told(e.MessageDelivered)) == 1


@pytest.mark.parametrize(("wait_s", "waits_s"), [(0, 1), (7, 7), (100_000, 300)])
def test_a_busy_server_is_asked_again_after_the_time_that_it_wants(online: World, wait_s: int, waits_s: int) -> None:
    # R-5.2-1
    online.server.answers |= busy(wait_s)  # type: ignore[arg-type]
    online.send("bob")
    online.advance(waits_s - 0.001)
    assert names(online) == ["bob"]
    online.know("bob", BOB)
    online.server.answers.clear()
    online.advance(0.001)
    assert len(set(online.server.all(m.Lookup))) == 1
    assert len(online.told(e.MessageDelivered)) == 1


def test_a_busy_server_is_not_taken_for_a_silent_one(online: World) -> None:
    # R-5.2-1
    online.server.answers |= busy(1)  # type: ignore[arg-type]
    online.send("bob")
    online.advance(15)
    assert names(online) == ["bob"] * 16
    assert online.events == [e.MessageQueued(1, "bob")]


def test_patience_is_asked_for_what_waits_as_well(online: World) -> None:
    online.server.answers[m.Lookup] = nothing
    for number in range(REQUESTS_IN_FLIGHT_MAX + 1):
        online.send(f"user{number}")
    last = online.server.last(m.Lookup).id
    online.push(m.Refused(last + 1, Refusal.BUSY, 9, 0))  # of the one that was not sent yet
    online.push(m.Refused(last, Refusal.UNKNOWN, 9, 0))
    assert names(online)[-1] == f"user{REQUESTS_IN_FLIGHT_MAX}"


def test_an_answer_to_nothing_is_refused(online: World) -> None:
    online.push(m.Pong(77, online.server.version))
    online.push(m.Refused(77, Refusal.UNKNOWN, 10, 0))
    online.push(m.Refused(77, Refusal.BUSY, 10, 0))
    assert online.drops == [Reason.MESSAGE] * 3


def test_an_answer_to_another_question_leaves_the_question_asked(online: World) -> None:
    online.know("bob", BOB)
    online.server.answers[m.Lookup] = nothing
    online.send("bob")
    id_, version = online.server.last(m.Lookup).id, online.server.version
    online.push(m.Stored(id_, False, 0), m.Pong(id_, version), m.Roster(id_, version, (), False, True))
    assert online.drops == [Reason.MESSAGE] * 3
    del online.server.answers[m.Lookup]
    online.advance(0.5)
    assert len(online.told(e.MessageDelivered)) == 1


def test_a_refused_ping_is_answered_by_it(online: World) -> None:
    online.server.answers[m.Ping] = lambda asked: (m.Refused(asked.id, Refusal.NOT_REGISTERED, 0, 0),)
    online.advance(60)
    assert online.events == []
    assert online.client.sizes()["requests"] == 0


def test_only_unknown_means_that_nobody_has_a_name(online: World) -> None:
    online.know("bob", BOB)
    online.server.answers[m.Lookup] = lambda asked: (m.Refused(asked.id, Refusal.NOT_REGISTERED, 0, 0),)
    online.send("bob")
    assert online.told(e.MessageRefused) == []
    del online.server.answers[m.Lookup]
    online.advance(10)
    assert len(online.told(e.MessageDelivered)) == 1


def test_how_long_the_server_takes_is_known_from_what_was_asked_once(online: World) -> None:
    online.server.answers[m.Lookup] = nothing
    assert online.client.server_rtt_us == 0
    for name, seconds, rtt_us in (("bob", 0.08, 80_000), ("carol", 0.16, (7 * 80_000 + 160_000) // 8)):
        online.send(name)
        online.advance(seconds)
        online.push(m.Refused(online.server.last(m.Lookup).id, Refusal.UNKNOWN, 10, 0))
        assert online.client.server_rtt_us == rtt_us


def test_what_was_asked_again_tells_of_loss_and_nothing_of_time(online: World) -> None:
    online.server.answers[m.Lookup] = nothing
    before = online.client.server_rtt_us
    online.send("bob")
    online.advance(0.6)
    assert online.client.server_loss_ppm == 1_000_000 // 16
    online.push(m.Refused(online.server.last(m.Lookup).id, Refusal.UNKNOWN, 10, 0))
    assert online.client.server_loss_ppm == 1_000_000 // 16 - 1_000_000 // 256
    assert online.client.server_rtt_us == before


def test_a_disk_is_no_part_of_the_round_trip(online: World) -> None:
    online.know("bob")
    online.server.answers[m.Store] = nothing
    online.send("bob")
    before = online.client.server_rtt_us
    stored = online.server.last(m.Store)
    online.advance(0.3)
    online.push(m.Stored(stored.id, False, stored.attempt))
    assert online.client.server_rtt_us == before
