"""Who takes part in the targets behind a seal: two persons and a server, once under either suite."""

from dataclasses import dataclass
from typing import Any, Final

import cbor2

from tests.core.secure.people import (
    CLIENT_INDEX,
    SERVER,
    TOKEN,
    Person,
    begin,
    letter,
    letter_body,
    parsed,
    person,
    private_key,
)
from tests.fuzz.draw import Draw
from udpchat_core.datagrams import Init, Letter
from udpchat_core.secure.keys import SMALL_ORDER_ED25519, SMALL_ORDER_X25519
from udpchat_core.secure.link import Initiated
from udpchat_core.secure.noise import Asked, read_untrusted
from udpchat_core.secure.suite import StandardSuite, Suite
from udpchat_core.wire import encode
from udpchat_net.simulation.transparent import TransparentSuite

_STANDARD_FROM = 240  # of 256: real cryptography is slow
HOSTILE: Final = sorted(key for keys in (SMALL_ORDER_ED25519, SMALL_ORDER_X25519) for key in keys)


def prologue(server_key: bytes, token: bytes = TOKEN, index: bytes = CLIENT_INDEX) -> bytes:
    """R-4.2-2."""
    return b"udpchat/1 link\0" + server_key + b"\x75\x01\x03" + token + index


class Numbered:
    """Randomness that begins anew with every input, so that an input means the same every time."""

    def __init__(self) -> None:
        self.drawn = 0

    def __call__(self, size: int) -> bytes:
        """The next `size` bytes, at most 32."""
        self.drawn += 1
        return private_key(f"random {self.drawn}")[:size]


class Transparent(TransparentSuite):
    """The suite of the simulation, with randomness handed in as it is to the standard one."""

    def __init__(self, random: Numbered) -> None:
        super().__init__(0)
        del self._random  # to copy it takes longer than to copy a whole endpoint
        self._numbered = random

    def random(self, size: int) -> bytes:
        """The next `size` bytes."""
        return self._numbered(size)


@dataclass(frozen=True, slots=True)
class World:
    """A suite, and those who have keys under it.

    Attributes:
        suite: the primitives.
        random: what the suite draws from.
        alice: the client, to whom letters are written.
        bob: who writes to her.
        server_key: S.
        letter: one from bob to alice.
        initiated: alice between her INIT to the server and its answer.
        asked: the server between the two.
        card_array: the body of alice's card as it is on the wire.
        letter_array: the same of bob's letter.
    """

    suite: Suite
    random: Numbered
    alice: Person
    bob: Person
    server_key: bytes
    letter: Letter
    initiated: Initiated
    asked: Asked
    card_array: tuple[Any, ...]
    letter_array: tuple[Any, ...]

    @classmethod
    def of(cls, kind: type[StandardSuite] | type[Transparent]) -> "World":
        """The world under one of the suites."""
        random = Numbered()
        suite = kind(random)
        alice, bob, server_key = person(suite, "alice"), person(suite, "bob"), suite.dh_public(SERVER)
        written, begun = parsed(Letter, letter(suite, bob, alice)), begin(suite, alice)
        asked = read_untrusted(suite, prologue(server_key), SERVER, parsed(Init, begun.init).noise)
        bodies = [cbor2.loads(encode(body), immutable=True) for body in (alice.body, letter_body(bob))]
        return cls(suite, random, alice, bob, server_key, written, begun, asked, *bodies)


STANDARD: Final = World.of(StandardSuite)
TRANSPARENT: Final = World.of(Transparent)


def draw_world(draw: Draw) -> World:
    """The transparent world mostly, as it is fast; the real primitives for some inputs."""
    world = STANDARD if draw.byte() >= _STANDARD_FROM else TRANSPARENT
    world.random.drawn = 0
    return world


def in_both(*inputs: bytes) -> tuple[bytes, ...]:
    """Seeds for the transparent world, and the first and the last of them for the other."""
    return (*(b"\0" + each for each in inputs), b"\xff" + inputs[0], b"\xff" + inputs[-1])


def draw_key(draw: Draw, *known: bytes) -> bytes:
    """A public key: one that is known, a hostile one with or without its top bit, or any bytes."""
    way = draw.byte() % 3
    if way == 0:
        return draw.pick(known)
    if way == 1:
        hostile = draw.pick(HOSTILE)
        return hostile[:-1] + bytes((hostile[-1] | draw.byte() & 0x80,))
    return draw.take(draw.pick((32, 0, 1, 31, 33)))
