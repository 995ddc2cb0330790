"""To be registered: one path to be online, refusals, patience, and the hourly renewal beside it."""

import pytest

from tests.core.client.handshakes import hellos, hint, inits, kinds, lost_at, records
from tests.core.client.scenery import BOB, TOKEN
from tests.core.client.server_double import nothing, refusing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.datagrams import Hello, Init, Record
from udpchat_core.fields import Refusal, ServerLimits
from udpchat_core.instant import Instant, after
from udpchat_core.limits import NUMBER_LIMIT
from udpchat_core.secure.link import retry
from udpchat_core.wire import RETRY_BYTES, parse_untrusted

# --- being registered ---


def test_hello_init_and_register_make_the_client_online(either: World) -> None:
    either.register()
    assert kinds(either) == [Hello, Init, Record]
    assert [type(message) for message in either.server.heard] == [m.Register]
    assert either.events == [e.Registered(either.told(e.Registered)[0].observed, 0, renewed=False)]
    assert either.is_online()


@pytest.mark.parametrize("lost", [(0,), (1,), (2,), (0, 2, 4), (0, 1, 3, 4), (0, 1, 2, 3)])
def test_a_lost_datagram_is_sent_again_half_a_second_later(world: World, lost: tuple[int, ...]) -> None:
    world.lost = lost_at(*lost)
    world.register()
    assert not world.is_online()
    world.advance(0.5 * len(lost) - 0.001)
    assert not world.is_online()
    world.advance(0.001)
    assert world.is_online()


def test_a_repeated_init_and_register_are_the_same(world: World) -> None:
    # R-9.1-5
    world.server.silent = True
    world.register()
    world.server.silent = False
    world.server.answers[m.Register] = nothing
    world.advance(2)
    first = world.server.all(m.Register)
    assert len(first) == 4
    assert len(set(first)) == 1
    world.server.silent = True
    world.restart()
    world.do(world.client.register(world.now))
    world.receive(retry(world.server.datagrams[-1], TOKEN, world.server.public))
    world.advance(1)
    assert inits(world)[-3:] == [inits(world)[-1]] * 3


def test_every_record_is_long_enough_to_be_answered_by_a_retry(world: World) -> None:
    world.register()
    assert all(len(payload) >= RETRY_BYTES for payload in records(world))


def test_registering_twice_is_one_registration(world: World) -> None:
    world.server.answers[m.Register] = nothing
    for _ in range(2):
        world.do(world.client.register(world.now))
    assert kinds(world) == [Hello, Init, Record]
    del world.server.answers[m.Register]
    world.advance(1)
    world.do(world.client.register(world.now))
    assert len(world.told(e.Registered)) == 1
    assert kinds(world) == [Hello, Init, Record, Record]


@pytest.mark.parametrize("withheld", ["retry", "resp"])
def test_registering_again_while_it_is_under_way_changes_nothing(world: World, withheld: str) -> None:
    world.lost = lost_at(0) if withheld == "retry" else lost_at(1)
    world.register().register()
    assert kinds(world) == ([] if withheld == "retry" else [Hello])
    world.advance(0.5)
    assert len(world.told(e.Registered)) == 1


# --- refusals ---


@pytest.mark.parametrize("refusal", [Refusal.NAME_TAKEN, Refusal.BANNED, Refusal.NOT_ADMITTED, Refusal.QUOTA])
def test_a_refused_registration_leaves_the_client_offline_and_says_why(world: World, refusal: Refusal) -> None:
    world.server.answers[m.Register] = refusing(refusal)
    world.register()
    assert world.events == [e.RegistrationRefused(refusal)]
    world.forget()
    world.advance(3_600)
    assert kinds(world) == []
    del world.server.answers[m.Register]
    world.register()
    assert world.is_online()


@pytest.mark.parametrize(("told_s", "waited_s"), [(0, 1), (1, 1), (7, 7), (10**9, 300)])
def test_a_busy_server_is_asked_again_after_the_time_that_it_says(world: World, told_s: int, waited_s: int) -> None:
    # R-9.1-10
    world.server.answers[m.Register] = lambda asked: (m.Refused(asked.id, Refusal.BUSY, told_s, 0),)
    world.register()
    world.advance(waited_s - 0.01)
    assert world.events == []
    assert world.server.count(m.Register) == 1
    world.advance(10 * waited_s)
    assert world.server.count(m.Register) == 11
    assert world.told(e.ServerUnreachable) == []
    del world.server.answers[m.Register]
    world.advance(waited_s)
    assert world.is_online()


def test_a_path_slower_than_the_wait_between_two_tries_is_no_silent_server(world: World) -> None:
    # R-9.1-11: 2 s one way: what answers the first HELLO comes when the fifth is under way.
    delayed: list[tuple[Instant, bytes]] = []
    receive = world.server.receive

    def late(payload: bytes) -> list[bytes]:
        delayed.extend((after(world.now, 2_000_000), answer) for answer in receive(payload))
        return []

    world.server.receive = late  # type: ignore[method-assign]
    world.register()
    for _ in range(200):
        world.advance(0.05)
        due = [answer for at, answer in delayed if at <= world.now]
        delayed[:] = [(at, answer) for at, answer in delayed if at > world.now]
        for answer in due:
            world.receive(answer)
    assert len(set(hellos(world))) == 1
    assert world.is_online()
    assert world.told(e.ServerUnreachable) == []


def test_a_server_that_gives_tokens_and_does_no_handshakes_leaves_the_link_as_it_is(online: World) -> None:
    # R-9.1-12
    online.lost = lambda sent: isinstance(parse_untrusted(sent.payload), Init)
    online.advance(3_600 + 600)
    assert online.is_online()
    assert online.told(e.ServerUnreachable) == []
    assert len(online.astray) <= 600 / 30 * 10
    online.lost = lambda _: False
    online.advance(60)
    assert [event.renewed for event in online.told(e.Registered)] == [True]


def test_a_server_that_knows_ever_newer_cards_is_followed_three_times_and_then_refuses(world: World) -> None:
    # R-9.1-3
    world.server.answers[m.Register] = lambda asked: (
        m.Refused(asked.id, Refusal.STALE_CARD, 0, world.server.card.seq + 1),
    )
    world.register()
    assert len(world.server.cards) == 4
    assert world.told(e.RegistrationRefused) == [e.RegistrationRefused(Refusal.STALE_CARD)]
    world.register()
    assert len(world.server.cards) == 8


def test_a_stale_card_is_followed_by_one_with_the_next_seq(world: World) -> None:
    # R-9.1-3
    world.server.answers[m.Register] = lambda asked: (
        refusing(Refusal.STALE_CARD, world.first_seq + 40)(asked)
        if world.server.card.seq < world.first_seq + 40
        else (m.Registered(asked.id, BOB, 0, world_limits, 0),)
    )
    world_limits = ServerLimits(1, 1, 1, 1, 1)
    world.register()
    assert [card.seq for card in world.server.cards] == [world.first_seq, world.first_seq + 41]
    assert world.server.cards[0].live != world.server.cards[1].live
    assert world.is_online()
    assert world.disk.memory.load().card_seq == world.first_seq + 41


@pytest.mark.parametrize("highest", [0, NUMBER_LIMIT - 1])
def test_a_stale_card_that_no_next_seq_cures_is_a_refusal(world: World, highest: int) -> None:
    # Too far ahead of what the server knows, or nothing above it: another handshake would end the same way.
    world.server.answers[m.Register] = refusing(Refusal.STALE_CARD, highest)
    world.register()
    assert world.told(e.RegistrationRefused) == [e.RegistrationRefused(Refusal.STALE_CARD)]
    assert not world.is_online()


def test_each_handshake_has_a_new_live_key_and_a_card_with_the_next_seq(online: World) -> None:
    # R-9.1-2, R-9.1-3
    online.advance(2 * 3_600)
    cards = online.server.cards
    assert [card.seq for card in cards] == [online.first_seq, online.first_seq + 1, online.first_seq + 2]
    assert len({card.live for card in cards}) == 3
    assert online.disk.memory.load().card_seq == online.first_seq + 2


# --- renewal ---


def test_the_live_key_is_renewed_hourly_beside_the_link(online: World) -> None:
    # R-9.1-2
    online.advance(3_599)
    assert len(online.server.links) == 1
    online.lost = lost_at(1)
    online.advance(1)
    assert online.is_online()
    online.push(m.Mail(1, bytes(16), bytes(181)))
    assert online.collected()[0].entry == 1  # said on the old link, which is used until the new one is registered
    online.advance(1)
    assert len(online.server.links) == 2
    assert [event.renewed for event in online.told(e.Registered)] == [True]


def test_answers_on_the_link_before_are_still_taken(online: World) -> None:
    online.know("bob", BOB)
    online.server.answers[m.Lookup] = nothing
    online.send("bob")
    asked = online.server.last(m.Lookup)
    online.receive(hint(online))
    assert len(online.server.links) == 2
    online.push(m.Found(asked.id, *online.server.users["bob"], 60), link=online.server.links[0])
    assert len(online.told(e.MessageDelivered)) == 1
