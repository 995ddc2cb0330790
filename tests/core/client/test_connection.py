"""The session with the server: one path to be online, pinning, hints, renewal, silence, and leaving."""

from collections.abc import Callable, Sequence

import pytest

from tests.core.client.scenery import BOB, CAROL, SERVER, STRANGER, TOKEN, private_key
from tests.core.client.world import World
from udpchat_core import events as e
from udpchat_core import messages as m
from udpchat_core.actions import SendDatagram
from udpchat_core.datagrams import Hello, Init, Record, Resp, Retry
from udpchat_core.errors import LocalProtocolError, Reason
from udpchat_core.instant import Instant, after
from udpchat_core.limits import NUMBER_LIMIT
from udpchat_core.requests import SaveServerKey
from udpchat_core.secure.keys import SMALL_ORDER_X25519
from udpchat_core.secure.link import retry
from udpchat_core.wire import RETRY_BYTES, parse_untrusted, serialize


def kinds(world: World) -> list[type]:
    """What was sent to the server."""
    return [type(parse_untrusted(payload)) for payload in world.server.datagrams]


def inits(world: World) -> list[bytes]:
    """The INITs that were sent to the server."""
    return [payload for payload in world.server.datagrams if isinstance(parse_untrusted(payload), Init)]


def hellos(world: World) -> list[bytes]:
    """The HELLOs that were sent to the server."""
    return [payload for payload in world.server.datagrams if isinstance(parse_untrusted(payload), Hello)]


def records(world: World) -> list[bytes]:
    """The RECORDs that were sent to the server."""
    return [payload for payload in world.server.datagrams if isinstance(parse_untrusted(payload), Record)]


def nothing(_: m.Message) -> Sequence[m.Message]:
    """No answer to a message."""
    return ()


def refusing(refusal: m.Refusal, card_seq: int = 0) -> Callable[[m.Register], Sequence[m.Message]]:
    """A server that refuses with this reason."""
    return lambda asked: (m.Refused(asked.id, refusal, 0, card_seq),)


def lost_at(*numbers: int) -> Callable[[SendDatagram], bool]:
    """Of the datagrams that the client sends from now on, those with these numbers, from 0, go astray."""
    seen = iter(range(1_000_000))
    return lambda _: next(seen) in numbers


def hint(world: World, key: bytes | None = None) -> bytes:
    """A RETRY that answers the client's last RECORD."""
    return retry(records(world)[-1], TOKEN, key or world.server.public)


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


# --- the server's key ---


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


# --- refusals ---


@pytest.mark.parametrize("refusal", [m.Refusal.NAME_TAKEN, m.Refusal.BANNED, m.Refusal.NOT_ADMITTED, m.Refusal.QUOTA])
def test_a_refused_registration_leaves_the_client_offline_and_says_why(world: World, refusal: m.Refusal) -> None:
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
    world.server.answers[m.Register] = lambda asked: (m.Refused(asked.id, m.Refusal.BUSY, told_s, 0),)
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
        m.Refused(asked.id, m.Refusal.STALE_CARD, 0, world.server.card.seq + 1),
    )
    world.register()
    assert len(world.server.cards) == 4
    assert world.told(e.RegistrationRefused) == [e.RegistrationRefused(m.Refusal.STALE_CARD)]
    world.register()
    assert len(world.server.cards) == 8


def test_a_stale_card_is_followed_by_one_with_the_next_seq(world: World) -> None:
    # R-9.1-3
    world.server.answers[m.Register] = lambda asked: (
        refusing(m.Refusal.STALE_CARD, world.first_seq + 40)(asked)
        if world.server.card.seq < world.first_seq + 40
        else (m.Registered(asked.id, BOB, 0, world_limits, 0),)
    )
    world_limits = m.ServerLimits(1, 1, 1, 1, 1)
    world.register()
    assert [card.seq for card in world.server.cards] == [world.first_seq, world.first_seq + 41]
    assert world.server.cards[0].live != world.server.cards[1].live
    assert world.is_online()
    assert world.disk.memory.load().card_seq == world.first_seq + 41


@pytest.mark.parametrize("highest", [0, NUMBER_LIMIT - 1])
def test_a_stale_card_that_no_next_seq_cures_is_a_refusal(world: World, highest: int) -> None:
    # Too far ahead of what the server knows, or nothing above it: another handshake would end the same way.
    world.server.answers[m.Register] = refusing(m.Refusal.STALE_CARD, highest)
    world.register()
    assert world.told(e.RegistrationRefused) == [e.RegistrationRefused(m.Refusal.STALE_CARD)]
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


# --- hints ---


def test_a_retry_that_answers_a_record_is_followed_beside_the_old_link(online: World) -> None:
    # R-9.1-4
    online.advance(20)
    online.forget()
    online.lost = lambda sent: isinstance(parse_untrusted(sent.payload), Init)
    online.receive(retry(b"\0\0\0" + last_echo(online) + bytes(68), TOKEN, online.server.public))
    assert online.is_online()
    online.push(m.Mail(7, bytes(16), bytes(181)))
    assert [entry.entry for entry in online.collected()] == [7]
    online.lost = lambda _: False
    online.advance(0.5)
    assert [event.renewed for event in online.told(e.Registered)] == [True]


def last_echo(world: World) -> bytes:
    """What a RETRY to the client's last RECORD repeats; a ping is provoked for it."""
    world.advance(20)
    return records(world)[-1][3:19]


def test_a_server_that_restarted_is_followed_at_the_next_record(online: World) -> None:
    # R-9.1-4
    online.server.forgotten = 1
    online.advance(20)
    assert len(online.server.links) == 2
    assert online.is_online()


def test_not_more_than_one_hint_is_followed_in_five_seconds(online: World) -> None:
    # R-9.1-4
    online.advance(20)
    online.receive(hint(online))
    assert len(online.server.links) == 2
    online.advance(4.9)
    online.receive(hint(online))
    assert online.drops == [Reason.LINK]
    assert len(online.server.links) == 2
    online.advance(0.1)
    online.receive(hint(online))
    assert len(online.server.links) == 3


def test_a_forged_hint_with_a_token_that_is_none_costs_time_and_no_link(online: World) -> None:
    # R-9.1-4
    online.lost = lambda sent: isinstance(parse_untrusted(sent.payload), Init) and b"a forged token 1" in sent.payload
    online.receive(retry(b"\0\0\0" + last_echo(online) + bytes(68), b"a forged token 1", online.server.public))
    online.advance(5)
    assert online.told(e.ServerUnreachable) == []
    assert [event.renewed for event in online.told(e.Registered)] == [True]
    assert online.is_online()


def test_a_retry_that_echoes_nothing_of_ours_is_refused(online: World) -> None:
    online.receive(retry(bytes(range(87)), TOKEN, online.server.public))
    assert online.drops == [Reason.LINK]


def test_a_hint_to_the_init_begins_the_handshake_anew(world: World) -> None:
    # The server was restarted between RETRY and INIT, and does not know its token any more.
    world.lost = lost_at(1)
    world.register()
    world.server.silent = True
    world.advance(0.5)
    world.receive(retry(inits(world)[-1], b"another token 16", world.server.public))
    world.server.silent = False
    tokens = [parse_untrusted(payload).token for payload in inits(world)]  # type: ignore[union-attr] # they are INITs
    assert tokens == [TOKEN, b"another token 16"]
    world.advance(0.5)
    assert world.is_online()


def test_a_hint_while_registering_begins_the_handshake_anew(world: World) -> None:
    world.server.answers[m.Register] = nothing
    world.register()
    del world.server.answers[m.Register]
    world.receive(hint(world))
    assert len(world.server.links) == 2
    assert world.is_online()


def test_a_hint_with_another_key_than_the_pinned_is_refused(online: World) -> None:
    # R-9.1-1
    online.advance(20)
    other = private_key("a public key of somebody")
    online.receive(hint(online, other))
    assert online.told(e.ServerKeyChanged) == []  # R-9.1-13
    assert online.drops == [Reason.KEY]
    assert len(online.server.links) == 1
    assert online.is_online()


def test_a_hint_to_a_client_that_left_is_nothing(online: World) -> None:
    online.advance(20)
    late = hint(online)
    online.deregister()
    online.forget()
    online.receive(late)
    assert kinds(online) == []


# --- what is not of a link ---


def test_a_resp_that_was_not_asked_for_is_refused(online: World) -> None:
    online.receive(serialize(Resp(b"1234", bytes(52))))
    assert online.drops == [Reason.LINK]


def test_a_forged_resp_leaves_the_handshake_as_it_was(world: World) -> None:
    world.server.silent = True
    world.register()
    world.receive(retry(world.server.datagrams[-1], TOKEN, world.server.public))
    init = parse_untrusted(inits(world)[-1])
    assert isinstance(init, Init)
    world.receive(serialize(Resp(init.index, bytes(range(52)))))
    world.receive(serialize(Resp(b"1234", bytes(52))))
    assert len(world.drops) == 2
    world.server.silent = False
    world.advance(0.5)
    assert world.is_online()


def test_a_late_resp_is_no_link_to_say_goodbye_on(online: World) -> None:
    online.lost = lambda sent: isinstance(parse_untrusted(sent.payload), Init)
    online.advance(20)
    online.receive(hint(online))
    late = online.server.receive(online.astray[-1].payload)
    online.server.answers[m.Deregister] = nothing
    online.deregister()
    for resp in late:
        online.receive(resp)
    assert online.drops == [Reason.LINK]
    del online.server.answers[m.Deregister]
    online.advance(0.5)
    assert online.told(e.Deregistered) == [e.Deregistered(confirmed=True)]


def test_a_record_of_no_link_of_ours_is_refused(online: World) -> None:
    online.receive(serialize(Record(b"none", 0, bytes(20))))
    assert online.drops == [Reason.LINK]


def test_a_record_from_elsewhere_is_refused_though_it_is_authentic(online: World) -> None:
    # R-3.1-8
    online.receive(online.server.record(m.Superseded()), STRANGER)
    assert online.drops == [Reason.TYPE]
    assert online.is_online()


def test_a_replayed_record_is_refused(online: World) -> None:
    payload = online.server.record(m.Superseded())
    online.server.links.append(online.server.link)
    online.receive(payload)
    online.register()
    online.receive(payload)
    assert online.drops == [Reason.LINK]
    replayed = online.server.record(m.RosterChanged(online.server.version))
    online.receive(replayed)
    online.receive(replayed)
    assert online.drops == [Reason.LINK, Reason.REPLAY]


def test_a_retry_or_resp_from_elsewhere_is_refused(world: World) -> None:
    # R-3.1-8
    world.server.silent = True
    world.register()
    world.receive(retry(world.server.datagrams[-1], TOKEN, world.server.public), CAROL)
    world.receive(serialize(Resp(b"1234", bytes(52))), CAROL)
    world.receive(serialize(Retry(bytes(16), TOKEN, bytes(32))), SERVER)
    assert world.drops == [Reason.TYPE, Reason.TYPE, Reason.LINK]
    assert kinds(world) == [Hello]


# --- silence ---


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
    online.push(m.Registered(online.server.last(m.Register).id, BOB, 0, m.ServerLimits(1, 1, 1, 1, 1), 0))
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
    online.push(m.Registered(1, BOB, 5, m.ServerLimits(1, 1, 1, 1, 1), 0))
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
