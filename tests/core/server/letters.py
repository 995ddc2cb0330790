"""Storing and collecting letters, as the tests of mailboxes and receipts do it."""

from collections.abc import Iterable

from tests.core.server.world import LETTER, Client, World
from udpchat_core.fields import CollectedEntry, Outcome
from udpchat_core.messages import Collected, Mail, Ping, Store


def slot(number: int) -> bytes:
    return number.to_bytes(16)


def store(sender: Client, owner: Client, numbers: Iterable[int], attempt: int = 0) -> None:
    """Store letters, each as if the sender had asked for nothing in the second before it."""
    requests = sender.world.server._requests
    for number in numbers:
        requests._full_at.clear()
        sender.say(Store(number, owner.identity, slot(number), attempt, LETTER))


def collected(*entries: int) -> Collected:
    return Collected(tuple(CollectedEntry(entry, Outcome.ACKNOWLEDGED, slot(entry)) for entry in entries))


def entries(client: Client) -> list[int]:
    return [mail.entry for mail in client.heard(Mail)]


def box(client: Client) -> list[int]:
    return sorted(client.world.store.mail.get(client.identity, {}))


def pair(world: World) -> tuple[Client, Client]:
    return world.client("alice").online(), world.client("bob").online()


def stay(world: World, seconds: float, *clients: Client) -> None:
    """Time passes, and these clients ping, as clients do."""
    until = world.now + round(seconds * 1_000_000)
    while world.now < until:
        world.advance(min(20, (until - world.now) / 1_000_000))
        for client in clients:
            client.say(Ping(1))


def rounds(world: World) -> int:
    return len(world.server._mailboxes._rounds)
