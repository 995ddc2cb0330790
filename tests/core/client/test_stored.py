"""That the server has a letter is noted on disk: once, as it was told, and nothing waits for that or goes by it."""

from tests.core.client.scenery import BOB
from tests.core.client.server_double import nothing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.client_requests import MarkStored, PinOutgoing, SaveOutgoing, SettleOutgoing
from udpchat_core.secure.letter import ack_of, slot_of


def secrets(world: World) -> list[bytes]:
    """Of the letters that were saved, in order."""
    return [saved.secret for saved in world.disk.all(SaveOutgoing)]


def marked(world: World) -> list[bytes]:
    """Of the letters that were marked, in order."""
    return [mark.secret for mark in world.disk.all(MarkStored)]


def rows(world: World) -> list[tuple[bool, str | None]]:
    """Of each letter in the history, whether it is marked, and its outcome."""
    return [(row.stored, row.outcome) for row in world.disk.memory.outgoing.values()]


def receipt(world: World, secret: bytes) -> m.Receipt:
    """The recipient's acknowledgement by way of the server."""
    return m.Receipt(slot_of(world.suite, secret), ack_of(world.suite, secret))


# --- once, when the server said so ---


def test_a_letter_is_marked_when_the_server_said_that_it_has_it(online: World) -> None:
    online.know("bob")
    online.server.answers[m.Store] = nothing
    online.send("bob")
    assert (marked(online), rows(online)) == ([], [(False, None)])
    del online.server.answers[m.Store]
    online.until(lambda: online.told(e.MessageStored))
    assert (marked(online), rows(online)) == (secrets(online), [(True, None)])


def test_it_is_marked_once_however_often_it_is_stored_again(online: World) -> None:
    # R-9.3-4
    online.know("bob")
    online.send("bob")
    online.advance(600)
    assert online.server.count(m.Store) > 5
    assert marked(online) == secrets(online)


def test_a_letter_that_comes_back_stays_marked_and_is_not_marked_again(online: World) -> None:
    # R-9.3-6
    bob = online.know("bob")
    online.send("bob")
    online.push(m.Returned(online.server.last(m.Store).slot))
    assert rows(online) == [(True, None)]
    bob.renew(6)
    online.publish(bob)
    online.forget()
    online.advance(62)
    assert bob.open(online.server.last(m.Store).letter).text == "hello"
    assert (online.disk.asked, rows(online)) == ([], [(True, None)])


def test_a_letter_that_comes_back_before_stored_came_is_marked_when_it_is_stored_again(online: World) -> None:
    # R-9.3-6
    bob = online.know("bob")
    online.server.answers[m.Store] = nothing
    online.send("bob")
    online.push(m.Returned(online.server.last(m.Store).slot))
    assert marked(online) == []
    bob.renew(6)
    online.publish(bob)
    del online.server.answers[m.Store]
    online.advance(62)
    assert marked(online) == secrets(online)


def test_letters_that_are_stored_again_for_a_new_floor_are_not_marked_again(online: World) -> None:
    # R-9.3-10
    online.know("bob")
    online.send("bob", "first")
    online.send("bob", "second")
    first, second = secrets(online)
    online.push(receipt(online, first))
    before = online.server.last(m.Store).attempt
    online.advance(31)
    assert online.server.last(m.Store).slot == slot_of(online.suite, second)
    assert online.server.last(m.Store).attempt > before
    assert marked(online) == [first, second]


def test_a_letter_that_goes_directly_is_never_marked(online: World) -> None:
    online.know("bob", BOB)
    online.send("bob")
    assert (marked(online), rows(online)) == ([], [(False, "delivered")])


def test_of_a_long_message_each_letter_has_its_mark(online: World) -> None:
    online.know("bob")
    held: list[m.Store] = []
    online.server.answers[m.Store] = lambda asked: held.append(asked) or ()  # type: ignore[func-returns-value]
    online.send("bob", "x" * 1_500)
    first, second = held
    online.push(m.Stored(second.id, False, second.attempt))
    assert (online.told(e.MessageStored), sorted(rows(online))) == ([], [(False, None), (True, None)])
    online.push(m.Stored(first.id, False, first.attempt))
    assert (len(online.told(e.MessageStored)), rows(online)) == (1, [(True, None), (True, None)])


# --- what it costs, and what waits for it ---


def test_what_is_stored_in_one_turn_is_marked_in_one_commit_and_told_without_waiting_for_it(online: World) -> None:
    online.know("bob")
    held: list[m.Store] = []
    online.server.answers[m.Store] = lambda asked: held.append(asked) or ()  # type: ignore[func-returns-value]
    for text in ("a", "b", "c"):
        online.send("bob", text)
    online.disk.holding = True
    online.push(*(m.Stored(asked.id, False, asked.attempt) for asked in held))
    assert online.disk.waiting == [tuple(MarkStored(secret) for secret in secrets(online))]
    assert len(online.told(e.MessageStored)) == 3
    online.commit()
    assert rows(online) == [(True, None)] * 3


def test_a_mark_that_failed_is_made_before_the_outcome_that_came_after_it(online: World) -> None:
    online.know("bob")
    online.server.answers[m.Store] = nothing
    online.send("bob")
    (secret,), asked = secrets(online), online.server.last(m.Store)
    online.disk.failing = True
    online.push(m.Stored(asked.id, False, asked.attempt))
    online.push(receipt(online, secret))
    assert [len(online.told(kind)) for kind in (e.MessageStored, e.MessageDelivered)] == [1, 1]
    assert (online.server.all(m.Noted), rows(online)) == ([], [(False, None)])
    online.disk.failing = False
    online.forget()
    online.until(lambda: online.disk.asked, step=0.1)
    assert online.disk.asked == [MarkStored(secret), SettleOutgoing(secret, "delivered")]
    assert rows(online) == [(True, "delivered")]


# --- afterwards ---


def test_after_a_restart_a_marked_letter_is_tried_as_any_other(online: World) -> None:
    # R-9.3-1
    bob = online.know("bob", BOB)
    bob.answers = False
    online.send("bob", "marked")
    online.server.answers[m.Store] = nothing
    online.advance(3)
    asked = online.server.last(m.Store)
    online.push(m.Stored(asked.id, False, asked.attempt))
    online.send("bob", "not marked")
    assert rows(online) == [(True, None), (False, None)]
    before = online.disk.memory.load().outbox
    online.forget()
    bob.letters.clear()
    online.restart()
    online.register()
    assert [saved.text for saved in before] == [body.text for body in bob.letters] == ["marked", "not marked"]
    assert online.disk.all(PinOutgoing) == []
    del online.server.answers[m.Store]
    online.advance(3)
    assert sorted(marked(online)) == sorted(saved.secret for saved in before)  # by the word of this life
    assert rows(online) == [(True, None), (True, None)]
    bob.answers = True
    online.advance(31)
    assert rows(online) == [(True, "delivered"), (True, "delivered")]
