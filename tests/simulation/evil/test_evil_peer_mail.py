"""What somebody with keys and identities can do to letters in mailboxes, and to their acknowledgements.

- a slot that is not its letter's: it follows from the secret:
  `test_mail_under_a_wrong_slot_is_not_shown`
- somebody's slot, taken first: slots are of a sender:
  `test_a_slot_taken_by_a_stranger_takes_nothing`
- acknowledgements without reading: only the secret makes one:
  `test_an_acknowledgement_without_the_secret_delivers_nothing`
- Collected with wrong acknowledgements: the sender checks it:
  `test_a_letter_collected_with_a_wrong_acknowledgement_is_not_delivered`
- Collected, Noted of others': each is of its own session:
  `test_nobody_collects_or_notes_for_another`
- a mailbox stuffed: quotas by sender and for strangers:
  `test_strangers_do_not_fill_a_mailbox`
- a mailbox stuffed, and a friend whom it does not know: tried again every minute, directly too:
  `test_who_is_a_stranger_to_a_stuffed_mailbox_gets_through_when_both_are_there`
"""

from tests.simulation.evil.scene import MAIL_DELAY_US_MAX, Scene
from udpchat_core import messages as m
from udpchat_core.datagrams import Acks
from udpchat_core.errors import Reason
from udpchat_core.fields import CollectedEntry, Outcome, Refusal
from udpchat_core.limits import MAILBOX_STRANGERS_LETTERS_MAX
from udpchat_core.secure.letter import ack_of
from udpchat_net.simulation.world import SECOND

# --- slots ---


def test_mail_under_a_wrong_slot_is_not_shown() -> None:
    """R-9.4-4: else whoever stores a letter could have its receipt go for another one."""
    scene = Scene()
    eve = scene.peer()
    bob = eve.look_up("bob")
    eve.say(eve.store(bob, eve.body("under a wrong slot"), slot=b"w" * 16))
    scene.run(2)
    assert "under a wrong slot" not in scene.texts("bob")
    assert not scene.directory.mailboxes[bob.identity].letters, "it is collected as unwanted"
    assert not eve.said(m.Receipt)
    scene.chat()
    scene.end()


def test_a_slot_taken_by_a_stranger_takes_nothing() -> None:
    """R-8.5-2: a slot is a sender's: who sees another's cannot take its place in the mailbox, nor its receipt."""
    scene = Scene()
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "to the mailbox")
    scene.run(1)
    eve = scene.peer()
    bob = eve.look_up("bob")
    [kept] = scene.directory.mailboxes[bob.identity].letters.values()
    for attempt in (0, 1, 2**47):
        eve.say(eve.store(bob, eve.body("instead"), slot=kept.slot, attempt=attempt))
        scene.run(0.2)
    scene.world.register("bob")
    scene.run(3)
    assert "to the mailbox" in scene.texts("bob")
    assert not eve.said(m.Receipt)
    assert scene.delivered("ann")
    scene.end()


# --- acknowledgements ---


def test_an_acknowledgement_without_the_secret_delivers_nothing() -> None:
    """R-9.3-7: eve has everything but the secret: the slot, the sealed letter, the number, other acknowledgements."""
    scene = Scene(real=True)
    eve = scene.peer()
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "not for eve")
    scene.run(1)
    [kept] = scene.directory.mailboxes[scene.identity("bob")].letters.values()
    past = [each.payload[3:19] for each in scene.network.of(Acks)]
    guesses = [
        kept.slot,
        bytes(16),
        *past,
        *(ack_of(eve.suite, each) for each in (kept.slot, bytes(16), kept.letter[:16])),
    ]
    guesses += [kept.letter[at : at + 16] for at in range(0, len(kept.letter) - 16, 16)]
    eve.acknowledge(scene.world.network.address("ann"), guesses[:74])
    eve.say(m.Collected((CollectedEntry(kept.entry, Outcome.ACKNOWLEDGED, kept.slot),)))
    eve.say(m.Collected((CollectedEntry(kept.entry, Outcome.UNOPENABLE, None),)))
    scene.run(1)
    assert list(scene.client("ann").outgoing.values())[-1].outcome is None
    scene.world.register("bob")
    scene.run(2)
    assert "not for eve" in scene.texts("bob")
    scene.end()


def test_a_letter_collected_with_a_wrong_acknowledgement_is_not_delivered() -> None:
    """R-9.3-7: an owner may throw its mail away, but can say that it read it only if it did."""
    scene = Scene()
    eve = scene.peer()
    eve.live = eve.mail  # what comes directly, it does not open
    scene.world.send("ann", "eve", "read me")
    eve.letters.clear()
    scene.run(2)
    [mail, *_] = eve.said(m.Mail)
    eve.say(m.Collected((CollectedEntry(mail.entry, Outcome.ACKNOWLEDGED, b"w" * 16),)))
    scene.run(2)
    row = list(scene.client("ann").outgoing.values())[-1]
    assert (row.saved.text, row.outcome) == ("read me", None)
    assert scene.world.nodes["ann"].dropped[Reason.SEAL] >= 1
    scene.chat()
    scene.end()


def test_nobody_collects_or_notes_for_another() -> None:
    """R-8.5-7: Collected and Noted are about the mailbox and the receipts of the session that they come on."""
    scene = Scene()
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "to the mailbox")
    scene.run(1)
    scene.world.deregister("ann")
    eve = scene.peer()
    [kept] = scene.directory.mailboxes[scene.identity("bob")].letters.values()
    for outcome in Outcome:
        ack = b"w" * 16 if outcome is Outcome.ACKNOWLEDGED else None
        eve.say(
            m.Collected(
                tuple(
                    CollectedEntry(kept.entry + step, outcome, ack) for step in range(-3, 4) if kept.entry + step >= 0
                )
            )
        )
    scene.run(1)
    assert len(scene.directory.mailboxes[scene.identity("bob")].letters) == 1
    scene.world.register("bob")
    scene.run(2)
    eve.say(m.Noted((kept.slot,)))
    scene.run(1)
    assert scene.directory.receipts[scene.identity("ann")]
    scene.world.register("ann")
    scene.end()


# --- mailboxes ---


def test_strangers_do_not_fill_a_mailbox() -> None:
    """R-8.5-4: all strangers together have a quarter of a mailbox, and each of them no more than anybody."""
    scene = Scene(delay_us_max=MAIL_DELAY_US_MAX)
    scene.exchange_mail()
    crowd = scene.stuff_mailbox()
    box = scene.directory.mailboxes[scene.identity("bob")].letters
    assert len(box) == MAILBOX_STRANGERS_LETTERS_MAX
    assert Refusal.QUOTA in [each.refusal for eve in crowd for each in eve.said(m.Refused)]
    scene.world.send("ann", "bob", "there is room for friends")
    scene.run(2)
    assert len(box) == MAILBOX_STRANGERS_LETTERS_MAX + 1
    scene.world.register("bob")
    scene.run(MAIL_DELAY_US_MAX / SECOND)
    assert "there is room for friends" in scene.texts("bob")
    scene.chat()
    scene.end()


def test_who_is_a_stranger_to_a_stuffed_mailbox_gets_through_when_both_are_there() -> None:
    """R-9.3-8: *quota* is tried again, so a friend of whom the mailbox never had a letter waits, and loses nothing."""
    scene = Scene(delay_us_max=MAIL_DELAY_US_MAX)
    scene.stuff_mailbox()
    scene.world.send("ann", "bob", "there is no room for me")
    scene.run(3_600)
    assert "there is no room for me" not in str(scene.directory.mailboxes[scene.identity("bob")])
    scene.world.register("bob")
    scene.run(MAIL_DELAY_US_MAX / SECOND)
    assert "there is no room for me" in scene.texts("bob")
    scene.chat()
    scene.end()
