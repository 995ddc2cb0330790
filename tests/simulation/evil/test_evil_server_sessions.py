"""What a server can do that lies about sessions and rosters: it has every link, and its users are told.

- Superseded at will: the user is told, and decides:
  `test_superseded_at_will_takes_a_user_offline_who_is_told_and_nothing_else`
- Registered with anything in it: believed of nothing that matters:
  `test_a_wrong_registered_changes_nothing_that_matters`
- answers to what was not asked: ids of requests:
  `test_answers_to_what_nobody_asked_mean_nothing`
- another key after a restart: the pin:
  `test_a_server_with_another_key_gets_nothing_but_hello`
- waits of an age: a cap of what a client waits:
  `test_waits_of_an_age_are_cut_to_minutes`
- stale card at will, to burn the numbers of cards: seqs below its own are refused, the last one is an end:
  `test_stale_card_at_will_does_not_stop_a_client_for_good`
- rosters without end: a thousand users, a page an answer:
  `test_rosters_without_end_stop_growing_and_are_pulled_a_page_an_answer`
- hints that the roster changed, in thousands: one pull at a time:
  `test_a_flood_of_roster_hints_makes_one_pull_at_a_time`
"""

from typing import Any

import pytest

from tests.simulation.evil.lies import Said
from tests.simulation.evil.scene import Scene
from udpchat_core import messages as m
from udpchat_core.address import Address
from udpchat_core.client import Client
from udpchat_core.client_events import (
    MessageRefused,
    PeerKeyChanged,
    RegistrationRefused,
    ServerKeyChanged,
    ServerUnreachable,
    Superseded,
)
from udpchat_core.client_requests import ClientState
from udpchat_core.datagrams import Hello
from udpchat_core.errors import Reason
from udpchat_core.fields import Refusal, RosterEntry, ServerLimits, Version
from udpchat_core.instant import Instant
from udpchat_core.limits import POSTPONED_S_MAX, ROSTER_USERS_MAX
from udpchat_core.secure.suite import Suite
from udpchat_net.simulation.evil import EvilCores
from udpchat_net.simulation.faults import SERVER
from udpchat_net.simulation.world import SECOND

# --- the session ---


def test_superseded_at_will_takes_a_user_offline_who_is_told_and_nothing_else() -> None:
    """R-9.1-6: a server may send anybody away; what waits is kept, and goes on when the user says so."""
    scene = Scene(lies={})
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "kept")
    scene.run(2)
    scene.push("ann", m.Superseded(), m.Superseded())
    assert scene.told("ann", Superseded)
    scene.world.send("ann", "bob", "kept as well")
    scene.run(60)
    assert scene.world.nodes["ann"].core is not None
    for name in ("bob", "ann"):
        scene.world.register(name)
    scene.run(60)
    assert scene.texts("bob")[-2:] == ["kept", "kept as well"]
    scene.finish()


def test_a_wrong_registered_changes_nothing_that_matters() -> None:
    """Address, counts, limits and clock are the server's word: it cannot make letters old, nor lost."""
    limits = ServerLimits(0, 0, 0, 0, 0)
    nowhere = Address(b"\0\0\0\0", 1)

    def lie(server: Any, user: Any, asked: m.Register) -> Said:
        return [
            m.Registered(asked.id + 1, nowhere, 9, limits, 0),
            m.Registered(asked.id, nowhere, 2**48 - 1, limits, 253_402_300_799_000),
            m.Registered(asked.id, nowhere, 0, limits, 0),
        ]

    scene = Scene(lies={})
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "not old")
    scene.run(1)
    scene.cores_lies[m.Register] = lie
    scene.world.restart("ann")
    scene.run(7_300)  # letters are looked at for their age every hour
    row = list(scene.client("ann").outgoing.values())[-1]
    assert (row.saved.text, row.outcome) == ("not old", None)
    scene.cores_lies.clear()
    for name in ("ann", "bob"):
        scene.world.restart(name)
        scene.world.register(name)
    scene.run(330)
    assert "not old" in scene.texts("bob")
    scene.finish()


def test_answers_to_what_nobody_asked_mean_nothing() -> None:
    """R-9.1-5: an answer is to the request with its id, and of the kind that was asked for."""
    scene = Scene(lies={})
    scene.run(1)
    mallory = scene.peer("mallory")
    card = mallory.card(name="bob")
    for id_ in range(40):
        scene.push(
            "ann",
            m.Found(id_, card, mallory.address, 60),
            m.Stored(id_, True, 2**48 - 1),
            m.Deregistered(id_),
            m.Refused(id_, Refusal.BANNED, 0, 0),
            m.Roster(id_, Version(bytes(8), 1), (RosterEntry("bob", False, 9),), more=True, full=True),
        )
    assert not scene.told("ann", PeerKeyChanged)
    assert scene.world.nodes["ann"].dropped[Reason.MESSAGE] >= 150
    scene.world.send("ann", "bob", "undisturbed")
    scene.run(2)
    assert "undisturbed" in scene.texts("bob")
    scene.finish()


def test_a_server_with_another_key_gets_nothing_but_hello() -> None:
    """R-9.1-1: the key is pinned; the user is told, and nothing but HELLO is for the new one."""
    scene = Scene(real=True, lies={})
    scene.evil_cores.private = b"another key of the server's only".ljust(32)[:32]
    scene.world.restart(SERVER)
    scene.world.send("ann", "bob", "to a friend")
    scene.run(180)
    since = scene.world.now_us - 120 * SECOND
    late = [each for each in scene.network.captured if each.at_us > since and each.node != SERVER]
    assert {each.payload[2] for each in late if each.to == scene.world.network.address(SERVER)} == {Hello.type}
    for name in ("ann", "bob"):
        assert scene.told(name, ServerKeyChanged)
        assert scene.told(name, ServerUnreachable)
    assert scene.texts("bob")[-1] == "to a friend", "friends who know each other need no server"
    scene.evil_cores.private = None
    scene.world.restart(SERVER)
    scene.run(60)
    scene.finish()


@pytest.mark.parametrize("refusal", [Refusal.BUSY, Refusal.QUOTA, Refusal.UNKNOWN])
def test_waits_of_an_age_are_cut_to_minutes(refusal: Refusal) -> None:
    """R-9.3-8: whoever says *wait a thousand years* is asked again within five minutes."""
    ever = 2**48 - 1
    scene = Scene(lies={})
    scene.world.deregister("bob")
    scene.run(61)
    scene.cores_lies[m.Store] = lambda server, user, asked: [m.Refused(asked.id, refusal, ever, 0)]
    scene.world.send("ann", "bob", "in the end")
    scene.run(400)
    assert scene.asked(m.Store, "ann") >= 2
    scene.cores_lies.clear()
    scene.run(POSTPONED_S_MAX + 1)
    assert len(scene.directory.mailboxes[scene.identity("bob")].letters) == 1
    scene.world.register("bob")
    scene.run(5)
    assert "in the end" in scene.texts("bob")
    scene.finish()


def test_stale_card_at_will_does_not_stop_a_client_for_good() -> None:
    """R-9.1-3: a server can drive the seq up, to the last one; it is a refusal then, and no loop."""
    told = iter((5, 2**40, 2**48 - 3, 2**48 - 2, 2**48 - 1, *[2**48 - 1] * 1_000))
    scene = Scene(lies={})
    scene.cores_lies[m.Register] = lambda server, user, asked: [m.Refused(asked.id, Refusal.STALE_CARD, 0, next(told))]
    scene.world.restart("ann")
    scene.run(60)
    assert [event.refusal for event in scene.told("ann", RegistrationRefused)] == [Refusal.STALE_CARD]
    assert scene.asked(m.Register, "ann") <= 8
    scene.world.send("ann", "bob", "by the way of friends")
    scene.run(5)
    assert not scene.told("ann", MessageRefused)
    scene.cores_lies.clear()


# --- rosters ---


class _Watching(EvilCores):
    def client(self, suite: Suite, state: ClientState, server: Address, now: Instant) -> Client:
        return Client(suite, state, server, now, watch_all=True)


def test_rosters_without_end_stop_growing_and_are_pulled_a_page_an_answer() -> None:
    """R-8.4-4: names without end are kept up to a thousand; a page is asked for when the one before it came."""
    pages = iter(range(10**9))

    def lie(server: Any, user: Any, asked: m.Watch) -> Said:
        page = next(pages)
        entries = tuple(RosterEntry(f"n{page * 24 + at:09}", True, 1) for at in range(24))
        return [m.Roster(asked.id, Version(bytes(8), page), entries, more=True, full=True)] * 3

    scene = Scene(cores=_Watching({m.Watch: lie}))
    scene.run(20)
    core = scene.world.nodes["ann"].core
    assert isinstance(core, Client)
    assert len(core.roster) <= ROSTER_USERS_MAX
    assert scene.sizes("ann")["requests"] <= 2
    scene.chat()
    scene.cores_lies.clear()
    scene.finish()


def test_a_flood_of_roster_hints_makes_one_pull_at_a_time() -> None:
    """R-8.4-5: a hint is no more than that: what is asked already is not asked again."""
    scene = Scene(cores=_Watching())
    before = scene.asked(m.Watch, "ann")
    for round_ in range(20):
        scene.push("ann", *(m.RosterChanged(Version(b"elsewher", round_ * 50 + each)) for each in range(50)))
    assert scene.asked(m.Watch, "ann") - before <= 3 * 20
    scene.chat()
    scene.finish()
