"""Requests that failed are made again, in their order, with all that was asked behind them; the user is told once."""

from tests.core.client.scenery import BOB
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core.actions import Store
from udpchat_core.client_requests import SaveCardSeq, SavePin
from udpchat_core.events import StorageFailed, StorageRecovered
from udpchat_core.instant import SECOND, Instant, after
from udpchat_core.limits import STORAGE_RETRY_US, STORAGE_RETRY_US_MAX
from udpchat_core.persistence import FailedRequests
from udpchat_core.requests import StoreReply
from udpchat_core.turn import Turn
from udpchat_net.simulation.transparent import TransparentSuite

NOW = Instant(1_000 * SECOND)
ONE, TWO, THREE = SaveCardSeq(1), SaveCardSeq(2), SavePin("bob", bytes(32))


def failed(*requests: SaveCardSeq | SavePin) -> list[StoreReply]:
    """A commit that failed."""
    return [StoreReply(request, False) for request in requests]


def done(*requests: SaveCardSeq | SavePin) -> list[StoreReply]:
    """A commit that is durable."""
    return [StoreReply(request, True) for request in requests]


def asked(turn: Turn) -> list[object]:
    """What a turn asks the store."""
    return [action.request for action in turn.end() if isinstance(action, Store)]


def is_idle(requests: FailedRequests) -> bool:
    """Whether nothing is to be asked again."""
    return requests.due is None


def test_what_failed_is_asked_again_in_its_order() -> None:
    requests = FailedRequests()
    turn = Turn(NOW)
    assert list(requests.sort(failed(ONE, TWO), turn)) == []
    assert requests.due == after(NOW, STORAGE_RETRY_US)
    assert len(requests) == 2
    again = Turn(NOW)
    requests.ask_again(again)
    assert asked(again) == [ONE, TWO]
    assert len(requests) == 0
    assert is_idle(requests)


def test_what_is_asked_behind_a_failure_waits_for_it() -> None:
    requests = FailedRequests()
    turn = Turn(NOW)
    list(requests.sort(failed(ONE), turn))
    turn.store(TWO)
    requests.end_turn(turn)
    assert asked(turn) == []
    later = Turn(NOW)
    later.store(THREE)
    requests.end_turn(later)
    assert asked(later) == []
    again = Turn(NOW)
    requests.ask_again(again)
    requests.end_turn(again)
    assert asked(again) == [ONE, TWO, THREE]
    free = Turn(NOW)
    free.store(ONE)
    requests.end_turn(free)
    assert asked(free) == [ONE]


def test_the_wait_doubles_up_to_its_longest() -> None:
    requests = FailedRequests()
    waits = []
    for _ in range(20):
        list(requests.sort(failed(ONE), Turn(NOW)))
        assert requests.due is not None
        waits.append(requests.due - NOW)
        requests.ask_again(Turn(NOW))
    assert waits[:4] == [STORAGE_RETRY_US << doubled for doubled in range(4)]
    assert set(waits[5:]) == {STORAGE_RETRY_US_MAX}


def test_a_failure_is_told_once_and_so_is_recovery() -> None:
    requests = FailedRequests()
    told = []
    for replies in (done(ONE), failed(ONE), failed(ONE), [], done(ONE), done(TWO), failed(TWO), done(TWO)):
        turn = Turn(NOW)
        list(requests.sort(replies, turn))
        told += [action.event for action in turn.end()]  # type: ignore[union-attr] # nothing else is done here
    assert told == [StorageFailed(), StorageRecovered(), StorageFailed(), StorageRecovered()]


def test_what_is_durable_is_passed_on() -> None:
    requests = FailedRequests()
    assert list(requests.sort([*done(ONE), *failed(TWO), *done(THREE)], Turn(NOW))) == done(ONE, THREE)


def test_a_client_says_nothing_that_is_not_durable_while_its_disk_fails() -> None:
    # R-9.4-1, R-9.2-1
    world = World(TransparentSuite(1)).register()
    bob = world.know("bob", BOB)
    world.send("bob", "before")
    world.forget()
    bob.letters.clear()
    world.disk.failing = True
    first, second = bob.body(1, "one"), bob.body(2, "two")
    world.receive(bob.letter(world.server.card, first), BOB)
    world.send("bob", "queued")
    world.advance(10)
    world.receive(bob.letter(world.server.card, second), BOB)
    assert world.events == [StorageFailed()]
    assert world.sent == []
    assert world.client.sizes()["failed"] == 3
    world.disk.failing = False
    world.advance(5)
    assert [type(event) for event in world.events] == [
        StorageFailed,
        StorageRecovered,
        e.LetterReceived,
        e.MessageQueued,
        e.LetterReceived,
        e.MessageDelivered,
    ]
    assert len(world.acked(BOB)) == 2
    assert [event.text for event in world.told(e.LetterReceived)] == ["one", "two"]
    assert [letter.text for letter in bob.letters] == ["queued"]


def test_a_letter_behind_one_that_failed_is_not_entered_before_it() -> None:
    # R-9.4-3
    world = World(TransparentSuite(1)).register()
    bob = world.know("bob", BOB)
    world.send("bob")
    world.disk.failing = True
    world.receive(bob.letter(world.server.card, bob.body(1, "one")), BOB)
    world.disk.failing = False
    world.receive(bob.letter(world.server.card, bob.body(2, "two")), BOB)
    assert world.told(e.LetterReceived) == []
    world.advance(1)
    assert [event.text for event in world.told(e.LetterReceived)] == ["one", "two"]
