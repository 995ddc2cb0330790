"""The oracle follows every letter: entered once and in order, lost by nobody, gone from a mailbox with a reason."""

from collections.abc import Callable

import pytest

from tests.net.simulation.stage import OTHER, QUOTA, SECRET, SENT_MS, Stage, violates
from udpchat_core.actions import Emit
from udpchat_core.client_events import LetterReceived
from udpchat_core.client_requests import PinOutgoing, SavePin, SettleOutgoing
from udpchat_core.fields import CollectedEntry, Outcome
from udpchat_core.messages import Mail, Store
from udpchat_core.secure.letter import seal_letter_untrusted
from udpchat_core.server_requests import CollectLetters, ExpireLetters, Quota
from udpchat_net.simulation.faults import SERVER
from udpchat_net.simulation.invariants import Invariant
from udpchat_net.simulation.oracle import Oracle
from udpchat_net.simulation.world import SECOND, World
from udpchat_net.stores.memory_client import ClientMemory

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
