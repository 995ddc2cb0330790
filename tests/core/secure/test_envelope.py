"""Cards, tokens, links, records and letters: what holds, and what is refused."""

from random import Random
from typing import Any

import pytest

from udpchat_core.address import Address
from udpchat_core.datagrams import Init, Letter, Record, Resp, Retry
from udpchat_core.errors import BadDatagram, LocalProtocolError, Reason
from udpchat_core.instant import Instant
from udpchat_core.messages import CardBody, LetterBody, Ping
from udpchat_core.secure import keys
from udpchat_core.secure.card import (
    Succession,
    check_expiry_untrusted,
    check_name_untrusted,
    make_card,
    open_card_untrusted,
    succession,
)
from udpchat_core.secure.letter import OpeningKey, ack_of, open_letter_untrusted, seal_letter_untrusted, slot_of
from udpchat_core.secure.link import Link, hello, initiate_untrusted, respond_untrusted, retry
from udpchat_core.secure.noise import begin_untrusted, read_untrusted
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.secure.token import check_token_untrusted, make_token
from udpchat_core.wire import encode, pack, parse_untrusted

SUITE = StandardSuite(Random(1).randbytes)
IDENTITY, L, M, S = (bytes([n]) * 32 for n in range(1, 5))
ALICE = SUITE.sign_public(IDENTITY)


def card(**changed: Any) -> bytes:
    values: dict[str, Any] = {"version": 1, "seq": 5, "expires_s": 1_000, "identity": ALICE, "live": SUITE.dh_public(L)}
    values |= {"mail": SUITE.dh_public(M), "name": "alice"} | changed
    return make_card(SUITE, IDENTITY, CardBody(**values))


def refused(why: Reason, function: Any, *arguments: Any) -> None:
    with pytest.raises(BadDatagram) as error:
        function(*arguments)
    assert error.value.reason is why


def links() -> tuple[Link, Link]:
    begun = initiate_untrusted(SUITE, SUITE.dh_public(S), b"t" * 16, b"cccc", L, card())
    init = parse_untrusted(begun.init)
    assert isinstance(init, Init)
    answered = respond_untrusted(SUITE, S, init, b"ssss", 0)
    resp = parse_untrusted(answered.resp)
    assert isinstance(resp, Resp)
    refused(Reason.SEAL, begun.finish_untrusted, SUITE, Resp(resp.index, resp.noise[:-1] + b"x"))
    link = begun.finish_untrusted(SUITE, resp)
    assert link.peer_index == b"ssss"  # R-4.2-4
    return link, answered.link


def record(payload: bytes) -> Record:
    parsed = parse_untrusted(payload)
    assert isinstance(parsed, Record)
    return parsed


def test_labels_are_never_the_beginning_of_each_other() -> None:
    labels = [value for name, value in vars(keys).items() if name.endswith("_LABEL")]
    assert [(a, b) for a in labels for b in labels if a is not b and b.startswith(a)] == []  # R-2.2-1


@pytest.mark.parametrize("point", sorted(keys.SMALL_ORDER_ED25519))
def test_an_identity_of_small_order_is_refused(point: bytes) -> None:
    for key in (point, point[:-1] + bytes((point[-1] | 0x80,))):
        forged = bytes(64) + encode(CardBody(1, 5, 9, key, SUITE.dh_public(L), SUITE.dh_public(M), "alice"))
        refused(Reason.POINT, open_card_untrusted, SUITE, forged)  # R-2.2-2


@pytest.mark.parametrize("point", sorted(keys.SMALL_ORDER_X25519))
def test_an_exchange_key_of_small_order_is_refused(point: bytes) -> None:
    for key in (point, point[:-1] + bytes((point[-1] | 0x80,))):
        refused(Reason.POINT, open_card_untrusted, SUITE, card(live=key))  # R-2.2-3
        refused(Reason.POINT, open_card_untrusted, SUITE, card(mail=key))
        refused(Reason.POINT, SUITE.dh_untrusted, L, key)
        refused(Reason.POINT, seal_letter_untrusted, SUITE, IDENTITY, ALICE, key, letter())
        refused(Reason.POINT, initiate_untrusted, SUITE, key, bytes(16), b"cccc", L, card())


def test_a_card_is_good_as_signed_and_not_otherwise() -> None:
    good = card()  # R-2.3-1 R-2.3-2
    assert open_card_untrusted(SUITE, good).name == "alice"
    refused(Reason.SIGNATURE, open_card_untrusted, SUITE, bytes(64) + good[64:])
    refused(Reason.SIGNATURE, open_card_untrusted, SUITE, make_card(SUITE, L, open_card_untrusted(SUITE, good)))
    refused(Reason.SIZE, open_card_untrusted, SUITE, good[:171])


def test_a_card_holds_a_day_beyond_its_expiry_for_its_name_in_its_turn() -> None:
    body = open_card_untrusted(SUITE, card())
    check_expiry_untrusted(body, 1_000 + 86_400)  # R-2.3-3
    refused(Reason.EXPIRED, check_expiry_untrusted, body, 1_000 + 86_401)
    check_name_untrusted(body, "alice")  # R-2.3-4
    refused(Reason.NAME, check_name_untrusted, body, "bob")
    assert succession(5, body) is Succession.SAME_OR_NEWER
    assert succession(6, body) is Succession.STALE  # R-2.3-5
    far = open_card_untrusted(SUITE, card(seq=2**32 + 5))
    assert succession(5, far) is Succession.SAME_OR_NEWER  # R-2.3-6
    assert succession(4, far) is Succession.TOO_FAR_AHEAD


def test_a_token_is_good_for_its_address_and_two_epochs() -> None:
    here, minute = Address(b"\x7f\0\0\1", 7), 60_000_000
    token = make_token(SUITE, S, here, Instant(0))
    for now in (0, 2 * minute - 1):
        check_token_untrusted(SUITE, S, here, Instant(now), token)  # R-4.1-3
    elsewhere = [Address(b"\x7f\0\0\1", 8), Address(b"\x7f\0\0\2", 7), Address(bytes(15) + b"\1", 7)]
    for address in elsewhere:
        refused(Reason.TOKEN, check_token_untrusted, SUITE, S, address, Instant(0), token)  # R-4.1-2
    for secret, now in ((S, 2 * minute), (S, -1), (L, 0)):
        refused(Reason.TOKEN, check_token_untrusted, SUITE, secret, here, Instant(now), token)


def test_a_retry_echoes_and_is_never_longer_than_what_it_answers() -> None:
    asked = hello(SUITE)
    answer = retry(asked, bytes(16), bytes(32))
    assert parse_untrusted(answer) == Retry(asked[3:19], bytes(16), bytes(32))  # R-4.1-1
    with pytest.raises(LocalProtocolError):
        retry(asked[:-1], bytes(16), bytes(32))  # R-3.3-1


def test_a_link_carries_records_both_ways() -> None:
    client, server = links()  # R-4.2-1
    for sender, receiver in ((client, server), (server, client)):
        for counter in range(3):
            sealed = record(sender.seal(SUITE, pack([encode(Ping(counter))])))
            assert sealed.counter == counter  # R-4.4-2
            assert receiver.open_untrusted(SUITE, sealed) == pack([encode(Ping(counter))])


def test_no_clear_byte_of_a_handshake_can_change() -> None:
    begun = initiate_untrusted(SUITE, SUITE.dh_public(S), b"t" * 16, b"cccc", L, card())
    for at in range(3, 23):
        changed = bytearray(begun.init)  # R-4.2-2
        changed[at] ^= 1
        refused(Reason.SEAL, respond_untrusted, SUITE, S, parse_untrusted(bytes(changed)), b"ssss", 0)


def test_a_card_with_another_live_key_or_past_its_day_begins_no_link() -> None:
    key = SUITE.dh_public(S)
    other = initiate_untrusted(SUITE, key, bytes(16), b"cccc", L, card(live=SUITE.dh_public(M)))
    refused(Reason.STATIC, respond_untrusted, SUITE, S, parse_untrusted(other.init), b"ssss", 0)  # R-4.2-3
    late = initiate_untrusted(SUITE, key, bytes(16), b"cccc", L, card())
    refused(Reason.EXPIRED, respond_untrusted, SUITE, S, parse_untrusted(late.init), b"ssss", 90_000)


def test_a_refused_record_changes_nothing() -> None:
    client, server = links()
    first, second = (record(client.seal(SUITE, pack([encode(Ping(n))]))) for n in range(2))
    forged = Record(second.index, 2**63, second.sealed)
    refused(Reason.SEAL, server.open_untrusted, SUITE, forged)  # R-4.4-1 R-4.4-5 R-3.1-6
    refused(Reason.COUNTER, server.open_untrusted, SUITE, Record(first.index, 2**64 - 1, first.sealed))  # R-4.4-3
    refused(Reason.LINK, server.open_untrusted, SUITE, Record(b"xxxx", 0, first.sealed))
    server.open_untrusted(SUITE, second)
    server.open_untrusted(SUITE, first)
    for again in (first, second):
        refused(Reason.REPLAY, server.open_untrusted, SUITE, again)  # R-4.4-4


def test_what_is_behind_the_window_is_refused() -> None:
    client, server = links()
    sealed = [record(client.seal(SUITE, pack([encode(Ping(n))]))) for n in range(1_026)]
    server.open_untrusted(SUITE, sealed[1_025])
    refused(Reason.REPLAY, server.open_untrusted, SUITE, sealed[1])
    server.open_untrusted(SUITE, sealed[2])


def test_a_link_that_counted_to_the_end_seals_no_more() -> None:
    client, server = links()
    client._sent = 2**64 - 2
    server.open_untrusted(SUITE, record(client.seal(SUITE, pack([encode(Ping(1))]))))
    with pytest.raises(LocalProtocolError):
        client.seal(SUITE, pack([encode(Ping(1))]))  # R-4.4-3


def letter(**changed: Any) -> LetterBody:
    values: dict[str, Any] = {
        "sender": ALICE,
        "name": "alice",
        "epoch": 1,
        "seq": 1,
        "floor": 1,
        "secret": bytes(16),
        "sent_ms": 0,
    }
    values |= {"part": 1, "parts": 1, "text": "hi"} | changed
    return LetterBody(**values)


def test_a_letter_is_opened_by_its_recipient_alone() -> None:
    key, other = OpeningKey.of(SUITE, L), OpeningKey.of(SUITE, M)
    bob, carol = SUITE.sign_public(M), SUITE.sign_public(S)
    sealed = parse_untrusted(seal_letter_untrusted(SUITE, IDENTITY, bob, key.public, letter()))
    assert isinstance(sealed, Letter)
    assert sealed.key_id == SUITE.hash(b"udpchat/1 key id\0" + key.public)[:4]  # R-6.1-1
    assert open_letter_untrusted(SUITE, bob, [other, key], sealed) == letter()  # R-6.1-2
    twin = OpeningKey(other.private, other.public, key.id)
    assert open_letter_untrusted(SUITE, bob, [twin, key], sealed) == letter()  # R-6.1-3
    refused(Reason.KEY, open_letter_untrusted, SUITE, bob, [other], sealed)
    refused(Reason.SEAL, open_letter_untrusted, SUITE, bob, [twin], sealed)
    refused(Reason.SEAL, open_letter_untrusted, SUITE, carol, [key], sealed)
    with pytest.raises(LocalProtocolError):
        open_letter_untrusted(SUITE, bob, [key] * 17, sealed)


def test_a_letter_passed_on_or_under_a_false_name_is_refused() -> None:
    bobs, carols = OpeningKey.of(SUITE, L), OpeningKey.of(SUITE, M)
    bob, carol = SUITE.sign_public(M), SUITE.sign_public(S)
    info = b"udpchat/1 letter\0"
    sealed = parse_untrusted(seal_letter_untrusted(SUITE, IDENTITY, bob, bobs.public, letter()))
    assert isinstance(sealed, Letter)
    plain = SUITE.hpke_open_untrusted(L, info + bob, sealed.sealed)
    passed = Letter(carols.id, SUITE.hpke_seal_untrusted(carols.public, info + carol, plain))
    refused(Reason.SIGNATURE, open_letter_untrusted, SUITE, carol, [carols], passed)  # R-6.2-1
    rekeyed = Letter(carols.id, SUITE.hpke_seal_untrusted(carols.public, info + bob, plain))
    refused(Reason.SIGNATURE, open_letter_untrusted, SUITE, bob, [carols], rekeyed)  # R-6.2-1
    false = parse_untrusted(seal_letter_untrusted(SUITE, M, bob, bobs.public, letter()))
    refused(Reason.SIGNATURE, open_letter_untrusted, SUITE, bob, [bobs], false)  # R-6.2-2
    small = parse_untrusted(seal_letter_untrusted(SUITE, M, bob, bobs.public, letter(sender=bytes(32))))
    refused(Reason.POINT, open_letter_untrusted, SUITE, bob, [bobs], small)  # R-6.2-2


def test_ack_and_slot_are_hashes_of_the_secret_under_different_labels() -> None:
    assert ack_of(SUITE, b"s" * 16) == SUITE.hash(b"udpchat/1 ack\0" + b"s" * 16)[:16]  # R-6.3-1
    assert slot_of(SUITE, b"s" * 16) == SUITE.hash(b"udpchat/1 slot\0" + b"s" * 16)[:16]  # R-6.3-2


def test_a_noise_message_too_short_to_hold_anything_is_refused() -> None:
    refused(Reason.SIZE, read_untrusted, SUITE, b"", S, bytes(95))
    _, begun = begin_untrusted(SUITE, b"", L, SUITE.dh_public(S), b"")
    refused(Reason.SIZE, begun.finish_untrusted, SUITE, bytes(47))


def test_a_resp_for_another_handshake_is_refused() -> None:
    begun = initiate_untrusted(SUITE, SUITE.dh_public(S), bytes(16), b"cccc", L, card())
    refused(Reason.LINK, begun.finish_untrusted, SUITE, Resp(b"dddd", bytes(52)))
