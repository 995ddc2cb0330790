"""The oracle catches what it says: each broken promise, made by hand, is found by the invariant that is named."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.net.simulation.stage import OTHER, QUOTA, SECRET, SENT_MS, SOMEWHERE, Stage
from udpchat_core.actions import Emit, SendDatagram
from udpchat_core.datagrams import Acks, Init, Resp, Retry
from udpchat_core.events import LetterReceived, MessageDelivered, MessageQueued, MessageStored, Superseded, UserLeft
from udpchat_core.messages import (
    CardBody,
    Collected,
    CollectedEntry,
    Mail,
    Noted,
    Outcome,
    Receipt,
    Registered,
    Returned,
    ServerLimits,
    Store,
    Stored,
)
from udpchat_core.requests import (
    BindUser,
    CollectLetters,
    DropReceipts,
    ExpireLetters,
    MarkStored,
    PinOutgoing,
    Quota,
    SaveOutgoing,
    SavePin,
    SaveServerKey,
    SettleOutgoing,
)
from udpchat_core.secure.card import make_card
from udpchat_core.secure.keys import SIGNATURE_BYTES
from udpchat_core.secure.letter import seal_letter_untrusted
from udpchat_core.wire import decode_untrusted, serialize
from udpchat_net.simulation.faults import SERVER
from udpchat_net.simulation.invariants import Invariant, Violation
from udpchat_net.simulation.oracle import Oracle
from udpchat_net.simulation.world import SECOND, World
from udpchat_net.stores.memory import ClientMemory, ServerMemory


@contextmanager
def violates(invariant: Invariant, what: str = "but") -> Iterator[None]:
    with pytest.raises(Violation, match=what) as caught:
        yield
    assert caught.value.invariant is invariant


# --- what is said before it is durable ---


def test_an_acknowledgement_of_what_nobody_sent() -> None:
    with violates(Invariant.DURABLE, "nobody sent"):
        Stage().sends("bob", serialize(Acks((OTHER,))), "ann")


def test_an_acknowledgement_before_the_inbox_has_it() -> None:
    stage = Stage()
    with violates(Invariant.DURABLE, "before it was on its disk"):
        stage.sends("bob", serialize(Acks((stage.letter.ack,))), "ann")
    with violates(Invariant.DURABLE, "before it was on its disk"):
        stage.says("bob", Collected((CollectedEntry(1, Outcome.ACKNOWLEDGED, stage.letter.ack),)))
    stage.commit("bob", stage.entry())
    stage.says("bob", Collected((CollectedEntry(1, Outcome.ACKNOWLEDGED, stage.letter.ack),)))


def test_a_receipt_noted_while_the_letter_is_in_the_outbox() -> None:
    stage = Stage()
    with violates(Invariant.DURABLE, "noted"):
        stage.says("ann", Noted((stage.letter.slot,)))


def test_stored_before_the_mailbox_has_it() -> None:
    stage = Stage()
    stage.says("ann", Store(77, stage.identity("bob"), stage.letter.slot, 1, stage.sealed()))
    with violates(Invariant.DURABLE, "said stored"):
        stage.says(SERVER, Stored(77, False, 1))
    stage.kept()
    stage.says(SERVER, Stored(77, False, 1))


def test_mail_pushed_before_the_mailbox_has_it() -> None:
    stage = Stage()
    with violates(Invariant.DURABLE, "pushed"):
        stage.says(SERVER, Mail(1, stage.letter.slot, stage.sealed()), "bob")


def test_registered_before_the_directory_has_it() -> None:
    stage = Stage()
    store = stage.nodes[SERVER].store
    assert isinstance(store, ServerMemory)
    registered = Registered(1, stage.world.network.address("ann"), 0, ServerLimits(1, 1, 1, 1, 1), SENT_MS)
    stage.says(SERVER, registered)
    del store.users["ann"]
    with violates(Invariant.DURABLE, "said registered"):
        stage.says(SERVER, registered)


@pytest.mark.parametrize("kind", [Receipt, Returned])
def test_a_receipt_that_is_not_on_the_disk(kind: type[Any]) -> None:
    stage = Stage()
    what = (stage.letter.slot, stage.letter.ack) if kind is Receipt else (stage.letter.slot,)
    with violates(Invariant.DURABLE, "a receipt that is not on its disk"):
        stage.says(SERVER, kind(*what))


@pytest.mark.parametrize("event", [MessageQueued(101, "bob"), MessageStored(100, "bob", False)])
def test_the_user_is_told_what_is_not_so(event: Any) -> None:
    with violates(Invariant.DURABLE):
        Stage().does("ann", Emit(event))


def test_a_letter_marked_as_stored_before_the_mailbox_has_it() -> None:
    stage = Stage()
    with violates(Invariant.DURABLE, "as stored"):
        stage.commit("ann", MarkStored(SECRET))
    stage.kept()
    stage.commit("ann", MarkStored(SECRET))


def test_the_user_is_told_delivered_before_it_is() -> None:
    stage = Stage()
    delivered = Emit(MessageDelivered(100, "bob", False, 0, 0))
    with violates(Invariant.DURABLE, "said delivered"):
        stage.does("ann", delivered)
    stage.commit("bob", stage.entry())
    stage.does("ann", delivered)


# --- letters ---


def test_a_letter_entered_twice() -> None:
    stage = Stage()
    stage.commit("bob", stage.entry())
    store = stage.nodes["bob"].store
    assert isinstance(store, ClientMemory)
    stage.commit("bob", stage.entry())  # the same request, made again
    stage.commit("bob", stage.entry(epoch=6))  # the store knows the letter
    store.inbox.clear()
    with violates(Invariant.ONCE, "a second time"):
        stage.commit("bob", stage.entry(epoch=6))


def test_a_letter_told_twice() -> None:
    stage = Stage()
    stage.commit("bob", stage.entry())
    stage.does("bob", Emit(stage.received()))
    with violates(Invariant.ONCE, "told"):
        stage.does("bob", Emit(stage.received()))


def test_a_new_letter_taken_for_an_old_one() -> None:
    stage = Stage()
    store = stage.nodes["bob"].store
    assert isinstance(store, ClientMemory)
    store.inbox[stage.identity("ann"), stage.letter.ack] = stage.entry(epoch=4)
    with violates(Invariant.NOTHING_LOST, "took a new letter for an old one"):
        stage.commit("bob", stage.entry())


@pytest.mark.parametrize("outcome", ["delivered", "expired", "refused"])
def test_a_letter_that_leaves_the_outbox_too_early(outcome: str) -> None:
    stage = Stage()
    stage.ledger.by_secret[SECRET].saved_us = 99 * SECOND
    with violates(Invariant.NOTHING_LOST, outcome):
        stage.commit("ann", SettleOutgoing(SECRET, outcome))


def test_letters_of_an_epoch_out_of_order() -> None:
    stage = Stage()
    stage.save(OTHER, 101)
    stage.commit("bob", stage.entry(ack=stage.ledger.by_secret[OTHER].ack))
    with violates(Invariant.IN_ORDER):
        stage.commit("bob", stage.entry(seq=2))
    stage = Stage()
    stage.save(OTHER, 101)
    stage.commit("bob", stage.entry(ack=stage.ledger.by_secret[OTHER].ack))
    stage.commit("bob", stage.entry(epoch=6))


def test_a_letter_entered_by_or_from_somebody_else() -> None:
    stage = Stage()
    with violates(Invariant.RIGHT_PERSON):
        stage.commit("cyd", stage.entry())
    with violates(Invariant.RIGHT_PERSON):
        stage.commit("bob", stage.entry(sender=stage.identity("cyd")))
    with violates(Invariant.RIGHT_PERSON):
        stage.commit("bob", stage.entry(ack=OTHER))


def test_a_letter_pinned_stored_or_pushed_for_somebody_else() -> None:
    stage = Stage()
    cyd = stage.identity("cyd")
    with violates(Invariant.RIGHT_PERSON):
        stage.commit("ann", PinOutgoing(SECRET, cyd))
    with violates(Invariant.RIGHT_PERSON):
        stage.commit("ann", SavePin("bob", cyd))
    with violates(Invariant.RIGHT_PERSON):
        stage.commit(SERVER, stage.keep(owner=cyd))
    with violates(Invariant.RIGHT_PERSON):
        stage.says("ann", Store(1, cyd, stage.letter.slot, 1, stage.sealed()))
    stage.kept()
    with violates(Invariant.RIGHT_PERSON):
        stage.says(SERVER, Mail(1, stage.letter.slot, stage.sealed()), "cyd")


def test_a_letter_that_is_not_as_it_is_on_the_disk() -> None:
    stage = Stage()
    with violates(Invariant.ONE_LETTER, "under this secret"):
        stage.sends("ann", stage.sealed(secret=OTHER))
    with violates(Invariant.ONE_LETTER, "another content"):
        stage.sends("ann", stage.sealed(text="goodbye"))
    with violates(Invariant.ONE_LETTER, "to another"):
        stage.save(SECRET, 101)
    with violates(Invariant.ONE_LETTER, "another content"):
        stage.commit("bob", stage.entry(text="goodbye"))


def test_numbers_used_twice_and_floors_ahead_of_the_truth() -> None:
    stage = Stage()
    stage.save(OTHER, 101)
    stage.sends("ann", stage.sealed())
    with violates(Invariant.NUMBERING, "twice"):
        stage.sends("ann", stage.sealed(secret=OTHER))
    with violates(Invariant.NUMBERING, "floor 2"):
        stage.sends("ann", stage.sealed(secret=OTHER, seq=2, floor=2))
    stage.commit("bob", stage.entry())
    stage.sends("ann", stage.sealed(secret=OTHER, seq=3, floor=2))
    stage.world.restart("ann")
    with violates(Invariant.NUMBERING, "earlier start"):
        stage.sends("ann", stage.sealed(secret=OTHER, seq=4))


# --- what belongs to somebody ---


def test_a_name_or_a_card_that_changes_without_its_owner() -> None:
    stage = Stage()
    ann, cyd = stage.identity("ann"), stage.identity("cyd")
    [card, *_] = stage.seam.cards[cyd]
    with violates(Invariant.OWNERS, "somebody else than its owner"):
        stage.commit(SERVER, BindUser("ann", cyd, card))
    body = decode_untrusted(CardBody, card[SIGNATURE_BYTES:])
    newer = make_card(stage.nodes["cyd"].suite, b"p" * 32, replace(body, seq=body.seq + 1))
    with violates(Invariant.OWNERS, "did not make"):
        stage.commit(SERVER, BindUser("cyd", cyd, newer))
    with violates(Invariant.OWNERS, "went back"):
        stage.commit(SERVER, BindUser("cyd", cyd, card))
    with violates(Invariant.OWNERS, "did not note"):
        stage.commit(SERVER, DropReceipts(ann, (stage.letter.slot,)))


def test_a_user_who_is_said_to_have_left_or_to_be_elsewhere_and_did_not() -> None:
    stage = Stage()
    with violates(Invariant.OWNERS, "taken offline"):
        stage.does(SERVER, Emit(UserLeft("ann")))
    with violates(Invariant.OWNERS, "no other device"):
        stage.does("ann", Emit(Superseded()))


def test_a_letter_that_its_user_did_not_type() -> None:
    stage = Stage()
    with violates(Invariant.OWNERS, "did not type"):
        stage.commit("ann", SaveOutgoing(OTHER, 101, 1, 1, "bob", SENT_MS, "send money", None))


def test_a_letter_entered_under_a_number_that_its_sender_did_not_give_it() -> None:
    stage = Stage()
    stage.sends("ann", stage.sealed())
    with violates(Invariant.OWNERS, "a number that it never had"):
        stage.commit("bob", stage.entry(seq=2))


def test_a_pin_that_changes_without_its_user() -> None:
    world = World(3, ("ann", "bob"))
    Oracle(world, is_server_honest=False)
    world._make_durable(world.nodes["ann"], [SavePin("bob", b"b" * 32)])
    with violates(Invariant.OWNERS, "was not asked to"):
        world._make_durable(world.nodes["ann"], [SavePin("bob", b"c" * 32)])


def test_a_letter_sealed_for_another_or_to_a_key_that_nobody_announced() -> None:
    stage = Stage()
    store = stage.nodes["ann"].store
    assert isinstance(store, ClientMemory)
    suite, private = stage.nodes["ann"].suite, store.load().identity
    with violates(Invariant.SEALED_FOR, "another identity"):
        stage.sends("ann", seal_letter_untrusted(suite, private, stage.identity("cyd"), b"b" * 32, stage.body()))
    stage.seam.announced[stage.identity("bob")].clear()
    with violates(Invariant.SEALED_FOR, "never announced"):
        stage.sends("ann", stage.sealed())


def test_a_link_begun_to_a_server_with_another_key() -> None:
    stage = Stage()
    stage.commit("ann", SaveServerKey(b"k" * 32))
    with violates(Invariant.SERVER_KEY):
        stage.sends("ann", serialize(Init(bytes(16), b"abcd", bytes(270))), SERVER)


def test_a_friend_who_is_held_up() -> None:
    world = World(3, ("ann", "bob"))
    Oracle(world, friend_delay_us_max=SECOND)
    for name in ("ann", "bob"):
        world.register(name)
    world.run(SECOND)
    world.gate = lambda node, to, payload: False
    world.send("ann", "bob", "is anybody there?")
    with violates(Invariant.FRIENDS, "under way for"):
        world.run(10 * SECOND)


# --- mailboxes ---


@pytest.mark.parametrize("outcome", [Outcome.ACKNOWLEDGED, Outcome.UNWANTED])
def test_mail_collected_before_its_reader_has_it(outcome: Outcome) -> None:
    with violates(Invariant.MAILBOX, outcome.name):
        Stage().collect(outcome)
    stage = Stage()
    stage.commit("bob", stage.entry())
    stage.collect(outcome)


def test_mail_returned_by_who_has_the_key_to_it() -> None:
    stage = Stage()
    stage.collect(Outcome.UNOPENABLE)  # it was sealed for no key of bob's
    store = stage.nodes["bob"].store
    assert isinstance(store, ClientMemory)
    suite = stage.nodes["bob"].suite
    mail = suite.dh_public(store.load().mail_keys[0].private)
    opened = seal_letter_untrusted(suite, b"i" * 32, stage.identity("bob"), mail, stage.body())
    stage.commit(SERVER, stage.keep(letter=opened))
    [entry] = stage.mailboxes[stage.identity("bob")].letters
    with violates(Invariant.MAILBOX, "has the key"):
        collected = CollectedEntry(entry, Outcome.UNOPENABLE, None)
        stage.commit(SERVER, CollectLetters(stage.identity("bob"), (collected,), 9))


def test_mail_expired_before_its_time_or_gone_for_no_reason() -> None:
    stage = Stage()
    stage.kept()
    with violates(Invariant.MAILBOX, "nothing says why"):
        stage.commit(SERVER, ExpireLetters(SENT_MS + 1))
    stage = Stage()
    stage.kept()
    letters = stage.mailboxes[stage.identity("bob")].letters
    other = stage.keep(slot=OTHER)
    stage.world.observers[0].by_slot[OTHER] = stage.letter  # type: ignore[attr-defined] # the ledger
    stage.nodes[SERVER].store.apply = lambda requests: letters.clear() or ()  # type: ignore[method-assign]
    with violates(Invariant.MAILBOX, "nothing says why"):
        stage.commit(SERVER, other)


def test_a_mailbox_above_its_quota() -> None:
    stage = Stage()
    stage.kept()
    stage.save(OTHER, 101)
    more = stage.keep(slot=stage.ledger.by_secret[OTHER].slot, quota=QUOTA)
    stage.commit(SERVER, more)
    with violates(Invariant.CAPS):
        stage.commit(SERVER, stage.keep(quota=Quota(1, 1, 1)))


# --- addresses, sizes, queues ---


def test_a_datagram_that_is_too_long() -> None:
    with violates(Invariant.SIZE):
        Stage().sends("ann", serialize(Acks((SECRET,) * 74)) + bytes(14))


def test_more_bytes_to_an_unproven_address_than_came_from_it() -> None:
    with violates(Invariant.UNPROVEN, "more than it got"):
        Stage().does(SERVER, SendDatagram(SOMEWHERE, serialize(Retry(bytes(16), bytes(16), bytes(32)))))
    stage = Stage()
    stage.commit("bob", stage.entry())
    with violates(Invariant.UNPROVEN, "more than it got"):
        stage.does("bob", SendDatagram(SOMEWHERE, serialize(Acks((stage.letter.ack,)))))


def test_a_handshake_for_an_address_without_a_token() -> None:
    with violates(Invariant.UNPROVEN, "no token"):
        Stage().does(SERVER, SendDatagram(SOMEWHERE, serialize(Resp(b"abcd", bytes(52)))))


@pytest.mark.parametrize("sizes", [{"outbox": 8_193}, {"surprises": 1}])
def test_a_queue_above_its_cap_or_without_one(sizes: Mapping[str, int]) -> None:
    stage = Stage()
    stage.nodes["ann"].core.sizes = lambda: sizes  # type: ignore[union-attr]
    with violates(Invariant.CAPS):
        stage.oracle.check()


# --- the end ---


def test_what_never_drains() -> None:
    with violates(Invariant.DRAINED, "letter 100.1 from ann to bob in the outbox"):
        Stage().oracle.heal_and_drain()


def test_an_inbox_that_lost_what_it_had() -> None:
    stage = Stage()
    stage.commit("bob", stage.entry())
    store = stage.nodes["bob"].store
    assert isinstance(store, ClientMemory)
    stage.oracle.check()
    store.inbox.clear()
    with violates(Invariant.NOTHING_LOST, "not in the inbox of bob"):
        stage.oracle.check()


def test_a_good_world_breaks_nothing() -> None:
    world = World(3, ("ann", "bob"))
    oracle = Oracle(world)
    acts: list[Callable[[], object]] = [
        lambda: world.register("ann"),
        lambda: world.send("ann", "bob", "to a stranger"),
        lambda: world.register("bob"),
        lambda: world.send("ann", "bob", "hello " * 500),
        lambda: world.deregister("bob"),
        lambda: world.send("ann", "bob", "to the mailbox"),
        lambda: world.restart("ann"),
        lambda: world.register("bob"),
        lambda: world.send("bob", "ann", "thanks"),
    ]
    for act in acts:
        act()
        world.run(20 * SECOND)
    oracle.heal_and_drain()
    assert oracle.undelivered() == []
    texts = [event.text for _, event in world.events("bob") if isinstance(event, LetterReceived)]
    assert "".join(texts) == "hello " * 500 + "to the mailbox"
