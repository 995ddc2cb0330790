"""Store: a letter is kept once, for whom it is, as its sender's, when there is room, and Stored when durable."""

from tests.core.server.letters import box, pair, slot, store
from tests.core.server.world import LETTER, Client, World
from udpchat_core import limits
from udpchat_core.fields import Refusal
from udpchat_core.messages import Deregister, Mail, Refused, Register, Store, Stored
from udpchat_core.server_events import MailKept
from udpchat_core.server_requests import KeepLetter


def test_stored_is_said_when_the_letter_is_durable_and_not_before(sealed_world: World) -> None:
    """R-8.5-2."""
    world = sealed_world
    alice, bob = pair(world)
    world.store.is_slow = True
    store(alice, bob, [1])
    world.advance(1)
    assert (alice.hear(), bob.hear()) == ([], [])
    world.settle()
    assert alice.hear() == [Stored(1, True, 0)]
    assert bob.hear() == [Mail(1, slot(1), LETTER)]
    assert world.told(MailKept) == [MailKept(1)]


def test_stored_says_whether_the_recipient_is_there(world: World) -> None:
    """R-8.5-2."""
    alice, bob = pair(world)
    bob.ask(Deregister(1))
    store(alice, bob, [1])
    assert alice.hear() == [Stored(1, False, 0)]
    assert bob.hear() == []


def test_letters_for_nobody_are_refused(world: World) -> None:
    """R-8.5-1."""
    alice, _ = pair(world)
    assert alice.ask(Store(5, bytes(32), bytes(16), 0, LETTER)) == Refused(5, Refusal.UNKNOWN, 10, 0)
    stranger = world.client("carol").connect()
    assert alice.ask(Store(6, stranger.identity, bytes(16), 0, LETTER)) == Refused(6, Refusal.UNKNOWN, 10, 0)


def test_the_sender_is_whom_the_link_proved(world: World) -> None:
    alice, bob = pair(world)
    store(alice, bob, [1])
    (kept,) = [request for request in world.store.log if isinstance(request, KeepLetter)]
    assert (kept.sender, kept.owner, kept.slot, kept.letter) == (alice.identity, bob.identity, slot(1), LETTER)


def test_a_store_that_comes_again_is_one_letter_and_whoever_asked_last_is_answered(world: World) -> None:
    """R-8.5-3: while it is under way, and after; also from a newer link."""
    alice, bob = pair(world)
    bob.ask(Deregister(1))
    world.store.is_slow = True
    store(alice, bob, [1])
    world.advance(0.5)
    store(alice, bob, [1])
    (keep,) = world.store.replies()
    newer = Client(world, "alice", seq=6).connect()
    newer.say(Register(1))
    world.reply(*world.store.replies())
    newer.hear()
    alice.hear()
    newer.say(Store(9, bob.identity, slot(1), 0, LETTER))
    world.reply(keep)
    assert (alice.hear(), newer.hear()) == ([], [Stored(9, False, 0)])
    newer.say(Store(10, bob.identity, slot(1), 0, LETTER))
    world.settle()
    assert newer.hear() == [Stored(10, False, 0)]
    assert box(bob) == [1]


def test_a_higher_attempt_takes_the_place_of_a_lower_one(world: World) -> None:
    """R-8.5-2: under a new entry number; a lower one changes nothing, and the attempt that is there is told."""
    alice, bob = pair(world)
    bob.ask(Deregister(1))
    for attempt, kept, there in ((1, 1, [1]), (0, 1, [1]), (1, 1, [1]), (3, 3, [2])):
        assert alice.ask(Store(7, bob.identity, slot(1), attempt, LETTER)) == Stored(7, False, kept)
        assert box(bob) == there
    assert len(world.told(MailKept)) == 3


def test_mail_kept_counts_a_commit(world: World) -> None:
    alice, bob = pair(world)
    world.store.is_slow = True
    store(alice, bob, range(1, 6))
    world.settle()
    assert world.told(MailKept) == [MailKept(5)]


def test_a_full_mailbox_refuses_and_keeps_what_it_has(world: World) -> None:
    """R-8.5-4: 256 of a sender; another still has room, until the share of strangers is used up."""
    alice, bob = pair(world)
    bob.ask(Deregister(1))
    senders = [alice, *(world.client(f"s{number}").online() for number in range(4))]
    for sender in senders[:4]:
        store(sender, bob, range(256))
        sender.hear()
        assert sender.ask(Store(999, bob.identity, slot(999), 0, LETTER)) == Refused(999, Refusal.QUOTA, 60, 0)
    assert senders[4].ask(Store(1, bob.identity, slot(1), 0, LETTER)) == Refused(1, Refusal.QUOTA, 60, 0)
    assert len(box(bob)) == limits.MAILBOX_STRANGERS_LETTERS_MAX
    assert alice.ask(Store(1, bob.identity, slot(1), 0, LETTER)) == Stored(1, False, 0)
