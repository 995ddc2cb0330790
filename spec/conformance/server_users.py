"""What a server has to do for users: watching, mailboxes and receipts, sections 8.4 to 8.7."""

import os
import time
from itertools import pairwise
from random import Random

from udpchat_core import messages as m
from udpchat_core.fields import CollectedEntry, Outcome, Refusal, RosterEntry, Scope, Version

from .checks import ServerStage, check, expect
from .server_links import refusal_of
from .user import User

QUIET_S = 0.6
PUSH_S = 8.0
"""In which a letter that was pushed and not answered comes again: after 1 and 2 s."""


def _letter() -> bytes:
    return b"\x75\x01\x06" + os.urandom(300)


def _store(sender: User, recipient: User, slot: bytes, attempt: int = 1, letter: bytes | None = None) -> m.Stored:
    answer = sender.ask(m.Store, recipient.identity, slot, attempt, letter or _letter())
    expect(isinstance(answer, m.Stored), f"Store was answered by {answer}, expected Stored")
    assert isinstance(answer, m.Stored)
    return answer


def _wait_for_mail(stage: ServerStage, user: User, slot: bytes, times: int = 1) -> m.Mail:
    stage.until(lambda: len(_mail(user, slot)) >= times, f"Mail {times} times", PUSH_S)
    return _mail(user, slot)[-1]


def _mail(user: User, slot: bytes) -> list[m.Mail]:
    return [mail for mail in user.got(m.Mail) if mail.slot == slot]


def _collect(user: User, entry: int, ack: bytes | None, outcome: Outcome = Outcome.ACKNOWLEDGED) -> None:
    user.say(m.Collected((CollectedEntry(entry, outcome, ack),)))


def _wait_for_receipt(stage: ServerStage, user: User, slot: bytes, times: int = 1) -> m.Receipt:
    def receipts() -> list[m.Receipt]:
        return [receipt for receipt in user.got(m.Receipt) if receipt.slot == slot]

    stage.until(lambda: len(receipts()) >= times, f"Receipt {times} times", PUSH_S)
    return receipts()[-1]


# --- watching ---


def _watch(user: User, scope: Scope, *names: str, since: Version | None = None, after: str | None = None) -> m.Roster:
    answer = user.ask(m.Watch, scope, names, since, after)
    expect(isinstance(answer, m.Roster), f"Watch was answered by {answer}, expected Roster")
    assert isinstance(answer, m.Roster)
    return answer


@check("server", "R-8.4-3", "R-8.4-4")
def a_Roster_has_who_there_is_in_the_order_of_names_page_by_page(stage: ServerStage) -> None:
    names = sorted(f"user{number:02}" for number in range(30))
    users = [stage.user(name) for name in names]
    users[3].ask(m.Deregister)
    entries: list[RosterEntry] = []
    after = None
    for _ in range(10):
        page = _watch(users[0], Scope.ALL, after=after)
        expect(page.full, "a page without since is not full")
        entries += page.entries
        if not page.more:
            break
        expect(page.entries, "more is true on an empty page")
        after = page.entries[-1].name
    expect([entry.name for entry in entries] == names, f"{len(entries)} entries, expected {len(names)} in their order")
    offline = [entry.name for entry in entries if not entry.online]
    expect(offline == [names[3]], f"offline are {offline}, expected {names[3]}")
    seqs = {entry.name: entry.card_seq for entry in entries}
    expect(seqs == {user.name: user.seq for user in users}, "an entry has another seq than the card")


@check("server", "R-8.4-3", "R-8.4-5", "R-8.4-6")
def who_watches_is_told_what_changed_since_and_of_changes(stage: ServerStage) -> None:
    bob, ann = stage.user("bob"), stage.user("ann")
    _watch(bob, Scope.ADD, "ann", "nobody")
    first = _watch(bob, Scope.WATCHED)
    expect([entry.name for entry in first.entries] == ["ann"], f"watched are {first.entries}, expected ann")
    ann.ask(m.Deregister)
    stage.until(lambda: bool(bob.got(m.RosterChanged)), "RosterChanged when who is watched leaves")
    changed = _watch(bob, Scope.WATCHED, since=first.version)
    expect(not changed.full, "a page of what changed since is full")
    seen = [(entry.name, entry.online) for entry in changed.entries]
    expect(seen == [("ann", False)], f"changed since: {seen}, expected ann to have left")
    version = bob.ask(m.Ping).version
    expect(version.boot == first.version.boot, "Pong has another boot than Roster")
    expect(version.counter > first.version.counter, "Pong has no newer version after a change of what is watched")
    stage.user("carol")
    expect(bob.ask(m.Ping).version == version, "the version of what is watched grew with what is not")
    unchanged = _watch(bob, Scope.WATCHED, since=changed.version)
    expect(not unchanged.entries and not unchanged.full, f"nothing changed since, told was {unchanged.entries}")
    other_boot = _watch(bob, Scope.WATCHED, since=Version(os.urandom(8), 1))
    expect(other_boot.full, "since of another boot is answered by a page that is not full")


@check("server", "R-8.4-5")
def RosterChanged_comes_once_a_second_at_most(stage: ServerStage) -> None:
    bob, ann = stage.user("bob"), stage.user("ann")
    _watch(bob, Scope.ADD, "ann")
    for _ in range(6):
        ann.ask(m.Deregister)
        ann.ask(m.Register, None, None)
    ann.ask(m.Deregister)
    stage.watch_for(1.3, lambda: False, "")
    times = [heard.at_s for heard in bob.heard if isinstance(heard.message, m.RosterChanged)]
    gaps = [round(later - earlier, 2) for earlier, later in pairwise(times)]
    expect(all(gap > 0.8 for gap in gaps), f"RosterChanged after {gaps} s, expected 1 s")
    pong = bob.ask(m.Ping)
    last = bob.got(m.RosterChanged)[-1]
    expect(last.version == pong.version, "the last change was not told")


@check("server", "R-8.4-2")
def no_more_names_are_watched_than_it_allows(stage: ServerStage) -> None:
    bob = stage.user("bob", registered=False)
    allowed = bob.register().limits.watched_names_max
    expect(allowed <= 256, f"{allowed} names may be watched, expected 256 at most")
    for at in range(0, allowed - 31, 32):
        _watch(bob, Scope.ADD, *(f"n{number}" for number in range(at, at + 32)))
    refusal_of(bob.ask(m.Watch, Scope.ADD, tuple(f"m{at}" for at in range(32)), None, None), Refusal.TOO_MANY)


# --- mailboxes ---


@check("server", "R-8.5-1")
def a_Store_for_nobody_is_refused(stage: ServerStage) -> None:
    ann = stage.user("ann")
    refusal_of(ann.ask(m.Store, os.urandom(32), os.urandom(16), 1, _letter()), Refusal.UNKNOWN)


@check("server", "R-8.5-5", "R-8.5-7", "R-8.6-1", "R-8.6-2")
def a_letter_is_pushed_until_collected_and_its_receipt_until_noted(stage: ServerStage) -> None:
    ann, bob = stage.user("ann"), stage.user("bob")
    slot, letter, ack = os.urandom(16), _letter(), os.urandom(16)
    stored = _store(ann, bob, slot, 1, letter)
    expect(stored.online, "Stored says that an online recipient is away")
    mail = _wait_for_mail(stage, bob, slot)
    expect(mail.letter == letter, "the letter is another one")
    again = _wait_for_mail(stage, bob, slot, 2)
    expect(again.entry == mail.entry, "a letter that is pushed again has another entry number")
    _collect(bob, mail.entry + 1_000, ack)
    stage.watch_for(QUIET_S, lambda: bool(ann.got(m.Receipt)), "Receipt for an entry that there is not")
    _collect(bob, mail.entry, ack)
    receipt = _wait_for_receipt(stage, ann, slot)
    expect(receipt.ack == ack, "the Receipt has another acknowledgement than Collected")
    _wait_for_receipt(stage, ann, slot, 2)
    ann.say(m.Noted((slot,)))
    stage.until(lambda: isinstance(ann.ask(m.Ping), m.Pong), "Pong")
    noted = len(ann.got(m.Receipt))
    pushed = len(_mail(bob, slot))
    stage.watch_for(
        4.5,
        lambda: len(ann.got(m.Receipt)) > noted or len(_mail(bob, slot)) > pushed,
        "a receipt that was noted, or a letter that was collected, came again",
    )


@check("server", "R-8.5-2", "R-8.5-3")
def a_higher_attempt_takes_the_place_of_a_lower_one(stage: ServerStage) -> None:
    ann, bob = stage.user("ann"), stage.user("bob")
    bob.ask(m.Deregister)
    slot, second = os.urandom(16), _letter()
    expect(_store(ann, bob, slot, 3).attempt == 3, "Stored tells another attempt")
    expect(_store(ann, bob, slot, 2).attempt == 3, "a lower attempt took the place of a higher one, or was told")
    expect(_store(ann, bob, slot, 4, second).attempt == 4, "a higher attempt was not taken")
    expect(_store(ann, bob, slot, 4).attempt == 4, "the same attempt was told as another")
    twice = m.Store(ann.next_id(), bob.identity, slot, 5, second)
    ann.say(twice)
    ann.say(twice)
    stage.until(lambda: any(said.id == twice.id for said in ann.got(m.Stored)), "Stored for what was asked twice")
    waiting = bob.ask(m.Register, None, None)
    expect(waiting.waiting == 1, f"{waiting.waiting} letters wait, expected one of this slot")
    expect(_wait_for_mail(stage, bob, slot).letter == second, "the letter of the highest attempt is not there")


@check("server", "R-8.5-2", "R-8.5-5", "R-8.6-1")
def what_was_stored_or_collected_is_on_disk_after_a_power_cut(stage: ServerStage) -> None:
    ann, bob = stage.user("ann"), stage.user("bob")
    bob.ask(m.Deregister)
    slot, letter, ack = os.urandom(16), _letter(), os.urandom(16)
    _store(ann, bob, slot, 1, letter)
    stage.restart()
    ann.server = bob.server = stage.peer
    registered = bob.register()
    expect(registered.waiting == 1, f"{registered.waiting} letters wait after a power cut, expected 1")
    mail = _wait_for_mail(stage, bob, slot)
    expect(mail.letter == letter, "the letter is another one")
    ann.register()
    _collect(bob, mail.entry, ack)
    _wait_for_receipt(stage, ann, slot)
    stage.restart()
    ann.server = bob.server = stage.peer
    expect(bob.register().waiting == 0, "a letter that a Receipt was sent for is in the mailbox again")
    had = len(ann.got(m.Receipt))
    ann.register()
    stage.until(lambda: len(ann.got(m.Receipt)) > had, "the Receipt again, which was not noted", PUSH_S)


@check("server", "R-8.5-6", "R-8.6-1")
def a_letter_that_is_left_unanswered_holds_up_no_later_one(stage: ServerStage) -> None:
    ann, bob = stage.user("ann"), stage.user("bob")
    bob.ask(m.Deregister)
    slots = [os.urandom(16) for _ in range(40)]
    for slot in slots:
        _store(ann, bob, slot)
        stage.watch_for(0.03, lambda: False, "")
    bob.ask(m.Register, None, None)
    _wait_for_mail(stage, bob, slots[0])
    seen: set[bytes] = set()

    def collects_all_but_the_first() -> bool:
        for mail in bob.got(m.Mail):
            if mail.slot != slots[0] and mail.slot not in seen:
                seen.add(mail.slot)
                _collect(bob, mail.entry, mail.slot)
        return len(seen) == len(slots) - 1

    stage.until(collects_all_but_the_first, "the other 39 letters pushed", 25.0)


@check("server", "R-8.6-1")
def what_could_not_be_opened_is_Returned_and_the_unwanted_leaves_nothing(stage: ServerStage) -> None:
    ann, bob = stage.user("ann"), stage.user("bob")
    returned, unwanted = os.urandom(16), os.urandom(16)
    _store(ann, bob, unwanted)
    _collect(bob, _wait_for_mail(stage, bob, unwanted).entry, None, Outcome.UNWANTED)
    _store(ann, bob, returned)
    _collect(bob, _wait_for_mail(stage, bob, returned).entry, None, Outcome.UNOPENABLE)
    stage.until(lambda: bool(ann.got(m.Returned)), "Returned", PUSH_S)
    expect({one.slot for one in ann.got(m.Returned)} == {returned}, "Returned of another slot")
    expect(not ann.got(m.Receipt), "a Receipt for what nobody acknowledged")


@check("server", "R-8.1-2", "R-8.2-6", "R-8.5-3", "R-8.5-5", "R-8.6-2")
def over_a_network_that_loses_doubles_and_reorders_a_letter_arrives_and_so_does_its_receipt(stage: ServerStage) -> None:
    stage.bad = Random(1)
    ann, bob = stage.user("ann"), stage.user("bob")
    slots = [os.urandom(16) for _ in range(8)]
    for slot in slots:
        _store(ann, bob, slot)

    def collected() -> bool:
        for mail in {mail.entry: mail for mail in bob.got(m.Mail)}.values():
            if not any(receipt.slot == mail.slot for receipt in ann.got(m.Receipt)):
                _collect(bob, mail.entry, mail.slot)
        stage.watch_for(0.2, lambda: False, "")
        return {receipt.slot for receipt in ann.got(m.Receipt)} == set(slots)

    stage.until(collected, "the receipts of eight letters", 40.0)
    entries = {mail.slot: mail.entry for mail in bob.got(m.Mail)}
    expect(len({mail.entry for mail in bob.got(m.Mail)}) == len(entries) == len(slots), "a letter was stored twice")


@check("server", "R-8.5-7")
def nobody_collects_for_another(stage: ServerStage) -> None:
    ann, bob, mallory = stage.user("ann"), stage.user("bob"), stage.user("mallory")
    slot = os.urandom(16)
    _store(ann, bob, slot)
    entry = _wait_for_mail(stage, bob, slot).entry
    for number in range(entry + 3):
        _collect(mallory, number, os.urandom(16))
    stage.watch_for(QUIET_S, lambda: bool(ann.got(m.Receipt)), "somebody else collected a letter")
    _wait_for_mail(stage, bob, slot, len(_mail(bob, slot)) + 1)


@check("server", "R-8.5-4", "R-8.5-7")
def a_mailbox_is_capped_for_each_sender(stage: ServerStage) -> None:
    ann, carol, bob = stage.user("ann", registered=False), stage.user("carol"), stage.user("bob")
    limits = ann.register().limits
    bob.ask(m.Deregister)
    allowed, per_s = limits.sender_letters_max, limits.requests_per_s_max
    answers: list[m.Message] = []
    began_s = time.monotonic()
    for number in range(allowed + 1):
        due_s = began_s + (number - per_s / 2) / (0.9 * per_s)
        stage.watch_for(max(0.0, due_s - time.monotonic()), lambda: False, "")
        answers.append(ann.ask(m.Store, bob.identity, os.urandom(16), 1, _letter()))
    kept = sum(isinstance(answer, m.Stored) for answer in answers)
    expect(kept == allowed, f"{kept} letters of one sender were kept, expected {allowed}; then {answers[-1]}")
    refusal_of(answers[-1], Refusal.QUOTA)
    _store(carol, bob, os.urandom(16))
    registered = bob.ask(m.Register, None, None)
    expect(registered.waiting == allowed + 1, f"{registered.waiting} letters wait, expected {allowed + 1}")
