"""Each fault of datagrams does what it says, and the fate of one follows from (seed, link, ordinal)."""

import pytest

from udpchat_core.address import Address
from udpchat_net.simulation.faults import (
    HEADERS_BYTES,
    SERVER,
    Bottleneck,
    Corruption,
    Delay,
    Duplication,
    Fault,
    Loss,
    Misdelivery,
    Partition,
    Rebind,
    Reorder,
    Truncation,
)
from udpchat_net.simulation.network import LATENCY_US_MAX, LATENCY_US_MIN, Arrival, Network

CLIENTS = ("ann", "bob", "cyd")
PAYLOAD = bytes(range(200))
Fates = list[list[Arrival]]


def fates(*faults: Fault, seed: int = 1, count: int = 200, link: tuple[str, str] = ("ann", "bob")) -> Fates:
    """What becomes of `count` datagrams of a link, sent a millisecond apart."""
    network = Network(seed, CLIENTS, faults)
    to = network.address(link[1])
    return [network.carry(link[0], to, PAYLOAD, 1_000 * number) for number in range(count)]


def struck(ones: Fates, others: Fates) -> set[int]:
    """The ordinals whose fate differs."""
    return {number for number, (one, other) in enumerate(zip(ones, others, strict=True)) if one != other}


def test_a_link_without_faults_delivers_everything_once_in_order_and_unchanged() -> None:
    arrivals = [arrival for fate in fates() for arrival in fate]
    assert [arrival.payload for arrival in arrivals] == [PAYLOAD] * 200
    assert [arrival.at_us for arrival in arrivals] == sorted(arrival.at_us for arrival in arrivals)
    assert {arrival.node for arrival in arrivals} == {"bob"}
    assert {arrival.source for arrival in arrivals} == {Network(1, CLIENTS, ()).address("ann")}
    assert LATENCY_US_MIN <= arrivals[0].at_us <= LATENCY_US_MAX


def test_links_have_latencies_of_their_own() -> None:
    first = {link: fates(count=1, link=link)[0][0].at_us for link in (("ann", "bob"), ("bob", "ann"), ("ann", "cyd"))}
    assert len(set(first.values())) == 3


def test_loss_takes_about_the_share_that_it_should() -> None:
    lost = fates(Loss(probability=0.3)).count([])
    assert 40 < lost < 80


def test_duplication_delivers_a_second_copy_within_its_delay() -> None:
    for first, second in fates(Duplication(delay_us=9_000)):
        assert first.payload == second.payload
        assert 0 <= second.at_us - first.at_us < 9_000


def test_delay_comes_on_top_of_the_latency() -> None:
    later = [slow.at_us - fast.at_us for [slow], [fast] in zip(fates(Delay(delay_us=50_000)), fates(), strict=True)]
    assert 0 <= min(later) < 5_000
    assert 45_000 < max(later) < 50_000


def test_reorder_lets_others_overtake() -> None:
    arrivals = [arrival.at_us for [arrival] in fates(Reorder(first=3, last=3, delay_us=20_000))]
    assert sorted(range(200), key=lambda number: arrivals[number])[22:24] == [23, 3] or arrivals[3] > arrivals[22]
    assert arrivals[:3] + arrivals[4:] == sorted(arrivals[:3] + arrivals[4:])


def test_corruption_flips_one_bit() -> None:
    for [arrival] in fates(Corruption()):
        difference = int.from_bytes(arrival.payload) ^ int.from_bytes(PAYLOAD)
        assert difference.bit_count() == 1


def test_truncation_leaves_a_beginning_that_is_shorter() -> None:
    lengths = set()
    for [arrival] in fates(Truncation()):
        assert PAYLOAD.startswith(arrival.payload)
        lengths.add(len(arrival.payload))
    assert min(lengths) < 20
    assert 180 < max(lengths) < 200


def test_misdelivery_reaches_every_other_node_and_no_end_of_the_link() -> None:
    assert {arrival.node for [arrival] in fates(Misdelivery())} == {"cyd", SERVER}


@pytest.mark.parametrize("both", [False, True])
def test_a_partition_cuts_one_way_or_both_and_only_while_it_lasts(both: bool) -> None:
    part = Partition("ann", "*", 50_000, 100_000, both)
    there, back = fates(part), fates(part, link=("bob", "ann"))
    assert [number for number, fate in enumerate(there) if not fate] == list(range(50, 100))
    assert [number for number, fate in enumerate(back) if not fate] == (list(range(50, 100)) if both else [])
    assert [] not in fates(part, link=("bob", "cyd"))


# --- a thin line: 100,000 bytes a second, so that a datagram of PAYLOAD takes 2,280 microseconds ---

TAKES_US = (len(PAYLOAD) + HEADERS_BYTES) * 10
THIN = (("ann", "bob"),)


def latency_us(link: tuple[str, str] = ("ann", "bob")) -> int:
    return fates(count=1, link=link)[0][0].at_us


def thin(queue_datagrams: int, links: tuple[tuple[str, str], ...] = THIN) -> Bottleneck:
    return Bottleneck(links, 100_000, queue_datagrams * (len(PAYLOAD) + HEADERS_BYTES))


def test_a_bottleneck_carries_one_datagram_after_the_other_by_its_size_and_in_order() -> None:
    network = Network(1, CLIENTS, (thin(100),))
    to = network.address("bob")
    [first] = network.carry("ann", to, PAYLOAD, 0)
    [short] = network.carry("ann", to, b"", 0)
    [later] = network.carry("ann", to, PAYLOAD, 1_000_000)
    assert first.at_us == latency_us() + TAKES_US
    assert short.at_us == first.at_us + HEADERS_BYTES * 10
    assert later.at_us == 1_000_000 + latency_us() + TAKES_US


def test_a_bottleneck_loses_what_does_not_fit_its_queue_and_carries_on() -> None:
    network = Network(1, CLIENTS, (thin(3),))
    to = network.address("bob")
    carried = [len(network.carry("ann", to, PAYLOAD, 0)) for _ in range(5)]
    assert carried == [1, 1, 1, 0, 0]
    assert network.counts == {"Bottleneck": 2}
    assert network.carry("ann", to, PAYLOAD, TAKES_US - 1) == []
    [arrival] = network.carry("ann", to, PAYLOAD, TAKES_US)
    assert arrival.at_us == latency_us() + 4 * TAKES_US


def test_the_links_of_a_bottleneck_share_it_and_no_others_do() -> None:
    network = Network(1, CLIENTS, (thin(3, (("ann", "bob"), ("cyd", "*"))),))
    bob = network.address("bob")
    [one] = network.carry("ann", bob, PAYLOAD, 0)
    [two] = network.carry("cyd", bob, PAYLOAD, 0)
    [three] = network.carry("cyd", network.address("ann"), PAYLOAD, 0)
    assert network.carry("ann", bob, PAYLOAD, 0) == []
    assert one.at_us - latency_us() == TAKES_US
    assert two.at_us - latency_us(("cyd", "bob")) == 2 * TAKES_US
    assert three.at_us - latency_us(("cyd", "ann")) == 3 * TAKES_US
    [back] = network.carry("bob", network.address("ann"), PAYLOAD, 0)
    assert back.at_us == latency_us(("bob", "ann"))


def test_a_bottleneck_is_there_while_it_lasts_and_until_the_network_is_healed() -> None:
    fault = Bottleneck(THIN, 100_000, 10**9, 50_000, 100_000)
    delays = [arrival.at_us - 1_000 * number - latency_us() for number, [arrival] in enumerate(fates(fault))]
    assert [number for number, delay in enumerate(delays) if delay] == list(range(50, 100))
    assert delays[50:100] == [TAKES_US + (TAKES_US - 1_000) * number for number in range(50)]
    network = Network(1, CLIENTS, (thin(1),))
    network.set_faults(())
    assert all(network.carry("ann", network.address("bob"), PAYLOAD, 0) for _ in range(9))


def test_a_link_that_two_bottlenecks_name_passes_one_after_the_other() -> None:
    network = Network(1, CLIENTS, (thin(3), Bottleneck((("*", "bob"),), 50_000, 10**6)))
    [arrival] = network.carry("ann", network.address("bob"), PAYLOAD, 0)
    assert arrival.at_us == latency_us() + TAKES_US + 2 * TAKES_US


def test_other_faults_strike_behind_a_bottleneck_so_that_without_them_the_queue_is_the_same() -> None:
    line, loss = thin(3), Loss(probability=0.5)
    both, alone = fates(line, loss), fates(line)
    assert struck(both, alone) == {number for number in range(200) if alone[number] and not both[number]}
    assert [number for number in range(200) if not fates(loss)[number] and both[number]] == []


def test_after_a_rebinding_the_old_address_reaches_nobody() -> None:
    network = Network(1, CLIENTS, ())
    old = network.address("ann")
    new = network.rebind("ann")
    assert new != old
    assert network.carry("bob", old, PAYLOAD, 0) == []
    assert network.carry("bob", new, PAYLOAD, 0)[0].node == "ann"
    assert network.carry("ann", network.address("bob"), PAYLOAD, 0)[0].source == new
    assert network.name(old) == "ann"


def test_an_address_of_nobody_reaches_nobody() -> None:
    network = Network(1, CLIENTS, ())
    assert network.carry("ann", Address(b"\x7f\0\0\1", 9), PAYLOAD, 0) == []
    assert network.counts["nobody there"] == 1


def test_faults_strike_the_ordinals_and_links_that_they_name() -> None:
    fault = Loss("ann", "bob", 5, 7)
    assert [number for number, fate in enumerate(fates(fault)) if not fate] == [5, 6, 7]
    assert [] not in fates(fault, link=("bob", "ann"))
    assert fates(Loss("*", "cyd")).count([]) == 0
    assert fates(Loss("*", "cyd"), link=("bob", "cyd")).count([]) == 200


def test_a_fate_does_not_depend_on_other_faults_links_or_times() -> None:
    loss, delay = Loss(probability=0.3), Delay(probability=0.3)
    everything = fates(loss, Duplication(probability=0.2), Corruption(probability=0.2), delay)
    less = fates(loss, delay)
    assert [not fate for fate in everything] == [not fate for fate in less]
    network = Network(1, CLIENTS, (loss,))
    alone = []
    for number in range(200):
        network.carry("bob", network.address("cyd"), PAYLOAD, 0)
        alone.append(not network.carry("ann", network.address("bob"), PAYLOAD, 77 * number))
    assert alone == [not fate for fate in less]


def test_taking_a_fault_away_changes_only_what_it_struck() -> None:
    loss, corruption = Loss("*", "*", 0, 99, 0.3), Corruption("*", "*", 50, 199, 0.5)
    both = fates(loss, corruption)
    assert max(struck(both, fates(corruption))) < 100
    assert min(struck(both, fates(loss))) >= 50


def test_a_lower_probability_strikes_a_part_of_what_a_higher_one_strikes() -> None:
    few, many = struck(fates(Loss(probability=0.1)), fates()), struck(fates(Loss(probability=0.4)), fates())
    assert few < many


def test_another_seed_and_another_link_have_other_fates() -> None:
    loss = Loss(probability=0.5)
    patterns = [[not fate for fate in fates(loss, seed=seed, link=link)] for seed, link in
                ((1, ("ann", "bob")), (2, ("ann", "bob")), (1, ("bob", "ann")))]  # fmt: skip
    assert len({tuple(pattern) for pattern in patterns}) == 3


def test_what_struck_is_counted() -> None:
    network = Network(1, CLIENTS, (Loss("ann", "bob", 0, 4), Rebind("ann", 0)))
    for _ in range(9):
        network.carry("ann", network.address("bob"), PAYLOAD, 0)
    assert network.counts == {"Loss": 5}
