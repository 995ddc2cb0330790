"""Every adapter keeps the promises of the storage port."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.net.stores.conformance import (
    ADAPTERS,
    Adapter,
    busy_client_state,
    client_machine,
    collected,
    new_client_state,
    new_server_state,
    server_machine,
)
from udpchat_core.client_requests import (
    Entered,
    EnterLetter,
    FindLetter,
    MarkStored,
    PinOutgoing,
    SaveIdentity,
    SaveOutgoing,
    SavePin,
    SaveVerified,
    SettleOutgoing,
)
from udpchat_core.fields import Outcome, Rotation
from udpchat_core.server_requests import (
    BanIdentity,
    BindUser,
    Bound,
    CollectLetters,
    DropReceipts,
    Expired,
    ExpireLetters,
    Full,
    KeepLetter,
    Kept,
    MailPage,
    Quota,
    ReadMail,
    ReadReceipts,
    Receipts,
    ReleaseName,
    SaveInvite,
)

each_adapter = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)
OWNER, OTHER, SENDER, STRANGER = (bytes([n]) * 32 for n in (1, 2, 3, 4))
ROOM = Quota(100, 100, 100)


def keep(slot: int, attempt: int = 1, sender: bytes = SENDER, owner: bytes = OWNER, **how: Any) -> KeepLetter:
    given: dict[str, Any] = {"letter": bytes(200), "kept_ms": 0, "quota": ROOM} | how
    return KeepLetter(owner, sender, bytes([slot]) * 16, attempt, **given)


def enter(epoch: int, seq: int, ack: int) -> EnterLetter:
    return EnterLetter(SENDER, ack.to_bytes(16), epoch, seq, "bob", 1, 2, 1, 1, "hi")


@each_adapter
def test_a_client_store_does_what_the_model_does(adapter: Adapter) -> None:
    run_state_machine_as_test(client_machine(adapter), settings=settings(max_examples=40, stateful_step_count=25))


@each_adapter
def test_a_server_store_does_what_the_model_does(adapter: Adapter) -> None:
    run_state_machine_as_test(server_machine(adapter), settings=settings(max_examples=60, stateful_step_count=30))


@each_adapter
def test_a_store_begins_with_the_state_that_it_was_made_with(adapter: Adapter, tmp_path: Path) -> None:
    client = adapter.client(tmp_path, busy_client_state()).reopen()
    assert client.load() == busy_client_state()
    client.store.close()
    server = adapter.server(tmp_path, new_server_state()).reopen()
    assert server.load().private == new_server_state().private
    assert tuple(server.load().users) == new_server_state().users
    server.store.close()


@each_adapter
def test_a_request_of_the_other_side_is_the_callers_error_and_changes_nothing(adapter: Adapter, tmp_path: Path) -> None:
    server = adapter.server(tmp_path, new_server_state())
    with pytest.raises((TypeError, AssertionError)):
        server.commit(keep(1), SettleOutgoing(bytes(16), "delivered"))
    (page,) = server.commit(ReadMail(OWNER, 0, 9))
    assert page.result.letters == ()  # type: ignore[union-attr]
    server.store.close()


@each_adapter
def test_an_empty_batch_has_no_replies(adapter: Adapter, tmp_path: Path) -> None:
    client = adapter.client(tmp_path, new_client_state())
    assert client.commit() == ()
    client.store.close()


@each_adapter
def test_a_settled_letter_never_comes_back_and_its_number_is_not_used_again(adapter: Adapter, tmp_path: Path) -> None:
    letter = SaveOutgoing(bytes(16), 1, 1, 1, "bob", 0, "hi", None)
    client = adapter.client(tmp_path, new_client_state())
    client.commit(letter, SettleOutgoing(letter.secret, "delivered"))
    client = client.reopen()
    client.commit(letter)
    assert client.load().outbox == ()
    assert client.load().next_message == 2
    client.store.close()


@each_adapter
def test_a_letter_is_marked_as_stored_for_good_and_its_outcome_stays_beside_that(
    adapter: Adapter, tmp_path: Path
) -> None:
    first, second = (SaveOutgoing(bytes([n]) * 16, n, 1, 1, "bob", 0, "hi", None) for n in (1, 2))
    client = adapter.client(tmp_path, new_client_state())
    client.commit(MarkStored(first.secret))  # of no letter
    for requests, marked in (
        ([first, second], [(None, False), (None, False)]),
        ([MarkStored(first.secret)], [(None, True), (None, False)]),
        ([MarkStored(first.secret), first], [(None, True), (None, False)]),
        ([SettleOutgoing(first.secret, "expired")], [("expired", True), (None, False)]),
        ([SettleOutgoing(second.secret, "delivered")], [("expired", True), ("delivered", False)]),
        ([MarkStored(first.secret), MarkStored(second.secret)], [("expired", True), ("delivered", True)]),
    ):
        client.commit(*requests)
        client = client.reopen()
        assert [(each.outcome, each.stored) for each in client.sent()] == marked
        assert [row.secret for row in client.load().outbox] == [
            letter.secret for letter, (outcome, _) in zip((first, second), marked, strict=True) if outcome is None
        ]
    client.store.close()


@each_adapter
def test_a_letter_stays_pinned_to_the_first_identity(adapter: Adapter, tmp_path: Path) -> None:
    letter = SaveOutgoing(bytes(16), 1, 1, 1, "bob", 0, "hi", None)
    client = adapter.client(tmp_path, new_client_state())
    client.commit(letter, PinOutgoing(letter.secret, SENDER), PinOutgoing(letter.secret, STRANGER))
    assert [letter.recipient for letter in client.load().outbox] == [SENDER]
    client.store.close()


@each_adapter
def test_a_mark_is_of_the_key_that_was_compared_and_goes_with_it(adapter: Adapter, tmp_path: Path) -> None:
    # R-2.5-3
    client = adapter.client(tmp_path, new_client_state())
    pin, other = SavePin("bob", OTHER), SavePin("bob", STRANGER)
    for requests, verified in (
        ([SaveVerified("bob", OTHER, True)], ()),
        ([pin, SaveVerified("bob", STRANGER, True)], ()),
        ([SaveVerified("bob", OTHER, True)], ("bob",)),
        ([pin], ("bob",)),
        ([SaveVerified("bob", STRANGER, False)], ("bob",)),
        ([SaveVerified("bob", OTHER, False)], ()),
        ([SaveVerified("bob", OTHER, True), other], ()),
        ([pin], ()),
    ):
        client.commit(*requests)
        client = client.reopen()
        assert client.load().verified == verified
    client.store.close()


@each_adapter
def test_a_letter_is_entered_once_and_the_request_that_entered_it_is_answered_alike(
    adapter: Adapter, tmp_path: Path
) -> None:
    client = adapter.client(tmp_path, new_client_state())
    first, copy = enter(5, 2, 1), enter(5, 3, 1)
    replies = client.commit(first, first, copy, FindLetter(SENDER, copy.ack))
    assert [reply.result for reply in replies] == [Entered(True), Entered(True), Entered(False), Entered(False)]
    client = client.reopen()
    later = replace(first, received_ms=3)
    assert [reply.result for reply in client.commit(first, later)] == [Entered(True), Entered(False)]
    client.store.close()


@each_adapter
def test_a_watermark_never_falls(adapter: Adapter, tmp_path: Path) -> None:
    client = adapter.client(tmp_path, new_client_state())
    client.commit(enter(5, 2, 1), enter(5, 1, 2), enter(5, 1, 1))
    assert client.load().watermarks == ((SENDER, 5, 2),)
    client.store.close()


@each_adapter
def test_a_watermark_that_does_not_rise_keeps_its_place(adapter: Adapter, tmp_path: Path) -> None:
    client = adapter.client(tmp_path, new_client_state())
    client.commit(enter(5, 2, 1), enter(6, 1, 2), enter(5, 2, 1))
    assert client.load().watermarks == ((SENDER, 5, 2), (SENDER, 6, 1))
    client.store.close()


@each_adapter
def test_the_eight_epochs_of_a_sender_that_changed_last_are_kept(adapter: Adapter, tmp_path: Path) -> None:
    client = adapter.client(tmp_path, new_client_state())
    client.commit(*(enter(epoch, 1, epoch) for epoch in range(8)), enter(0, 2, 100), enter(50, 1, 101))
    assert [epoch for _, epoch, _ in client.load().watermarks] == [2, 3, 4, 5, 6, 7, 0, 50]
    client.store.close()


@each_adapter
def test_entry_numbers_grow_and_are_never_used_again(adapter: Adapter, tmp_path: Path) -> None:
    server = adapter.server(tmp_path, new_server_state())
    numbers = []
    for slot in range(6):
        (kept,) = server.commit(keep(slot))
        assert isinstance(kept.result, Kept)
        numbers.append(kept.result.entry)
        server.commit(CollectLetters(OWNER, (collected(numbers[-1], Outcome.UNWANTED),), 9))
        if slot == 2:
            server = server.reopen()
        if slot == 4:  # the name goes to another identity, and comes back
            server.commit(BindUser("anna", OWNER, b"c"), BindUser("anna", OTHER, b"c"), BindUser("anna", OWNER, b"c"))
    assert numbers == sorted(set(numbers))
    server.store.close()


@each_adapter
def test_a_higher_attempt_takes_the_place_of_a_letter_even_where_there_is_no_room(
    adapter: Adapter, tmp_path: Path
) -> None:
    server = adapter.server(tmp_path, new_server_state())
    one = Quota(1, 1, 1)
    first, again, older, other = server.commit(
        keep(1, 1, quota=one), keep(1, 3, quota=one, letter=b"new"), keep(1, 2, quota=one), keep(2, quota=one)
    )
    assert isinstance(first.result, Kept)
    assert isinstance(again.result, Kept)
    assert again.result.entry > first.result.entry
    assert older.result == again.result
    assert other.result == Full()
    (page,) = server.commit(ReadMail(OWNER, 0, 9))
    assert [letter.letter for letter in page.result.letters] == [b"new"]  # type: ignore[union-attr]
    server.store.close()


@each_adapter
def test_strangers_share_their_room_and_an_acknowledged_sender_leaves_it(adapter: Adapter, tmp_path: Path) -> None:
    server = adapter.server(tmp_path, new_server_state())
    quota = Quota(10, 10, 2)
    kept = server.commit(keep(1, quota=quota), keep(2, quota=quota), keep(3, sender=STRANGER, quota=quota))
    assert [type(reply.result) for reply in kept] == [Kept, Kept, Full]
    assert isinstance(kept[0].result, Kept)
    server.commit(CollectLetters(OWNER, (collected(kept[0].result.entry, Outcome.ACKNOWLEDGED),), 9))
    server = server.reopen()
    kept = server.commit(
        *(keep(slot, sender=STRANGER, quota=quota) for slot in (3, 4, 5)), *(keep(slot, quota=quota) for slot in (6, 7))
    )
    assert [type(reply.result) for reply in kept] == [Kept, Kept, Full, Kept, Kept]
    server.store.close()


@each_adapter
def test_a_sender_stays_known_when_no_letter_of_it_is_left(adapter: Adapter, tmp_path: Path) -> None:
    server = adapter.server(tmp_path, new_server_state())
    (kept,) = server.commit(keep(1))
    assert isinstance(kept.result, Kept)
    server.commit(CollectLetters(OWNER, (collected(kept.result.entry, Outcome.ACKNOWLEDGED),), 9))
    server = server.reopen()
    none_for_strangers = Quota(9, 9, 0)
    replies = server.commit(keep(2, quota=none_for_strangers), keep(3, sender=STRANGER, quota=none_for_strangers))
    assert [type(reply.result) for reply in replies] == [Kept, Full]
    server.store.close()


@each_adapter
def test_the_newest_receipts_of_a_pair_are_kept(adapter: Adapter, tmp_path: Path) -> None:
    server = adapter.server(tmp_path, new_server_state())
    kept = server.commit(*(keep(slot) for slot in range(1, 5)))
    entries = tuple(collected(each.result.entry, Outcome.ACKNOWLEDGED) for each in kept)  # type: ignore[union-attr]
    server.commit(CollectLetters(OWNER, entries[:2], 3), CollectLetters(OWNER, entries[2:], 3))
    (receipts,) = server.commit(ReadReceipts(SENDER, 9))
    assert isinstance(receipts.result, Receipts)
    assert [receipt.slot[0] for receipt in receipts.result.receipts] == [2, 3, 4]
    server.store.close()


@each_adapter
def test_receipts_are_answered_in_the_order_of_the_entries_asked_for(adapter: Adapter, tmp_path: Path) -> None:
    server = adapter.server(tmp_path, new_server_state())
    kept = server.commit(keep(1), keep(2, sender=STRANGER), keep(3))
    entries = [collected(each.result.entry, Outcome.ACKNOWLEDGED) for each in kept]  # type: ignore[union-attr]
    asked = CollectLetters(OWNER, (entries[2], entries[0], entries[2], entries[1]), 9)
    for reply in server.commit(asked, asked):
        assert [receipt.slot[0] for receipt in reply.result.receipts] == [3, 1, 2]  # type: ignore[union-attr]
    server.store.close()


@each_adapter
def test_a_collection_asked_again_is_answered_alike_while_its_receipts_are_kept(
    adapter: Adapter, tmp_path: Path
) -> None:
    server = adapter.server(tmp_path, new_server_state())
    kept = server.commit(*(keep(slot) for slot in range(1, 4)))
    outcomes = (Outcome.ACKNOWLEDGED, Outcome.UNOPENABLE, Outcome.UNWANTED)
    entries = tuple(collected(each.result.entry, how) for each, how in zip(kept, outcomes, strict=True))  # type: ignore[union-attr]
    (first,) = server.commit(CollectLetters(OWNER, entries, 9))
    assert isinstance(first.result, Receipts)
    assert [(receipt.slot[0], receipt.ack) for receipt in first.result.receipts] == [(1, entries[0].ack), (2, None)]
    server = server.reopen()
    (again, _, later) = server.commit(
        CollectLetters(OWNER, entries, 9), DropReceipts(SENDER, (bytes([1]) * 16,)), CollectLetters(OWNER, entries, 9)
    )
    assert again.result == Receipts(first.result.receipts, letters=0)
    assert later.result == Receipts(first.result.receipts[1:], letters=0)
    server.store.close()


@each_adapter
def test_an_identity_has_one_name_and_a_name_that_goes_takes_no_mail_along(adapter: Adapter, tmp_path: Path) -> None:
    server = adapter.server(tmp_path, new_server_state())
    server.commit(BindUser("anna", OWNER, b"1"), keep(1), keep(2))
    (renamed,) = server.commit(BindUser("hanna", OWNER, b"2"))
    assert isinstance(renamed.result, Bound)
    assert renamed.result.waiting == 2
    assert sorted(user.name for user in server.load().users) == ["dora", "hanna"]
    (taken,) = server.commit(BindUser("hanna", OTHER, b"3"))
    assert taken.result == Bound(0, 0)
    (page, back) = server.commit(ReadMail(OWNER, 0, 9), BindUser("anna", OWNER, b"4"))
    assert page.result.letters == ()  # type: ignore[union-attr]
    assert back.result == Bound(0, 0)
    server.store.close()


@each_adapter
def test_a_name_that_is_released_takes_mailbox_and_receipts_along(adapter: Adapter, tmp_path: Path) -> None:
    # R-8.9-6
    server = adapter.server(tmp_path, new_server_state())
    server.commit(BindUser("anna", OWNER, b"1"), BindUser("sam", SENDER, b"2"), keep(1), keep(2))
    (page,) = server.commit(ReadMail(OWNER, 0, 9))
    assert isinstance(page.result, MailPage)
    first = page.result.letters[0].entry
    server.commit(CollectLetters(OWNER, (collected(first, Outcome.ACKNOWLEDGED),), 9))
    server.commit(ReleaseName("anna"), ReleaseName("sam"), ReleaseName("nobody"))
    server = server.reopen()
    assert [user.name for user in server.load().users] == ["dora"]
    (page, receipts, back) = server.commit(
        ReadMail(OWNER, 0, 9), ReadReceipts(SENDER, 9), BindUser("anna", OWNER, b"3")
    )
    assert page.result.letters == ()  # type: ignore[union-attr]
    assert receipts.result == Receipts(())
    assert back.result == Bound(0, 0)
    server.store.close()


@each_adapter
def test_an_invitation_goes_with_the_name_that_used_it_and_bans_and_rotations_stay(
    adapter: Adapter, tmp_path: Path
) -> None:
    # R-8.9-4
    server = adapter.server(tmp_path, new_server_state())
    used, left = SaveInvite(b"u" * 16, 5), SaveInvite(b"l" * 16, 6)
    rotation = Rotation(OTHER, bytes(64))
    server.commit(used, left, BanIdentity(OTHER, True), BanIdentity(STRANGER, True), BanIdentity(STRANGER, False))
    server.commit(BindUser("anna", OWNER, b"1", rotation, used.hash))
    state = server.reopen().load()
    assert tuple(state.invites) == (left,)
    assert tuple(state.bans) == (OTHER,)
    assert BindUser("anna", OWNER, b"1", rotation) in list(state.users)


@each_adapter
def test_a_new_identity_takes_the_place_of_the_one_before_also_in_the_users_own_pin(
    adapter: Adapter, tmp_path: Path
) -> None:
    client = adapter.client(tmp_path, new_client_state())
    name, rotation = client.load().name, Rotation(OWNER, bytes(64))
    client.commit(SavePin(name, OWNER), SavePin("else", OWNER), SaveIdentity(b"p" * 32, OTHER, rotation))
    client = client.reopen()
    state = client.load()
    assert (state.identity, state.rotation) == (b"p" * 32, rotation)
    assert {SavePin(name, OTHER), SavePin("else", OWNER)} <= set(state.pins)
    client.store.close()


@each_adapter
def test_a_letter_never_expires_while_a_later_one_of_its_sender_stays(adapter: Adapter, tmp_path: Path) -> None:
    server = adapter.server(tmp_path, new_server_state())
    server.commit(keep(1, kept_ms=1), keep(2, kept_ms=9), keep(3, kept_ms=2), keep(4, sender=STRANGER, kept_ms=3))
    (expired,) = server.commit(ExpireLetters(5))
    assert expired.result == Expired(2)
    (page,) = server.commit(ReadMail(OWNER, 0, 9))
    assert [letter.slot[0] for letter in page.result.letters] == [1, 2]  # type: ignore[union-attr]
    server.store.close()


@each_adapter
def test_a_closed_store_refuses_and_closes_twice(adapter: Adapter, tmp_path: Path) -> None:
    client = adapter.client(tmp_path, new_client_state())
    client.store.close()
    client.store.close()
    with pytest.raises(ValueError, match="closed"):
        asyncio.run(client.store.commit([]))
