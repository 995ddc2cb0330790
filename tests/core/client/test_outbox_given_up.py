"""Letters given up: after 14 days in which they could have arrived, and what follows for those behind them."""

import pytest

from tests.core.client.outgoing import receipt, stored
from tests.core.client.scenery import BOB, DAY
from tests.core.client.server_double import refusing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.client_requests import SettleOutgoing
from udpchat_core.fields import Refusal, ServerLimits
from udpchat_core.instant import MS, SECOND


def test_a_message_is_given_up_after_14_days(online: World) -> None:
    # R-9.3-9
    online.know("bob")
    number = online.send("bob")
    online.sleep(13.9)
    assert online.told(e.MessageExpired) == []
    online.sleep(0.2)
    online.advance(60)
    assert online.told(e.MessageExpired) == [e.MessageExpired(number, "bob")]
    assert [settled.outcome for settled in online.disk.all(SettleOutgoing)] == ["expired"]
    assert online.client.sizes()["outbox"] == 0


def test_nothing_is_given_up_while_the_client_is_offline_nor_in_its_first_minute_online(online: World) -> None:
    # R-9.3-9
    bob = online.know("bob")
    online.send("bob", "one")
    online.send("bob", "two")
    online.deregister()
    online.sleep(20)
    assert online.told(e.MessageExpired) == []
    online.register()
    online.advance(59)
    assert online.told(e.MessageExpired) == []
    online.push(receipt(online, stored(online, bob)[0]))
    online.advance(1)
    assert [event.message for event in online.told(e.MessageDelivered)] == [1]
    assert [event.message for event in online.told(e.MessageExpired)] == [2]


@pytest.mark.parametrize("silent", [True, False])
def test_nothing_is_given_up_on_waking_from_a_sleep_before_the_server_answered_for_a_minute(
    online: World, silent: bool
) -> None:
    # R-9.3-9
    online.know("bob")
    online.send("bob")
    online.sleep(13.99)
    online.server.silent = silent
    online.sleep(2)
    assert online.told(e.MessageExpired) == []
    online.advance(3_600)
    assert len(online.told(e.MessageExpired)) == (not silent)


@pytest.mark.parametrize("wrong", ["client", "server"])
def test_a_clock_alone_gives_nothing_up(online: World, wrong: str) -> None:
    # R-9.3-9
    online.know("bob")
    online.send("bob")
    if wrong == "client":
        online.do(online.client.handle_clock((online.now // SECOND + 20 * DAY) * 1_000, online.now))
    else:
        ahead = (online.now // SECOND + 20 * DAY) * 1_000
        online.server.answers[m.Register] = lambda asked: (
            m.Registered(asked.id, BOB, 0, ServerLimits(1, 1, 1, 1, 1), ahead),
        )
    online.advance(2 * 3_600)
    assert online.told(e.MessageExpired) == []


def test_a_message_of_an_earlier_life_is_as_old_as_its_date_says(online: World) -> None:
    # R-9.3-9: nothing else of when it was sent is on the disk
    online.know("bob")
    number = online.send("bob")
    online.restart()
    online.register()
    online.sleep(13.9)
    online.advance(3_700)
    assert online.told(e.MessageExpired) == []
    online.sleep(0.1)
    online.advance(3_700)
    assert online.told(e.MessageExpired) == [e.MessageExpired(number, "bob")]


@pytest.mark.parametrize("registered", [True, False])
def test_a_message_that_was_dated_by_a_clock_that_was_wrong_is_as_old_as_it_is(world: World, registered: bool) -> None:
    # R-9.3-9: by the clock of the server, then and now, or as of the first registration
    world.know("bob")
    world.do(world.client.handle_clock(world.now // MS - 30 * DAY * 1_000, world.now))
    if registered:
        world.register()
    number = world.send("bob")
    world.do(world.client.handle_clock(world.now // MS, world.now))
    world.register()
    world.advance(2 * 3_600)
    assert world.told(e.MessageExpired) == []
    world.sleep(14)
    world.advance(2 * 3_600)
    assert world.told(e.MessageExpired) == [e.MessageExpired(number, "bob")]


@pytest.mark.parametrize("answers", [True, False])
def test_nothing_is_sealed_for_a_card_that_is_past_its_time(online: World, answers: bool) -> None:
    # R-9.3-12: whether the directory gives it again, or does not answer (R-9.3-11)
    bob = online.know("bob")
    online.send("bob")
    online.deregister()
    online.sleep(92)
    online.register()
    online.forget()
    if not answers:
        online.server.answers[m.Lookup] = lambda _: ()
    online.send("bob", "later")
    online.advance(1)
    assert [body.text for body in stored(online, bob) if body.text == "later"] == []
    online.server.answers.pop(m.Lookup, None)
    bob.card = bob.carded(seq=6, expires_s=online.now // SECOND + 90 * DAY)
    online.publish(bob)
    online.advance(15)
    assert "later" in [body.text for body in stored(online, bob)]


def test_the_clock_is_what_letters_are_dated_by(online: World) -> None:
    bob = online.know("bob", BOB)
    online.do(online.client.handle_clock(1_234_567_890_123, online.now))
    online.send("bob")
    online.advance(1)
    online.send("bob")
    assert [body.sent_ms for body in bob.letters] == [1_234_567_890_123, 1_234_567_891_123]


def test_what_is_stored_behind_a_letter_that_is_given_up_is_stored_again_for_its_floor(online: World) -> None:
    # R-9.3-9, R-9.3-10
    bob = online.know("bob")
    for text in ("old", "older"):
        online.send("bob", text)
    online.sleep(1)
    for text in ("young", "younger"):
        online.send("bob", text)
    before = {asked.slot: asked.attempt for asked in online.server.all(m.Store)}
    online.server.answers[m.Store] = refusing(Refusal.QUOTA)
    online.send("bob", "youngest, not stored")
    online.sleep(12.99)
    online.forget()
    online.advance(2 * 3_600)
    assert len(online.told(e.MessageExpired)) == 2
    again = [asked for asked in online.server.all(m.Store) if bob.open(asked.letter).floor == 3]
    again = [asked for asked in again if asked.slot in before]
    assert sorted({bob.open(asked.letter).text for asked in again}) == ["young", "younger"]
    assert all(asked.attempt > before[asked.slot] for asked in again)


def test_each_letter_behind_is_stored_once_again_however_many_are_given_up(online: World) -> None:
    # R-9.3-9
    online.know("bob")
    for number in range(8):
        online.send("bob", f"old {number}")
    online.sleep(1)
    online.send("bob", "young")
    online.sleep(12.9)
    behind = online.server.all(m.Store)[-1].slot
    while not online.told(e.MessageExpired):
        online.forget()
        due = online.client.next_timeout()
        assert due is not None
        online.advance((due - online.now) / SECOND)
    assert len(online.told(e.MessageExpired)) == 8
    assert [asked.slot for asked in online.server.all(m.Store)].count(behind) == 1


def test_a_letter_stored_again_with_a_higher_floor_has_a_higher_attempt(online: World) -> None:
    # R-9.3-10
    bob = online.know("bob")
    online.send("bob", "one")
    online.send("bob", "two")
    online.push(receipt(online, stored(online, bob)[0]))
    first = online.server.last(m.Store)
    online.advance(31)
    again = online.server.last(m.Store)
    assert (bob.open(first.letter).floor, bob.open(again.letter).floor) == (1, 2)
    assert again.attempt > first.attempt
    online.advance(31)
    assert online.server.last(m.Store).attempt == again.attempt
