"""The oracle watches what leaves and what is told: before it is durable, too long, or to who proved no address."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.net.simulation.stage import OTHER, SECRET, SENT_MS, SOMEWHERE, Stage, violates
from udpchat_core.actions import Emit, SendDatagram
from udpchat_core.client_events import MessageDelivered, MessageQueued, MessageStored
from udpchat_core.client_requests import MarkStored
from udpchat_core.datagrams import Acks, Resp, Retry
from udpchat_core.fields import CollectedEntry, Outcome, ServerLimits
from udpchat_core.messages import Collected, Mail, Noted, Receipt, Registered, Returned, Store, Stored
from udpchat_core.wire import serialize
from udpchat_net.simulation.faults import SERVER
from udpchat_net.simulation.invariants import Invariant
from udpchat_net.stores.memory_server import ServerMemory

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
