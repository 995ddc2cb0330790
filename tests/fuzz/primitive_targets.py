"""Fuzz targets of the primitives under `udpchat_core.secure`: suite, keys, replay, token."""

from collections.abc import Callable
from typing import Final

from tests.core.secure.people import SERVER, private_key
from tests.fuzz.draw import Draw, edited
from tests.fuzz.target import Target, attempt
from tests.fuzz.world import STANDARD, draw_key, draw_world, in_both
from udpchat_core.address import Address
from udpchat_core.errors import BadDatagram
from udpchat_core.instant import Instant
from udpchat_core.limits import REPLAY_WINDOW_RECORDS, TOKEN_EPOCH_US
from udpchat_core.secure.keys import (
    SMALL_ORDER_ED25519,
    SMALL_ORDER_X25519,
    check_exchange_untrusted,
    check_identity_untrusted,
)
from udpchat_core.secure.replay import ReplayWindow
from udpchat_core.secure.token import check_token_untrusted, make_token

P: Final = 2**255 - 19
SUITE: Final = STANDARD.suite
ALICE: Final = STANDARD.alice
COUNTER_LIMIT: Final = 2**64


class Seen:
    """The replay window as the specification says it, with everything remembered."""

    def __init__(self) -> None:
        self.counters: set[int] = set()

    def fresh(self, counter: int) -> bool:
        """R-4.4-4."""
        return counter not in self.counters and counter > max(self.counters, default=-1) - REPLAY_WINDOW_RECORDS

    def draw_counter(self, draw: Draw) -> int:
        """A counter where the window ends on either side, within it, or any."""
        highest, way = max(self.counters, default=0), draw.byte() % 4
        if way < 2:
            return draw.number(2 if way == 0 else 8)
        ends = (highest, highest - REPLAY_WINDOW_RECORDS, highest + REPLAY_WINDOW_RECORDS, COUNTER_LIMIT - 1)
        return (draw.near(*ends) if way == 2 else highest - draw.number(2)) % COUNTER_LIMIT


def _key_check(check: Callable[[bytes], None], refused: frozenset[bytes]) -> Callable[[Draw], bool]:
    """A check refuses what is small, whichever of its encodings came, and what is no key at all."""
    small = {_point(key) for key in refused}

    def target(draw: Draw) -> bool:
        key = draw_key(draw, ALICE.public, ALICE.body.live, ALICE.body.mail)
        accepted = attempt(check, key) is None
        assert accepted == (len(key) == 32 and _point(key) not in small)  # R-2.2-2 R-2.2-3
        return accepted

    return target


def _point(key: bytes) -> int:
    return int.from_bytes(key, "little") % 2**255 % P


def _verify(draw: Draw) -> bool:
    data = draw.take(draw.byte() % 40)
    true = SUITE.sign(ALICE.identity, data)
    public, signature = draw_key(draw, ALICE.public), edited(draw, true)
    accepted = attempt(SUITE.verify_untrusted, public, signature, data) is None
    if public == ALICE.public:
        assert accepted == (signature == true)
    return accepted


def _dh(draw: Draw) -> bool:
    public = draw_key(draw, ALICE.body.live, edited(draw, ALICE.body.live))
    got = attempt(SUITE.dh_untrusted, SERVER, public)
    if isinstance(got, BadDatagram):
        assert public != ALICE.body.live
        return False
    assert len(got) == 32
    assert any(got)
    if public == ALICE.body.live:
        assert got == SUITE.dh_untrusted(ALICE.live, STANDARD.server_key)
    return True


def _aead_open(draw: Draw) -> bool:
    key, nonce, header, data = private_key("aead"), draw.take(12), draw.take(15), draw.take(draw.byte())
    true = SUITE.aead_seal(key, nonce, data, header)
    sealed = edited(draw, true) if draw.byte() % 2 == 0 else draw.rest()
    claimed = edited(draw, header)
    got = attempt(SUITE.aead_open_untrusted, key, nonce, sealed, claimed)
    if isinstance(got, BadDatagram):
        assert (sealed, claimed) != (true, header)
        return False
    assert (sealed, claimed, got) == (true, header, data)
    return True


def _hpke_seal(draw: Draw) -> bool:
    public, info, data = draw_key(draw, ALICE.body.live), draw.take(17), draw.rest()
    got = attempt(SUITE.hpke_seal_untrusted, public, info, data)
    if isinstance(got, BadDatagram):
        assert public != ALICE.body.live
        return False
    assert len(got) == 32 + len(data) + 16
    if public == ALICE.body.live:
        assert SUITE.hpke_open_untrusted(ALICE.live, info, got) == data
    return True


def _hpke_open(draw: Draw) -> bool:
    info, data = draw.take(17), draw.take(draw.byte())
    true = SUITE.hpke_seal_untrusted(ALICE.body.live, info, data)
    way = draw.byte() % 3
    sealed = edited(draw, true) if way == 0 else (draw_key(draw, true[:32]) if way == 1 else b"") + draw.rest()
    got = attempt(SUITE.hpke_open_untrusted, ALICE.live, info, sealed)
    if isinstance(got, BadDatagram):
        assert sealed != true
        return False
    assert (sealed, got) == (true, data)
    return True


def _window(draw: Draw) -> bool:
    """Eight counters, against a set that remembers everything; a check changes nothing."""
    window, seen = ReplayWindow(), Seen()
    all_accepted = True
    for _ in range(8):
        counter, state = seen.draw_counter(draw), (window._highest, window._missed)
        accepted = attempt(window.check_untrusted, counter) is None
        assert (window._highest, window._missed) == state
        assert accepted == seen.fresh(counter)
        if accepted:
            window.mark(counter)
            seen.counters.add(counter)
        all_accepted &= accepted
    return all_accepted


def _token(draw: Draw) -> bool:
    suite = draw_world(draw).suite
    host = draw.take(draw.pick((4, 16)))
    source = Address(host if any(host[:10]) or len(host) == 4 else b"\x20" + host[1:], draw.number(2) or 1)
    now = Instant(draw.number(7))
    then = Instant(now - draw.pick((0, TOKEN_EPOCH_US, 2 * TOKEN_EPOCH_US, -TOKEN_EPOCH_US)))
    true = make_token(suite, private_key("token"), source, then)
    token = edited(draw, true)
    accepted = attempt(check_token_untrusted, suite, private_key("token"), source, now, token) is None
    assert accepted == (token == true and 0 <= now // TOKEN_EPOCH_US - then // TOKEN_EPOCH_US <= 1)  # R-4.1-3
    return accepted


_KEYS: Final = (b"\0", b"\0\1", b"\1\0", b"\1\5\x80", b"\2\0" + b"9" * 32, b"\2\1", b"\2\4")
_RISING: Final = b"".join(b"\0\7" + bytes((n,)) for n in range(8))
_FALLING: Final = b"\1" + b"\x10" * 8 + b"".join(b"\2\0\2" + b"\3\0" + bytes((n,)) for n in range(4))
_JUMPING: Final = b"".join(b"\0" + n.to_bytes(2) for n in (0, 600, 0, 1_623, 600, 599, 5_000, 3_976))

TARGETS: Final = (
    Target("secure.keys.check_identity_untrusted", _key_check(check_identity_untrusted, SMALL_ORDER_ED25519), _KEYS),
    Target("secure.keys.check_exchange_untrusted", _key_check(check_exchange_untrusted, SMALL_ORDER_X25519), _KEYS),
    Target("secure.suite.StandardSuite.verify_untrusted", _verify, (b"", b"\3abc\0\0\1\0\5\1\1a", b"\0\1", b"\0\2\2")),
    Target("secure.suite.StandardSuite.dh_untrusted", _dh, (b"", b"\0\0\1", b"\0\1\7", b"\0\2\0a", b"\0\2\1")),
    Target("secure.suite.StandardSuite.aead_open_untrusted", _aead_open, (b"", b"\0" * 28 + b"\1\0\0\0\1", b"n" * 40)),
    Target(
        "secure.suite.StandardSuite.hpke_seal_untrusted", _hpke_seal, (b"", b"\1\1", b"\2\0\7", b"\0\0" + b"d" * 40)
    ),
    Target(
        "secure.suite.StandardSuite.hpke_open_untrusted",
        _hpke_open,
        (b"", b"i" * 17 + b"\0\1\1", b"i" * 17 + b"\4text\2"),
    ),
    Target("secure.replay.ReplayWindow.check_untrusted", _window, (b"", _RISING, _FALLING, _JUMPING)),
    Target("secure.token.check_token_untrusted", _token, in_both(b"", b"\1" + b"6" * 30, b"\0" * 14 + b"\1\0\0\1\1")),
)
