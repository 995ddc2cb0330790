"""Every store of a server keeps what its requests promise."""

from pathlib import Path

from tests.net.stores.conformance import (
    OTHER,
    OWNER,
    SENDER,
    STRANGER,
    Adapter,
    collected,
    each_adapter,
    keep,
    new_server_state,
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
    Kept,
    MailPage,
    Quota,
    ReadMail,
    ReadReceipts,
    Receipts,
    ReleaseName,
    SaveInvite,
)


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
def test_a_letter_never_expires_while_a_later_one_of_its_sender_stays(adapter: Adapter, tmp_path: Path) -> None:
    server = adapter.server(tmp_path, new_server_state())
    server.commit(keep(1, kept_ms=1), keep(2, kept_ms=9), keep(3, kept_ms=2), keep(4, sender=STRANGER, kept_ms=3))
    (expired,) = server.commit(ExpireLetters(5))
    assert expired.result == Expired(2)
    (page,) = server.commit(ReadMail(OWNER, 0, 9))
    assert [letter.slot[0] for letter in page.result.letters] == [1, 2]  # type: ignore[union-attr]
    server.store.close()
