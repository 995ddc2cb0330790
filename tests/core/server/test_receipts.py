"""Receipts: told at once to a sender that is there, kept for one that is not, again and again until noted."""

import pytest

from tests.core.server.letters import collected, pair, slot, stay, store
from tests.core.server.world import Client, World
from udpchat_core.fields import CollectedEntry, Outcome
from udpchat_core.messages import Collected, Deregister, Message, Noted, Ping, Receipt, Register, Returned
from udpchat_core.server_requests import DropReceipts, ReadReceipts


def receipts(client: Client) -> list[bytes]:
    return [message.slot for message in client.hear() if isinstance(message, Receipt | Returned)]


def kept(client: Client) -> list[bytes]:
    return [receipt.slot for _, receipt in client.world.store.receipts.get(client.identity, [])]


def pages(world: World) -> int:
    return len(world.server._receipts._pages)


def noted(*numbers: int) -> Noted:
    return Noted(tuple(map(slot, numbers)))


def acknowledged(sender: Client, owner: Client, count: int) -> None:
    """`count` letters, stored and acknowledged; entries and slots have the same numbers."""
    store(sender, owner, range(1, count + 1))
    for at in range(1, count + 1, 32):
        owner.say(collected(*range(at, min(at + 32, count + 1))))
    owner.hear()


def test_a_receipt_is_told_at_once_when_it_is_durable_and_not_before(sealed_world: World) -> None:
    """R-8.6-1."""
    world = sealed_world
    alice, bob = pair(world)
    store(alice, bob, [1])
    alice.hear()
    world.store.is_slow = True
    bob.say(collected(1))
    world.advance(0.5)
    assert alice.hear() == []
    (reply,) = world.store.replies()
    world.reply(reply)
    assert alice.hear() == [Receipt(slot(1), slot(1))]


@pytest.mark.parametrize(("outcome", "expected"), [(Outcome.UNOPENABLE, [Returned(slot(1))]), (Outcome.UNWANTED, [])])
def test_what_cannot_be_opened_comes_back_and_what_is_not_wanted_does_not(
    world: World, outcome: Outcome, expected: list[Message]
) -> None:
    """R-8.6-1."""
    alice, bob = pair(world)
    store(alice, bob, [1])
    alice.hear()
    bob.say(Collected((CollectedEntry(1, outcome, None),)))
    assert alice.hear() == expected


def test_a_receipt_is_told_again_until_it_is_noted(world: World) -> None:
    """R-8.6-2: after 1 second, doubling to 30; and dropped only then."""
    alice, bob = pair(world)
    acknowledged(alice, bob, 1)
    start, times = world.now, []
    for tick in range(1_600):
        if receipts(alice):
            times.append((world.now - start) / 1_000_000)
        if tick % 100 == 0:
            alice.say(Ping(1))
        world.advance(0.1)
    assert times == pytest.approx([0, 1, 3, 7, 15, 31, 61, 91, 121, 151])
    assert kept(alice) == [slot(1)]
    alice.say(noted(1))
    assert (kept(alice), pages(world)) == ([], 0)
    stay(world, 100, alice)
    assert receipts(alice) == []


def test_noting_is_asked_until_it_is_durable(world: World) -> None:
    """R-8.6-2 R-8.7-1: until then it may be told again."""
    alice, bob = pair(world)
    acknowledged(alice, bob, 1)
    alice.hear()
    world.store.failures = 3
    alice.say(noted(1))
    assert kept(alice) == [slot(1)]
    world.advance(2)
    assert receipts(alice) == [slot(1)]
    assert (kept(alice), pages(world)) == ([], 0)


def test_receipts_wait_for_a_sender_that_is_away(sealed_world: World) -> None:
    """R-8.6-2."""
    world = sealed_world
    alice, bob = pair(world)
    store(alice, bob, [1, 2])
    alice.ask(Deregister(1))
    bob.say(collected(1), Collected((CollectedEntry(2, Outcome.UNOPENABLE, None),)))
    assert receipts(alice) == []
    back = Client(world, "alice", seq=6).online()
    assert back.hear() == []
    world.advance(1)
    assert back.hear() == [Receipt(slot(1), slot(1)), Returned(slot(2))]


def test_receipts_come_in_pages_of_64(world: World) -> None:
    """R-8.6-2: the next when all are noted; those of before and those made now."""
    alice, bob = pair(world)
    alice.ask(Deregister(1))
    alice.say(Register(2))
    acknowledged(alice, bob, 150)
    told = receipts(alice)
    assert told == [slot(number) for number in range(1, 65)]
    while told:
        alice.say(Noted(tuple(told[:40])))
        first = receipts(alice)
        if len(told) > 40:
            assert first == []
            alice.say(Noted(tuple(told[40:])))
            first = receipts(alice)
        assert not set(first) & set(told)
        told = first
    assert (kept(alice), pages(world)) == ([], 0)


def test_whoever_left_or_lapsed_is_told_nothing(world: World) -> None:
    """R-8.6-2: and hears it when it is back."""
    alice, bob = pair(world)
    acknowledged(alice, bob, 1)
    alice.say(Deregister(1))
    alice.hear()
    stay(world, 61, bob)
    assert (receipts(alice), pages(world)) == ([], 0)
    alice.say(Register(2))
    assert receipts(alice) == [slot(1)]
    stay(world, 70, bob)
    alice.hear()
    stay(world, 70, bob)
    assert (receipts(alice), pages(world)) == ([], 0)
    alice.say(Ping(1))
    assert receipts(alice) == [slot(1)]


def test_noting_while_away_or_what_is_unknown_changes_nothing_here(world: World) -> None:
    """R-8.6-2: the store passes over what it does not have."""
    alice, bob = pair(world)
    acknowledged(alice, bob, 1)
    world.store.is_slow = True
    alice.say(noted(1, 9))
    alice.say(Deregister(1))
    world.settle()
    assert (kept(alice), pages(world)) == ([], 0)
    bob.say(noted(7))
    world.settle()
    assert sum(isinstance(request, DropReceipts) for request in world.store.log) == 2


def test_receipts_that_are_made_while_others_are_read_are_not_missed(world: World) -> None:
    """R-8.6-2: also when the answer was asked for by an earlier session."""
    alice, bob = pair(world)
    store(alice, bob, [1, 2])
    alice.ask(Deregister(1))
    world.store.is_slow = True
    alice.say(Register(2))
    (bound,) = world.store.replies()
    world.reply(bound)
    early = world.store.replies()
    assert ReadReceipts in [type(reply.request) for reply in early]
    alice.say(Deregister(3))
    bob.say(collected(1))
    world.settle()
    alice.say(Register(4))
    (bound,) = world.store.replies()
    world.reply(bound)
    world.reply(*early)
    world.settle()
    assert set(receipts(alice)) == {slot(1)}
    bob.say(collected(2))
    world.settle()
    assert receipts(alice) == [slot(2)]


def test_a_page_for_whoever_is_gone_is_dropped(world: World) -> None:
    alice, bob = pair(world)
    acknowledged(alice, bob, 1)
    alice.ask(Deregister(1))
    world.store.is_slow = True
    alice.say(Register(2))
    (bound,) = world.store.replies()
    world.reply(bound)
    alice.say(Deregister(3))
    world.settle()
    assert (receipts(alice), pages(world)) == ([], 0)


def test_a_busy_store_delays_receipts_and_loses_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-8.7-2: reading, and dropping."""
    alice, bob = pair(world)
    acknowledged(alice, bob, 1)
    alice.ask(Deregister(1))
    world.store.is_slow = True
    alice.say(Register(2))
    (bound,) = world.store.replies()
    monkeypatch.setattr("udpchat_core.server.storage.STORE_REQUESTS_MAX", 0)
    world.reply(bound)
    alice.say(noted(1))
    monkeypatch.setattr("udpchat_core.server.storage.STORE_REQUESTS_MAX", 9)
    world.store.is_slow = False
    assert receipts(alice) == []
    world.advance(1)
    assert receipts(alice) == [slot(1)]
    assert kept(alice) == [slot(1)]


def test_senders_wait_in_line_for_a_place_and_none_is_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-8.6-2: who notes nothing for long gives its place up, who noted all as well, who left too."""
    monkeypatch.setattr(world.server._receipts._line, "_places", 1)
    bob = world.client("bob").online()
    senders = [world.client(f"s{number}").online() for number in range(4)]
    for number, sender in enumerate(senders):
        store(sender, bob, [number + 1])
        bob.say(collected(number + 1))
    assert [len(receipts(sender)) for sender in senders] == [1, 0, 0, 0]
    senders[2].say(Deregister(1))
    seen = [0, 0, 0, 0]
    for _ in range(150):
        stay(world, 1, senders[0], senders[1], senders[3])
        for number, sender in enumerate(senders):
            seen[number] += len(receipts(sender))
    assert seen[0] > 3
    assert seen[1] > 3
    assert seen[2] == 0
    assert seen[3] > 3
    senders[3].say(noted(4))
    stay(world, 200, *senders[:2], senders[3])
    assert receipts(senders[3])[-1:] in ([], [slot(4)])
    assert kept(senders[3]) == []


def test_a_place_that_is_free_goes_to_the_next_in_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-8.6-2: because all is noted, and because somebody left."""
    monkeypatch.setattr(world.server._receipts._line, "_places", 1)
    bob = world.client("bob").online()
    first, second, third = (world.client(f"s{number}").online() for number in range(3))
    for number, sender in enumerate((first, second, third)):
        store(sender, bob, [number + 1])
        sender.hear()
        bob.say(collected(number + 1))
    assert [len(receipts(sender)) for sender in (first, second, third)] == [1, 0, 0]
    first.say(noted(1))
    assert [len(receipts(sender)) for sender in (first, second, third)] == [0, 1, 0]
    second.say(Deregister(1))
    assert receipts(third) == [slot(3)]
