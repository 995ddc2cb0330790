"""The vectors are true of what is sealed and signed: cards, letters, handshakes and RECORDs."""

from contextlib import nullcontext
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKeyInterface

from spec.tools.vectors.making import plain
from tests.spec.vectors import FILES, HEX, REAL, Gullible, Vector, address, each, parsed, refused, scripted
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.datagrams import Init, Letter, Record, Resp, Retry
from udpchat_core.errors import Reason
from udpchat_core.fields import Rotation
from udpchat_core.instant import SECOND, Instant
from udpchat_core.secure.card import (
    check_expiry_untrusted,
    check_name_untrusted,
    make_card,
    open_card_untrusted,
    succession,
)
from udpchat_core.secure.keys import LETTER_LABEL, LINK_LABEL, ROTATION_LABEL
from udpchat_core.secure.letter import OpeningKey, ack_of, open_letter_untrusted, slot_of
from udpchat_core.secure.link import Initiated, Link, Responded, hello, initiate_untrusted, respond_untrusted, retry
from udpchat_core.secure.noise import read_untrusted
from udpchat_core.secure.rotation import check_rotation_untrusted, make_rotation
from udpchat_core.secure.suite import StandardSuite
from udpchat_core.secure.token import make_token
from udpchat_core.wire import decode_untrusted

# --- cards ---


def receive_card_untrusted(v: Vector, by: StandardSuite = REAL) -> CardBody:
    body = open_card_untrusted(by, HEX(v["card"]))
    check_expiry_untrusted(body, v["now_s"])
    if v["name_asked"] is not None:
        check_name_untrusted(body, v["name_asked"])
    return body


@each("cards", "accepted")
def test_a_card_is_made_and_taken(v: Vector) -> None:
    """R-2.3-1 R-2.3-2."""
    body = receive_card_untrusted(v)
    assert plain(body) == v["body"]
    assert make_card(REAL, HEX(v["I_private"]), body).hex() == v["card"]


@each("cards", "refused")
def test_a_card_that_does_not_hold_is_refused(v: Vector) -> None:
    with refused(v):
        receive_card_untrusted(v)


@each("cards", "successions")
def test_a_card_stands_to_the_highest_known_as_the_vector_says(v: Vector) -> None:
    """R-2.3-5 R-2.3-6."""
    body = open_card_untrusted(REAL, HEX(FILES["cards"]["accepted"][0]["card"]))
    assert succession(v["known_seq"], replace(body, seq=v["seq"])).value == v["succession"]


@each("cards", "refused", Reason.SIGNATURE, Reason.POINT)
def test_nothing_but_its_keys_and_signature_is_wrong_with_a_refused_card(
    v: Vector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lists of small order, plain Ed25519 takes what is refused for a point."""
    monkeypatch.setattr("udpchat_core.secure.keys.SMALL_ORDER_ED25519", frozenset())
    monkeypatch.setattr("udpchat_core.secure.keys.SMALL_ORDER_X25519", frozenset())
    receive_card_untrusted(v, Gullible(Reason(v["reason"])))


# --- rotations ---


def receive_rotation_untrusted(v: Vector, by: StandardSuite = REAL) -> None:
    rotation = Rotation(HEX(v["former"]), HEX(v["signature"]))
    check_rotation_untrusted(by, rotation, HEX(v["identity"]), v["rotated_name"])


@each("cards", "rotations")
def test_a_rotation_is_made_and_taken(v: Vector) -> None:
    """R-2.4-1."""
    receive_rotation_untrusted(v)
    made = make_rotation(REAL, HEX(v["former_private"]), HEX(v["identity"]), v["rotated_name"])
    assert (made.former.hex(), made.signature.hex()) == (v["former"], v["signature"])


@each("cards", "rotations_refused")
def test_a_rotation_that_does_not_hold_is_refused(v: Vector) -> None:
    """R-2.4-1 R-2.4-2."""
    with refused(v):
        receive_rotation_untrusted(v)


@each("cards", "rotations_refused")
def test_nothing_but_its_key_or_signature_is_wrong_with_a_refused_rotation(
    v: Vector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("udpchat_core.secure.keys.SMALL_ORDER_ED25519", frozenset())
    if v["former"] == v["identity"]:  # what is wrong is that and nothing else: its signature holds
        signed = ROTATION_LABEL + HEX(v["identity"]) + v["rotated_name"].encode()
        REAL.verify_untrusted(HEX(v["former"]), HEX(v["signature"]), signed)
    else:
        receive_rotation_untrusted(v, Gullible(Reason(v["reason"])))


# --- letters ---


def receive_letter_untrusted(v: Vector, by: StandardSuite = REAL) -> LetterBody:
    keys = [OpeningKey.of(by, HEX(private)) for private in v["keys"]]
    return open_letter_untrusted(by, HEX(v["recipient"]), keys, parsed(Letter, v["letter"]))


@each("letters", "accepted")
def test_a_letter_opens_to_the_body_and_is_acknowledged(v: Vector) -> None:
    """R-6.1-2 R-6.1-3 R-6.2-1 R-6.3-1 R-6.3-2."""
    body = receive_letter_untrusted(v)
    assert plain(body) == v["body"]
    assert (ack_of(REAL, body.secret).hex(), slot_of(REAL, body.secret).hex()) == (v["ack"], v["slot"])


@each("letters", "refused")
def test_a_letter_that_does_not_hold_is_refused(v: Vector) -> None:
    with refused(v):
        receive_letter_untrusted(v)


@each("letters", "refused", Reason.SIGNATURE, Reason.POINT)
def test_nothing_but_its_sender_is_wrong_with_a_refused_letter(v: Vector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the list of small order, plain Ed25519 takes what is refused for a point."""
    monkeypatch.setattr("udpchat_core.secure.keys.SMALL_ORDER_ED25519", frozenset())
    receive_letter_untrusted(v, Gullible(Reason(v["reason"])))


class Blind:
    """A private X25519 key whose shared secrets are zero, whatever the other one is."""

    def __init__(self, private: bytes) -> None:
        self.public_key = X25519PrivateKey.from_private_bytes(private).public_key

    def exchange(self, _public: object) -> bytes:
        return bytes(32)


@pytest.mark.parametrize("v", [v for v in FILES["letters"]["refused"] if "no secret was needed" in v["wrong"]])
def test_who_takes_a_shared_secret_of_zeros_opens_a_letter_sealed_with_none(v: Vector) -> None:
    """R-2.2-3: the letter opens and its signature holds, so nothing else is wrong with it."""
    suite = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)
    sealed, private, info = HEX(v["letter"])[7:], HEX(v["keys"][0]), LETTER_LABEL + HEX(v["recipient"])
    opened = suite.create_recipient_context(sealed[:32], KEMKeyInterface(Blind(private)), info).open(sealed[32:])
    body = decode_untrusted(LetterBody, opened[64:])
    REAL.verify_untrusted(body.sender, opened[:64], info + REAL.dh_public(private) + opened[64:])


# --- the Link ---


def initiated(v: Vector) -> Initiated:
    client, asked = v["client"], parsed(Retry, v["retry"])
    return initiate_untrusted(
        scripted(client["ephemeral_private"]),
        asked.server_key,
        asked.token,
        HEX(client["index"]),
        HEX(client["L_private"]),
        HEX(v["card"]),
    )


@each("link", "handshakes")
def test_a_handshake_and_its_records_are_made_byte_by_byte(v: Vector) -> None:
    """R-4.1-1 R-4.2-1 R-4.2-2 R-4.2-4 R-4.4-1 R-4.4-2."""
    server, now_s = v["server"], v["now_s"]
    token = make_token(REAL, HEX(v["token_secret"]), address(v["address"]), Instant(now_s * SECOND))
    asked = hello(scripted(v["hello"][6:38]))
    assert asked.hex() == v["hello"]
    assert retry(asked, token, REAL.dh_public(HEX(server["S_private"]))).hex() == v["retry"]
    begun = initiated(v)
    assert begun.init.hex() == v["init"]
    by = scripted(server["ephemeral_private"])
    answered = respond_untrusted(by, HEX(server["S_private"]), parsed(Init, v["init"]), HEX(server["index"]), now_s)
    assert (answered.resp.hex(), answered.card_bytes.hex()) == (v["resp"], v["card"])
    ends = {"client": begun.finish_untrusted(REAL, parsed(Resp, v["resp"])), "server": answered.link}
    for said in v["records"]:
        sender, receiver = ends[said["from"]], ends["server" if said["from"] == "client" else "client"]
        assert sender.seal(REAL, HEX(said["plaintext"])).hex() == said["record"]
        record = parsed(Record, said["record"])
        assert (record.counter, receiver.open_untrusted(REAL, record).hex()) == (
            int(said["counter"], 16),
            said["plaintext"],
        )
    assert [ends["client"]._send_key.hex(), ends["server"]._send_key.hex()] == [v["client_key"], v["server_key"]]


def receive_init_untrusted(v: Vector, by: StandardSuite = REAL) -> Responded:
    return respond_untrusted(by, HEX(v["S_private"]), parsed(Init, v["init"]), bytes(4), v["now_s"])


@each("link", "inits_refused")
def test_an_init_that_does_not_hold_is_refused(v: Vector) -> None:
    with refused(v):
        receive_init_untrusted(v)


@each("link", "inits_refused", Reason.SIGNATURE, Reason.POINT, Reason.STATIC, Reason.EXPIRED)
def test_nothing_but_what_is_said_is_wrong_with_a_refused_init(v: Vector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not look at signatures, points, dates or at whose key it is takes it."""
    monkeypatch.setattr("udpchat_core.secure.keys.SMALL_ORDER_X25519", frozenset())
    by = Gullible(Reason(v["reason"]))
    init, server = parsed(Init, v["init"]), HEX(v["S_private"])
    prologue = LINK_LABEL + by.dh_public(server) + HEX(v["init"])[:23]
    asked = read_untrusted(by, prologue, server, init.noise)
    card = open_card_untrusted(by, asked.payload)
    assert (card.live != asked.static) == (v["reason"] == Reason.STATIC)
    assert (v["now_s"] > card.expires_s + 86_400) == (v["reason"] == Reason.EXPIRED)


@each("link", "resps_refused")
def test_a_resp_that_does_not_hold_is_refused_and_the_true_one_taken_after_it(v: Vector) -> None:
    """R-3.1-6."""
    (of,) = [found for found in FILES["link"]["handshakes"] if found["name"] == v["handshake"]]
    begun = initiated(of)
    with refused(v):
        begun.finish_untrusted(REAL, parsed(Resp, v["resp"]))
    assert begun.finish_untrusted(REAL, parsed(Resp, of["resp"])).peer_index.hex() == of["server"]["index"]


@each("link", "resps_refused", Reason.POINT)
def test_who_takes_a_shared_secret_of_zeros_takes_a_resp_of_small_order(v: Vector) -> None:
    (of,) = [found for found in FILES["link"]["handshakes"] if found["name"] == v["handshake"]]
    initiated(of).finish_untrusted(Gullible(Reason.POINT), parsed(Resp, v["resp"]))


@each("records", "sequences")
def test_records_are_taken_and_refused_in_their_order(v: Vector) -> None:
    """R-4.4-1 R-4.4-3 R-4.4-4 R-4.4-5."""
    link = Link(HEX(v["index"]), bytes(4), bytes(32), HEX(v["key"]))
    for said in v["records"]:
        with refused(said) if "reason" in said else nullcontext():
            assert link.open_untrusted(REAL, parsed(Record, said["record"])).hex() == said["plaintext"]


@each("records", "sequences")
def test_a_record_refused_for_its_counter_is_truly_sealed(v: Vector) -> None:
    """What is refused for its counter opens where nobody looks at counters."""
    for said in v["records"]:
        if Reason(said.get("reason", Reason.REPLAY)) in (Reason.REPLAY, Reason.COUNTER):
            record = HEX(said["record"])
            REAL.aead_open_untrusted(HEX(v["key"]), bytes(4) + record[14:6:-1], record[15:], record[:15])
