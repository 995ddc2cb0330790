"""What the independent client does with letters that go, in virtual time: sections 9.2 and 9.3, rule by rule."""

from itertools import pairwise
from pathlib import Path

import pytest

from .independent import datagrams, keys
from .independent.client import Client
from .independent.grammar import Message, message
from .independent.letters import open_letter
from .virtual import VirtualWorld

DAY_S = 86_400


def approximately(*times: float) -> object:
    return pytest.approx(times, abs=0.02)


def test_a_direct_letter_is_tried_three_times_and_then_handed_to_the_mailbox_as_it_is() -> None:
    # R-9.2-1, R-9.3-3
    world = VirtualWorld("ann", "bob")
    world.register("ann", "bob")
    bob = world.addresses["bob"]
    world.dropped = lambda _source, to, data: to == bob and data[2] == datagrams.LETTER
    began_s = world.now_s
    number = world.clients["ann"].send(began_s, "bob", "hello")
    world.run(2.0)
    times = [at - began_s for at in world.times_sent("ann", bob, datagrams.LETTER, began_s)]
    assert times == approximately(0.01, 0.11, 0.26)
    (stored,) = (at - began_s for at, said in world.server.heard if said.kind == "Store")
    assert stored == pytest.approx(0.515, abs=0.02)
    assert world.shown("bob") == ["hello"]
    assert world.clients["ann"].outstanding(number) == 0
    assert [event.kind for event in world.events["ann"][1:]] == ["no answer", "stored", "delivered"]
    direct = next(data for _, _, to, data in world.sent if to == bob and data[2] == datagrams.LETTER)
    opening = world.clients["bob"].inbox._opening()
    bodies = [
        open_letter(letter, world.clients["bob"].identity, opening) for letter in (direct, _store(world)["letter"])
    ]
    assert bodies[0] == bodies[1]


def _store(world: VirtualWorld, number: int = -1) -> Message:
    return world.asked("Store")[number]


def test_a_stored_letter_is_stored_again_from_time_to_time_and_ends_only_with_its_receipt() -> None:
    # R-9.3-1, R-9.3-4, R-9.3-7
    world = absent_bob()
    number = world.clients["ann"].send(world.now_s, "bob", "hello")
    world.run(700.0)
    times = [at for at, said in world.server.heard if said.kind == "Store"]
    waits = [after - before for before, after in pairwise(times)]
    assert waits == approximately(30.0, 60.0, 120.0, 240.0)
    assert {said["attempt"] for said in world.asked("Store")} == {1}
    slot = _store(world)["slot"]
    world.server.say(world.server.cards["ann"], message("Receipt", slot=slot, ack=bytes(16)))
    world.run(1.0)
    assert world.clients["ann"].outstanding(number) == 1
    assert [said["slots"] for said in world.asked("Noted")] == [[slot]]
    world.register("bob")
    world.run(35.0)
    assert world.clients["ann"].outstanding(number) == 0
    assert [said["slots"] for said in world.asked("Noted")][:2] == [[slot], [slot]]
    assert world.shown("bob") == ["hello"]


def absent_bob() -> VirtualWorld:
    """Ann is there; bob was, and left."""
    world = VirtualWorld("ann", "bob")
    world.register("ann", "bob")
    world.clients["bob"].deregister(world.now_s)
    world.run(1.0)
    return world


def test_it_stores_again_above_an_attempt_of_an_earlier_life() -> None:
    # R-9.3-5
    world = absent_bob()
    world.server.mailboxes[world.clients["bob"].identity] = box = {}
    ann = world.clients["ann"]
    number = ann.send(world.now_s, "bob", "hello")
    slot = next(iter(ann.outbox.by_slot))
    box[slot] = (41, 1, bytes(200), ann.identity)
    world.run(1.0)
    assert box[slot][0] == 42
    assert len(box[slot][2]) > 200
    assert ann.outstanding(number) == 1


def test_a_returned_letter_waits_for_a_newer_card_and_is_sealed_for_it() -> None:
    # R-9.3-6
    world = absent_bob()
    ann, bob = world.clients["ann"], world.clients["bob"]
    ann.send(world.now_s, "bob", "hello")
    world.run(1.0)
    slot = _store(world)["slot"]
    world.server.mailboxes[bob.identity].clear()
    world.server.receipts[ann.identity] = {slot: None}
    world.run(100.0)
    assert len(world.asked("Store")) == 1
    assert world.asked("Noted")
    world.register("bob")
    world.run(90.0)
    assert _store(world, 1)["attempt"] == 2
    assert world.shown("bob") == ["hello"]


def test_a_letter_is_stored_with_a_higher_attempt_when_the_floor_rose() -> None:
    # R-9.3-10
    world = absent_bob()
    ann = world.clients["ann"]
    ann.send(world.now_s, "bob", "one")
    ann.send(world.now_s, "bob", "two")
    world.run(1.0)
    one, two = world.asked("Store")
    world.server.receipts[ann.identity] = {one["slot"]: keys.ack_of(_secret(ann, one["slot"]))}
    world.run(31.0)
    again = _store(world)
    assert (again["slot"], again["attempt"], two["attempt"]) == (two["slot"], 2, 1)
    body = open_letter(again["letter"], world.clients["bob"].identity, world.clients["bob"].inbox._opening())
    assert (body["seq"], body["floor"]) == (2, 2)


def _secret(client: Client, slot: bytes) -> bytes:
    return client.outbox.by_slot[slot].row.secret


@pytest.mark.parametrize("refusal", [1, 2, 3, 11])
def test_quota_busy_unknown_and_not_registered_are_tried_again(refusal: int) -> None:
    # R-9.3-8
    world = absent_bob()
    world.server.refuse["Store"] = (refusal, 0, 0)
    number = world.clients["ann"].send(world.now_s, "bob", "hello")
    world.run(20.0)
    waits = [at for at, said in world.server.heard if said.kind == "Store"]
    assert [after - before for before, after in pairwise(waits)] == approximately(0.51, 1, 2, 4, 8)
    assert len(world.happened("ann", "mailbox full")) == (refusal == 1)
    del world.server.refuse["Store"]
    world.register("bob")
    world.run(30.0)
    assert world.clients["ann"].outstanding(number) == 0


def test_another_refusal_is_an_answer() -> None:
    # R-9.3-8
    world = absent_bob()
    world.server.refuse["Store"] = (7, 0, 0)
    world.clients["ann"].send(world.now_s, "bob", "hello")
    world.run(1.0)
    assert [event["refusal"] for event in world.happened("ann", "refused")] == [7]


def test_no_number_runs_further_ahead_than_its_window() -> None:
    # R-9.3-2
    world = absent_bob()
    ann = world.clients["ann"]
    world.server.refuse["Store"] = (1, 0, 0)
    for number in range(100):
        ann.send(world.now_s, "bob", str(number))
    world.run(1.0)
    assert ann.outbox.peers[world.clients["bob"].identity].numbered == 32
    del world.server.refuse["Store"]
    world.run(60.0)
    assert ann.outbox.peers[world.clients["bob"].identity].numbered == 100
    world.register("bob")
    world.run(60.0)
    assert world.shown("bob") == [str(number) for number in range(100)]


def test_direct_letters_run_no_further_than_64_ahead_of_the_lowest_that_is_not_acknowledged() -> None:
    # R-9.3-2
    world = VirtualWorld("ann", "bob")
    world.register("ann", "bob")
    ann, bob = world.clients["ann"], world.clients["bob"]
    ann.send(world.now_s, "bob", "lost")
    world.server.refuse["Store"] = (1, 0, 0)
    world.dropped = lambda _source, _to, data: data[2] == datagrams.LETTER
    world.run(1.0)
    world.dropped = lambda _source, to, _data: to == world.addresses["ann"]  # bob gets them, ann no ACK
    for number in range(100):
        ann.send(world.now_s, "bob", str(number))
    peer = ann.outbox.peers[bob.identity]
    for _ in range(100):  # the test acknowledges all but the first
        world.run(0.01)
        for letter in [letter for seq, letter in peer.letters.items() if seq > 1]:
            ann.outbox.acknowledged(letter.ack)
    assert peer.numbered == 64


def test_letters_are_given_up_after_14_days_online_and_those_behind_pass_them() -> None:
    # R-9.3-9
    world = absent_bob()
    ann = world.clients["ann"]
    ann.send(world.now_s, "bob", "one")
    world.run(1.0)
    ann.deregister(world.now_s)
    world.run(7 * DAY_S)
    ann.register(world.now_s)
    world.run(10.0)
    ann.send(world.now_s, "bob", "two")
    world.run(1.0)
    ann.deregister(world.now_s)
    world.run(7 * DAY_S)
    assert not world.happened("ann", "expired")
    ann.register(world.now_s)
    world.run(59.0)
    assert not world.happened("ann", "expired")
    world.run(10.0)
    (expired,) = world.happened("ann", "expired")
    assert expired["message"] == 1
    world.server.mailboxes[world.clients["bob"].identity].pop(world.asked("Store")[0]["slot"], None)
    world.register("bob")
    world.run(40.0)
    assert world.shown("bob") == ["two"]


def test_people_who_know_each_other_talk_without_a_server() -> None:
    # R-9.3-11
    world = VirtualWorld("ann", "bob")
    world.register("ann", "bob")
    world.clients["ann"].send(world.now_s, "bob", "one")
    world.run(1.0)
    world.server.deaf = True
    world.run(70.0)  # what the directory said is old now
    began_s = world.now_s
    number = world.clients["ann"].send(began_s, "bob", "two")
    world.run(1.0)
    assert world.shown("bob") == ["one", "two"]
    assert world.clients["ann"].outstanding(number) == 0
    (first,) = world.times_sent("ann", world.addresses["bob"], datagrams.LETTER, began_s)
    assert first - began_s == pytest.approx(0.25, abs=0.02)


def test_a_name_of_another_identity_waits_for_the_user_and_letters_of_the_former_are_refused() -> None:
    # R-9.2-2
    world = absent_bob()
    ann, bob = world.clients["ann"], world.clients["bob"]
    ann.send(world.now_s, "bob", "for the former")
    world.run(61.0)
    other = world.start("bob", ":memory:")
    world.register("bob")
    ann.send(world.now_s, "bob", "for whom?")
    world.run(40.0)
    (changed,) = world.happened("ann", "key changed")
    assert changed["name"] == "bob"
    assert not changed["handed_over"]
    assert not world.happened("ann", "refused")
    assert world.shown("bob") == []
    stored = {said["recipient"] for said in world.asked("Store")}
    assert stored == {bob.identity}
    ann.accept(world.now_s, "bob")
    ann.send(world.now_s, "bob", "for the other")
    world.run(5.0)
    assert world.shown("bob") == ["for the other"]
    assert len(world.happened("ann", "refused")) == 2
    assert other.identity != bob.identity


def test_a_restart_numbers_what_is_outstanding_afresh_in_a_new_epoch_under_the_same_secrets(tmp_path: Path) -> None:
    # R-9.2-1, R-9.2-3, R-9.2-4
    world = VirtualWorld("bob")
    former = world.start("ann", str(tmp_path / "ann"))
    world.register("ann", "bob")
    bob = world.clients["bob"]
    former.send(world.now_s, "bob", "zero")
    world.run(1.0)
    bob.deregister(world.now_s)
    world.run(61.0)
    former.send(world.now_s, "bob", "one")
    former.send(world.now_s, "bob", "two")
    world.run(2.0)
    later = world.start("ann", str(tmp_path / "ann"))
    world.register("ann")
    world.run(2.0)
    bodies = [open_letter(said["letter"], bob.identity, bob.inbox._opening()) for said in world.asked("Store")]
    assert [(body["seq"], body["text"]) for body in bodies] == [(2, "one"), (3, "two"), (1, "one"), (2, "two")]
    assert bodies[0]["epoch"] == bodies[1]["epoch"] != bodies[2]["epoch"] == bodies[3]["epoch"]
    assert [body["secret"] for body in bodies[:2]] == [body["secret"] for body in bodies[2:]]
    assert [said["attempt"] for said in world.asked("Store")] == [1, 1, 2, 2]
    world.register("bob")
    world.run(5.0)
    assert world.shown("bob") == ["zero", "one", "two"]
    assert later.outbox.by_ack == {}
