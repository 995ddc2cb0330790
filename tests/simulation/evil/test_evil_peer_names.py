"""What somebody with keys and identities can do about names, cards and sessions, of its own and of others.

- a victim's name: names belong to the first:
  `test_a_taken_name_stays_taken`
- a card behind or far ahead of the last: succession:
  `test_a_card_behind_or_too_far_ahead_is_refused`
- a card with another's live key: the handshake proves the key:
  `test_a_card_for_a_live_key_that_is_not_its_own_is_refused`
- hostile points in a card: refused before anything:
  `test_a_card_with_a_hostile_key_is_refused`
- a Deregister sent before a Register, arriving after it: counters:
  `test_an_own_deregister_that_comes_late_is_ignored`
- a Deregister again: replay window:
  `test_a_deregister_again_changes_nothing`
"""

import pytest

from tests.simulation.evil.scene import Scene
from udpchat_core import messages as m
from udpchat_core.datagrams import Record
from udpchat_core.errors import Reason
from udpchat_core.fields import Refusal
from udpchat_core.limits import CARD_JUMP_MAX
from udpchat_core.server_events import UserLeft
from udpchat_net.simulation.faults import SERVER


def test_a_taken_name_stays_taken() -> None:
    """R-8.2-2, R-2.3-2: neither under its own key nor under the owner's does anybody else register a name."""
    scene = Scene(real=True)
    before = scene.state()
    for away in (False, True):
        if away:
            scene.world.deregister("ann")
            scene.run(1)
        eve = scene.peer("ann", connected=False)
        eve.connect()
        scene.run(1)
        assert [each.refusal for each in eve.said(m.Refused)] == [Refusal.NAME_TAKEN]
        other = scene.peer("ann", connected=False)
        other.connect(identity=scene.identity("ann"), seq=CARD_JUMP_MAX)
        scene.run(1)
        assert other.link is None
        assert scene.world.nodes[SERVER].dropped[Reason.SIGNATURE] >= 1
    assert scene.state() == before
    scene.world.register("ann")
    scene.run(1)
    scene.chat()
    scene.end()


def test_a_card_behind_or_too_far_ahead_is_refused() -> None:
    """R-8.2-3: so that nobody goes back to keys that leaked, and nobody burns all numbers."""
    scene = Scene()
    eve = scene.peer(seq=1_000)
    for seq in (999, 1, 1_001 + CARD_JUMP_MAX, 2**48 - 1):
        eve.heard.clear()
        eve.connect(seq=seq)
        scene.run(1)
        assert [(each.refusal, each.card_seq) for each in eve.said(m.Refused)] == [(Refusal.STALE_CARD, 1_000)]
    eve.heard.clear()
    eve.connect(seq=1_000 + CARD_JUMP_MAX)
    scene.run(1)
    assert eve.said(m.Registered)
    scene.end()


@pytest.mark.parametrize("field", ["live", "mail"])
def test_a_card_with_a_hostile_key_is_refused(field: str) -> None:
    """R-2.2-3: a key of small order would make a secret that everybody knows."""
    scene = Scene(real=True)
    eve = scene.peer(connected=False)
    eve.connect(**{field: bytes(32)})
    scene.run(1)
    assert eve.link is None
    assert scene.world.nodes[SERVER].dropped[Reason.POINT] == 1
    scene.end()


def test_a_card_for_a_live_key_that_is_not_its_own_is_refused() -> None:
    """R-4.2-3: the L of the card is the key that the handshake proved, so nobody borrows another's."""
    scene = Scene(real=True)
    eve = scene.peer()
    bob = eve.look_up("bob")
    other = scene.peer("mallory", connected=False)
    other.connect(live=bob.live)
    scene.run(1)
    assert other.link is None
    assert scene.world.nodes[SERVER].dropped[Reason.STATIC] == 1
    scene.end()


def test_an_own_deregister_that_comes_late_is_ignored() -> None:
    """R-8.2-7: a Deregister that was overtaken by a Register is of before it."""
    scene = Scene()
    eve = scene.peer()
    late = eve.record(m.Deregister(eve.new_id()))
    eve.say(m.Register(eve.new_id()))
    scene.run(0.2)
    eve.send(eve.server, late)
    scene.run(0.2)
    assert not scene.told(SERVER, UserLeft)
    assert not eve.said(m.Deregistered)
    scene.end()


def test_a_deregister_again_changes_nothing() -> None:
    """R-4.4-4: a RECORD counts once; and of a link that is over it counts never."""
    scene = Scene()
    eve = scene.peer()
    goodbye = eve.record(m.Deregister(eve.new_id()))
    eve.send(eve.server, goodbye)
    eve.say(m.Register(eve.new_id()))
    scene.run(0.2)
    for _ in range(5):
        eve.send(eve.server, goodbye)
    scene.run(0.2)
    assert len(scene.told(SERVER, UserLeft)) == 1
    assert scene.world.nodes[SERVER].dropped[Reason.REPLAY] == 5
    scene.world.deregister("ann")
    scene.run(0.2)
    scene.world.register("ann")
    scene.run(0.5)
    for each in scene.network.of(Record, "ann"):
        scene.network.replay(each)
    scene.run(0.2)
    assert [event.name for event in scene.told(SERVER, UserLeft)] == ["eve", "ann"]
    scene.chat()
    scene.end()
