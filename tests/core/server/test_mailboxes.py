"""Mail: pushed until collected, never in the way of other mail, deleted only when collected."""

from dataclasses import replace

import pytest

from tests.core.server.letters import box, collected, entries, pair, rounds, slot, stay, store
from tests.core.server.world import Client, World
from udpchat_core import limits
from udpchat_core.fields import CollectedEntry, Outcome
from udpchat_core.machines.mailbox_entry import Phase
from udpchat_core.messages import Collected, Deregister, Mail, Ping, Receipt, Register, Registered
from udpchat_core.server_events import MailCollected, MailExpired
from udpchat_core.server_requests import CollectLetters, ReadMail


def test_mail_is_pushed_to_whoever_registers_until_it_is_collected(sealed_world: World) -> None:
    """R-8.5-5: and deleted only then."""
    world = sealed_world
    alice, bob = pair(world)
    bob.ask(Deregister(1))
    store(alice, bob, [1, 2, 3])
    back = Client(world, "bob", seq=6).connect()
    back.say(Register(1))
    answers = back.hear()
    assert [type(answer) for answer in answers] == [Registered, Mail, Mail, Mail]
    assert [answer.slot for answer in answers if isinstance(answer, Mail)] == [slot(1), slot(2), slot(3)]
    back.say(collected(2))
    assert box(back) == [1, 3]
    back.say(collected(1, 3))
    assert (box(back), rounds(world)) == ([], 0)
    assert world.told(MailCollected) == [MailCollected("bob", 1), MailCollected("bob", 2)]
    stay(world, 300, back)
    assert entries(back) == []


def test_a_letter_is_pushed_again_after_1_and_2_seconds_and_from_the_beginning_after_a_pause(world: World) -> None:
    """R-8.5-5: forever, at last every 37 seconds."""
    alice, bob = pair(world)
    start, times = world.now, []
    store(alice, bob, [1])
    for tick in range(2_400):
        if entries(bob):
            times.append((world.now - start) / 1_000_000)
        if tick % 100 == 0:
            bob.say(Ping(1))
        world.advance(0.1)
    assert times[:9] == pytest.approx([0, 1, 3, 8, 9, 11, 17, 18, 20])
    assert times[-3] - times[-6] == pytest.approx(37)


def test_a_collected_that_is_not_durable_deletes_nothing(world: World) -> None:
    """R-8.5-7 R-8.7-1: it is asked until it is."""
    alice, bob = pair(world)
    store(alice, bob, [1])
    world.store.failures = 2
    bob.say(collected(1))
    assert box(bob) == [1]
    world.advance(0.7)
    assert box(bob) == []
    bob.hear()
    stay(world, 60, bob)
    assert entries(bob) == []


def test_only_what_is_listed_is_deleted_and_only_for_its_owner(world: World) -> None:
    """R-8.5-7."""
    alice, bob = pair(world)
    store(alice, bob, range(1, 6))
    alice.say(collected(1, 2, 3))
    bob.say(collected(4, 77))
    assert box(bob) == [1, 2, 3, 5]


@pytest.mark.parametrize("outcome", [Outcome.UNOPENABLE, Outcome.UNWANTED])
def test_what_cannot_be_opened_or_is_not_wanted_is_deleted_too(world: World, outcome: Outcome) -> None:
    alice, bob = pair(world)
    store(alice, bob, [1])
    bob.say(Collected((CollectedEntry(1, outcome, None),)))
    assert (box(bob), rounds(world)) == ([], 0)


def test_an_entry_listed_twice_is_collected_once(world: World) -> None:
    """What a dishonest client lists must not stop the server."""
    alice, bob = pair(world)
    store(alice, bob, [1, 2])
    bob.say(Collected((*collected(1).entries, CollectedEntry(1, Outcome.UNOPENABLE, None), *collected(1).entries)))
    assert (box(bob), rounds(world)) == ([2], 1)
    assert alice.heard(Receipt) == [Receipt(slot(1), slot(1))]


def test_a_long_mailbox_comes_in_pages(world: World) -> None:
    """R-8.5-6: 32 under way; the next follow as some are collected."""
    alice, bob = pair(world)
    bob.ask(Deregister(1))
    store(alice, bob, range(1, 101))
    bob.say(Register(2))
    seen = entries(bob)
    assert seen == list(range(1, 33))
    while fresh := seen[-20:]:
        bob.say(collected(*fresh))
        pushed = entries(bob)
        assert not set(pushed) & set(seen)
        seen += pushed
        if not pushed:
            break
    assert seen == list(range(1, 101))


def test_letters_left_uncollected_do_not_jam_the_mailbox(world: World) -> None:
    """R-8.5-6: a whole window of them, and the one that fills the gap is the last of the mailbox."""
    alice, bob = pair(world)
    bob.ask(Deregister(1))
    store(alice, bob, range(1, 100))
    bob.say(Register(2))
    seen: set[int] = set()
    for _ in range(40):
        seen |= set(entries(bob))
        if 99 in seen:
            break
        stay(world, 1, bob)
    assert seen == set(range(1, 100))
    for at in range(1, 100, 33):
        bob.say(collected(*range(at, at + 33)))
    assert box(bob) == []
    stay(world, 40, bob)
    assert rounds(world) == 0


def test_a_letter_that_comes_while_others_are_uncollected_is_pushed_at_once(world: World) -> None:
    """R-8.5-5 R-8.5-6: while they are under way, passed over, and between rounds."""
    alice, bob = pair(world)
    store(alice, bob, [1])
    for number, seconds in ((2, 0.5), (3, 6.7), (4, 3.5), (5, 30)):
        bob.hear()
        stay(world, seconds, bob)
        bob.hear()
        store(alice, bob, [number])
        assert number in entries(bob)


def test_a_full_window_lets_new_mail_in_when_it_is_passed_over(world: World) -> None:
    """R-8.5-6."""
    alice, bob = pair(world)
    store(alice, bob, range(1, 33))
    bob.hear()
    store(alice, bob, [33])
    assert entries(bob) == []
    world.advance(7)
    assert entries(bob)[-1] == 33


def test_progress_makes_the_pause_short_again(world: World) -> None:
    """R-8.5-5."""
    alice, bob = pair(world)
    store(alice, bob, [1, 2])
    stay(world, 200, bob)
    this = world.server._mailboxes._rounds[bob.identity]
    assert this.pause_us == limits.MAIL_PAUSE_US_MAX
    while not this.letters:
        world.advance(0.5)
    bob.say(collected(2))
    assert this.pause_us == limits.MAIL_PAUSE_US_MIN


def test_what_was_collected_late_ends_the_round(world: World) -> None:
    alice, bob = pair(world)
    store(alice, bob, [1])
    world.advance(7.5)
    bob.say(collected(1))
    assert box(bob) == []
    stay(world, 2, bob)
    assert rounds(world) == 0


def test_nothing_is_pushed_to_whoever_is_not_there(world: World) -> None:
    """R-8.5-5: it left, or lapsed; a lapsed one gets its mail when it is heard again."""
    alice, bob = pair(world)
    store(alice, bob, [1])
    bob.hear()
    bob.say(Deregister(1))
    bob.hear()
    stay(world, 20, alice)
    assert (bob.hear(), rounds(world)) == ([], 0)
    bob.say(Register(2))
    assert entries(bob) == [1]
    stay(world, 70, alice)
    bob.hear()
    stay(world, 70, alice)
    assert (bob.hear(), rounds(world)) == ([], 0)
    bob.say(Ping(3))
    assert entries(bob) == [1]


def test_a_newer_link_gets_the_mail_from_the_beginning(world: World) -> None:
    """R-8.5-5: also while a page of the older one is being read."""
    alice, bob = pair(world)
    store(alice, bob, [1, 2])
    world.store.is_slow = True
    store(alice, bob, [3])
    newer = Client(world, "bob", seq=6).connect()
    newer.say(Register(1))
    world.settle()
    assert set(entries(newer)) == {1, 2, 3}


def test_a_letter_kept_while_a_page_is_read_is_not_missed(world: World) -> None:
    """R-8.5-5: whatever the store answers first, and whether it fails."""
    alice, bob = pair(world)
    world.store.is_slow = True
    store(alice, bob, [1])
    (keep,) = world.store.replies()
    world.reply(keep)
    (read,) = world.store.replies()
    assert isinstance(read.request, ReadMail)
    store(alice, bob, [2])
    (keep,) = world.store.replies()
    world.reply(keep)
    world.reply(read)
    world.settle()
    assert entries(bob) == [1, 2]


def test_a_page_that_was_read_for_an_earlier_round_is_read_again(world: World) -> None:
    """R-8.5-5: what came since is not in it."""
    alice, bob = pair(world)
    bob.ask(Deregister(1))
    world.store.is_slow = True
    bob.say(Register(2))
    (bound,) = world.store.replies()
    world.reply(bound)
    early = world.store.replies()
    assert ReadMail in [type(reply.request) for reply in early]
    bob.say(Deregister(3))
    store(alice, bob, [1])
    world.settle()
    bob.say(Register(4))
    (bound,) = world.store.replies()
    world.reply(bound)
    world.reply(*early)
    world.settle()
    assert entries(bob) == [1]


def test_a_page_for_whoever_is_gone_is_dropped(world: World) -> None:
    alice, bob = pair(world)
    world.store.is_slow = True
    store(alice, bob, [1])
    (keep,) = world.store.replies()
    world.reply(keep)
    bob.say(Deregister(1))
    world.settle()
    assert (entries(bob), rounds(world)) == ([], 0)


def test_a_busy_store_delays_mail_and_loses_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-8.7-2: reading, and deleting."""
    alice, bob = pair(world)
    bob.ask(Deregister(1))
    store(alice, bob, [1])
    monkeypatch.setattr("udpchat_core.server.storage.STORE_REQUESTS_MAX", 1)
    bob.say(Register(2))
    assert bob.hear()
    world.advance(1)
    assert entries(bob) == [1]
    monkeypatch.setattr("udpchat_core.server.storage.STORE_REQUESTS_MAX", 0)
    bob.say(collected(1))
    monkeypatch.setattr("udpchat_core.server.storage.STORE_REQUESTS_MAX", 9)
    assert box(bob) == [1]
    world.advance(8)
    assert 1 in entries(bob)
    bob.say(collected(1))
    assert box(bob) == []


def test_a_busy_store_does_not_stop_a_round_that_has_letters_under_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-8.7-2."""
    alice, bob = pair(world)
    store(alice, bob, [1])
    bob.hear()
    world.store.is_slow = True
    store(alice, bob, [2])
    (keep,) = world.store.replies()
    monkeypatch.setattr("udpchat_core.server.storage.STORE_REQUESTS_MAX", 0)
    world.reply(keep)
    monkeypatch.setattr("udpchat_core.server.storage.STORE_REQUESTS_MAX", 9)
    world.store.is_slow = False
    stay(world, 12, bob)
    assert {1, 2} <= set(entries(bob))


def test_owners_wait_in_line_for_a_place_and_none_is_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-8.5-8: those who collect nothing give their place up, those who left lose it."""
    monkeypatch.setattr(world.server._mailboxes._line, "_places", 2)
    alice = world.client("alice").online()
    owners = [world.client(f"o{number}").online() for number in range(6)]
    for owner in owners:
        store(alice, owner, range(1, 41))
        assert sum(bool(this.letters) for this in world.server._mailboxes._rounds.values()) <= 2
    owners[2].say(Deregister(1))
    owners[3].say(Ping(1))
    seen: dict[str, set[int]] = {owner.name: set() for owner in owners}
    for _ in range(120):
        for owner in owners:
            seen[owner.name] |= set(entries(owner))
        stay(world, 1, *(owner for owner in owners if owner.name != "o2"))
        assert sum(bool(this.letters) for this in world.server._mailboxes._rounds.values()) <= 2
    assert {name: len(each) for name, each in seen.items()} == {
        owner.name: (0 if owner.name == "o2" else 40) for owner in owners
    }


def test_owners_take_turns_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-8.5-8: a long mailbox of which nothing is collected keeps nobody waiting."""
    monkeypatch.setattr(world.server._mailboxes._line, "_places", 1)
    alice = world.client("alice").online()
    first, second = (world.client(f"o{number}").online() for number in range(2))
    store(alice, first, range(1, 65))
    store(alice, second, [1])
    first.hear()
    world.advance(7)
    assert (entries(second), 33 in entries(first)) == ([1], False)
    second.say(collected(1))
    assert 33 in entries(first)


def test_waking_does_not_cost_a_place_in_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-8.5-8."""
    monkeypatch.setattr(world.server._mailboxes._line, "_places", 1)
    alice = world.client("alice").online()
    first, second, third = (world.client(f"o{number}").online() for number in range(3))
    for number, owner in enumerate((first, second, third, second)):
        store(alice, owner, [number + 1])
    first.say(collected(1))
    assert (len(entries(second)), entries(third)) == (2, [])


def test_letters_expire_after_15_days_for_owners_who_are_there_as_well(world: World) -> None:
    """R-8.5-7: not before, not while a later one of the sender is younger; and what stays is pushed on."""
    alice, bob = pair(world)
    carol, dave = world.client("carol").online(), world.client("dave").online()
    stay(world, 3_598, alice, bob, carol, dave)
    for sender, numbers in ((alice, [1]), (carol, [2]), (dave, [3, 4])):
        store(sender, bob, numbers)
    kept, under_way = world.store.mail[bob.identity], dict(world.server._mailboxes._rounds[bob.identity].letters)
    for entry, too_old_ms in ((1, 1), (2, -1), (3, 1_000)):
        due_ms = (world.now + 2_000_000) // 1_000 - 15 * 86_400_000
        kept[entry] = replace(kept[entry], kept_ms=due_ms - too_old_ms)
    bob.hear()
    world.advance(2.5)
    assert world.told(MailExpired) == [MailExpired(1)]
    assert (box(bob), under_way[1].phase) == ([2, 3, 4], Phase.EXPIRED)
    bob.hear()
    stay(world, 60, bob)
    assert set(entries(bob)) == {2, 3, 4}


def test_collecting_is_capped_at_what_the_store_can_do(world: World) -> None:
    alice, bob = pair(world)
    store(alice, bob, [1])
    world.store.is_slow = True
    for _ in range(3):
        bob.say(collected(1))
    assert sum(isinstance(request, CollectLetters) for request in world.store.asked) == 1
