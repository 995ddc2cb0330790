"""Time and clocks: clocks that are set, machines that sleep, and users who are away for weeks and months."""

import pytest

from udpchat_core.address import Address
from udpchat_core.bodies import CardBody
from udpchat_core.client_events import (
    LetterReceived,
    MessageDelivered,
    MessageExpired,
    MessageRefused,
    PeersChanged,
    Registered,
)
from udpchat_core.datagrams import HEADER_BYTES
from udpchat_core.messages import Store
from udpchat_core.secure.card import is_expired
from udpchat_core.secure.keys import SIGNATURE_BYTES
from udpchat_core.server_events import MailExpired
from udpchat_core.wire import decode_untrusted, unpack_untrusted
from udpchat_net.simulation.faults import SERVER, ClockStep, Fault
from udpchat_net.simulation.node import START_US, Event, Node, Observer
from udpchat_net.simulation.oracle import Oracle
from udpchat_net.simulation.world import SECOND, World
from udpchat_net.stores.memory_server import ServerMemory

MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
_AT_SEALED = HEADER_BYTES + 12  # in a RECORD, after index and counter
STEPS_MS = (-30 * DAY_MS, -HOUR_MS, HOUR_MS, 30 * DAY_MS)


class Town:
    """A world, watched by the oracle, with what everybody was told."""

    def __init__(self, *names: str, faults: tuple[Fault, ...] = ()) -> None:
        self.world = World(5, names, faults)
        self.oracle = Oracle(self.world)
        for name in names:
            self.world.register(name)
        self.world.run(SECOND)

    def say(self, sender: str, to: str, *texts: str, gap_us: int = SECOND) -> None:
        for text in texts:
            self.world.send(sender, to, text)
            self.world.run(gap_us)

    def shown(self, name: str) -> list[str]:
        """What was shown to somebody, in order."""
        return [event.text for event in self.told(name) if isinstance(event, LetterReceived)]

    def told(self, name: str) -> list[Event]:
        return [event for _, event in self.world.events(name)]

    def lost(self, name: str) -> list[Event]:
        """Of which messages somebody was told that they did not arrive, or may not have."""
        return [event for event in self.told(name) if isinstance(event, MessageExpired | MessageRefused)]

    def delivered(self, name: str) -> int:
        return sum(isinstance(event, MessageDelivered) for event in self.told(name))

    def registrations(self, name: str) -> int:
        return sum(isinstance(event, Registered) for event in self.told(name))


# --- clocks that are set ---


@pytest.mark.parametrize("by_ms", STEPS_MS)
@pytest.mark.parametrize("whose", ["ann", "bob", SERVER])
def test_a_clock_that_is_set_and_set_right_loses_nothing_and_gives_nothing_up(whose: str, by_ms: int) -> None:
    """R-9.3-9: sent before, meanwhile, directly and to the mailbox, and afterwards; the recipient is away for long."""
    town = Town("ann", "bob")
    world = town.world
    town.say("ann", "bob", "direct, before")
    world.deregister("bob")
    town.say("ann", "bob", "stored, before")
    world.step_clock(whose, by_ms)
    town.say("ann", "bob", "stored, meanwhile")
    world.run(3 * HOUR)
    world.register("bob")
    world.run(MINUTE)
    town.say("ann", "bob", "direct, meanwhile")
    world.deregister("bob")
    town.say("ann", "bob", "stored, meanwhile, and collected later")
    world.run(3 * HOUR)
    world.step_clock(whose, -by_ms)
    town.say("ann", "bob", "stored, after")
    world.run(3 * HOUR)
    world.register("bob")
    world.run(MINUTE)
    assert town.shown("bob") == [
        *("direct, before", "stored, before", "stored, meanwhile", "direct, meanwhile"),
        *("stored, meanwhile, and collected later", "stored, after"),
    ]
    assert town.lost("ann") == []
    assert town.delivered("ann") == 6
    town.oracle.heal_and_drain()


def test_a_message_is_given_up_in_time_whatever_a_clock_says_that_was_wrong_all_the_time() -> None:
    """R-9.3-9: 14 days by both, each since the message was sent."""
    town = Town("ann", "bob", faults=(ClockStep("ann", SECOND // 2, 30 * DAY_MS),))
    world = town.world
    world.deregister("bob")
    town.say("ann", "bob", "never read")
    world.deregister("ann")
    world.run(13 * DAY)
    world.register("ann")
    world.run(2 * MINUTE)
    assert town.lost("ann") == []
    world.deregister("ann")
    world.run(DAY)
    world.register("ann")
    world.run(2 * MINUTE)
    assert [type(event) for event in town.lost("ann")] == [MessageExpired]


def test_a_message_that_waits_for_the_first_registration_is_as_old_as_it_is() -> None:
    """R-9.3-9: a machine that begins with the clock of a month ago, and is told better by and by."""
    world = World(5, ("ann", "bob"))
    oracle = Oracle(world)
    world.step_clock("ann", -30 * DAY_MS)
    world.restart("ann")
    world.register("bob")
    world.run(SECOND)
    world.deregister("bob")
    world.send("ann", "bob", "queued")
    world.run(SECOND)
    world.step_clock("ann", 30 * DAY_MS)
    world.register("ann")
    world.run(2 * HOUR)
    assert not any(isinstance(event, MessageExpired) for _, event in world.events("ann"))
    oracle.heal_and_drain()
    assert any(isinstance(event, MessageDelivered) for _, event in world.events("ann"))


class Cards(Observer):
    """Counts the Stores that leave."""

    def __init__(self) -> None:
        self.stored = 0

    def sent(self, node: Node, to: Address, payload: bytes) -> None:
        plaintext = node.suite.records.get(payload[_AT_SEALED:])
        if plaintext is not None and node.name != SERVER:
            self.stored += sum(isinstance(each, Store) for each in unpack_untrusted(plaintext))


@pytest.mark.parametrize("whose", ["ann", "bob", SERVER])
def test_a_clock_that_is_wrong_by_more_than_a_cards_life_stops_what_it_has_to_and_no_longer_than_it_is(
    whose: str,
) -> None:
    """R-2.3-3: a card is neither taken past its time, by the clock of who takes it, nor refused for ever."""
    town = Town("ann", "bob")
    world = town.world
    world.step_clock(whose, -120 * DAY_MS if whose == "bob" else 120 * DAY_MS)
    world.run(2 * MINUTE)
    world.restart("bob")  # its card is made anew, by a clock that is wrong, or taken by one that is
    world.run(2 * MINUTE)
    before = town.shown("bob")
    town.say("ann", "bob", "under a card that does not hold")
    world.run(5 * MINUTE)
    assert town.shown("bob") == before == []
    assert town.lost("ann") == []
    world.step_clock(whose, 120 * DAY_MS if whose == "bob" else -120 * DAY_MS)
    world.run(MINUTE)
    assert town.shown("bob") == ["under a card that does not hold"]
    town.oracle.heal_and_drain()


# --- machines that sleep ---


@pytest.mark.parametrize("asleep", [True, False], ids=["machine", "process"])
@pytest.mark.parametrize("for_us", [5 * MINUTE, 3 * HOUR, 3 * DAY], ids=["minutes", "hours", "days"])
@pytest.mark.parametrize("whose", ["ann", "bob", SERVER])
def test_who_wakes_up_goes_on_within_a_minute(whose: str, for_us: int, asleep: bool) -> None:
    """Messages of both were under way; the others are away themselves for most of a longer time."""
    town = Town("ann", "bob")
    world = town.world
    world.send("ann", "bob", "to bob, just before")
    world.send("bob", "ann", "to ann, just before")
    world.pause(whose, for_us, asleep=asleep)
    others = [name for name in ("ann", "bob") if name != whose]
    world.run(MINUTE)
    for name in others:
        town.say(name, "bob" if name == "ann" else "ann", f"by {name}, meanwhile")
    world.run(min(for_us - 3 * MINUTE, HOUR))
    for name in others:
        world.deregister(name)
    world.run(for_us - 2 * MINUTE - 4 * SECOND - min(for_us - 3 * MINUTE, HOUR))
    assert not world.is_running(whose)
    for name in others:
        world.register(name)
    world.run(2 * MINUTE + 4 * SECOND)
    assert world.is_running(whose)
    world.run(MINUTE)
    for name in ("ann", "bob"):
        town.say(name, "bob" if name == "ann" else "ann", f"by {name}, awake")
    world.run(10 * SECOND)
    meanwhile = {name: [f"by {name}, meanwhile"] if name in others else [] for name in ("ann", "bob")}
    assert town.shown("bob") == ["to bob, just before", *meanwhile["ann"], "by ann, awake"]
    assert town.shown("ann") == ["to ann, just before", *meanwhile["bob"], "by bob, awake"]
    assert town.lost("ann") == town.lost("bob") == []
    town.oracle.heal_and_drain()


# --- users who are away ---


def test_three_weeks_away_are_two_weeks_of_mail() -> None:
    """R-9.3-9, R-8.5-7, R-9.1-8: what is older was given up, its sender told, and is not in the mailbox any more."""
    town = Town("ann", "bob", "cyd")
    world = town.world
    world.leave("bob")
    world.run(MINUTE)
    town.say("ann", "bob", "of the first day")
    world.run(MINUTE)
    world.deregister("ann")  # its process stays: one that starts again stores anew what is not delivered
    world.leave("cyd")
    world.run(10 * DAY)
    world.restart("cyd")
    world.register("cyd")
    world.run(MINUTE)
    town.say("cyd", "bob", "of the tenth day")
    world.run(MINUTE)
    world.leave("cyd")
    world.run(3 * DAY)
    world.register("ann")
    world.run(2 * MINUTE)
    assert town.lost("ann") == []  # it is the 13th day
    world.run(DAY + HOUR)
    assert [type(event) for event in town.lost("ann")] == [MessageExpired]
    world.deregister("ann")
    assert not any(isinstance(event, MailExpired) for event in town.told(SERVER))
    world.run(7 * DAY)
    assert MailExpired(1) in town.told(SERVER)
    world.restart("bob")
    world.register("bob")
    world.run(MINUTE)
    assert town.shown("bob") == ["of the tenth day"]
    world.run(2 * HOUR)  # bob's mail key is a new one now, on a new card
    world.restart("cyd")
    for name in ("ann", "cyd"):
        world.register(name)
    world.run(MINUTE)
    assert (town.delivered("ann"), town.delivered("cyd")) == (0, 1)
    world.deregister("bob")
    town.say("ann", "bob", "back again")
    world.register("bob")
    world.run(MINUTE)
    assert town.shown("bob") == ["of the tenth day", "back again"]
    town.oracle.heal_and_drain()


@pytest.mark.parametrize("knows", [True, False], ids=["card known", "started again"])
def test_three_months_away_end_a_card_and_not_a_name(knows: bool) -> None:
    """R-2.3-3, R-9.3-12: nothing is sealed for the old card, whoever has it; the name waits, and so do messages."""
    town = Town("ann", "bob")
    world = town.world
    town.say("ann", "bob", "before")
    server = world.nodes[SERVER].store
    assert isinstance(server, ServerMemory)
    world.leave("bob")
    world.run(MINUTE)
    bound = server.users["bob"]
    world.deregister("ann")
    world.run(91 * DAY + HOUR)
    assert server.users["bob"] == bound
    card = decode_untrusted(CardBody, bound.card[SIGNATURE_BYTES:])
    assert is_expired(card, (START_US + world.now_us) // SECOND)
    if not knows:
        world.restart("ann")
    cards = Cards()
    world.observers.append(cards)
    world.register("ann")
    world.run(MINUTE)
    town.say("ann", "bob", "while the card is over")
    world.run(HOUR)
    assert cards.stored == 0
    assert town.lost("ann") == []
    world.restart("bob")
    world.register("bob")
    world.run(MINUTE)
    assert town.registrations("bob") == 2
    assert server.users["bob"].identity == bound.identity
    assert town.shown("bob") == ["before", "while the card is over"]
    assert PeersChanged((("bob", True),)) in town.told("ann")
    town.oracle.heal_and_drain()
