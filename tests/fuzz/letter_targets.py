"""Fuzz targets of cards and letters: the fuzzer chooses what is signed and sealed, as a dishonest peer can."""

from dataclasses import replace
from typing import Final

from tests.core.secure.people import (
    DAY_S,
    LETTER_LABEL,
    letter_body,
    parsed,
    signed_card,
    signed_letter,
)
from tests.fuzz.draw import Draw, body, edited
from tests.fuzz.target import Target, attempt
from tests.fuzz.world import STANDARD, TRANSPARENT, World, draw_key, draw_world, in_both
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.datagrams import Letter
from udpchat_core.errors import BadDatagram
from udpchat_core.fields import Rotation
from udpchat_core.secure.card import check_expiry_untrusted, check_name_untrusted, open_card_untrusted
from udpchat_core.secure.keys import key_id
from udpchat_core.secure.letter import OpeningKey, _read_untrusted, open_letter_untrusted, seal_letter_untrusted
from udpchat_core.secure.rotation import check_rotation_untrusted, make_rotation
from udpchat_core.wire import encode


def draw_card(draw: Draw, world: World) -> bytes:
    """A card: alice's own, perhaps edited; one that she truly signed, whatever it says; or mere bytes."""
    way = draw.byte() % 3
    if way == 0:
        return edited(draw, world.alice.card)
    if way == 1:
        return signed_card(world.suite, world.alice.identity, body(draw, CardBody, world.card_array))
    return draw.rest()


def _open_card(draw: Draw) -> bool:
    world = draw_world(draw)
    card = draw_card(draw, world)
    got = attempt(open_card_untrusted, world.suite, card)
    if isinstance(got, BadDatagram):
        assert card != world.alice.card
        return False
    assert got.identity == world.alice.public
    assert signed_card(world.suite, world.alice.identity, encode(got)) == card
    return True


def _expiry(draw: Draw) -> bool:
    card = replace(TRANSPARENT.alice.body, expires_s=draw.number(4))
    now_s = draw.near(card.expires_s, card.expires_s + DAY_S, draw.number(6))
    accepted = attempt(check_expiry_untrusted, card, now_s) is None
    assert accepted == (now_s - card.expires_s <= DAY_S)  # R-2.3-3
    return accepted


def _rotation(draw: Draw) -> bool:
    world = draw_world(draw)
    good = make_rotation(world.suite, world.bob.identity, world.alice.public, "alice")
    former, signature = (
        edited(draw, good.former)[:32].ljust(32, b"."),
        edited(draw, good.signature)[:64].ljust(64, b"."),
    )
    name = edited(draw, b"alice").decode("latin-1")
    rotation = Rotation(former, signature)
    accepted = attempt(check_rotation_untrusted, world.suite, rotation, world.alice.public, name) is None
    assert accepted == ((rotation, name) == (good, "alice"))  # R-2.4-1
    return accepted


def _name(draw: Draw) -> bool:
    name = edited(draw, b"alice").decode("latin-1")
    accepted = attempt(check_name_untrusted, TRANSPARENT.alice.body, name) is None
    assert accepted == (name == "alice")  # R-2.3-4
    return accepted


def _seal_letter(draw: Draw) -> bool:
    world = draw_world(draw)
    suite, alice, bob = world.suite, world.alice, world.bob
    recipient, key = draw_key(draw, alice.public), draw_key(draw, alice.body.live)
    said = letter_body(bob, text=draw.rest().decode("latin-1")[:400] or "?")
    got = attempt(seal_letter_untrusted, suite, bob.identity, recipient, key, said)
    if isinstance(got, BadDatagram):
        assert key != alice.body.live
        return False
    sealed = parsed(Letter, got)
    if key == alice.body.live:
        assert open_letter_untrusted(suite, recipient, alice.keys(suite), sealed) == said
    return True


def _draw_letter(draw: Draw, world: World) -> Letter:
    """A letter to alice: a true one, one truly signed or only truly sealed around what is drawn, or mere bytes."""
    suite, alice, way = world.suite, world.alice, draw.byte() % 4
    if way == 0:
        true = world.letter
        return Letter(true.key_id, edited(draw, true.sealed))
    if way == 1:
        return signed_letter(suite, world.bob, alice, body(draw, LetterBody, world.letter_array))
    key = draw.pick((alice.body.live, alice.body.mail))
    if way == 2:
        sealed = suite.hpke_seal_untrusted(key, LETTER_LABEL + alice.public, draw.rest())
        return Letter(key_id(suite, key), sealed)
    return Letter(edited(draw, key_id(suite, key)), draw.rest())


def _open_letter(draw: Draw) -> bool:
    world = draw_world(draw)
    suite, alice = world.suite, world.alice
    received = _draw_letter(draw, world)
    namesake = OpeningKey(world.bob.live, world.bob.body.live, key_id(suite, alice.body.live))  # R-6.1-3
    got = attempt(open_letter_untrusted, suite, alice.public, [namesake, *alice.keys(suite)], received)
    if isinstance(got, BadDatagram):
        assert received != world.letter
        return False
    info = LETTER_LABEL + alice.public
    plain = suite.hpke_open_untrusted(alice.live, info, received.sealed)
    assert got.sender == world.bob.public
    assert plain[64:] == encode(got)
    assert plain[:64] == suite.sign(world.bob.identity, info + alice.body.live + encode(got))
    return True


def _read(draw: Draw) -> bool:
    world = draw_world(draw)
    suite, context = world.suite, LETTER_LABEL + world.alice.public + world.alice.body.live
    if draw.byte() % 2 == 0:
        encoded = body(draw, LetterBody, world.letter_array)
        plain = edited(draw, suite.sign(world.bob.identity, context + encoded) + encoded)
    else:
        plain = draw.rest()
    got = attempt(_read_untrusted, suite, context, plain)
    if isinstance(got, BadDatagram):
        return False
    assert got.sender == world.bob.public
    assert plain == suite.sign(world.bob.identity, context + encode(got)) + encode(got)
    return True


def _of_each(way: bytes, *parts: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """A seed for the transparent world and one for the standard one, of parts that each has of its own."""
    transparent, standard = (b"".join(part[at] for part in parts) for at in (0, 1))
    return b"\0" + way + transparent, b"\xff" + way + standard


_CARDS: Final = (TRANSPARENT.alice.card, STANDARD.alice.card)
_CARD_BODIES: Final = (_CARDS[0][64:], _CARDS[1][64:])
_LETTER_BODIES: Final = (encode(letter_body(TRANSPARENT.bob)), encode(letter_body(STANDARD.bob)))
_UNSIGNED: Final = (bytes(64), bytes(64))
_OPEN_CARD: Final = (
    *_of_each(b"\2", _CARDS),
    *_of_each(b"\1\0", _CARD_BODIES),
    *in_both(b"", b"\0\1\0\0\1\1x", b"\1\1", b"\1\1\0\1\3", b"\1\0\x80"),
)
_OPEN_LETTER: Final = (
    *_of_each(b"\1\0", _LETTER_BODIES),
    *_of_each(b"\2\0", _UNSIGNED, _LETTER_BODIES),
    *in_both(b"", b"\0\1\0\0\1\1x", b"\1\1", b"\1\1\0\1\3", b"\2\0text", b"\3\0\0text"),
)
_READ: Final = (
    *_of_each(b"\1", _UNSIGNED, _LETTER_BODIES),
    *in_both(b"\0\1", b"\0\1\0\1\3", b"\0\1\0\0\0\1\0\0\1\1x", b"\1" + b"s" * 64, b"\1"),
)

TARGETS: Final = (
    Target("secure.card.open_card_untrusted", _open_card, _OPEN_CARD),
    Target("secure.card.check_expiry_untrusted", _expiry, (b"", b"aaaa\0\0\0\0\0\0\1\1", b"aaaabbbbbb\2")),
    Target("secure.rotation.check_rotation_untrusted", _rotation, (b"", b"\1\0\5\0\1x")),
    Target("secure.card.check_name_untrusted", _name, (b"", b"\1\0\5\0\1x")),
    Target("secure.letter.seal_letter_untrusted", _seal_letter, in_both(b"", b"\0\0\0\0hello", b"\0\0\1", b"\2\0")),
    Target("secure.letter.open_letter_untrusted", _open_letter, _OPEN_LETTER),
    Target("secure.letter._read_untrusted", _read, _READ),
)
