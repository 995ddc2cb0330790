"""Tokens, good for one address and two minutes, and the RETRY that brings them."""

import hmac

import pytest

from tests.core.secure.people import SERVER, TOKEN, begin, links, parsed, person, private_key, refused
from udpchat_core.address import Address
from udpchat_core.datagrams import Hello, Retry
from udpchat_core.errors import LocalProtocolError, Reason
from udpchat_core.instant import Instant
from udpchat_core.secure.link import hello, retry
from udpchat_core.secure.suite import StandardSuite, Suite
from udpchat_core.secure.token import check_token_untrusted, make_token
from udpchat_core.wire import parse_untrusted

SECRET = private_key("token secret")
HERE = Address(b"\xc0\x00\x02\x01", 4_000)
HERE_V6 = Address(bytes.fromhex("20010db8000000000000000000000001"), 4_000)
EPOCH = 60_000_000
NOW = Instant(1_000 * EPOCH)


@pytest.mark.parametrize("source", [HERE, HERE_V6])
@pytest.mark.parametrize("age", [0, EPOCH - 1, EPOCH, 2 * EPOCH - 1])
def test_a_token_holds_in_its_epoch_and_the_next(suite: Suite, source: Address, age: int) -> None:
    """R-4.1-3."""
    token = make_token(suite, SECRET, source, NOW)
    assert len(token) == 16
    check_token_untrusted(suite, SECRET, source, Instant(NOW + age), token)


@pytest.mark.parametrize("source", [HERE, HERE_V6])
@pytest.mark.parametrize("age", [-1, -EPOCH, 2 * EPOCH, 3 * EPOCH, 256 * EPOCH])
def test_a_token_holds_in_no_other_epoch(suite: Suite, source: Address, age: int) -> None:
    """R-4.1-3."""
    token = make_token(suite, SECRET, source, NOW)
    with refused(Reason.TOKEN):
        check_token_untrusted(suite, SECRET, source, Instant(NOW + age), token)


@pytest.mark.parametrize(
    "other",
    [
        Address(HERE.host, 4_001),
        Address(HERE.host, HERE.port + 256),
        Address(b"\xc0\x00\x02\x02", HERE.port),
        Address(HERE.host + bytes(12), HERE.port),
        HERE_V6,
    ],
)
def test_a_token_is_good_for_its_address_alone(suite: Suite, other: Address) -> None:
    """R-4.1-2."""
    for source, elsewhere in ((HERE, other), (other, HERE)):
        with refused(Reason.TOKEN):
            check_token_untrusted(suite, SECRET, elsewhere, NOW, make_token(suite, SECRET, source, NOW))


def test_a_token_of_another_secret_is_refused(suite: Suite) -> None:
    """R-4.1-2."""
    with refused(Reason.TOKEN):
        check_token_untrusted(suite, SECRET, HERE, NOW, make_token(suite, private_key("other"), HERE, NOW))


def test_a_token_of_another_length_is_refused(suite: Suite) -> None:
    """R-4.1-3."""
    token = make_token(suite, SECRET, HERE, NOW)
    for wrong in (b"", token[:15], token + b"\0", token * 2):
        with refused(Reason.TOKEN):
            check_token_untrusted(suite, SECRET, HERE, NOW, wrong)


@pytest.mark.parametrize("source", [HERE, HERE_V6])
def test_a_token_is_the_mac_that_the_specification_writes_down(real: StandardSuite, source: Address) -> None:
    """R-4.1-2: by another implementation of HMAC."""
    place = (1_000).to_bytes(8, "big") + source.port.to_bytes(2, "big") + source.host
    assert make_token(real, SECRET, source, NOW) == hmac.digest(SECRET, b"udpchat/1 token\0" + place, "sha256")[:16]


def test_a_clock_before_1970_makes_tokens_too(suite: Suite) -> None:
    token = make_token(suite, SECRET, HERE, Instant(-1))
    check_token_untrusted(suite, SECRET, HERE, Instant(0), token)


def test_a_retry_echoes_bytes_3_to_18_of_whatever_it_answers(suite: Suite) -> None:
    """R-4.1-1: HELLO, INIT and RECORD."""
    client, _ = links(suite)
    key = suite.dh_public(SERVER)
    for answered in (hello(suite), begin(suite, person(suite, "alice")).init, client.seal(suite, bytes(40))):
        payload = retry(answered, TOKEN, key)
        assert parse_untrusted(payload) == Retry(answered[3:19], TOKEN, key)
        assert len(payload) <= len(answered)


def test_a_retry_is_never_longer_than_what_it_answers(suite: Suite) -> None:
    """R-3.3-1."""
    client, _ = links(suite)
    key, asked = suite.dh_public(SERVER), hello(suite)
    assert len(retry(asked, TOKEN, key)) == len(asked) == 67
    for answered in (asked[:-1], asked[:19], client.seal(suite, bytes(35))):
        with pytest.raises(LocalProtocolError):
            retry(answered, TOKEN, key)


def test_every_hello_has_a_nonce_of_its_own(suite: Suite) -> None:
    nonces = {parsed(Hello, hello(suite)).nonce for _ in range(20)}
    assert len(nonces) == 20
