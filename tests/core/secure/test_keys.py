"""Labels, ids of keys, and the points of small order, which are counted here a second time."""

from collections.abc import Callable
from hashlib import sha256, sha512
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.core.secure.people import (
    TOP_BIT,
    answer,
    begin,
    letter,
    letter_body,
    links,
    parsed,
    person,
    private_key,
    record,
    refused,
)
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody
from udpchat_core.datagrams import Letter, Resp
from udpchat_core.errors import Reason
from udpchat_core.instant import Instant
from udpchat_core.secure import keys
from udpchat_core.secure.card import make_card, open_card_untrusted
from udpchat_core.secure.keys import SMALL_ORDER_ED25519, SMALL_ORDER_X25519, key_id
from udpchat_core.secure.letter import ack_of, open_letter_untrusted, slot_of
from udpchat_core.secure.link import initiate_untrusted
from udpchat_core.secure.suite import StandardSuite, Suite
from udpchat_core.secure.token import make_token
from udpchat_core.wire import encode
from udpchat_net.simulation.transparent import TransparentSuite

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # of minus one
IDENTITY = (0, 1)
Point = tuple[int, int]


def add(one: Point, two: Point) -> Point:
    (x1, y1), (x2, y2) = one, two
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P


def times(factor: int, point: Point) -> Point:
    total = IDENTITY
    for bit in bin(factor)[2:]:
        total = add(total, total)
        total = add(total, point) if bit == "1" else total
    return total


def on_curve(y: int) -> Point | None:
    """A point with this y, if there is one: x^2 = (y^2 - 1) / (d y^2 + 1)."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    return (x, y % P) if x * x % P == square else None


def small_order_points() -> set[Point]:
    """All eight, as multiples of one of order 8: the curve has 8 * ORDER points."""
    for y in range(2, 100):
        point = on_curve(y)
        generator = times(ORDER, point) if point else IDENTITY
        if times(4, generator) != IDENTITY:
            return {times(n, generator) for n in range(8)}
    raise AssertionError


def encodings(values: set[int]) -> frozenset[bytes]:
    """Each value in 255 bits, and also with p added where that fits."""
    return frozenset(n.to_bytes(32, "little") for value in values for n in (value, value + P) if n < 2**255)


def both_signs(points: frozenset[bytes]) -> list[bytes]:
    return sorted(key for point in points for key in (point, point[:31] + bytes((point[31] | TOP_BIT[31],))))


IDENTITIES = encodings({y for _, y in small_order_points()})
"""By arithmetic of our own, not by the table that is tested."""
BASE: Final = (15112221349535400772501151409588531511454012693041857206046113283949847762202, 4 * pow(5, -1, P) % P)


def compressed(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def forged(identity: bytes, data: bytes) -> bytes:
    """A signature without a private key: s is counted up until the challenge is a multiple of 8."""
    point = BASE
    for s in range(1, 1_000):
        challenge = sha512(compressed(point) + identity + data).digest()
        if int.from_bytes(challenge, "little") % ORDER % 8 == 0:
            return compressed(point) + s.to_bytes(32, "little")
        point = add(point, BASE)
    raise AssertionError


def test_the_identity_table_is_exactly_the_points_of_small_order() -> None:
    """R-2.2-2: counted with arithmetic of our own."""
    points = small_order_points()
    assert len(points) == 8
    assert all(times(8, point) == IDENTITY for point in points)
    assert IDENTITIES == SMALL_ORDER_ED25519
    assert len(SMALL_ORDER_ED25519) == 7


def test_every_y_of_the_identity_table_is_a_point_that_eight_times_gives_nothing() -> None:
    """R-2.2-2: each entry by itself."""
    for entry in SMALL_ORDER_ED25519:
        point = on_curve(int.from_bytes(entry, "little"))
        assert point is not None
        for signed in (point, (-point[0] % P, point[1])):
            assert times(8, signed) == IDENTITY


def test_a_point_of_the_large_group_is_not_in_the_table() -> None:
    """R-2.2-2: the arithmetic above can tell them apart."""
    base = on_curve(4 * pow(5, -1, P) % P)
    assert base is not None
    assert times(8, base) != IDENTITY
    assert times(ORDER, base) == IDENTITY
    assert base[1].to_bytes(32, "little") not in SMALL_ORDER_ED25519


def test_the_exchange_table_is_the_same_points_on_the_other_curve() -> None:
    """R-2.2-3: u = (1 + y) / (1 - y) (RFC 7748 section 4.1), and u = -1 of the twist."""
    ys = {y for _, y in small_order_points()} - {1}
    us = {(1 + y) * pow(1 - y, -1, P) % P for y in ys} | {P - 1}
    assert encodings(us) == SMALL_ORDER_X25519
    assert len(SMALL_ORDER_X25519) == 7


@pytest.mark.parametrize("point", both_signs(SMALL_ORDER_X25519), ids=bytes.hex)
def test_the_library_finds_no_secret_with_an_exchange_key_of_small_order(point: bytes) -> None:
    """R-2.2-3: which a second time shows the table right."""
    with pytest.raises(ValueError, match="shared key"):
        X25519PrivateKey.from_private_bytes(private_key("x")).exchange(X25519PublicKey.from_public_bytes(point))


@pytest.mark.parametrize("point", both_signs(SMALL_ORDER_X25519), ids=bytes.hex)
def test_no_use_of_an_exchange_key_takes_one_of_small_order(suite: Suite, point: bytes) -> None:
    """R-2.2-3: as L or M of a card, as the key of a letter, as S of a RETRY."""
    alice, bob = person(suite, "alice"), person(suite, "bob")
    for hostile in (person(suite, "eve", live=point), person(suite, "eve", mail=point)):
        with refused(Reason.POINT):
            open_card_untrusted(suite, hostile.card)
    with refused(Reason.POINT):
        letter(suite, bob, person(suite, "eve", live=point))
    with refused(Reason.POINT):
        initiate_untrusted(suite, point, bytes(16), b"clnt", alice.live, alice.card)
    with refused(Reason.POINT):
        suite.dh_untrusted(alice.live, point)


@pytest.mark.parametrize("point", both_signs(IDENTITIES), ids=bytes.hex)
def test_a_card_of_an_identity_of_small_order_is_refused(suite: Suite, point: bytes) -> None:
    """R-2.2-2."""
    with refused(Reason.POINT):
        open_card_untrusted(suite, person(suite, "eve", identity=point).card)


@pytest.mark.parametrize("point", both_signs(IDENTITIES), ids=bytes.hex)
def test_a_letter_of_a_sender_of_small_order_is_refused(suite: Suite, point: bytes) -> None:
    """R-2.2-2 R-6.2-2."""
    eve, bob = person(suite, "eve"), person(suite, "bob")
    sealed = parsed(Letter, letter(suite, eve, bob, letter_body(eve, sender=point)))
    with refused(Reason.POINT):
        open_letter_untrusted(suite, bob.public, bob.keys(suite), sealed)


@pytest.mark.parametrize("point", sorted({compressed(point) for point in small_order_points()}), ids=bytes.hex)
def test_the_table_stops_a_card_that_anybody_can_sign(real: StandardSuite, point: bytes) -> None:
    """R-2.2-2: the library finds the forged signature good."""
    encoded = encode(person(real, "eve", identity=point).body)
    signature = forged(point, keys.CARD_LABEL + encoded)
    real.verify_untrusted(point, signature, keys.CARD_LABEL + encoded)
    with refused(Reason.POINT):
        open_card_untrusted(real, signature + encoded)


@pytest.mark.parametrize("size", [0, 1, 31, 33])
def test_what_is_no_key_of_32_bytes_is_refused_like_a_hostile_one(suite: Suite, size: int) -> None:
    """R-2.2-2 R-2.2-3: whoever calls the checks; an empty key once raised IndexError."""
    for check in (keys.check_identity_untrusted, keys.check_exchange_untrusted):
        with refused(Reason.POINT):
            check(b"k" * size)
    with refused(Reason.POINT):
        suite.dh_untrusted(private_key("x"), b"k" * size)
    with refused(Reason.POINT):
        suite.hpke_seal_untrusted(b"k" * size, b"info", b"text")


def test_the_id_of_a_key_is_the_beginning_of_its_labelled_hash(suite: Suite) -> None:
    """R-6.1-1."""
    assert key_id(suite, b"k" * 32) == sha256(b"udpchat/1 key id\0" + b"k" * 32).digest()[:4]


def test_no_label_is_the_beginning_of_another() -> None:
    """R-2.2-1."""
    labels = [value for name, value in vars(keys).items() if name.endswith("_LABEL")]
    assert len(labels) == 10
    assert [(a, b) for a in labels for b in labels if a is not b and b.startswith(a)] == []
    assert all(label.startswith(b"udpchat/1 ") and label.index(0) == len(label) - 1 for label in labels)


def test_no_private_key_shows_in_what_is_printed(suite: Suite) -> None:
    """Of values that end up in logs and tracebacks: what begins a link, what answers it, what opens letters."""
    alice = person(suite, "alice")
    begun = begin(suite, alice)
    responded = answer(suite, begun.init)
    client = begun.finish_untrusted(suite, parsed(Resp, responded.resp))
    shown = repr([begun, responded, client, alice.keys(suite)])
    ephemeral = begun._begun._ephemeral
    for secret in (alice.live, alice.mail, ephemeral, client._send_key, client._receive_key):
        assert repr(secret)[2:-1] not in shown
    assert repr(alice.body.mail)[2:-1] in shown  # what is public, is shown


class Listening(TransparentSuite):
    """Remembers the input of every signature, MAC, hash and HPKE `info`."""

    def __init__(self) -> None:
        super().__init__(1)
        self.heard: list[bytes] = []

    def sign(self, private: bytes, data: bytes) -> bytes:
        self.heard.append(data)
        return super().sign(private, data)

    def mac(self, key: bytes, data: bytes) -> bytes:
        self.heard.append(data)
        return super().mac(key, data)

    def hash(self, data: bytes) -> bytes:
        self.heard.append(data)
        return super().hash(data)

    def hpke_seal_untrusted(self, public: bytes, info: bytes, data: bytes) -> bytes:
        self.heard.append(info)
        return super().hpke_seal_untrusted(public, info, data)


def _card(suite: Suite) -> None:
    body: CardBody = person(suite, "alice").body
    make_card(suite, private_key("alice identity"), body)


def _letter(suite: Suite) -> None:
    letter(suite, person(suite, "alice"), person(suite, "bob"))


def _token(suite: Suite) -> None:
    make_token(suite, bytes(32), Address(b"\x7f\0\0\1", 1), Instant(0))


@pytest.mark.parametrize(
    ("use", "labels"),
    [
        (_card, {keys.CARD_LABEL}),
        (_letter, {keys.CARD_LABEL, keys.LETTER_LABEL, keys.KEY_ID_LABEL}),
        (_token, {keys.TOKEN_LABEL}),
        (lambda suite: ack_of(suite, bytes(16)), {keys.ACK_LABEL}),
        (lambda suite: slot_of(suite, bytes(16)), {keys.SLOT_LABEL}),
    ],
    ids=["card", "letter", "token", "ack", "slot"],
)
def test_whatever_is_hashed_or_signed_begins_with_its_label(use: Callable[[Suite], object], labels: set[bytes]) -> None:
    """R-2.2-1."""
    suite = Listening()
    use(suite)
    assert {data[: data.index(0) + 1] for data in suite.heard} == labels


def test_the_prologue_begins_with_the_label_of_the_link() -> None:
    """R-2.2-1: Noise's first hash is over its protocol's name and the prologue."""
    suite = Listening()
    begin(suite, person(suite, "alice"))
    prologues = [data[32:] for data in suite.heard if data.startswith(b"Noise_IK")]
    assert [data.startswith(keys.LINK_LABEL) for data in prologues] == [True]


def test_a_record_uses_no_hash_nor_signature() -> None:
    """R-2.2-1: so that none needs a label."""
    suite = Listening()
    client, server = links(suite)
    suite.heard.clear()
    server.open_untrusted(suite, record(client, suite))
    assert suite.heard == []
