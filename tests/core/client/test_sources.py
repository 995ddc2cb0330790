"""Letters from addresses that are not known are opened at a bounded rate; who is known is not slowed."""

import pytest

from tests.core.client.incoming import texts
from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, CAROL, SERVER, STRANGER
from tests.core.client.world import World
from udpchat_core import messages as m
from udpchat_core.address import Address
from udpchat_core.client import sources
from udpchat_core.client.sources import Sources
from udpchat_core.datagrams import Letter
from udpchat_core.errors import BadDatagram, Reason
from udpchat_core.instant import SECOND, Instant
from udpchat_core.limits import STRANGER_LETTERS_PER_S_MAX as STRANGERS
from udpchat_core.secure.keys import key_id
from udpchat_core.wire import serialize


def flood(world: World, letters: int) -> None:
    """Letters to a key of the client's card, with nothing in them, from an address that is not known."""
    junk = serialize(Letter(key_id(world.suite, world.server.card.live), bytes(200)))
    for _ in range(letters):
        world.receive(junk, STRANGER)


def write(world: World, peer: Peer, seq: int, source: Address) -> None:
    world.receive(peer.letter(world.server.card, peer.body(seq, str(seq))), source)


def shed(world: World) -> int:
    return world.drops.count(Reason.STRANGER_RATE)


def test_a_flood_of_letters_from_strangers_is_opened_at_a_bounded_rate(online: World) -> None:
    # R-9.4-8, R-8.8-4: as many a second, and again as many in the next
    flood(online, STRANGERS + 30)
    assert (online.drops.count(Reason.SEAL), shed(online)) == (STRANGERS, 30)
    online.advance(1)
    flood(online, STRANGERS + 5)
    assert (online.drops.count(Reason.SEAL), shed(online)) == (2 * STRANGERS, 35)


def test_a_contact_that_the_directory_told_of_is_heard_in_a_flood(online: World) -> None:
    # R-9.4-8
    bob = online.know("bob", BOB)
    online.send("bob")
    flood(online, STRANGERS + 1)
    write(online, bob, 1, BOB)
    assert texts(online) == ["1"]


def test_who_was_heard_before_is_heard_in_a_flood_and_who_was_not_gets_through_after_it(online: World) -> None:
    # R-9.4-8: what was shed is as if it were lost
    bob, carol = online.know("bob"), online.know("carol")
    write(online, bob, 1, BOB)
    flood(online, STRANGERS - 1)  # bob's first took a token
    write(online, bob, 2, BOB)
    write(online, carol, 1, CAROL)
    assert texts(online) == ["1", "2"]
    assert (online.acked(CAROL), shed(online)) == ([], 1)
    online.advance(0.5)
    write(online, carol, 1, CAROL)
    assert texts(online) == ["1", "2", "1"]


def test_mail_is_opened_in_a_flood(online: World) -> None:
    # R-9.4-8
    bob = online.know("bob")
    flood(online, STRANGERS)
    online.push(bob.pushed(online.server.card, bob.body(), 4))
    assert texts(online) == ["hello"]


def test_a_letter_that_no_key_opens_does_not_count(online: World) -> None:
    # R-9.4-8: else whoever has seen no card of the client could keep strangers out
    bob = online.know("bob")
    for _ in range(2 * STRANGERS):
        online.receive(serialize(Letter(b"none", bytes(200))), STRANGER)
    write(online, bob, 1, BOB)
    assert online.drops == [Reason.KEY] * (2 * STRANGERS)
    assert texts(online) == ["1"]


def test_a_letter_that_did_not_open_makes_nobody_known(online: World) -> None:
    # R-9.4-8
    flood(online, STRANGERS)
    assert online.client.sizes()["sources"] == 0


def test_a_contact_without_an_address_makes_no_address_known(online: World) -> None:
    online.know("bob")
    online.send("bob")
    assert isinstance(online.server.last(m.Lookup), m.Lookup)
    assert online.client.sizes()["sources"] == 0


def test_the_least_recently_used_address_is_forgotten_for_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # R-9.4-8
    monkeypatch.setattr(sources, "KNOWN_SOURCES_MAX", 3)
    known, now = Sources(), Instant(SECOND)
    for source in (BOB, CAROL, BOB, SERVER, STRANGER):
        known.learn(source)
    assert len(known) == 3
    for _ in range(STRANGERS):
        known.check_untrusted(CAROL, now)  # it is a stranger's now, and takes a token
    with pytest.raises(BadDatagram, match="stranger rate"):
        known.check_untrusted(CAROL, now)
    for source in (BOB, SERVER, STRANGER):
        known.check_untrusted(source, now)
