"""The client as a whole: a message's way in and out, misuse, and bytes that are nobody's."""

from tests.core.client.double import BOB, World
from udpchat_core import events as e
from udpchat_core import messages as m


def test_a_message_goes_out_directly_and_is_acknowledged(either: World) -> None:
    bob = either.know("bob", BOB)
    either.register()
    number = either.send("bob", "good morning")
    assert [type(event) for event in either.events] == [e.Registered, e.MessageQueued, e.MessageDelivered]
    assert either.told(e.MessageDelivered)[0].message == number
    assert [letter.text for letter in bob.letters] == ["good morning"]
    assert either.client.sizes()["outbox"] == 0


def test_a_letter_comes_in_directly_and_is_acknowledged(either: World) -> None:
    bob = either.know("bob", BOB)
    either.register()
    body = bob.body(text="good evening")
    either.receive(bob.letter(either.server.card, body), BOB)
    assert either.told(e.LetterReceived)[0].text == "good evening"
    assert either.sent[-1].payload == bob.ack(body)


def test_mail_comes_in_and_is_collected(either: World) -> None:
    bob = either.know("bob")
    either.register()
    either.push(bob.pushed(either.server.card, bob.body(), 3))
    assert [event.stored for event in either.told(e.LetterReceived)] == [True]
    assert [(entry.entry, entry.outcome) for entry in either.collected()] == [(3, m.Outcome.ACKNOWLEDGED)]
