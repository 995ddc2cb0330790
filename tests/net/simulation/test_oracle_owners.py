"""The oracle knows what belongs to whom: names, cards, sessions, letters, pins, keys; and friends are not held up."""

from dataclasses import replace

from tests.net.simulation.stage import OTHER, SENT_MS, Stage, violates
from udpchat_core.actions import Emit
from udpchat_core.bodies import CardBody
from udpchat_core.client_events import Superseded
from udpchat_core.client_requests import SaveOutgoing, SavePin, SaveServerKey
from udpchat_core.datagrams import Init
from udpchat_core.secure.card import make_card
from udpchat_core.secure.keys import SIGNATURE_BYTES
from udpchat_core.secure.letter import seal_letter_untrusted
from udpchat_core.server_events import UserLeft
from udpchat_core.server_requests import BindUser, DropReceipts
from udpchat_core.wire import decode_untrusted, serialize
from udpchat_net.simulation.faults import SERVER
from udpchat_net.simulation.invariants import Invariant
from udpchat_net.simulation.oracle import Oracle
from udpchat_net.simulation.world import SECOND, World
from udpchat_net.stores.memory_client import ClientMemory


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
