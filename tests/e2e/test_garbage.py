"""Whatever arrives at a port is counted, and the program behind it goes on."""

from pathlib import Path
from random import Random

from tests.e2e.ends import client, heard, say, server
from tests.e2e.garbage import LARGEST_BYTES, Tap, kinds
from tests.net.udp_peers import Peer, until
from udpchat_net.loop import run


def test_thirty_kinds_of_garbage_are_counted_and_everybody_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        tap, stranger = Tap(), Peer("127.0.0.1")
        async with server(tmp_path) as at:
            face = tap.face(at.address)
            async with client(tmp_path, "ann", face) as ann, client(tmp_path, "bob", face) as bob:
                say(ann, "bob", "before")
                await until(lambda: heard(bob, "ann"))
                drivers = {end.address: end.driver for end in (at, ann, bob)}
                garbage = kinds(Random(1), tap.newest)
                assert {0, LARGEST_BYTES} < {len(payload) for payload in garbage.values()}
                assert len(garbage) == len({*garbage.values()}) == 30
                for count, payload in enumerate(garbage.values(), 1):
                    for address in drivers:
                        stranger.send(address, payload)
                    await until(lambda: min(driver.dropped.total() for driver in drivers.values()) >= count)  # noqa: B023
                assert [driver.dropped.total() for driver in drivers.values()] == [30, 30, 30]
                assert not any(driver.errors for driver in drivers.values())
                say(ann, "bob", "after")
                say(bob, "ann", "after")
                await until(lambda: heard(bob, "ann") == ["before", "after"] and heard(ann, "bob") == ["after"])
                async with client(tmp_path, "cat", face) as cat:
                    say(cat, "ann", "late")
                    await until(lambda: heard(ann, "cat") == ["late"])
        stranger.close()
        tap.close()

    run(scenario())
