"""Noise IK against the public vector, against another implementation, and against bad messages."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from noise.connection import Keypair, NoiseConnection

from tests.core.secure.people import TOP_BIT, private_key, refused
from udpchat_core.errors import Reason
from udpchat_core.secure.keys import SMALL_ORDER_X25519
from udpchat_core.secure.noise import PROTOCOL_NAME, Keys, begin_untrusted, read_untrusted
from udpchat_core.secure.suite import StandardSuite, Suite

VECTOR = Path(__file__).parents[2] / "vectors" / "noise_ik_25519_chachapoly_sha256.json"
ALICE, EVE, SERVER = private_key("alice"), private_key("eve"), private_key("server")


class Scripted(StandardSuite):
    """The real primitives, whose `random` is the vector's ephemeral key."""

    def __init__(self, ephemeral: bytes) -> None:
        super().__init__(lambda size: ephemeral[:size])


def vector() -> dict[str, Any]:
    (found,) = json.loads(VECTOR.read_text())["vectors"]
    assert found["protocol_name"].encode() == PROTOCOL_NAME
    assert found["init_prologue"] == found["resp_prologue"]
    return dict(found)


def nonce(counter: int) -> bytes:
    return bytes(4) + counter.to_bytes(8, "little")


def exchange(suite: Suite, prologue: bytes = b"prologue") -> tuple[Keys, Keys]:
    message, begun = begin_untrusted(suite, prologue, ALICE, suite.dh_public(SERVER), b"first")
    answered, responder = read_untrusted(suite, prologue, SERVER, message).answer_untrusted(suite, b"second")
    payload, initiator = begun.finish_untrusted(suite, answered)
    assert payload == b"second"
    return initiator, responder


def test_the_public_vector_is_reproduced_byte_by_byte() -> None:
    """R-4.2-1: both messages, the handshake hash, and the transport messages both ways."""
    given = vector()
    hexed = {key: bytes.fromhex(value) for key, value in given.items() if key not in ("protocol_name", "messages")}
    said = [(bytes.fromhex(m["payload"]), bytes.fromhex(m["ciphertext"])) for m in given["messages"]]
    client, server = Scripted(hexed["init_ephemeral"]), Scripted(hexed["resp_ephemeral"])
    prologue, remote = hexed["init_prologue"], hexed["init_remote_static"]
    first, begun = begin_untrusted(client, prologue, hexed["init_static"], remote, said[0][0])
    assert first == said[0][1]
    asked = read_untrusted(server, prologue, hexed["resp_static"], first)
    assert (asked.payload, asked.static) == (said[0][0], client.dh_public(hexed["init_static"]))
    second, responder = asked.answer_untrusted(server, said[1][0])
    assert second == said[1][1]
    payload, initiator = begun.finish_untrusted(client, second)
    assert payload == said[1][0]
    assert initiator == responder
    assert initiator.handshake_hash == hexed["handshake_hash"]
    for at, (plain, sealed) in enumerate(said[2:]):
        key = (initiator.initiator, initiator.responder)[at % 2]
        assert client.aead_seal(key, nonce(at // 2), plain, b"") == sealed
        assert server.aead_open_untrusted(key, nonce(at // 2), sealed, b"") == plain


def oracle(prologue: bytes) -> Any:
    connection = NoiseConnection.from_name(PROTOCOL_NAME)
    connection.set_prologue(prologue)
    return connection


def check_transport(suite: Suite, ours: bytes, theirs: bytes, connection: Any) -> None:
    for counter in range(3):
        message = b"message %d" % counter
        assert connection.decrypt(suite.aead_seal(ours, nonce(counter), message, b"")) == message
        sealed = bytes(connection.encrypt(message))
        assert suite.aead_open_untrusted(theirs, nonce(counter), sealed, b"") == message


def test_noiseprotocol_answers_what_we_begin(real: StandardSuite) -> None:
    """R-4.2-1."""
    connection = oracle(b"prologue")
    connection.set_as_responder()
    connection.set_keypair_from_private_bytes(Keypair.STATIC, SERVER)
    connection.start_handshake()
    message, begun = begin_untrusted(real, b"prologue", ALICE, real.dh_public(SERVER), b"first")
    assert connection.read_message(message) == b"first"
    payload, keys = begun.finish_untrusted(real, bytes(connection.write_message(b"second")))
    assert payload == b"second"
    assert keys.handshake_hash == connection.get_handshake_hash()
    check_transport(real, keys.initiator, keys.responder, connection)


def test_we_answer_what_noiseprotocol_begins(real: StandardSuite) -> None:
    """R-4.2-1."""
    connection = oracle(b"prologue")
    connection.set_as_initiator()
    connection.set_keypair_from_private_bytes(Keypair.STATIC, ALICE)
    connection.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, real.dh_public(SERVER))
    connection.start_handshake()
    asked = read_untrusted(real, b"prologue", SERVER, bytes(connection.write_message(b"first")))
    assert (asked.payload, asked.static) == (b"first", real.dh_public(ALICE))
    message, keys = asked.answer_untrusted(real, b"second")
    assert connection.read_message(message) == b"second"
    assert keys.handshake_hash == connection.get_handshake_hash()
    check_transport(real, keys.responder, keys.initiator, connection)


def test_both_sides_get_the_same_two_keys_and_new_ones_every_time(suite: Suite) -> None:
    one, other = exchange(suite), exchange(suite)
    for initiator, responder in (one, other):
        assert initiator == responder
    assert len({*one[0], *other[0]}) == 6


def test_another_prologue_is_refused(suite: Suite) -> None:
    message, _ = begin_untrusted(suite, b"one", ALICE, suite.dh_public(SERVER), b"first")
    with refused(Reason.SEAL):
        read_untrusted(suite, b"two", SERVER, message)


def test_another_responder_cannot_read_the_first_message(suite: Suite) -> None:
    message, _ = begin_untrusted(suite, b"", ALICE, suite.dh_public(SERVER), b"first")
    with refused(Reason.SEAL):
        read_untrusted(suite, b"", private_key("mallory"), message)


def test_an_answer_to_another_first_message_is_refused(suite: Suite) -> None:
    remote = suite.dh_public(SERVER)
    _, begun = begin_untrusted(suite, b"", ALICE, remote, b"first")
    message, _ = begin_untrusted(suite, b"", ALICE, remote, b"first")
    answered, _ = read_untrusted(suite, b"", SERVER, message).answer_untrusted(suite, b"")
    with refused(Reason.SEAL):
        begun.finish_untrusted(suite, answered)


def test_messages_too_short_for_their_keys_and_tags_are_refused(suite: Suite) -> None:
    message, begun = begin_untrusted(suite, b"", ALICE, suite.dh_public(SERVER), b"")
    answered, _ = read_untrusted(suite, b"", SERVER, message).answer_untrusted(suite, b"")
    assert (len(message), len(answered)) == (96, 48)
    for size in range(96):
        with refused(Reason.SIZE):
            read_untrusted(suite, b"", SERVER, message[:size])
    for size in range(48):
        with refused(Reason.SIZE):
            begun.finish_untrusted(suite, answered[:size])
    assert begun.finish_untrusted(suite, answered)[0] == b""


@pytest.mark.parametrize("point", sorted(SMALL_ORDER_X25519), ids=bytes.hex)
def test_an_ephemeral_key_of_small_order_is_refused_on_both_sides(suite: Suite, point: bytes) -> None:
    """R-2.2-3: in the first message, in the second, with the top bit and without."""
    _, begun = begin_untrusted(suite, b"", ALICE, suite.dh_public(SERVER), b"")
    for hostile in (point, point[:31] + bytes((point[31] | TOP_BIT[31],))):
        with refused(Reason.POINT):
            read_untrusted(suite, b"", SERVER, hostile + Random(2).randbytes(64))
        with refused(Reason.POINT):
            begun.finish_untrusted(suite, hostile + bytes(16))
        with refused(Reason.POINT):
            begin_untrusted(suite, b"", ALICE, hostile, b"")


class Hostile(StandardSuite):
    """An initiator whose static key is of small order: every secret with it is zero, so it needs no private key."""

    def __init__(self, point: bytes) -> None:
        super().__init__(Random(3).randbytes)
        self.point = point

    def dh_public(self, private: bytes) -> bytes:
        return self.point if private == EVE else super().dh_public(private)

    def dh_untrusted(self, private: bytes, public: bytes) -> bytes:
        return bytes(32) if private == EVE or public == self.point else super().dh_untrusted(private, public)


@pytest.mark.parametrize("point", sorted(SMALL_ORDER_X25519), ids=bytes.hex)
def test_a_static_key_of_small_order_is_refused(real: StandardSuite, point: bytes) -> None:
    """R-2.2-3: who takes the zero for a secret would find the message good."""
    message, _ = begin_untrusted(Hostile(point), b"", EVE, real.dh_public(SERVER), b"first")
    assert read_untrusted(Hostile(point), b"", SERVER, message).payload == b"first"
    with refused(Reason.POINT):
        read_untrusted(real, b"", SERVER, message)
