"""What somebody on the path can do, who sees everything and may send anything from anywhere, without a key.

- every datagram again, to where it went: replay window, pending links, once-ness:
  `test_a_replay_of_every_datagram_changes_nothing`
- every datagram again, from another address: tokens bound to addresses, answers to the proven one:
  `test_a_replay_from_spoofed_sources_changes_nothing_and_moves_nobody`
- every datagram to others: keys, link indexes:
  `test_a_replay_to_others_changes_nothing`
- bits flipped, garbage under right headers: tags, closed layouts:
  `test_changed_and_made_up_datagrams_change_nothing`
- a token for another address: the token is a MAC over the address:
  `test_a_token_is_good_for_the_address_that_it_was_sent_to_and_for_no_other`
- a victim's address as the source: no more bytes than came, a handshake for none:
  `test_a_victim_gets_no_more_than_was_sent_in_its_name`
- a short RECORD of no link, from a victim's address: no hint for what is shorter:
  `test_what_is_shorter_than_a_hint_gets_none`
- a RECORD held back, sent from elsewhere: answers to the proven address:
  `test_a_record_from_elsewhere_moves_nobody`
- a Register held back until after the Deregister: counters of both:
  `test_a_register_held_back_does_not_bring_back_who_left`
- hints forged: one in five seconds, beside the link:
  `test_forged_hints_cost_a_handshake_in_five_seconds_and_hold_up_nobody`
- hints with another key: the key is pinned:
  `test_a_hint_with_another_key_begins_nothing`
- RESP, RECORD and ACK forged: Noise, tags, secrets:
  `test_forged_answers_end_nothing`
"""

import pytest

from tests.simulation.evil.scene import Scene
from udpchat_core.client_events import Deregistered, ServerKeyChanged, Superseded
from udpchat_core.datagrams import LAYOUTS, Acks, Hello, Init, Letter, Record, Resp, Retry
from udpchat_core.limits import HINT_US
from udpchat_core.server_events import UserLapsed, UserLeft
from udpchat_net.simulation.faults import SERVER
from udpchat_net.simulation.world import SECOND


@pytest.mark.parametrize("real", [True, False])
def test_a_replay_of_every_datagram_changes_nothing(real: bool) -> None:
    """Twice, soon and after every token and pending link is gone: no disk and no session notices."""
    scene = Scene(real=real)
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "to the mailbox")
    scene.run(1)
    scene.world.register("bob")
    scene.run(3)
    before = scene.state()
    for pause_s in (0.1, 0.1, 130):
        assert scene.network.replay_all() > 40
        scene.run(pause_s)
    scene.run(10)
    assert scene.state() == before
    assert len(scene.told(SERVER, UserLeft)) == 1
    assert not scene.told(SERVER, UserLapsed)
    assert scene.texts("bob").count("to the mailbox") == 1
    scene.chat()
    scene.end()


def test_a_replay_from_spoofed_sources_changes_nothing_and_moves_nobody() -> None:
    """Neither an outsider's address nor a friend's gets what was meant for another."""
    scene = Scene(real=True)
    eve = scene.peer(connected=False)
    before = scene.state()
    for source in (eve.address, scene.world.network.address("ann"), scene.world.network.address(SERVER)):
        count = scene.network.replay_all(source=source)
        scene.chat(2)
        scene.run(count * 1e-4)
    kinds = {received.payload[2] for received in eve.datagrams}
    assert kinds <= {Retry.type, Acks.type}
    assert scene.state()[1] == before[1]
    scene.end()


def test_a_replay_to_others_changes_nothing() -> None:
    """A datagram is for one link or one key, and means nothing anywhere else."""
    scene = Scene(real=True)
    before = scene.state()
    scene.network.replay_to_others()
    scene.run(10)
    assert scene.state() == before
    scene.chat()
    scene.end()


def test_changed_and_made_up_datagrams_change_nothing() -> None:
    """Right headers with anything behind them, from right addresses, in the thousands."""
    scene = Scene(real=True)
    before = scene.state()
    everything = list(scene.network.captured)
    for number in range(3_000):
        scene.network.flip(everything[number % len(everything)], 1 + number % 3, number * 1_000)
    places = [scene.world.network.address(name) for name in scene.world.nodes]
    for number in range(500):
        for kind in LAYOUTS:
            scene.network.garbage(kind, places[number % 3], places[(number + 1 + number // 3 % 2) % 3], number * 5_000)
    scene.run(5)
    assert scene.state() == before
    scene.chat()
    scene.end()


def test_a_token_is_good_for_the_address_that_it_was_sent_to_and_for_no_other() -> None:
    """R-4.1-2: an INIT under the token of another address, or port, is computed with by nobody."""
    scene = Scene()
    eve, other = scene.peer(connected=False), scene.peer("mallory", connected=False)
    eve.greet()
    scene.run(0.1)
    assert eve.token is not None
    init = eve.initiate(eve.token, scene.oracle.ledger.server_key())
    other.send(eve.server, init)
    eve.send(eve.server, init, source=type(eve.address)(eve.address.host, eve.address.port + 1))
    scene.run(0.1)
    kinds = [received.payload[2] for received in (*eve.datagrams, *other.datagrams)]
    assert Resp.type not in kinds
    eve.send(eve.server, init)
    scene.run(0.1)
    assert eve.datagrams[-1].payload[2] == Resp.type
    scene.end()


@pytest.mark.parametrize("kind", [Hello, Init, Record, Letter])
def test_a_victim_gets_no_more_than_was_sent_in_its_name(kind: type[Hello | Init | Record | Letter]) -> None:
    """R-3.3-1: whatever is sent with a victim's address as the source, no node amplifies it."""
    scene = Scene()
    victim = scene.peer("victim", connected=False)
    sent = 0
    for number, each in enumerate(2_000 * scene.network.of(kind)[-1:]):
        sent += len(each.payload)
        scene.network.replay(each, source=victim.address, after_us=number * 500)
    scene.run(3)
    assert sum(len(received.payload) for received in victim.datagrams) <= sent
    scene.end()


def test_what_is_shorter_than_a_hint_gets_none() -> None:
    """R-8.1-5: a RECORD of a link that nobody knows, made as short as it may be."""
    scene = Scene()
    victim = scene.peer("victim", connected=False)
    for number in range(500):
        scene.network.forge_record(scene.network.of(Record)[0], number, size=19, index=b"none", source=victim.address)
    scene.run(3)
    assert victim.datagrams == []
    scene.end()


def test_a_record_from_elsewhere_moves_nobody() -> None:
    """R-8.1-6: a RECORD that is held back and comes from another address is answered at the proven one."""
    scene = Scene()
    eve = scene.peer(connected=False)
    scene.network.holds = lambda what: what.node == "ann" and what.is_a(Record)
    scene.run(22)  # a Ping is due
    scene.network.holds = None
    held = [each for each in scene.network.held if each.is_a(Record)]
    assert held
    for each in held:
        scene.network.replay(each, source=eve.address)
    scene.run(5)
    assert {received.payload[2] for received in eve.datagrams} == {Retry.type}
    for user in scene.directory.users.values():
        assert user.identity in (scene.identity("ann"), scene.identity("bob"))
    scene.chat()
    scene.end()


def test_a_register_held_back_does_not_bring_back_who_left() -> None:
    """R-8.2-7: the counters of Register and Deregister order them, whatever the network does."""
    scene = Scene()
    network = scene.network
    kept = network.held
    scene.world.restart("bob")
    begun = len(network.of(Resp))
    # Bob hears no answer to his first Register, and his second one is kept for later.
    network.holds = lambda what: (
        len(network.of(Resp)) > begun
        and (
            (what.node == SERVER and what.is_a(Record)) or (what.node == "bob" and what.is_a(Record) and len(kept) < 2)
        )
    )
    scene.run(0.9)
    late = [each for each in kept if each.node == "bob"]
    network.holds = None
    scene.run(2)
    scene.world.deregister("bob")
    scene.run(2)
    assert scene.told("bob", Deregistered)
    assert late
    for each in late:
        network.replay(each)
    scene.run(1)
    scene.world.send("ann", "bob", "are you there?")
    scene.run(3)
    assert scene.told(SERVER, UserLeft)
    mailbox = scene.directory.mailboxes[scene.identity("bob")]
    assert len(mailbox.letters) == 1, "bob left: the mailbox has it, and no session was pushed it"
    assert scene.server_says_online("bob") is False
    scene.end()


def test_forged_hints_cost_a_handshake_in_five_seconds_and_hold_up_nobody() -> None:
    """R-9.1-4: whoever sees RECORDs can make hints of them, as many as it likes."""
    scene = Scene()
    server_key = scene.oracle.ledger.server_key()
    before, begun_us = len({each.payload for each in scene.network.of(Init)}), scene.world.now_us
    for _ in range(60):
        for each in scene.network.of(Record)[-20:]:
            if each.node != SERVER:
                for _ in range(5):
                    scene.network.forge_retry(each, server_key=server_key)
        scene.chat(1)
    inits = len({each.payload for each in scene.network.of(Init)}) - before
    allowed = 1 + (scene.world.now_us - begun_us) // HINT_US
    # Of each of two clients: one that the hint began, and one after it, with the token that HELLO gave.
    assert 2 <= inits <= 2 * 2 * allowed
    assert not scene.told("ann", Superseded)
    scene.end()


@pytest.mark.parametrize("kind", [Record, Init, Hello])
def test_a_hint_with_another_key_begins_nothing(kind: type[Record | Init | Hello]) -> None:
    """R-9.1-1, R-9.1-13: whose key it is that answers is not for the network to say, and the good one does answer."""
    scene = Scene()
    if kind is not Record:
        network = scene.network
        network.holds = lambda what: what.node == SERVER  # so that a HELLO and an INIT are open still
        scene.world.restart("ann")
        scene.run(0.3)
        if kind is Init:
            network.holds = lambda what: what.node == SERVER and not what.is_a(Retry)
            scene.run(0.6)
    inits = {each.payload for each in scene.network.of(Init)}
    [*_, last] = scene.network.of(kind, "ann")
    for _ in range(100):
        scene.network.forge_retry(last)
    scene.run(0.2)
    assert {each.payload for each in scene.network.of(Init)} == inits
    assert not scene.told("ann", ServerKeyChanged)
    scene.network.holds = None
    scene.run(3)
    scene.chat()
    scene.end()


def test_forged_answers_end_nothing() -> None:
    """No RESP, RECORD or ACK without its key or its secret counts for anything."""
    scene = Scene(real=True)
    network = scene.network
    network.holds = lambda what: what.node == SERVER and what.is_a(Resp)
    scene.world.restart("ann")
    scene.run(0.2)
    scene.world.deregister("bob")
    scene.run(0.2)
    for each in network.of(Init, "ann")[-1:] * 50:
        network.forge_resp(each)
    network.holds = None
    scene.world.send("ann", "bob", "is this delivered?")
    places = [scene.world.network.address(name) for name in ("ann", "bob", SERVER)]
    for each in (*network.of(Record, "ann"), *network.of(Record, "bob")):
        for counter in (0, 5, 2**40, 2**64 - 1):
            network.forge_record(each, counter)
    for number in range(300):
        network.forge_acks(places[0], places[1 + number % 2], after_us=number * 10_000)
    scene.run(4)
    row = list(scene.client("ann").outgoing.values())[-1]
    assert (row.saved.text, row.outcome) == ("is this delivered?", None)
    scene.world.register("bob")
    scene.run(SECOND / 1e6)
    scene.end()
