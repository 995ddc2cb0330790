"""Hints are followed beside the link, now and then; what belongs to no link of the client changes nothing."""

from tests.core.client.handshakes import hint, inits, kinds, lost_at, records
from tests.core.client.scenery import CAROL, SERVER, STRANGER, TOKEN, private_key
from tests.core.client.server_double import nothing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.datagrams import Hello, Init, Record, Resp, Retry
from udpchat_core.errors import Reason
from udpchat_core.secure.link import retry
from udpchat_core.wire import parse_untrusted, serialize

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
