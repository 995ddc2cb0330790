"""Server and clients as they will run, over sockets: what a network does wrong between them shows nowhere.

The network is a proxy that loses, doubles, delays and reorders, from a seed.
"""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.ends import client, delivered, heard, say, server
from tests.net.udp_peers import until
from udpchat_core.client_events import LetterReceived, MessageDelivered, MessageStored
from udpchat_net.loop import run
from udpchat_net.proxy import Proxy, Weather

FOUL = Weather(loss=0.2, duplication=0.2, reordering=0.2, delay_s_max=0.01)
LONG = "\U0001f409" * 1_000  # six letters


def numbered(sender: str, count: int) -> list[str]:
    return [f"{sender}'s no. {number}" for number in range(count)] + [f"{sender}'s {LONG}"]


def whole(parts: list[str], count: int) -> list[str]:
    """What was shown, with the letters of the last, long text put together."""
    return [*parts[:count], "".join(parts[count:])]


@pytest.mark.parametrize("seed", [5, 6])
def test_three_people_get_each_message_once_and_in_order_over_a_bad_network(seed: int, tmp_path: Path) -> None:
    async def scenario() -> None:
        proxy = Proxy(seed, FOUL)
        async with server(tmp_path) as at:
            face = proxy.face(at.address)
            async with (
                client(tmp_path, "ann", face) as ann,
                client(tmp_path, "bob", face) as bob,
                client(tmp_path, "cat", face) as cat,
            ):
                people = {"ann": ann, "bob": bob, "cat": cat}
                for name, end in people.items():
                    for to in people.keys() - {name}:
                        say(end, to, *numbered(name, 15))
                await until(lambda: all(delivered(end) == 32 for end in people.values()))
                await until(lambda: all(len(end.of(LetterReceived)) >= 42 for end in people.values()))
                for name, end in people.items():
                    for sender in people.keys() - {name}:
                        assert whole(heard(end, sender), 15) == numbered(sender, 15)
        assert min(proxy.counts[what] for what in ("lost", "doubled", "held back")) > 10
        proxy.close()

    run(scenario())


def test_mail_for_somebody_away_arrives_once_and_in_order_over_a_bad_network(tmp_path: Path) -> None:
    async def scenario() -> None:
        proxy = Proxy(8, FOUL)
        async with server(tmp_path) as at:
            face = proxy.face(at.address)
            async with client(tmp_path, "bob", face):
                pass
            async with client(tmp_path, "ann", face) as ann:
                say(ann, "bob", *numbered("ann", 10))
                await until(lambda: len(ann.of(MessageStored)) == 11)
                async with client(tmp_path, "bob", face) as bob:
                    say(ann, "bob", "and this")
                    await until(lambda: delivered(ann) == 12 and "and this" in heard(bob, "ann"))
                    got = heard(bob, "ann")
                    assert [*whole(got[:-1], 10), got[-1]] == [*numbered("ann", 10), "and this"]
        proxy.close()

    run(scenario())


def test_a_message_waits_in_the_mailbox_through_restarts_of_everybody(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with server(tmp_path) as at:
            async with client(tmp_path, "bob", at.address):
                pass
            async with client(tmp_path, "ann", at.address) as ann:
                say(ann, "bob", "are you there?")
                await until(lambda: ann.of(MessageStored))
        async with server(tmp_path) as at, client(tmp_path, "bob", at.address) as bob:
            await until(lambda: heard(bob, "ann") == ["are you there?"])
            async with client(tmp_path, "ann", at.address) as ann:
                await until(lambda: [message.to for message in ann.of(MessageDelivered)] == ["bob"])
        async with (
            server(tmp_path) as at,
            client(tmp_path, "bob", at.address) as bob,
            client(tmp_path, "ann", at.address) as ann,
        ):
            say(ann, "bob", "and now?")
            await until(lambda: heard(bob, "ann"))
            assert heard(bob, "ann") == ["and now?"]  # and nothing a second time

    asyncio.run(scenario())
