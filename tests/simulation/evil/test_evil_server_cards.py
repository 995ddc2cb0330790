"""What a server can do that lies about who somebody is: it has the directory, and no key of its users.

- another's keys for a name that is known: the pin; the user is asked:
  `test_swapped_keys_of_a_known_name_are_asked_about_and_nothing_is_sealed_for_them`
- another's keys for a name at first sight: not prevented, told as soon as it lies no more:
  `test_swapped_keys_at_first_sight_are_told_once_the_server_is_honest`
- a card with keys that its identity did not sign: the signature:
  `test_a_card_that_its_owner_did_not_sign_is_believed_by_nobody`
- somebody's card under another name: the name is in the card:
  `test_a_card_for_another_name_is_believed_by_nobody`
- an old card: the seq:
  `test_a_card_older_than_the_one_known_is_believed_by_nobody`
- a victim's address as a contact's: no acknowledgement comes from there, so little is sent there:
  `test_letters_to_a_claimed_address_are_few`
"""

from typing import Any

import pytest

from tests.simulation.evil.lies import Said, with_changed
from tests.simulation.evil.scene import Scene
from udpchat_core import messages as m
from udpchat_core.bodies import CardBody
from udpchat_core.client_events import PeerKeyChanged
from udpchat_core.datagrams import Letter
from udpchat_core.errors import Reason
from udpchat_core.limits import CONGESTION_WINDOW_START, DIRECT_RETRY_US, STORED_RETRY_US_MIN
from udpchat_core.secure.keys import SIGNATURE_BYTES
from udpchat_core.wire import decode_untrusted, encode
from udpchat_net.simulation.world import SECOND


def seq_of(card: bytes) -> int:
    return decode_untrusted(CardBody, card[SIGNATURE_BYTES:]).seq


def test_swapped_keys_of_a_known_name_are_asked_about_and_nothing_is_sealed_for_them() -> None:
    """R-9.2-2: ann knows bob's key: whatever the directory says, what she writes is for him, or waits."""
    scene = Scene(real=True, lies={})
    mallory = scene.peer("mallory")
    false = mallory.card(name="bob")
    scene.cores_lies[m.Lookup] = lambda server, user, asked: (
        [m.Found(asked.id, false, mallory.address, 60)] if asked.name == "bob" and user.name == "ann" else None
    )
    scene.run(61)  # what ann knows of bob is stale
    scene.world.send("ann", "bob", "for bob alone")
    scene.run(30)
    assert scene.told("ann", PeerKeyChanged) == [
        PeerKeyChanged("bob", scene.identity("bob"), mallory.identity, vouched=False)
    ]
    assert not [each for each in mallory.datagrams if each.payload[2] == Letter.type]
    assert not mallory.letters
    scene.cores_lies.clear()
    scene.run(30)
    assert "for bob alone" in scene.texts("bob")
    scene.finish()


def test_swapped_keys_at_first_sight_are_told_once_the_server_is_honest() -> None:
    """Not promised: who never spoke to bob believes the directory, until it is honest again."""
    scene = Scene(real=True, lies={}, clients=("ann", "bob", "cyd"))
    scene.world.register("cyd")
    mallory = scene.peer("mallory")
    false = mallory.card(name="bob")
    scene.cores_lies[m.Lookup] = lambda server, user, asked: (
        [m.Found(asked.id, false, mallory.address, 60)] if asked.name == "bob" and user.name == "cyd" else None
    )
    scene.world.send("cyd", "bob", "at first sight")
    scene.run(1)
    assert [body.text for body in mallory.letters[:1]] == ["at first sight"]
    scene.cores_lies.clear()
    scene.run(61)
    scene.world.send("cyd", "bob", "again")
    scene.run(11)
    assert scene.told("cyd", PeerKeyChanged) == [
        PeerKeyChanged("bob", mallory.identity, scene.identity("bob"), vouched=False)
    ]
    assert "again" not in scene.texts("bob")
    scene.finish()


@pytest.mark.parametrize("field", ["live", "mail", "seq"])
def test_a_card_that_its_owner_did_not_sign_is_believed_by_nobody(field: str) -> None:
    """R-2.3-2: bob's identity with a key of mallory's is no card of bob's."""
    scene = Scene(real=True, lies={})
    mallory = scene.peer("mallory")

    def lie(server: Any, user: Any, asked: m.Lookup) -> Said:
        if asked.name != "bob":
            return None
        card = server.card_of("bob")
        body = decode_untrusted(CardBody, card[SIGNATURE_BYTES:])
        changed = {"live": mallory.live.public, "mail": mallory.mail.public, "seq": body.seq + 1}
        forged = card[:SIGNATURE_BYTES] + encode(with_changed(body, **{field: changed[field]}))
        return [m.Found(asked.id, forged, None if field == "mail" else mallory.address, 60)]

    scene.cores_lies[m.Lookup] = lie
    scene.run(61)
    for number in range(10):
        scene.world.send("ann", "bob", f"for bob alone {number}")
        scene.run(7)
    assert not mallory.letters
    assert not [each for each in mallory.datagrams if each.payload[2] == Letter.type]
    assert scene.world.nodes["ann"].dropped[Reason.SIGNATURE] >= 1
    scene.cores_lies.clear()
    scene.run(60)
    assert "for bob alone 9" in scene.texts("bob")
    scene.finish()


def test_a_card_for_another_name_is_believed_by_nobody() -> None:
    """R-2.3-4: mallory's own card, well signed, in answer to a question about somebody new."""
    scene = Scene(real=True, lies={}, clients=("ann", "bob", "cyd"))
    scene.world.register("cyd")
    mallory = scene.peer("mallory")
    scene.cores_lies[m.Lookup] = lambda server, user, asked: [
        m.Found(asked.id, server.card_of("mallory"), mallory.address, 60)
    ]
    scene.world.send("ann", "cyd", "for cyd alone")
    scene.run(15)
    assert scene.world.nodes["ann"].dropped[Reason.NAME] >= 1
    assert not mallory.letters
    scene.cores_lies.clear()
    scene.run(30)
    assert "for cyd alone" in scene.texts("cyd")
    scene.finish()


def test_a_card_older_than_the_one_known_is_believed_by_nobody() -> None:
    """R-2.3-5: else letters would be sealed to keys that are given up, or that somebody got hold of."""
    scene = Scene(real=True, lies={})
    old = scene.server.card_of("bob")
    scene.world.restart("bob")
    scene.run(61)
    scene.chat(1)
    assert seq_of(scene.server.card_of("bob")) > seq_of(old)
    scene.cores_lies[m.Lookup] = lambda server, user, asked: (
        [m.Found(asked.id, old, None, 60)] if asked.name == "bob" else None
    )
    scene.run(61)
    scene.world.send("ann", "bob", "sealed to a key of today")
    scene.run(5)
    assert scene.world.nodes["ann"].dropped[Reason.EXPIRED] >= 1
    live = decode_untrusted(CardBody, old[SIGNATURE_BYTES:]).live
    sealed = [public for public, _ in list(scene.world.nodes["ann"].suite.addressees.values())[-1:]]
    assert live not in sealed
    assert "sealed to a key of today" in scene.texts("bob")
    scene.cores_lies.clear()
    scene.finish()


def test_letters_to_a_claimed_address_are_few() -> None:
    """R-9.3-3: nothing there acknowledges, so a victim gets what users write, and each letter a few times.

    Three times within half a second, then once every 30 seconds; at once no more than the path's window, which
    nothing that a victim does makes grow: 16, and what the friend's true address had earned, up to 256.
    """
    scene = Scene(lies={})
    victim = scene.peer("victim", connected=False)
    scene.cores_lies[m.Lookup] = lambda server, user, asked: (
        [m.Found(asked.id, server.card_of(asked.name), victim.address, 60)] if asked.name == "bob" else None
    )
    scene.run(61)
    letters = 300
    for number in range(letters):
        scene.world.send("ann", "bob", f"{number} " + "x" * 600)
    scene.run(0.05)
    assert len(victim.datagrams) <= CONGESTION_WINDOW_START + 2, "bob acknowledged two before"
    minutes = 10
    scene.run(60 * minutes)
    assert {each.payload[2] for each in victim.datagrams} == {Letter.type}
    copies = len(DIRECT_RETRY_US) + 60 * minutes * SECOND // STORED_RETRY_US_MIN + 1
    assert len(victim.datagrams) <= letters * copies
    assert scene.texts("bob")[-1].startswith(f"{letters - 1} ")  # by way of the mailbox meanwhile
    scene.cores_lies.clear()
    scene.finish()
