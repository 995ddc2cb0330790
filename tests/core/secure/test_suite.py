"""The real primitives against other implementations: RFC vectors, the standard library and pyhpke."""

import hmac

import pytest
from cryptography.hazmat.primitives import hashes
from pyhpke import AEADId, CipherSuite, KDFId, KEMId
from pyhpke.exceptions import OpenError

from tests.core.secure.people import LETTER_LABEL, letter, letter_body, parsed, person, private_key, refused
from udpchat_core.datagrams import Letter
from udpchat_core.errors import Reason
from udpchat_core.secure.keys import SMALL_ORDER_X25519, key_id
from udpchat_core.secure.letter import OpeningKey, open_letter_untrusted
from udpchat_core.secure.suite import StandardSuite, Suite
from udpchat_core.wire import encode

ORACLE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)
MINE, INFO, TEXT = private_key("mine"), b"info", b"text"


def oracle_seal(public: bytes, info: bytes, data: bytes) -> bytes:
    encapsulated, context = ORACLE.create_sender_context(ORACLE.kem.deserialize_public_key(public), info)
    return encapsulated + context.seal(data)


def oracle_open(private: bytes, info: bytes, sealed: bytes) -> bytes:
    key = ORACLE.kem.deserialize_private_key(private)
    return ORACLE.create_recipient_context(sealed[:32], key, info).open(sealed[32:])


@pytest.mark.parametrize("size", [0, 1, 64, 1_000])
def test_pyhpke_opens_what_we_seal_and_we_what_it_seals(real: StandardSuite, size: int) -> None:
    """R-6.1-2."""
    public, data = real.dh_public(MINE), bytes(size)
    assert oracle_open(MINE, INFO, real.hpke_seal_untrusted(public, INFO, data)) == data
    assert real.hpke_open_untrusted(MINE, INFO, oracle_seal(public, INFO, data)) == data


def test_pyhpke_reads_a_whole_letter_of_ours(real: StandardSuite) -> None:
    """R-6.1-2 R-6.2-1: key id, seal, signature and body, each by hand."""
    alice, bob = person(real, "alice"), person(real, "bob")
    sealed = parsed(Letter, letter(real, alice, bob))
    info = LETTER_LABEL + bob.public
    plain = oracle_open(bob.live, info, sealed.sealed)
    assert plain[64:] == encode(letter_body(alice))
    real.verify_untrusted(alice.public, plain[:64], info + bob.body.live + plain[64:])
    with pytest.raises(OpenError):
        oracle_open(bob.live, LETTER_LABEL + alice.public, sealed.sealed)


def test_we_read_a_whole_letter_that_pyhpke_sealed(real: StandardSuite) -> None:
    """R-6.1-2 R-6.2-1."""
    alice, bob = person(real, "alice"), person(real, "bob")
    info, encoded = LETTER_LABEL + bob.public, encode(letter_body(alice))
    plain = real.sign(alice.identity, info + bob.body.mail + encoded) + encoded
    sealed = Letter(key_id(real, bob.body.mail), oracle_seal(bob.body.mail, info, plain))
    assert open_letter_untrusted(real, bob.public, [OpeningKey.of(real, bob.mail)], sealed) == letter_body(alice)


@pytest.mark.parametrize("point", sorted(SMALL_ORDER_X25519), ids=bytes.hex)
def test_an_encapsulated_key_of_small_order_opens_nothing(real: StandardSuite, point: bytes) -> None:
    """R-2.2-3: its shared secret is zero, so anybody could seal with it."""
    with refused(Reason.SEAL):
        real.hpke_open_untrusted(MINE, INFO, point + bytes(40))


def test_what_was_sealed_opens_with_its_key_and_info_alone(suite: Suite) -> None:
    sealed = suite.hpke_seal_untrusted(suite.dh_public(MINE), INFO, TEXT)
    assert suite.hpke_open_untrusted(MINE, INFO, sealed) == TEXT
    for private, info in ((private_key("yours"), INFO), (MINE, b"other")):
        with refused(Reason.SEAL):
            suite.hpke_open_untrusted(private, info, sealed)


def test_no_part_of_what_was_sealed_opens(suite: Suite) -> None:
    sealed = suite.hpke_seal_untrusted(suite.dh_public(MINE), INFO, TEXT)
    for size in range(len(sealed)):
        with refused(Reason.SEAL):
            suite.hpke_open_untrusted(MINE, INFO, sealed[:size])


def test_an_aead_opens_with_the_same_key_nonce_and_header_alone(suite: Suite) -> None:
    key, nonce = private_key("aead"), b"n" * 12
    sealed = suite.aead_seal(key, nonce, TEXT, b"head")
    assert len(sealed) == len(TEXT) + 16
    assert suite.aead_open_untrusted(key, nonce, sealed, b"head") == TEXT
    wrong = [(MINE, nonce, sealed, b"head"), (key, b"m" * 12, sealed, b"head"), (key, nonce, sealed, b"hand")]
    for arguments in [*wrong, *((key, nonce, sealed[:size], b"head") for size in range(len(sealed)))]:
        with refused(Reason.SEAL):
            suite.aead_open_untrusted(*arguments)


def test_a_signature_holds_for_its_key_and_data_alone(suite: Suite) -> None:
    public, signature = suite.sign_public(MINE), suite.sign(MINE, TEXT)
    suite.verify_untrusted(public, signature, TEXT)
    other = suite.sign_public(private_key("yours"))
    wrong = [
        (other, signature, TEXT),
        (public, signature, b"test"),
        (public, signature[:63], TEXT),
        (public, b"", TEXT),
    ]
    for arguments in wrong:
        with refused(Reason.SIGNATURE):
            suite.verify_untrusted(*arguments)


def test_a_signature_with_its_number_made_longer_is_refused(real: StandardSuite) -> None:
    """RFC 8032 section 5.1.7: S is below the order of the group, so a signature has one form."""
    order = 2**252 + 27742317777372353535851937790883648493
    signature = real.sign(MINE, TEXT)
    longer = int.from_bytes(signature[32:], "little") + order
    with refused(Reason.SIGNATURE):
        real.verify_untrusted(real.sign_public(MINE), signature[:32] + longer.to_bytes(32, "little"), TEXT)


def test_a_public_key_that_is_no_point_verifies_nothing(real: StandardSuite) -> None:
    for y in range(2, 20):
        with refused(Reason.SIGNATURE):
            real.verify_untrusted(y.to_bytes(32, "little"), bytes(64), TEXT)


def test_signatures_are_those_of_rfc_8032() -> None:
    """Section 7.1, test 1."""
    suite = StandardSuite(bytes)
    private = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert suite.sign_public(private).hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert suite.sign(private, b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
        "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )


def test_hash_and_mac_are_those_of_another_implementation(real: StandardSuite) -> None:
    for size in (0, 1, 63, 64, 65, 1_200):
        data = bytes(size)
        other = hashes.Hash(hashes.SHA256())
        other.update(data)
        assert real.hash(data) == other.finalize()
        for key in (b"", MINE, b"k" * 64, b"k" * 65):
            assert real.mac(key, data) == hmac.digest(key, data, "sha256")


def test_hashes_are_those_of_fips_180() -> None:
    """The example of one block, "abc"."""
    assert StandardSuite(bytes).hash(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_equal_is_what_it_says(suite: Suite) -> None:
    assert suite.equal(b"same", b"same")
    assert not suite.equal(b"same", b"some")
    assert not suite.equal(b"same", b"sam")
    assert not suite.equal(b"", b"s")


def test_both_sides_of_an_exchange_get_the_same_secret(suite: Suite) -> None:
    yours = private_key("yours")
    shared = suite.dh_untrusted(MINE, suite.dh_public(yours))
    assert shared == suite.dh_untrusted(yours, suite.dh_public(MINE))
    assert shared != suite.dh_untrusted(MINE, suite.dh_public(MINE))


def test_randomness_is_what_the_caller_handed_in() -> None:
    assert StandardSuite(bytes).random(5) == bytes(5)
