"""How long an answer of the directory is believed, and which card of it."""

from typing import Any

import pytest

from tests.core.client.scenery import BOB, DAY, START
from tests.core.client.server_double import nothing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.client_requests import SavePin
from udpchat_core.errors import Reason
from udpchat_core.fields import Refusal
from udpchat_core.instant import SECOND

# --- how long an answer is believed ---


def test_an_answer_is_believed_for_a_minute(online: World) -> None:
    online.know("bob", BOB)
    online.send("bob")
    online.advance(59.9)
    online.send("bob")
    assert online.server.count(m.Lookup) == 1
    online.advance(0.1)
    online.send("bob")
    assert online.server.count(m.Lookup) == 2
    assert len(online.told(e.MessageDelivered)) == 3


@pytest.mark.parametrize(("ttl_s", "believed_s"), [(0, 1), (5, 5), (1_000, 60)])
def test_an_answer_is_believed_as_long_as_the_server_says_but_a_minute_at_most(
    online: World, ttl_s: int, believed_s: int
) -> None:
    # R-9.3-17
    online.know("bob", BOB)
    online.server.answers[m.Lookup] = lambda asked: (m.Found(asked.id, *online.server.users["bob"], ttl_s),)
    online.send("bob")
    online.advance(believed_s - 0.1)
    online.send("bob")
    assert online.server.count(m.Lookup) == 1
    online.advance(0.1)
    online.send("bob")
    assert online.server.count(m.Lookup) == 2


@pytest.mark.parametrize(("wait_s", "believed_s"), [(0, 1), (5, 5), (1_000, 10)])
def test_that_nobody_has_a_name_is_believed_for_ten_seconds_at_most(
    online: World, wait_s: int, believed_s: int
) -> None:
    online.server.answers[m.Lookup] = lambda asked: (m.Refused(asked.id, Refusal.UNKNOWN, wait_s, 0),)
    first = online.send("nobody")
    online.advance(believed_s - 0.1)
    second = online.send("nobody")
    assert online.server.count(m.Lookup) == 1
    assert online.told(e.MessageRefused) == [
        e.MessageRefused(number, "nobody", Refusal.UNKNOWN) for number in (first, second)
    ]
    online.server.answers.clear()
    online.know("nobody", BOB)
    online.advance(0.1)
    online.send("nobody")
    assert len(online.told(e.MessageDelivered)) == 1


def test_all_messages_to_a_name_that_nobody_has_are_refused(online: World) -> None:
    # R-9.2-7
    online.server.answers[m.Lookup] = nothing
    numbers = [online.send("nobody") for _ in range(3)]
    online.push(m.Refused(online.server.last(m.Lookup).id, Refusal.UNKNOWN, 10, 0))
    assert [event.message for event in online.told(e.MessageRefused)] == numbers
    assert online.client.sizes()["outbox"] == 0


def test_without_a_server_what_is_known_is_believed(online: World) -> None:
    bob = online.know("bob", BOB)
    online.send("bob")
    online.deregister()
    online.advance(3_600)
    online.send("bob", "later")
    assert [letter.text for letter in bob.letters] == ["hello", "later"]


def test_a_directory_that_does_not_answer_in_time_holds_nobody_up_who_is_known(online: World) -> None:
    # R-9.3-11
    bob = online.know("bob", BOB)
    online.send("bob")
    online.advance(60)
    online.server.silent = True
    online.send("bob", "later")
    online.send("bob", "last")
    online.advance(0.2)
    assert [letter.text for letter in bob.letters] == ["hello"]
    online.advance(0.1)
    assert [letter.text for letter in bob.letters] == ["hello", "later", "last"]
    online.advance(5)
    assert len(online.told(e.MessageDelivered)) == 3
    assert len(online.told(e.ServerUnreachable)) == 1


def test_a_user_whom_a_server_lost_is_written_to_as_known(online: World) -> None:
    # R-9.3-11, R-9.2-7
    online.know("bob", BOB)
    online.send("bob")
    online.advance(60)
    del online.server.users["bob"]
    online.send("bob")
    online.advance(0.3)
    assert online.told(e.MessageRefused) == []
    assert len(online.told(e.MessageDelivered)) == 2


def test_a_user_of_whom_only_the_pin_is_known_is_asked_for_again(online: World) -> None:
    # R-9.2-7
    online.know("bob", BOB)
    online.send("bob")
    online.restart()
    online.register()
    del online.server.users["bob"]
    online.send("bob")
    online.advance(9.9)
    assert online.told(e.MessageRefused) == []
    online.know("bob", BOB)
    online.advance(0.1)
    assert len(online.told(e.MessageDelivered)) == 2


# --- cards ---


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"name": "carol"}, Reason.NAME),
        ({"expires_s": START // SECOND - 2 * DAY}, Reason.EXPIRED),
        ({"live": bytes(32)}, Reason.POINT),
    ],
)
def test_a_card_that_does_not_hold_is_asked_for_again(online: World, changed: dict[str, Any], reason: Reason) -> None:
    # R-2.3-7
    bob = online.know("bob", BOB)
    online.send("bob")
    online.restart()
    online.register()
    online.server.users["bob"] = (bob.carded(**changed), BOB)
    online.send("bob")
    assert online.drops == [reason]
    online.advance(9.9)
    assert len(online.told(e.MessageDelivered)) == 1
    online.publish(bob, BOB)
    online.advance(0.1)
    assert len(online.told(e.MessageDelivered)) == 2


def test_an_older_card_does_not_take_the_place_of_the_known_one(online: World) -> None:
    # R-2.3-5, R-2.3-7
    bob = online.know("bob", BOB)
    online.send("bob")
    online.advance(60)
    online.server.users["bob"] = (bob.carded(seq=4, live=bytes(31) + b"x"), BOB)
    online.send("bob")
    assert online.drops == [Reason.EXPIRED]
    online.advance(0.3)
    assert len(online.told(e.MessageDelivered)) == 2


def test_a_forged_card_is_refused(online: World) -> None:
    bob = online.know("bob", BOB)
    online.server.users["bob"] = (bytes(64) + bob.card[64:], BOB)
    online.send("bob")
    assert online.drops == [Reason.SIGNATURE]
    assert online.disk.all(SavePin) == []


@pytest.mark.parametrize("behind", [0, 1])
def test_a_name_is_asked_for_again_only_if_a_letter_waits_for_it(online: World, behind: int) -> None:
    bob = online.know("bob", BOB)
    bob.answers = False
    online.send("bob")
    for number in range(behind):
        online.send("bob", f"behind {number}")
    online.restart()
    online.server.users["bob"] = (bytes(64) + bob.card[64:], BOB)
    online.register()
    online.receive(bob.ack(bob.letters[0]), BOB)
    assert [event.message for event in online.told(e.MessageDelivered)] == [1]
    online.forget()
    online.publish(bob, BOB)
    bob.answers = True
    online.advance(10)
    assert online.server.count(m.Lookup) == behind
    assert len(online.told(e.MessageDelivered)) == behind
