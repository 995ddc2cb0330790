"""Every store of a client keeps what its requests promise."""

from dataclasses import replace
from pathlib import Path

from tests.net.stores.conformance import (
    OTHER,
    OWNER,
    SENDER,
    STRANGER,
    Adapter,
    each_adapter,
    new_client_state,
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
from udpchat_core.fields import Rotation


def enter(epoch: int, seq: int, ack: int) -> EnterLetter:
    return EnterLetter(SENDER, ack.to_bytes(16), epoch, seq, "bob", 1, 2, 1, 1, "hi")


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
