"""What a server can do that lies about letters: it has the mailboxes, and no key of its users.

It may refuse, delay and drop, and its users are told. It may not read, write, reorder, or claim that somebody read.

- Receipts that it makes up: only the reader of a letter can make its acknowledgement:
  `test_forged_receipts_deliver_nothing`
- the true Receipt of one letter for another: it is compared with that letter's own:
  `test_a_receipt_of_another_letter_delivers_nothing`
- Stored without storing: the sender keeps every letter:
  `test_stored_without_storing_loses_nothing`
- Returned at will: a letter is sealed again only for a newer card:
  `test_returned_at_will_loses_nothing_and_is_no_loop`
- Mail again, out of order, changed, for others, under other slots: order, once-ness, keys and signatures of letters:
  `test_mail_in_any_order_again_changed_and_for_others_is_shown_once_and_in_order`
"""

from tests.simulation.evil.lies import with_changed
from tests.simulation.evil.scene import Scene
from udpchat_core import messages as m
from udpchat_core.client_events import LetterReceived, MessageDelivered, MessageStored
from udpchat_core.errors import Reason
from udpchat_core.secure.letter import ack_of, slot_of


def test_forged_receipts_deliver_nothing() -> None:
    """R-9.3-7: the server has the slot, and everything but the secret."""
    scene = Scene(real=True, lies={})
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "unread")
    scene.run(2)
    [kept] = scene.directory.mailboxes[scene.identity("bob")].letters.values()
    suite = scene.world.new_suite("operator", 0)
    guesses = (kept.slot, bytes(16), ack_of(suite, kept.slot), kept.letter[-16:], slot_of(suite, kept.slot))
    scene.push("ann", *(m.Receipt(kept.slot, guess) for guess in guesses))
    scene.run(1)
    assert len(scene.told("ann", MessageDelivered)) == 2, "those of before"
    assert scene.world.nodes["ann"].dropped[Reason.SEAL] == len(guesses)
    scene.world.register("bob")
    scene.run(3)
    assert "unread" in scene.texts("bob")
    scene.finish()


def test_a_receipt_of_another_letter_delivers_nothing() -> None:
    """R-9.3-7: an acknowledgement that bob did make, for a letter that he did not get."""
    scene = Scene(lies={})
    scene.world.deregister("bob")
    scene.run(1)
    for text in ("one", "two"):
        scene.world.send("ann", "bob", text)
    scene.run(2)
    one, two = scene.directory.mailboxes[scene.identity("bob")].letters.values()
    letters = scene.oracle.ledger.by_slot
    scene.push("ann", m.Receipt(two.slot, letters[one.slot].ack), m.Receipt(one.slot, letters[two.slot].ack))
    scene.run(1)
    assert len(scene.told("ann", MessageDelivered)) == 2, "those of before"
    scene.world.register("bob")
    scene.run(3)
    assert scene.texts("bob")[-2:] == ["one", "two"]
    scene.finish()


def test_stored_without_storing_loses_nothing() -> None:
    """R-9.3-1: a sender keeps a letter until its reader acknowledged it, whatever the server says."""
    scene = Scene(lies={m.Store: lambda server, user, asked: [m.Stored(asked.id, False, asked.attempt)]})
    scene.world.deregister("bob")
    scene.run(1)
    for number in range(40):
        scene.world.send("ann", "bob", f"{number}")
    scene.run(120)
    assert len(scene.told("ann", MessageStored)) == 40
    assert len(scene.told("ann", MessageDelivered)) == 2, "those of before"
    scene.cores_lies.clear()
    scene.world.register("bob")
    scene.run(400)
    assert scene.texts("bob")[-40:] == [f"{number}" for number in range(40)]
    scene.finish()


def test_returned_at_will_loses_nothing_and_is_no_loop() -> None:
    """R-9.3-6: a letter that came back is sealed again only for a newer card, so nothing goes around."""
    scene = Scene(lies={})
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "back and forth")
    scene.run(2)
    [kept] = scene.directory.mailboxes[scene.identity("bob")].letters.values()
    before = scene.asked(m.Store, "ann")
    returns = 40
    for _ in range(returns):
        scene.push("ann", m.Returned(kept.slot), m.Returned(kept.slot), run_s=0.7)
    assert scene.asked(m.Store, "ann") == before
    assert scene.asked(m.Lookup, "ann") <= 2 * returns + 3
    scene.world.register("bob")
    scene.run(60)
    assert "back and forth" in scene.texts("bob")
    scene.finish()


def test_mail_in_any_order_again_changed_and_for_others_is_shown_once_and_in_order() -> None:
    """R-9.4-2, R-9.4-3, R-9.4-4: what is in a letter says whose it is, for whom, and which number it has."""
    scene = Scene(real=True, lies={}, clients=("ann", "bob", "cyd"))
    scene.world.register("cyd")
    scene.world.deregister("bob")
    scene.run(1)
    for number in range(8):
        scene.world.send("ann", "bob", f"{number}")
    scene.run(2)
    kept = list(scene.directory.mailboxes[scene.identity("bob")].letters.values())
    mails = [m.Mail(each.entry, each.slot, each.letter) for each in kept]
    scene.world.register("bob")
    scene.run(0.01)
    mixed = [*reversed(mails), *mails, *mails[3:], *(with_changed(each, entry=each.entry + 1_000) for each in mails)]
    mixed += [with_changed(each, slot=mails[0].slot) for each in mails]
    mixed += [with_changed(each, letter=each.letter[:-1] + bytes((each.letter[-1] ^ 1,))) for each in mails]
    mixed += [with_changed(each, letter=bytes(200)) for each in mails]
    for name in ("bob", "cyd", "ann"):
        for each in mixed:
            scene.push(name, each, run_s=0)
        scene.run(1)
    scene.run(60)
    assert scene.texts("bob")[2:] == [f"{number}" for number in range(8)]
    assert scene.texts("cyd") == []
    assert len(scene.told("ann", LetterReceived)) == 2
    scene.finish()
