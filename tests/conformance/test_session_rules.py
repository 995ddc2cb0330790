"""The independent client's session, in virtual time: what section 9.1 wants of a client, rule by rule."""

import pytest

from .independent import datagrams
from .independent.grammar import message
from .independent.store import Store
from .virtual import SERVER, UNIX_S, VirtualWorld

HOUR_S = 3600.0


def approximately(*times: float) -> object:
    return pytest.approx(times, abs=0.02)


def test_a_silent_server_is_tried_five_times_and_then_greeted_less_and_less_often() -> None:
    # R-9.1-5
    world = VirtualWorld("ann")
    world.server.deaf = True
    world.clients["ann"].register(0.0)
    world.run(100.0)
    tries = (0.0, 0.5, 1.0, 1.5, 2.0)
    assert world.server.hellos == approximately(*(at + 0.005 for at in (*tries, 3.5, 5.5, 9.5, 17.5, 33.5, 63.5, 93.5)))
    assert len(world.happened("ann", "unreachable")) == 1
    world.server.deaf = False
    world.run(31.0)
    assert world.happened("ann", "online")


def test_a_path_slower_than_the_tries_is_no_hindrance() -> None:
    # R-9.1-5: an answer to an earlier try is an answer
    world = VirtualWorld("ann", "bob")
    world.delay_s = 0.7
    world.register("ann", "bob")
    world.run(5.0)
    number = world.clients["ann"].send(world.now_s, "bob", "hello from the moon")
    world.run(10.0)
    assert world.shown("bob") == ["hello from the moon"]
    assert world.clients["ann"].outstanding(number) == 0
    assert not world.happened("ann", "unreachable")


def test_a_forged_retry_with_another_key_does_not_keep_a_client_from_its_server() -> None:
    # R-9.1-1, R-9.1-13, and section 4.1: a RETRY may ask for a handshake, and no more
    world = VirtualWorld("ann")
    world.register("ann")
    ann = world.clients["ann"]
    ann.deregister(world.now_s)
    world.run(1.0)
    ann.register(world.now_s)
    ann.tick(world.now_s)
    echo = datagrams.echo_of(ann.world.out[0].data)
    ann.receive(world.now_s, SERVER, datagrams.make(datagrams.RETRY, echo, bytes(16), bytes(31) + b"\x42"))
    world.run(1.0)
    assert not world.happened("ann", "server key changed")
    assert len(world.happened("ann", "online")) == 2


def test_a_client_that_pinned_a_server_sends_another_one_nothing_but_hello_until_its_user_decides() -> None:
    # R-9.1-1
    world = VirtualWorld("ann")
    world.register("ann")
    ann = world.clients["ann"]
    ann.deregister(world.now_s)
    world.run(1.0)
    world.server.private = world.random.randbytes(32)
    began_s = world.now_s
    ann.register(world.now_s)
    world.run(10.0)
    sent = {data[2] for at, source, _, data in world.sent if source == world.addresses["ann"] and at >= began_s}
    assert sent == {datagrams.HELLO}
    assert len(world.happened("ann", "server key changed")) == 1
    ann.session.accept_server()
    world.run(31.0)
    assert len(world.happened("ann", "online")) == 2


def test_a_server_is_not_pinned_before_a_resp_proved_its_key() -> None:
    # R-9.1-1: whoever forges the first RETRY is not believed for ever
    world = VirtualWorld("ann")
    ann = world.clients["ann"]
    ann.register(0.0)
    ann.tick(0.0)
    hello = ann.world.out[0].data
    forged = datagrams.make(datagrams.RETRY, datagrams.echo_of(hello), bytes(16), bytes(31) + b"\x42")
    ann.receive(0.001, SERVER, forged)
    assert ann.world.store.get("server") is None
    world.run(10.0)
    assert ann.world.store.get("server") == world.server.public
    assert world.happened("ann", "online")


def test_a_live_key_is_new_each_hour_and_opens_letters_for_one_more() -> None:
    # R-9.1-2
    world = VirtualWorld("ann", "bob")
    world.register("ann", "bob")
    ann = world.clients["ann"]
    first = world.server.cards["ann"].card["live"]
    world.run(HOUR_S)
    second = world.server.cards["ann"].card["live"]
    assert second != first
    assert world.server.cards["ann"].card["seq"] == ann.world.store.get("seq")
    assert len(world.happened("ann", "online")) == 2
    assert not world.happened("ann", "superseded")
    opening = [key.public for key in ann.inbox._opening()]
    assert first in opening
    world.run(HOUR_S - 10)
    assert first in [key.public for key in ann.inbox._opening()]
    world.run(20.0)
    assert first not in [key.public for key in ann.inbox._opening()]
    assert second in [key.public for key in ann.inbox._opening()]


def test_handshakes_that_come_to_nothing_do_not_cost_the_key_before() -> None:
    # R-9.1-2, R-9.1-4
    world = VirtualWorld("ann")
    world.register("ann")
    ann = world.clients["ann"]
    first = world.server.cards["ann"].card["live"]
    world.run(HOUR_S)
    second = world.server.cards["ann"].card["live"]
    world.dropped = lambda _source, _to, data: data[2] == datagrams.RESP
    for _ in range(10):
        world.server.hint(world.addresses["ann"], b"\x75\x01\x05" + ann.session.echoes[-1])
        world.run(5.1)
    assert {first, second} <= {key.public for key in ann.inbox._opening()}
    assert len(ann.session.live) <= 4


def test_a_hint_is_followed_beside_the_link_at_most_once_in_five_seconds() -> None:
    # R-9.1-4
    world = VirtualWorld("ann")
    world.register("ann")
    ann = world.clients["ann"]
    in_use, began_s = ann.session.link, world.now_s
    world.dropped = lambda _source, _to, data: data[2] == datagrams.INIT
    for _ in range(40):  # in 4 seconds
        world.server.hint(world.addresses["ann"], b"\x75\x01\x05" + ann.session.echoes[-1])
        world.run(0.1)
    assert ann.session.usable is in_use is not None
    world.dropped = lambda *_: False
    world.run(10.0)
    assert len(world.happened("ann", "online")) == 2
    inits = [data for at, _, _, data in world.sent if data[2] == datagrams.INIT and at >= began_s]
    assert len(set(inits)) == 2, "one for the hints, and one for the HELLO that followed when it was not answered"


def test_a_hint_that_answers_nothing_is_ignored() -> None:
    # R-9.1-4
    world = VirtualWorld("ann")
    world.register("ann")
    before = len(world.server.inits)
    world.server.hint(world.addresses["ann"], b"\x75\x01\x05" + bytes(range(16)))
    world.run(5.0)
    assert len(world.server.inits) == before


def test_the_token_of_a_forged_hint_leads_to_hello_and_the_link_stays_in_use() -> None:
    # R-9.1-4
    world = VirtualWorld("ann", "bob")
    world.register("ann", "bob")
    ann = world.clients["ann"]
    hellos = len(world.server.hellos)
    world.server.hint(world.addresses["ann"], b"\x75\x01\x05" + ann.session.echoes[-1], token=b"forged forged fo")
    world.dropped = lambda _source, _to, data: data[2] == datagrams.RETRY and ann.session.phase == "initiating"
    world.run(1.0)
    ann.send(world.now_s, "bob", "over the old link")
    world.run(1.0)
    assert world.shown("bob") == ["over the old link"]
    world.dropped = lambda *_: False
    world.run(4.0)
    assert len(world.server.hellos) == hellos + 1
    assert not world.happened("ann", "unreachable")
    assert ann.session.phase == "online"
    assert len(world.happened("ann", "online")) == 2


def test_a_restarted_server_is_found_again_and_a_request_keeps_its_id() -> None:
    # R-9.1-4, R-9.1-5
    world = VirtualWorld("ann", "bob")
    world.register("ann", "bob")
    lookups = len(world.asked("Lookup"))
    world.server.seats.clear()
    number = world.clients["ann"].session.requests.ids + 1
    world.clients["ann"].send(world.now_s, "bob", "hello")
    world.run(3.0)
    assert world.shown("bob") == ["hello"]
    ids = [said["id"] for said in world.asked("Lookup")[lookups:] if said["name"] == "bob"]
    assert ids
    assert set(ids) == {number}


def test_superseded_ends_it_on_the_newest_link_only_and_letters_are_ignored_then() -> None:
    # R-9.1-6, R-9.1-7
    world = VirtualWorld("ann", "bob")
    world.register("ann", "bob")
    ann, bob = world.clients["ann"], world.clients["bob"]
    bob.send(world.now_s, "ann", "one")
    world.run(1.0)
    world.server.say(world.server.cards["ann"], message("Superseded"))
    world.run(HOUR_S)
    assert ann.session.phase == "superseded"
    assert len(world.happened("ann", "online")) == 1
    bob.send(world.now_s, "ann", "two")
    world.run(5.0)
    assert world.shown("ann") == ["one"]
    ann.register(world.now_s)
    world.run(40.0)
    assert world.shown("ann") == ["one", "two"]


def test_a_stale_card_leads_above_the_highest_known_and_a_lower_one_is_a_refusal() -> None:
    # R-9.1-3
    world = VirtualWorld("ann")
    ann = world.clients["ann"]
    first = ann.world.store.get("seq") + 1
    world.server.refuse["Register"] = (5, 0, first + 1000)
    ann.register(0.0)
    world.run(0.028)
    del world.server.refuse["Register"]
    world.run(2.0)
    assert world.server.cards["ann"].card["seq"] > first + 1000
    world.server.refuse["Register"] = (5, 0, first)
    ann.deregister(world.now_s)
    world.run(1.0)
    ann.register(world.now_s)
    world.run(5.0)
    assert [event["refusal"] for event in world.happened("ann", "rejected")] == [5]


def test_the_first_seq_of_a_card_is_random_below_two_to_the_thirtieth() -> None:
    # R-9.1-9
    seqs = {VirtualWorld("ann", seed=seed).clients["ann"].world.store.next_seq() for seed in range(50)}
    assert len(seqs) == 50
    assert max(seqs) > 2**29
    assert all(0 < seq < 2**30 for seq in seqs)


def test_a_mail_key_is_on_disk_before_a_card_and_kept_until_its_mail_is_collected() -> None:
    # R-9.1-8
    day_s = 86_400
    random = VirtualWorld("ann").random.randbytes
    store = Store(":memory:", random)
    first = store.mail_key(0)
    assert store.mail_keys() == [first]
    assert store.mail_key(7 * day_s - 1) == first
    second = store.mail_key(7 * day_s)
    store.drop_old_mail_keys(22 * day_s)
    assert store.mail_keys() == [second, first]
    store.drop_old_mail_keys(22 * day_s + 1)
    assert store.mail_keys() == [second]


def test_a_card_is_refused_and_the_look_up_goes_on_if_it_is_for_another_name() -> None:
    # R-2.3-4
    world = VirtualWorld("ann", "bob", "eve")
    world.register("ann", "bob", "eve")
    world.server.cards["bob"], bob = world.server.cards["eve"], world.server.cards["bob"]
    number = world.clients["ann"].send(world.now_s, "bob", "for bob only")
    world.run(1.0)
    assert world.shown("eve") == []
    world.server.cards["bob"] = bob
    world.run(1.0)
    assert world.shown("bob") == ["for bob only"]
    assert world.clients["ann"].outstanding(number) == 0


def test_nothing_is_sent_to_a_card_past_its_day() -> None:
    # R-2.3-3
    world = VirtualWorld("ann", "bob")
    world.register("ann", "bob")
    world.clients["ann"].world.unix_s_at_zero = UNIX_S + 91 * 86_400 + 3600
    world.clients["ann"].send(world.now_s, "bob", "too late")
    world.run(2.0)
    assert world.shown("bob") == []
    assert not world.times_sent("ann", world.addresses["bob"], datagrams.LETTER)
