"""The proxy is a bad network between real sockets, the same one for the same seed."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.net.udp_peers import HOSTS, Peer, until
from tests.tools import needs_ipv6
from udpchat_net import proxy as proxy_module
from udpchat_net import udp
from udpchat_net.proxy import Proxy, Weather


@asynccontextmanager
async def between(weather: Weather, seed: int = 1, host: str = HOSTS[0]) -> AsyncIterator[tuple[Proxy, Peer, Peer]]:
    proxy, one, other = Proxy(seed, weather), Peer(host), Peer(host)
    try:
        yield proxy, one, other
    finally:
        proxy.close()
        one.close()
        other.close()


@pytest.mark.parametrize("host", [HOSTS[0], pytest.param(HOSTS[1], marks=needs_ipv6)])
def test_everybody_knows_everybody_by_face(host: str) -> None:
    async def scenario() -> None:
        async with between(Weather(), host=host) as (proxy, server, client):
            client.send(proxy.face(server.address), b"hello")
            face, payload = await server.next()
            assert (face, payload) == (proxy.face(client.address), b"hello")
            assert face is not None
            server.send(face, b"welcome")
            assert await client.next() == (proxy.face(server.address), b"welcome")
            third = Peer(host)
            third.send(face, b"directly")  # as one client tells another
            assert await client.next() == (proxy.face(third.address), b"directly")
            assert proxy.counts == {"sent": 3}
            third.close()

    asyncio.run(scenario())


async def received(weather: Weather, seed: int, count: int) -> tuple[list[int], Counter[str]]:
    """Numbers of the datagrams that came through, in their order, and what the proxy counted."""
    async with between(weather, seed) as (proxy, one, other):
        for number in range(count):
            one.send(proxy.face(other.address), number.to_bytes(4))
            await until(lambda: one_way(proxy) > number)  # noqa: B023 - awaited at once; the socket's buffer holds no flood
        await until(lambda: other.got.qsize() == proxy.counts["sent"] == expected(proxy, count))
        return [int.from_bytes(other.got.get_nowait()[1]) for _ in range(other.got.qsize())], proxy.counts


def one_way(proxy: Proxy) -> int:
    return sum(proxy._passed.values())


def expected(proxy: Proxy, count: int) -> int:
    return count - proxy.counts["lost"] + proxy.counts["doubled"]


def test_a_seed_decides_every_fate() -> None:
    weather = Weather(loss=0.3, duplication=0.2)
    first, again = (asyncio.run(received(weather, 7, 200)) for _ in range(2))
    assert first == again
    assert asyncio.run(received(weather, 8, 200)) != first
    numbers, counts = first
    assert 30 < counts["lost"] < 90
    assert 15 < counts["doubled"] < 50
    assert len(numbers) == 200 - counts["lost"] + counts["doubled"]
    assert len(set(numbers)) == 200 - counts["lost"]


def test_what_is_held_back_is_overtaken() -> None:
    weather = Weather(reordering=0.2, delay_s_min=0.005, delay_s_max=0.005)  # alike, but for what is held back
    numbers, counts = asyncio.run(received(weather, 3, 100))
    assert counts["held back"] > 5
    assert sorted(numbers) == list(range(100))
    assert numbers != sorted(numbers)


def test_weather_may_change() -> None:
    async def scenario() -> None:
        async with between(Weather(loss=1)) as (proxy, one, other):
            one.send(proxy.face(other.address), b"lost")
            await until(lambda: proxy.counts["lost"])
            proxy.weather = Weather()
            one.send(proxy.face(other.address), b"through")
            assert (await other.next())[1] == b"through"

    asyncio.run(scenario())


def test_faces_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_module, "FACES_MAX", 1)

    async def scenario() -> None:
        async with between(Weather()) as (proxy, one, other):
            one.send(proxy.face(other.address), b"from one too many")
            await until(lambda: proxy.counts["lost"] == 1)
            with pytest.raises(udp.DriverError, match="faces already"):
                proxy.face(one.address)

    asyncio.run(scenario())


def test_what_is_under_way_at_the_end_is_lost() -> None:
    async def scenario() -> None:
        async with between(Weather(delay_s_min=0.5, delay_s_max=0.5)) as (proxy, one, other):
            one.send(proxy.face(other.address), b"late")
            await until(lambda: one_way(proxy))
            proxy.close()
            fired = asyncio.Event()
            asyncio.get_running_loop().call_later(0.6, fired.set)
            await fired.wait()
            assert other.got.empty()
            assert proxy.counts == {}

    asyncio.run(scenario())
