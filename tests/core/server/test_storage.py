"""What the store could not do is asked again, and what waits for it is capped."""

import pytest

from tests.core.server.world import LETTER, World
from udpchat_core.errors import LocalProtocolError
from udpchat_core.events import StorageFailed, StorageRecovered
from udpchat_core.fields import Refusal
from udpchat_core.instant import Instant
from udpchat_core.messages import Refused, Register, Registered, Store, Stored
from udpchat_core.requests import StoreReply
from udpchat_core.server_requests import BindUser, Bound, Expired, ExpireLetters, KeepLetter


def test_a_failed_request_is_asked_again_with_waits_that_double(world: World) -> None:
    """R-8.7-1: the very same one, until it works."""
    alice = world.client("alice").connect()
    start, times = world.now, []
    world.store.failures = 8
    alice.say(Register(1))
    asked = len(world.store.log)
    while not alice.heard(Registered):
        world.advance(0.1)
        if len(world.store.log) > asked:
            asked = len(world.store.log)
            times.append((world.now - start) / 1_000_000)
    assert times[:8] == pytest.approx([0.2, 0.6, 1.4, 3.0, 6.2, 11.2, 16.2, 21.2])
    binds = [request for request in world.store.log if isinstance(request, BindUser)]
    assert len(binds) == 9
    assert len(set(binds)) == 1


def test_failure_and_recovery_are_told_once(world: World) -> None:
    alice, bob = world.client("alice").online(), world.client("bob").online()
    for _ in range(2):
        world.events.clear()
        world.store.failures = 3
        alice.say(Store(1, bob.identity, bytes(16), 0, LETTER))
        alice.say(Store(2, bob.identity, b"1" * 16, 0, LETTER))
        world.advance(10)
        assert [type(e) for e in world.events if isinstance(e, StorageFailed | StorageRecovered)] == [
            StorageFailed,
            StorageRecovered,
        ]


@pytest.mark.parametrize("forgets", [True, False])
def test_a_failure_means_that_the_outcome_is_unknown(world: World, forgets: bool) -> None:
    """R-8.7-1: done or not, it comes again, is there once, and is answered once."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    world.store.failures, world.store.forgets = 1, forgets
    alice.say(Store(1, bob.identity, bytes(16), 0, LETTER))
    assert alice.hear() == []
    world.advance(1)
    assert alice.heard(Stored) == [Stored(1, True, 0)]
    assert len(world.store.mail[bob.identity]) == 1


def test_all_that_failed_comes_again_in_one_commit_and_in_order(world: World) -> None:
    """R-8.7-1."""
    alice, bob = world.client("alice").online(), world.client("bob").connect()
    world.store.is_slow = True
    for number in range(5):
        alice.say(Store(number, alice.identity, bytes((number,)) * 16, 0, LETTER))
    bob.say(Register(1))
    asked = list(world.store.asked)
    world.store.failures = 1
    world.settle()
    assert world.store.asked == []
    world.advance(0.2)
    assert world.store.asked == asked


def test_what_waits_for_the_store_is_capped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-8.7-2: Store and Register are told to wait, and come through afterwards."""
    monkeypatch.setattr("udpchat_core.server.storage.STORE_REQUESTS_MAX", 2)
    alice, bob = world.client("alice").online(), world.client("bob").connect()
    world.store.is_slow = True
    for number in range(3):
        alice.say(Store(number, alice.identity, bytes((number,)) * 16, 0, LETTER))
    assert alice.hear() == [Refused(2, Refusal.BUSY, 2, 0)]
    assert bob.ask(Register(1)) == Refused(1, Refusal.BUSY, 2, 0)
    world.settle()
    world.store.is_slow = False
    assert isinstance(bob.ask(Register(2)), Registered)


def test_an_answer_to_what_was_not_asked_is_an_error_of_the_driver(world: World) -> None:
    alice = world.client("alice").connect()
    world.store.is_slow = True
    alice.say(Register(1))
    (request,) = world.store.asked
    with pytest.raises(LocalProtocolError, match="ExpireLetters that was not asked for"):
        world.reply(StoreReply(ExpireLetters(0), True, Expired(0)))
    with pytest.raises(LocalProtocolError, match="BindUser answered by a Expired"):
        world.server.handle_stored([StoreReply(request, True, Expired(0))], world.now)


def test_a_failure_is_answered_once(world: World) -> None:
    world.store.is_slow = True
    world.client("alice").connect().say(Register(1))
    (request,) = world.store.asked
    world.reply(StoreReply(request, False))
    with pytest.raises(LocalProtocolError, match="not asked for"):
        world.reply(StoreReply(request, True, Bound(0, 0)))


def test_letters_are_expired_at_the_start_and_every_hour(world: World) -> None:
    """R-8.5-7: by the wall clock."""
    day_ms = 86_400_000
    start_ms = world.now // 1_000
    world.carry_out(world.server.handle_clock(start_ms + 5_000, world.now))
    world.advance(2 * 3_600)
    asked = [request.before_ms for request in world.store.log if isinstance(request, ExpireLetters)]
    assert [before + 15 * day_ms - start_ms for before in asked] == [0, 3_605_000, 7_205_000]


def test_a_letter_is_kept_by_the_wall_clock(world: World) -> None:
    alice = world.client("alice").online()
    world.carry_out(world.server.handle_clock(1_800_000_000_000, world.now))
    world.advance(2)
    world.carry_out(world.server.handle_clock(1_800_000_000_500, Instant(world.now)))
    alice.say(Store(1, alice.identity, bytes(16), 0, LETTER))
    (kept,) = [request.kept_ms for request in world.store.log if isinstance(request, KeepLetter)]
    assert kept == 1_800_000_000_500
