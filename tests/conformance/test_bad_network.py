"""The independent client on networks that lose, double, reorder and change what is sent, in virtual time."""

import pytest

from .independent import datagrams
from .virtual import SERVER, VirtualWorld


@pytest.mark.parametrize("seed", range(8))
def test_on_a_bad_network_everything_is_shown_once_and_in_order(seed: int) -> None:
    # R-9.3-1, R-9.4-1, R-9.4-2, R-9.4-3: a quarter is lost, a tenth doubled, all of it reordered
    names = ("ann", "bob", "eve")
    world = VirtualWorld(*names, seed=seed, loss=0.25, doubled=0.1, jitter_s=0.15)
    world.register(*names)
    while not all(world.happened(name, "online") for name in names):  # who is not there yet is unknown, for good
        world.run(1.0)
    sent: dict[str, list[str]] = {}
    for number in range(60):
        sender, recipient = world.random.sample(names, 2)
        text = f"{sender} {recipient} {number} " + "x" * world.random.choice((1, 100, 2000))
        sent.setdefault(sender + recipient, []).append(text)
        world.clients[sender].send(world.now_s, recipient, text)
        world.run(world.random.random())
        if number in (20, 40):
            world.clients[recipient].deregister(world.now_s)
            world.run(5.0)
            world.clients[recipient].register(world.now_s)
    world.run(400.0)
    for recipient in names:
        shown = world.shown(recipient)
        for sender in names:
            if sender != recipient:
                assert [text for text in shown if text.startswith(sender)] == sent.get(sender + recipient, [])
        assert world.clients[recipient].outbox.by_ack == {}
    records = [len(data) for _, source, _, data in world.sent if source != SERVER and data[2] == datagrams.RECORD]
    assert min(records) >= 67  # R-5.1-5
    assert max(len(data) for *_, data in world.sent) <= 1200  # R-3.3-2


def test_nothing_that_comes_raises_or_changes_anything() -> None:
    # R-3.1-6
    world = VirtualWorld("ann", "bob")
    world.register("ann", "bob")
    ann = world.clients["ann"]
    good = [data for _, _, to, data in world.sent if to == world.addresses["ann"]]
    before = list(ann.world.store.db.iterdump())
    for number in range(3000):
        data = bytearray(world.random.choice(good))
        for _ in range(number % 3 + 1):
            data[world.random.randrange(len(data))] ^= 1 << world.random.randrange(8)
        if number % 7 == 0:
            data = data[: world.random.randrange(len(data))]
        note = ann.receive(world.now_s, SERVER, bytes(data))
        assert "refused" in note, note
        ann.tick(world.now_s)
        assert not ann.world.out
    assert list(ann.world.store.db.iterdump()) == before
