"""The way of one message is shown datagram by datagram, with what happened to each, and with nothing of others."""

import pytest

from udpchat_net.simulation.chatter import Chatter
from udpchat_net.simulation.faults import Delay, Duplication, Fault, Loss, Partition
from udpchat_net.simulation.ladder import Hop, Ladder, Mark, drawn
from udpchat_net.simulation.runner import run
from udpchat_net.simulation.scenario import GoOffline, GoOnline, Say, Scenario
from udpchat_net.simulation.world import SECOND, World

ONE = (Say(2 * SECOND, "ann", "bob"),)
DIRECT = ["Lookup bob", "Found", "LETTER", "ACK"]


def ladder(scenario: Scenario, number: int = 1) -> Ladder:
    made: list[Ladder] = []

    def watch(world: World) -> None:
        made.append(Ladder(world, number))
        world.observers.append(made[0])

    run(scenario, watch=watch)
    return made[0]


def shown(*faults: Fault, steps: tuple[Say | GoOffline | GoOnline, ...] = ONE) -> Ladder:
    return ladder(Scenario(1, steps=steps, faults=faults, heal_us=30 * SECOND))


def hops(of: Ladder) -> list[Hop]:
    return [rung for rung in of.rungs if isinstance(rung, Hop)]


def test_a_direct_message_is_a_lookup_a_letter_and_its_acknowledgement() -> None:
    of = shown()
    assert [hop.what for hop in hops(of)] == DIRECT
    assert {hop.fate for hop in hops(of)} == {""}
    marks = [(rung.node, rung.what.partition(":")[0]) for rung in of.rungs if isinstance(rung, Mark)]
    assert marks[0] == ("ann", "queued")
    assert sorted(marks[1:]) == [("ann", "delivered"), ("bob", "received")]


def test_what_is_lost_late_or_duplicated_is_said() -> None:
    of = shown(
        Loss("ann", "bob", 0, 0),
        Delay("ann", "bob", 1, 1, delay_us=3 * SECOND),
        Duplication("bob", "ann", 0, 0),
    )
    letters = [hop for hop in hops(of) if hop.what == "LETTER"]
    assert letters[0].fate == "lost"
    assert letters[1].fate.startswith("late by ")
    (ack, *_) = [hop for hop in hops(of) if hop.what == "ACK"]
    assert ack.fate == "duplicated"
    assert len(ack.arrivals_us) == 2


def test_through_the_mailbox_each_station_is_shown() -> None:
    of = shown(Partition("ann", "bob", 0, 20 * SECOND))
    words = [hop.what for hop in hops(of)]
    assert words[:3] == DIRECT[:3]
    stations = list(dict.fromkeys(word for word in words if word not in DIRECT))
    assert stations == ["Store", "Stored", "Mail", "Collected", "Receipt", "Noted"]
    told = [rung.what.partition(":")[0] for rung in of.rungs if isinstance(rung, Mark)]
    assert told[:3] == ["queued", "no answer", "stored"]
    assert sorted(told[3:]) == ["delivered", "received"]


def test_a_recipient_who_is_away_gets_it_when_he_returns() -> None:
    of = shown(steps=(GoOffline(SECOND, "bob"), *ONE, GoOnline(20 * SECOND, "bob")))
    (mail,) = [hop for hop in hops(of) if hop.what == "Mail"]
    assert mail.at_us > 20 * SECOND
    assert not [hop for hop in hops(of) if hop.what == "ACK"]


def test_other_messages_between_the_same_two_are_not_in_it() -> None:
    of = ladder(Scenario(1, steps=(Say(2 * SECOND, "ann", "bob", 5),), heal_us=10 * SECOND), number=3)
    assert [hop.what for hop in hops(of)].count("LETTER") == 1
    assert len([rung for rung in of.rungs if isinstance(rung, Mark)]) == 3


def test_somebody_who_is_unknown_is_refused_in_it() -> None:
    of = shown(steps=(Say(SECOND, "ann", "zoe"),))
    assert [hop.what for hop in hops(of)] == ["Lookup zoe", "Refused"]
    assert of.rungs[-1].what == "refused: unknown"


@pytest.mark.parametrize("number", range(1, 21))
def test_drawn_it_fits_a_terminal_and_each_rung_is_a_line(number: int) -> None:
    of = ladder(Chatter(4, 20, 1, 3, loss=0.3, delay_us=50_000, duplication=0.1).scenario(), number)
    lines = drawn(of)
    assert len(lines) == len(of.rungs) + 1
    assert lines[0].split() == [of.sender, "server", of.recipient]
    for rung, line in zip(of.rungs, lines[1:], strict=True):
        assert rung.what in line
        assert len(line) <= 100
        if isinstance(rung, Hop):
            assert ("X" in line) is (not rung.arrivals_us) is line.endswith("lost")
            assert ("<" in line or "X-" in line) is (rung.source == of.recipient or rung.destination == of.sender)


def test_drawn_letters_go_past_the_server() -> None:
    lines = drawn(shown())
    assert lines[0] == "             ann                   server                bob"
    (letter,) = [line for line in lines if "LETTER" in line]
    assert letter[13:].startswith("|-LETTER----------------------------------->|  ")
    (ack,) = [line for line in lines if "ACK" in line]
    assert ack[13:].startswith("|<-ACK--------------------------------------|  ")
    (lookup,) = [line for line in lines if "Lookup" in line]
    assert lookup[13:].startswith("|-Lookup bob--------->|                     |  ")
