"""Contacts whose cards changed are looked up, one after the other."""

from tests.core.client.directory import Directory, looked_up, numbered, watch, with_contacts
from tests.core.client.peer import Peer
from tests.core.client.scenery import CAROL
from udpchat_core import client_events as e
from udpchat_core.limits import CARD_CHECK_US, WATCHED_NAMES_MAX

CARD_CHECK_S = CARD_CHECK_US / 1_000_000


def test_a_contact_with_another_card_is_looked_up() -> None:
    """R-9.6-4: also one whose card is not known since the start; who only comes and goes is not."""
    world = with_contacts("bob", "carol")
    directory = Directory(world)
    directory.set("bob", "carol", "dave")
    watch(world, "dave")
    world.register()
    world.advance(5)
    assert sorted(looked_up(world)) == ["bob", "carol"]
    world.forget()
    directory.set("bob", online=False)
    directory.set("dave", seq=9)
    directory.hint()
    world.advance(5)
    assert looked_up(world) == []
    world.know("bob", seq=6)
    directory.set("bob", seq=6)
    directory.hint()
    world.advance(5)
    assert looked_up(world) == ["bob"]


def test_a_name_that_another_has_now_is_told_to_a_client_that_is_online() -> None:
    """R-9.6-4: and told once."""
    world = with_contacts("bob")
    directory = Directory(world)
    directory.set("bob")
    world.register()
    directory.set("bob", seq=0)
    directory.hint()
    assert looked_up(world) == ["bob"]
    mallory = world.know("bob", CAROL, person="mallory", seq=77)
    directory.set("bob", seq=77)
    directory.hint()
    world.advance(2)
    pinned = Peer(world.suite, "bob").identity
    assert world.told(e.PeerKeyChanged) == [e.PeerKeyChanged("bob", pinned, mallory.identity, False)]
    world.forget()
    directory.set("bob", online=False, seq=77)
    directory.hint()
    world.advance(2)
    assert looked_up(world) == []


def test_contacts_whose_cards_all_changed_are_looked_up_one_after_the_other() -> None:
    """R-9.6-4: the first at once; what is known meanwhile is not asked again."""
    names = numbered(WATCHED_NAMES_MAX)
    world = with_contacts(*names)
    directory = Directory(world)
    directory.set(*names)
    world.register()
    (first,) = looked_up(world)
    other = next(name for name in names if name != first)
    world.send(other)
    world.forget()
    world.advance(20 * CARD_CHECK_S)
    assert len(looked_up(world)) == 20
    world.advance(WATCHED_NAMES_MAX * CARD_CHECK_S)
    assert sorted([first, *(name for name in looked_up(world) if name != other)]) == [
        name for name in names if name != other
    ]
    world.forget()
    world.know(names[5], seq=6)
    directory.set(names[5], seq=6)
    directory.hint()
    assert looked_up(world) == [names[5]]
