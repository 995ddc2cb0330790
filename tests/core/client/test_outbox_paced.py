"""Letters spread over the time that a path takes, and held back behind the lowest that is not through."""

from tests.core.client.outgoing import mute, stored
from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB
from tests.core.client.server_double import nothing
from tests.core.client.world import World
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.datagrams import Acks
from udpchat_core.instant import Instant
from udpchat_core.limits import (
    CONGESTION_WINDOW_START,
    DIRECT_WINDOW_LETTERS,
    PACED_BURST_LETTERS_MAX,
    STORED_WINDOW_LETTERS,
)
from udpchat_core.secure.letter import ack_of
from udpchat_core.wire import serialize


def measured(world: World) -> Peer:
    """Bob, who is 80 ms away, so that a window of 16 has intervals of 4 ms; from now on he answers nothing."""
    bob = mute(world)
    world.send("bob", "measures the path")
    world.advance(0.08)
    world.receive(bob.ack(bob.letters[0]), BOB)
    world.advance(0.2)
    bob.letters.clear()
    return bob


def test_a_long_text_is_spread_over_the_round_trip(online: World) -> None:
    # R-9.3-14
    bob = measured(online)
    online.send("bob", "." * 800 * CONGESTION_WINDOW_START)
    sent = [len(bob.letters)]
    while sent[-1] < CONGESTION_WINDOW_START:
        online.advance(0.004)
        sent.append(len(bob.letters))
    assert sent == [*range(PACED_BURST_LETTERS_MAX, CONGESTION_WINDOW_START + 1)]


def test_a_lone_message_leaves_at_once_however_long_the_path(online: World) -> None:
    # R-9.3-14
    bob = measured(online)
    for number in range(1, 4):
        online.send("bob")
        assert len(bob.letters) == number
        online.receive(bob.ack(bob.letters[-1]), BOB)
        online.advance(0.01)


def test_there_is_one_timer_for_all_that_wait_for_their_time_and_none_when_nothing_does(online: World) -> None:
    # R-9.3-14
    bob = measured(online)
    before = online.client.sizes()["timers"]
    for number in range(PACED_BURST_LETTERS_MAX):
        online.send("bob", f"{number}")
    assert online.client.sizes()["timers"] == before + PACED_BURST_LETTERS_MAX
    for number in range(3):
        online.send("bob", f"{number}")
        assert online.client.sizes()["timers"] == before + PACED_BURST_LETTERS_MAX + 1
    online.now = Instant(online.now + 60_000)  # the process was busy, and an acknowledgement comes before the timer
    online.receive(bob.ack(bob.letters[0]), BOB)
    assert len(bob.letters) == PACED_BURST_LETTERS_MAX + 3
    assert online.client.sizes()["timers"] == before + PACED_BURST_LETTERS_MAX + 2
    online.receive(bob.ack(*bob.letters), BOB)
    assert online.client.sizes()["timers"] == before


def test_retries_leave_when_they_are_due_and_new_letters_after_them(online: World) -> None:
    # R-9.3-15
    bob = measured(online)
    online.send("bob", "." * 800 * PACED_BURST_LETTERS_MAX)
    online.until(lambda: len(bob.letters) > PACED_BURST_LETTERS_MAX, 0.001)
    assert len(bob.letters) == 2 * PACED_BURST_LETTERS_MAX  # what left at once is due at once
    online.send("bob", "new")
    online.advance(0.007)  # the window was halved, so the interval is 8 ms
    assert len(bob.letters) == 2 * PACED_BURST_LETTERS_MAX
    online.advance(0.001)
    assert bob.letters[-1].text == "new"


def test_direct_letters_do_not_run_ahead_of_the_lowest_unacknowledged(online: World) -> None:
    # R-9.3-2
    bob = online.know("bob", BOB)
    online.send("bob", "first")
    bob.answers = False
    online.send("bob", "stays")
    online.advance(0.05)
    lowest = bob.letters[-1]
    for number in range(3 * DIRECT_WINDOW_LETTERS):
        online.send("bob", f"{number}")
        online.receive(
            serialize(Acks(tuple(ack_of(online.suite, b.secret) for b in bob.letters[-16:] if b != lowest))), BOB
        )
    highest = max(body.seq for body in bob.letters)
    assert highest == lowest.seq + DIRECT_WINDOW_LETTERS - 1
    online.receive(bob.ack(lowest), BOB)
    assert max(body.seq for body in bob.letters) > highest


def test_stores_do_not_run_ahead_of_the_lowest_that_is_not_stored(online: World) -> None:
    # R-9.3-2
    bob = online.know("bob")
    online.server.answers[m.Store] = lambda asked: (
        () if bob.open(asked.letter).seq == 1 else (m.Stored(asked.id, False, asked.attempt),)
    )
    for number in range(STORED_WINDOW_LETTERS + 8):
        online.send("bob", f"{number}")
    assert max(body.seq for body in stored(online, bob)) == STORED_WINDOW_LETTERS
    del online.server.answers[m.Store]
    online.advance(0.5)
    assert max(body.seq for body in stored(online, bob)) == STORED_WINDOW_LETTERS + 8


def test_a_direct_letter_waits_for_the_window_of_the_mailbox(online: World) -> None:
    # R-9.3-2
    bob = mute(online)
    online.server.answers[m.Store] = nothing
    for number in range(2 * STORED_WINDOW_LETTERS):
        online.send("bob", f"{number}")
        if number % 8 == 7:
            online.advance(0.6)
    online.advance(5)
    assert {body.seq for body in stored(online, bob)} == set(range(1, STORED_WINDOW_LETTERS + 1))
    late = [body for body in bob.letters if body.seq > STORED_WINDOW_LETTERS]
    assert late  # in the direct window, and tried on
    del online.server.answers[m.Store]
    online.advance(60)
    assert len(online.told(e.MessageStored)) == 2 * STORED_WINDOW_LETTERS
