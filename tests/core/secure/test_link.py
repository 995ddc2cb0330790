"""The Link: handshakes and records, as they should be, changed, replayed, re-addressed and reflected."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tests.core.secure.people import (
    CLIENT_INDEX,
    DAY_S,
    EXPIRES_S,
    SERVER,
    SERVER_INDEX,
    TOKEN,
    answer,
    begin,
    links,
    parsed,
    person,
    private_key,
    record,
    refused,
)
from udpchat_core.datagrams import Init, Record, Resp
from udpchat_core.errors import LocalProtocolError, Reason
from udpchat_core.secure.card import make_card
from udpchat_core.secure.link import Link, initiate_untrusted, respond_untrusted
from udpchat_core.secure.noise import begin_untrusted, read_untrusted
from udpchat_core.secure.suite import StandardSuite, Suite


def state(link: Link) -> tuple[object, ...]:
    return link._sent, link._highest, link._missed, link.index, link.peer_index


def test_a_handshake_gives_a_link_that_carries_records_both_ways(suite: Suite) -> None:
    """R-4.2-1 R-4.4-2."""
    client, server = links(suite)
    for sender, receiver in ((client, server), (server, client)):
        for counter in range(3):
            sealed = record(sender, suite, b"message %d in full" % counter)
            assert (sealed.index, sealed.counter) == (receiver.index, counter)
            assert receiver.open_untrusted(suite, sealed) == b"message %d in full" % counter


def test_the_server_learns_the_card_and_the_client_the_index(suite: Suite) -> None:
    """R-4.2-1 R-4.2-4."""
    alice = person(suite, "alice")
    begun = begin(suite, alice)
    responded = answer(suite, begun.init)
    assert (responded.card, responded.card_bytes) == (alice.body, alice.card)
    client = begun.finish_untrusted(suite, parsed(Resp, responded.resp))
    assert (client.index, client.peer_index) == (CLIENT_INDEX, SERVER_INDEX)
    assert (responded.link.index, responded.link.peer_index) == (SERVER_INDEX, CLIENT_INDEX)


def test_the_prologue_is_label_server_key_and_the_clear_bytes_of_the_init(suite: Suite) -> None:
    """R-4.2-2."""
    alice = person(suite, "alice")
    init = begin(suite, alice).init
    prologue = b"udpchat/1 link\0" + suite.dh_public(SERVER) + init[:23]
    asked = read_untrusted(suite, prologue, SERVER, init[23:])
    assert (asked.payload, asked.static) == (alice.card, alice.body.live)


def test_a_card_whose_live_key_the_handshake_did_not_prove_is_refused(suite: Suite) -> None:
    """R-4.2-3: Mallory shows Alice's card, or Alice her own with a key that she does not have."""
    alice = person(suite, "alice")
    for live in (private_key("mallory live"), alice.mail):
        init = initiate_untrusted(suite, suite.dh_public(SERVER), TOKEN, CLIENT_INDEX, live, alice.card).init
        with refused(Reason.STATIC):
            answer(suite, init)
    body = replace(alice.body, live=suite.dh_public(private_key("another live key")))
    with refused(Reason.STATIC):
        answer(suite, begin(suite, replace(alice, card=make_card(suite, alice.identity, body))).init)


def test_an_expired_card_begins_no_link(suite: Suite) -> None:
    """R-4.2-3 R-2.3-3."""
    begun = begin(suite, person(suite, "alice"))
    answer(suite, begun.init, EXPIRES_S + DAY_S)
    with refused(Reason.EXPIRED):
        answer(suite, begun.init, EXPIRES_S + DAY_S + 1)


def test_a_card_that_is_none_begins_no_link(suite: Suite) -> None:
    """R-4.2-3."""
    alice = person(suite, "alice")
    unsigned = bytes(64) + alice.card[64:]
    for card, reason in ((bytes(172), Reason.NOT_CANONICAL), (unsigned, Reason.SIGNATURE)):
        with refused(reason):
            answer(suite, begin(suite, replace(alice, card=card)).init)


@pytest.mark.parametrize("at", range(3, 23))
def test_no_clear_byte_of_an_init_can_change(suite: Suite, at: int) -> None:
    """R-4.2-2: neither token nor index, even where the token itself is not looked at."""
    init = bytearray(begin(suite, person(suite, "alice")).init)
    init[at] ^= 1
    with refused(Reason.SEAL):
        answer(suite, bytes(init))


def test_an_init_for_another_server_is_refused(suite: Suite) -> None:
    """R-4.2-2."""
    init = parsed(Init, begin(suite, person(suite, "alice")).init)
    with refused(Reason.SEAL):
        respond_untrusted(suite, private_key("another server"), init, SERVER_INDEX, 0)


def test_an_init_with_an_ephemeral_of_zeros_is_refused(suite: Suite) -> None:
    """R-2.2-3."""
    init = parsed(Init, begin(suite, person(suite, "alice")).init)
    with refused(Reason.POINT):
        respond_untrusted(suite, SERVER, replace(init, noise=bytes(32) + init.noise[32:]), SERVER_INDEX, 0)


def test_a_resp_with_another_index_is_refused(suite: Suite) -> None:
    """R-3.1-6: the true one is still good after it."""
    begun = begin(suite, person(suite, "alice"))
    resp = parsed(Resp, answer(suite, begun.init).resp)
    with refused(Reason.LINK):
        begun.finish_untrusted(suite, replace(resp, index=b"tnlc"))
    assert begun.finish_untrusted(suite, resp).peer_index == SERVER_INDEX


def test_a_forged_resp_leaves_the_handshake_as_it_was(suite: Suite) -> None:
    """R-3.1-6: forged by one without S who saw the INIT, and by noise; then the true one is good."""
    alice = person(suite, "alice")
    begun = begin(suite, alice)
    responded = answer(suite, begun.init)
    resp = parsed(Resp, responded.resp)
    mallory = private_key("mallory")
    toward, _ = begin_untrusted(suite, b"", alice.live, suite.dh_public(mallory), alice.card)
    forged, _ = read_untrusted(suite, b"", mallory, toward).answer_untrusted(suite, b"evil")
    for noise in (forged, resp.noise[:32] + bytes(20), forged[:32] + resp.noise[32:]):
        with refused(Reason.SEAL):
            begun.finish_untrusted(suite, Resp(CLIENT_INDEX, noise))
    client = begun.finish_untrusted(suite, resp)
    responded.link.open_untrusted(suite, record(client, suite))


def test_a_repeated_init_gives_links_that_have_nothing_in_common(suite: Suite) -> None:
    """R-3.1-6: the server keeps nothing between them."""
    begun = begin(suite, person(suite, "alice"))
    one, two = answer(suite, begun.init), answer(suite, begun.init, index=b"two2")
    assert one.resp != two.resp
    ways = [(begun.finish_untrusted(suite, parsed(Resp, used.resp)), used.link) for used in (one, two)]
    sealed = [record(client, suite) for client, _ in ways]
    for (_, link), foreign in zip(ways, reversed(sealed), strict=True):
        with refused(Reason.SEAL):
            link.open_untrusted(suite, replace(foreign, index=link.index))
    for (_, link), own in zip(ways, sealed, strict=True):
        link.open_untrusted(suite, own)


def test_a_record_is_sealed_with_its_counter_as_nonce_over_its_clear_bytes(real: StandardSuite) -> None:
    """R-4.4-1: by hand."""
    client, _ = links(real)
    client._sent = 0x0102030405060708
    payload = client.seal(real, b"some plaintext")
    clear = b"\x75\x01\x05" + SERVER_INDEX + bytes(range(1, 9))
    nonce = bytes(4) + bytes(range(8, 0, -1))
    assert payload == clear + ChaCha20Poly1305(client._send_key).encrypt(nonce, b"some plaintext", clear)


def test_a_record_is_accepted_once(suite: Suite) -> None:
    """R-4.4-4."""
    client, server = links(suite)
    for sealed in [record(client, suite) for _ in range(3)]:
        server.open_untrusted(suite, sealed)
        before = state(server)
        with refused(Reason.REPLAY):
            server.open_untrusted(suite, sealed)
        assert state(server) == before


def test_records_are_accepted_in_any_order_within_the_window_and_not_behind_it(suite: Suite) -> None:
    """R-4.4-4."""
    client, server = links(suite)
    sealed = [record(client, suite) for _ in range(1_030)]
    server.open_untrusted(suite, sealed[-1])
    for counter in (1_028, 6, 500, 7):
        server.open_untrusted(suite, sealed[counter])
    for counter in (5, 0, 6):
        with refused(Reason.REPLAY):
            server.open_untrusted(suite, sealed[counter])


def test_a_record_for_another_link_is_refused(suite: Suite) -> None:
    """R-4.4-1: as it is, and under the index of this one."""
    client, _ = links(suite)
    begun = begin(suite, person(suite, "bob"))
    other = answer(suite, begun.init, index=b"othr").link
    sealed, before = record(client, suite), state(other)
    with refused(Reason.LINK):
        other.open_untrusted(suite, sealed)
    with refused(Reason.SEAL):
        other.open_untrusted(suite, replace(sealed, index=b"othr"))
    assert state(other) == before


def test_an_index_is_part_of_what_is_sealed(suite: Suite) -> None:
    """R-4.4-1: the same keys under another index open nothing."""
    client, server = links(suite)
    moved = Link(b"othr", server.peer_index, server._send_key, server._receive_key)
    with refused(Reason.SEAL):
        moved.open_untrusted(suite, replace(record(client, suite), index=b"othr"))


def test_a_record_sent_back_to_its_sender_is_refused(suite: Suite) -> None:
    """R-4.4-1: each way has its own key."""
    for sender, _ in (links(suite), links(suite)[::-1]):
        sealed, before = record(sender, suite), state(sender)
        with refused(Reason.LINK):
            sender.open_untrusted(suite, sealed)
        with refused(Reason.SEAL):
            sender.open_untrusted(suite, replace(sealed, index=sender.index))
        assert state(sender) == before


def test_a_truncated_record_is_refused(suite: Suite) -> None:
    """R-3.1-6."""
    client, server = links(suite)
    sealed = record(client, suite)
    for size in range(len(sealed.sealed)):
        with refused(Reason.SEAL):
            server.open_untrusted(suite, replace(sealed, sealed=sealed.sealed[:size]))
    server.open_untrusted(suite, sealed)


def test_the_last_counter_is_refused_and_the_one_before_is_good(suite: Suite) -> None:
    """R-4.4-3."""
    client, server = links(suite)
    client._sent = 2**64 - 2
    last = record(client, suite)
    with refused(Reason.COUNTER):
        server.open_untrusted(suite, replace(last, counter=2**64 - 1))
    server.open_untrusted(suite, last)


def test_the_last_counter_is_refused_even_if_truly_sealed(real: StandardSuite) -> None:
    """R-4.4-3."""
    client, server = links(real)
    clear = b"\x75\x01\x05" + SERVER_INDEX + b"\xff" * 8
    sealed = real.aead_seal(client._send_key, bytes(4) + b"\xff" * 8, b"some plaintext", clear)
    with refused(Reason.COUNTER):
        server.open_untrusted(real, Record(SERVER_INDEX, 2**64 - 1, sealed))


def test_a_sender_that_counted_to_the_end_seals_no_more(suite: Suite) -> None:
    """R-4.4-3."""
    client, _ = links(suite)
    client._sent = 2**64 - 1
    for _ in range(2):
        with pytest.raises(LocalProtocolError):
            client.seal(suite, b"some plaintext")
    assert client._sent == 2**64 - 1


def test_a_record_longer_than_a_datagram_is_never_sealed(suite: Suite) -> None:
    """R-3.3-2: nor does it use up a counter."""
    client, server = links(suite)
    with pytest.raises(LocalProtocolError, match="1170 bytes"):
        client.seal(suite, bytes(1_170))
    longest = client.seal(suite, bytes(1_169))
    assert len(longest) == 1_200
    assert parsed(Record, longest).counter == 0
    assert server.open_untrusted(suite, parsed(Record, longest)) == bytes(1_169)


@pytest.mark.parametrize("counter", [1_024, 2**32, 2**64 - 2])
def test_a_forged_high_counter_does_not_move_the_window(suite: Suite, counter: int) -> None:
    """R-4.4-5 R-3.1-6."""
    client, server = links(suite)
    first, second = record(client, suite), record(client, suite)
    server.open_untrusted(suite, second)
    before = state(server)
    for forged in (Record(SERVER_INDEX, counter, bytes(30)), replace(first, counter=counter)):
        with refused(Reason.SEAL):
            server.open_untrusted(suite, forged)
    assert state(server) == before
    server.open_untrusted(suite, first)


def test_a_forged_record_does_not_use_up_its_counter(suite: Suite) -> None:
    """R-4.4-5."""
    client, server = links(suite)
    sealed = record(client, suite)
    with refused(Reason.SEAL):
        server.open_untrusted(suite, Record(SERVER_INDEX, 0, bytes(30)))
    server.open_untrusted(suite, sealed)


def test_a_link_knows_where_its_peer_is(suite: Suite) -> None:
    client, server = links(suite)
    assert (client.place, server.place) == (b"", b"")
    begun = begin(suite, person(suite, "alice"))
    responded = respond_untrusted(suite, SERVER, parsed(Init, begun.init), SERVER_INDEX, EXPIRES_S, b"over there")
    client = begun.finish_untrusted(suite, parsed(Resp, responded.resp))
    assert responded.link.place == b"over there"
    assert responded.link.open_untrusted(suite, record(client, suite)) == b"some plaintext"
