"""The same promises where Linux itself carries the datagrams, from network to network, and loses a fifth of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import namespaces
from tests.e2e.ends import client, delivered, heard, say, server
from tests.net.udp_peers import until
from udpchat_net.loop import run

Three = tuple[namespaces.Namespace, namespaces.Namespace, namespaces.Namespace]


@pytest.fixture
def lossy() -> Iterator[Three]:
    try:
        with namespaces.three() as networks:
            for each in networks:
                each.drop(20)
            yield networks
    except namespaces.Unavailable as why:
        pytest.skip(f"no networks of our own: {why}")


def test_each_message_arrives_once_and_in_order_where_the_kernel_drops_a_fifth(lossy: Three, tmp_path: Path) -> None:
    async def scenario() -> None:
        hub, left, right = lossy
        async with (
            server(tmp_path, "10.77.0.1", hub.inside) as at,
            client(tmp_path, "ann", at.address, "10.77.1.2", left.inside) as ann,
            client(tmp_path, "bob", at.address, "10.77.2.2", right.inside) as bob,
        ):
            texts = [f"no. {number}" for number in range(40)]
            say(ann, "bob", *texts)
            say(bob, "ann", *texts)
            await until(lambda: delivered(ann) == delivered(bob) == 40)
            await until(lambda: len(heard(bob, "ann")) >= 40 <= len(heard(ann, "bob")))
            assert heard(bob, "ann") == heard(ann, "bob") == texts
        assert min(each.dropped() for each in lossy) > 0

    run(scenario())
