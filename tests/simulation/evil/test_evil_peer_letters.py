"""What somebody with keys and identities can do with letters that it sends, true, forged, or without end.

- letters with gaps, of many identities: caps of what is held; the next letter needs no room:
  `test_letters_with_gaps_of_many_identities_hold_up_nobody`
- letters with gaps, of one identity in many epochs: 64 places:
  `test_one_sender_holds_no_more_than_its_share`
- letters of ever new identities and names: a bounded rate of names asked about:
  `test_ever_new_strangers_do_not_stand_in_line_before_a_users_own_requests`
- letters of ever new registered names, to fill the pins: half of them is for whom the user writes to:
  `test_strangers_with_names_leave_room_for_contacts`
- letters that nobody can open, from strangers: a bounded rate of openings:
  `test_letters_that_open_nothing_hold_up_nobody`
- a letter passed on to another: the signature covers the recipient:
  `test_a_letter_passed_on_is_not_shown`
- a letter as if from somebody else: the signature, pins and Lookup:
  `test_a_letter_in_anothers_name_is_not_confirmed`
"""

import pytest

from tests.simulation.evil.scene import Scene
from udpchat_core import messages as m
from udpchat_core.client import contacts
from udpchat_core.client_events import LetterReceived
from udpchat_core.errors import Reason
from udpchat_core.limits import HELD_LETTERS_MAX, HELD_LETTERS_PER_SENDER_MAX
from udpchat_core.secure.letter import slot_of


def test_letters_with_gaps_of_many_identities_hold_up_nobody() -> None:
    """R-9.4-5: what is held ahead of gaps is capped, by sender and in all; the letter that is next needs no room."""
    scene = Scene()
    crowd = scene.crowd(HELD_LETTERS_MAX // HELD_LETTERS_PER_SENDER_MAX + 6, connected=False)
    bob, place = scene.peer("asker").look_up("bob"), scene.world.network.address("bob")
    for each in crowd:
        for seq in range(2, 2 + HELD_LETTERS_PER_SENDER_MAX + 6):
            each.send(place, each.letter(bob, each.body("never shown", seq=seq)), after_us=seq * 20_000)
    scene.chat(5)
    assert scene.sizes("bob")["held"] == HELD_LETTERS_MAX
    for _ in range(70):
        scene.world.send("ann", "bob", "one of a burst")
    scene.chat(3)
    assert scene.texts("bob").count("one of a burst") == 70
    assert "never shown" not in scene.texts("bob")
    scene.end()


def test_one_sender_holds_no_more_than_its_share() -> None:
    """R-9.4-5: whatever its epochs, numbers and copies, a sender has 64 places."""
    scene = Scene()
    eve, place = scene.peer(), scene.world.network.address("bob")
    bob = eve.look_up("bob")
    for epoch in range(12):
        for seq in (*range(2, 80), 2**40):
            eve.send(place, eve.letter(bob, eve.body("never shown", epoch=epoch, seq=seq)), after_us=seq % 100 * 1_000)
        scene.run(0.2)
    assert scene.sizes("bob")["held"] <= HELD_LETTERS_PER_SENDER_MAX
    scene.chat()
    scene.end()


def test_ever_new_strangers_do_not_stand_in_line_before_a_users_own_requests() -> None:
    """R-9.4-9: a stranger a letter, each with a name that the directory has to be asked about."""
    scene = Scene(clients=("ann", "bob", "cyd"))
    scene.world.register("cyd")
    place = scene.world.network.address("bob")
    bob = scene.peer("asker").look_up("bob")
    for second in range(20):
        for number, each in enumerate(scene.crowd(150, connected=False)):
            each.name = f"stranger{second}-{number}"
            each.send(place, each.letter(bob, each.body("hello, stranger")), after_us=number * 5_000)
        scene.run(0.6)
    assert scene.sizes("bob")["requests"] <= 30
    scene.world.send("bob", "cyd", "to whom nobody spoke yet")
    scene.chat(2)
    assert "to whom nobody spoke yet" in scene.texts("cyd")
    assert scene.texts("bob").count("hello, stranger") == 20 * 150
    assert not any(event.confirmed for event in scene.told("bob", LetterReceived) if "stranger" in event.name)
    scene.end()


def test_strangers_with_names_leave_room_for_contacts(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-9.4-7: who writes is pinned, once the directory said who it is, but in half of the places only."""
    monkeypatch.setattr(contacts, "PINS_MAX", 8)
    monkeypatch.setattr(contacts, "STRANGER_PINS_MAX", 4)
    scene = Scene(clients=("ann", "bob", "cyd"))
    scene.world.register("cyd")
    place = scene.world.network.address("bob")
    for each in scene.crowd(10):
        each.send(place, each.letter(each.look_up("bob"), each.body("hello, stranger")))
        scene.run(0.1)
    assert len(scene.client("bob").load().pins) == 4
    scene.world.send("bob", "cyd", "to whom nobody spoke yet")
    scene.chat()
    assert "to whom nobody spoke yet" in scene.texts("cyd")
    scene.end()


def test_letters_that_open_nothing_hold_up_nobody() -> None:
    """R-9.4-8: to be tried costs a Diffie-Hellman, so it is done at a bounded rate for those who are not known."""
    scene = Scene()
    crowd, place = scene.crowd(20, connected=False), scene.world.network.address("bob")
    bob = scene.peer("asker").look_up("bob")
    letters = [each.letter(bob, each.body("never shown")) for each in crowd]
    for number in range(20_000):
        sealed = letters[number % 20]
        crowd[number % 20].send(place, sealed[:-1] + bytes((sealed[-1] ^ 1,)), after_us=number * 250)
    scene.chat(12)
    dropped = scene.world.nodes["bob"].dropped
    assert dropped[Reason.SEAL] <= 200 * 7
    assert dropped[Reason.STRANGER_RATE] > 10_000
    assert "never shown" not in scene.texts("bob")
    scene.end()


@pytest.mark.parametrize("stored", [False, True])
def test_a_letter_passed_on_is_not_shown(stored: bool) -> None:
    """R-6.2-1: what ann signed for eve, eve cannot seal again for bob: the signature covers recipient and key."""
    scene = Scene(real=True)
    eve = scene.peer()
    seen: list[bytes] = []
    bob = eve.look_up("bob")
    opened = eve.suite.hpke_open_untrusted

    def open_and_keep(private: bytes, info: bytes, sealed: bytes) -> bytes:
        seen.append(opened(private, info, sealed))
        return seen[-1]

    eve.suite.hpke_open_untrusted = open_and_keep  # type: ignore[method-assign]
    numbers = range(1, 6)  # bob had two of ann's: the others carry the numbers that he waits for
    for number in numbers:
        scene.world.send("ann", "eve", f"for eve alone {number}")
        scene.run(1)
    passed_on = {body.text: (body, plain) for body, plain in zip(eve.letters, seen, strict=True)}
    assert passed_on.keys() == {f"for eve alone {number}" for number in numbers}
    for body, plain in passed_on.values():
        sealed = scene.reseal(eve, bob, plain, stored=stored)
        if stored:
            eve.say(m.Store(eve.new_id(), bob.identity, slot_of(eve.suite, body.secret), 1, sealed))
        else:
            eve.send(scene.world.network.address("bob"), sealed)
    scene.run(2)
    assert not [text for text in scene.texts("bob") if "eve" in text]
    assert scene.world.nodes["bob"].dropped[Reason.SIGNATURE] == len(numbers)
    scene.chat()
    scene.end()


def test_a_letter_in_anothers_name_is_not_confirmed() -> None:
    """R-9.4-7, R-6.2-2: a name is whose key the directory and the pin say; an identity is whose signature it is."""
    scene = Scene(real=True)
    eve, place = scene.peer(), scene.world.network.address("bob")
    bob = eve.look_up("bob")
    eve.send(place, eve.letter(bob, eve.body("as ann", name="ann")))
    eve.send(place, eve.letter(bob, eve.body("as ann herself", name="ann", sender=scene.identity("ann"))))
    eve.say(eve.store(bob, eve.body("as ann in the mail", name="ann", seq=2, floor=2)))
    eve.say(eve.store(bob, eve.body("as ann herself in the mail", sender=scene.identity("ann"))))
    scene.run(3)
    shown = {event.text: event for event in scene.told("bob", LetterReceived) if event.text.startswith("as ")}
    assert shown.keys() == {"as ann", "as ann in the mail"}
    assert not any(event.confirmed or event.sender == scene.identity("ann") for event in shown.values())
    scene.chat()
    scene.end()
