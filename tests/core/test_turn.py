"""What one turn says is merged into as few datagrams as it fits, in an order that never changes."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spec.tools.extremes import extreme
from tests import strategies
from udpchat_core.actions import Dropped, Emit, SendDatagram, Store
from udpchat_core.address import Address
from udpchat_core.client_requests import SaveCardSeq, SaveServerKey
from udpchat_core.datagrams import Acks, Record
from udpchat_core.errors import Reason
from udpchat_core.events import StorageFailed, StorageRecovered
from udpchat_core.instant import Instant
from udpchat_core.limits import DATAGRAM_BYTES_MAX, RECORD_MESSAGES_MAX
from udpchat_core.messages import Message, Ping
from udpchat_core.turn import Turn
from udpchat_core.wire import (
    BY_CODE,
    RECORD_PLAINTEXT_BYTES_MIN,
    RETRY_BYTES,
    encode,
    parse_untrusted,
    serialize,
    unpack_untrusted,
)

ALICE, BOB = Address(bytes((10, 0, 0, 1)), 1), Address(bytes((10, 0, 0, 2)), 2)
TAG = b"an AEAD's 16 tag"


@dataclass(eq=False)
class Link:
    """An outlet that seals nothing, and counts its RECORDs."""

    address: Address
    sealed: list[bytes] = field(default_factory=list)

    def seal(self, plaintext: bytes) -> bytes:
        self.sealed.append(plaintext)
        return serialize(Record(b"indx", len(self.sealed), plaintext + TAG))


def opened(action: object) -> tuple[Message, ...]:
    """The messages of a RECORD that was sent."""
    assert isinstance(action, SendDatagram)
    record = parse_untrusted(action.payload)
    assert isinstance(record, Record)
    assert record.sealed.endswith(TAG)
    return unpack_untrusted(record.sealed.removesuffix(TAG))


def said(messages: list[Message], bytes_min: int = 0) -> list[tuple[Message, ...]]:
    """What each RECORD holds after `messages` were said on one link."""
    turn, link = Turn(Instant(1), bytes_min), Link(BOB)
    for message in messages:
        turn.say(link, message)
    actions = turn.end()
    assert all(isinstance(action, SendDatagram) and action.to == BOB for action in actions)
    return [opened(action) for action in actions]


def acknowledged(turn: Turn) -> list[tuple[Address, int]]:
    """(to, how many) of each ACK that was sent."""
    sent = []
    for action in turn.end():
        assert isinstance(action, SendDatagram)
        datagram = parse_untrusted(action.payload)
        assert isinstance(datagram, Acks)
        sent.append((action.to, len(datagram.acks)))
    return sent


def test_a_turn_in_which_nothing_was_said_leads_to_nothing() -> None:
    assert Turn(Instant(1)).end() == ()


def test_messages_to_one_link_share_a_record_in_the_order_they_were_said() -> None:
    assert said([Ping(3), Ping(1), Ping(2)]) == [(Ping(3), Ping(1), Ping(2))]


def test_each_link_has_its_own_records_even_at_one_address() -> None:
    turn, links = Turn(Instant(1)), [Link(BOB), Link(BOB), Link(ALICE)]
    for number, link in enumerate([*links, links[0]]):
        turn.say(link, Ping(number))
    actions = turn.end()
    assert [opened(action) for action in actions] == [(Ping(0), Ping(3)), (Ping(1),), (Ping(2),)]
    assert [action.to for action in actions if isinstance(action, SendDatagram)] == [BOB, BOB, ALICE]
    assert [len(link.sealed) for link in links] == [1, 1, 1]


@given(st.lists(strategies.messages(), min_size=1, max_size=40), st.sampled_from([0, RECORD_PLAINTEXT_BYTES_MIN]))
def test_any_messages_arrive_complete_in_order_and_in_no_record_that_could_have_been_merged(
    messages: list[Message], bytes_min: int
) -> None:
    records = said(messages, bytes_min)
    assert [message for record in records for message in record] == messages
    for record, following in pairwise(records):
        together = sum(len(encode(message)) for message in (*record, following[0]))
        assert together > DATAGRAM_BYTES_MAX - 31 - 2  # header, index, counter and tag; array head


def test_no_record_is_longer_than_a_datagram_may_be_and_none_is_shorter_than_it_could_be() -> None:
    """R-3.1-1."""
    turn, link = Turn(Instant(1)), Link(BOB)
    for number in range(1_000):
        turn.say(link, Ping(2**40 + number))
    lengths = [len(action.payload) for action in turn.end() if isinstance(action, SendDatagram)]
    assert max(lengths) <= DATAGRAM_BYTES_MAX
    one = len(encode(Ping(2**40)))
    at_most = min(RECORD_MESSAGES_MAX - 1, (DATAGRAM_BYTES_MAX - 31 - 2) // one)
    assert len(lengths) == -(-1_000 // at_most)


@pytest.mark.parametrize("kind", BY_CODE.values(), ids=lambda kind: kind.__name__)
def test_the_longest_message_of_each_kind_fits_a_record(kind: type[Message]) -> None:
    message = extreme(kind, longest=True)
    turn, link = Turn(Instant(1)), Link(BOB)
    turn.say(link, message)
    (action,) = turn.end()
    assert isinstance(action, SendDatagram)
    assert encode(message) in action.payload
    assert len(action.payload) <= DATAGRAM_BYTES_MAX


def test_a_record_has_at_most_64_messages_with_its_padding() -> None:
    """R-5.1-2: 63 said share a RECORD, which leaves a place for Padding; the next one begins another."""
    records = said([Ping(number % 8) for number in range(130)], RECORD_PLAINTEXT_BYTES_MIN)
    assert [len(record) for record in records] == [63, 63, 4]
    assert max(map(len, records)) < RECORD_MESSAGES_MAX


def test_a_clients_shortest_record_is_as_long_as_a_retry_and_a_servers_is_not_padded() -> None:
    """R-5.1-5."""
    shortest = 31 + 1 + len(encode(Ping(1)))
    for bytes_min, lengths in ((RECORD_PLAINTEXT_BYTES_MIN, (RETRY_BYTES, RETRY_BYTES + 1)), (0, (shortest,))):
        turn, link = Turn(Instant(1), bytes_min), Link(BOB)
        turn.say(link, Ping(1))
        (action,) = turn.end()
        assert isinstance(action, SendDatagram)
        assert len(action.payload) in lengths
        assert opened(action) == (Ping(1),)


@pytest.mark.parametrize(
    ("acks", "datagrams"), [(1, [1]), (74, [74]), (75, [74, 1]), (148, [74, 74]), (200, [74, 74, 52])]
)
def test_acknowledgements_to_one_address_share_datagrams_of_at_most_74(acks: int, datagrams: list[int]) -> None:
    turn = Turn(Instant(1))
    for number in range(acks):
        turn.acknowledge(BOB, number.to_bytes(16))
    assert acknowledged(turn) == [(BOB, length) for length in datagrams]


def test_an_acknowledgement_goes_once_to_each_address_that_a_copy_came_from() -> None:
    turn = Turn(Instant(1))
    for to, ack in ((BOB, bytes(16)), (ALICE, bytes(16)), (BOB, bytes(16)), (BOB, b"\1" * 16)):
        turn.acknowledge(to, ack)
    assert acknowledged(turn) == [(BOB, 2), (ALICE, 1)]


def test_acknowledgements_keep_the_order_they_were_made_in() -> None:
    turn = Turn(Instant(1))
    acks = tuple(number.to_bytes(16) for number in (3, 1, 2))
    for ack in acks:
        turn.acknowledge(BOB, ack)
    assert turn.end() == (SendDatagram(BOB, serialize(Acks(acks))),)


def test_requests_come_before_anything_is_sent_and_datagrams_go_as_they_are() -> None:
    turn, link = Turn(Instant(5)), Link(BOB)
    turn.acknowledge(ALICE, bytes(16))
    turn.send(ALICE, b"letter 1")
    turn.say(link, Ping(1))
    turn.store(SaveCardSeq(1))
    turn.emit(StorageFailed())
    turn.drop(ALICE, Reason.SEAL)
    turn.send(BOB, b"letter 2")
    turn.emit(StorageRecovered())
    turn.store(SaveServerKey(bytes(32)))
    *first, record, one, two, acks = turn.end()
    assert first == [
        Store(SaveCardSeq(1)),
        Emit(StorageFailed()),
        Dropped(ALICE, Reason.SEAL),
        Emit(StorageRecovered()),
        Store(SaveServerKey(bytes(32))),
    ]
    assert opened(record) == (Ping(1),)
    assert [one, two] == [SendDatagram(ALICE, b"letter 1"), SendDatagram(BOB, b"letter 2")]
    assert acks == SendDatagram(ALICE, serialize(Acks((bytes(16),))))
    assert turn.now == 5


def test_requests_that_are_taken_back_are_given_in_their_order_and_the_rest_of_the_turn_stays() -> None:
    turn = Turn(Instant(1))
    turn.store(SaveCardSeq(1))
    turn.emit(StorageFailed())
    turn.store(SaveCardSeq(2))
    turn.send(BOB, b"letter")
    assert turn.withhold() == [SaveCardSeq(1), SaveCardSeq(2)]
    turn.store(SaveCardSeq(3))
    assert turn.end() == (Emit(StorageFailed()), Store(SaveCardSeq(3)), SendDatagram(BOB, b"letter"))
