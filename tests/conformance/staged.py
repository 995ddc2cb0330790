"""Bob on a stage: he receives letters that a test seals in the name of ann, with fields of its choice."""

import os
from typing import Any

from .independent import datagrams, keys
from .independent.client import Client
from .independent.grammar import message
from .independent.letters import seal_letter
from .virtual import VirtualWorld


def sealed_by(client: Client, world: VirtualWorld, to: str, **about: Any) -> tuple[bytes, bytes]:
    """A letter of `client` with fields of the test's choice, and its acknowledgement."""
    secret = about.pop("secret", None) or os.urandom(16)
    key = about.pop("key", "live")
    body = {"sender": client.identity, "name": client.name, "epoch": 1, "seq": 1, "floor": 1, "secret": secret}
    body |= {"sent_ms": 1, "part": 1, "parts": 1, "text": "?"} | about
    card = world.server.cards[to].card
    private = client.world.store.get("identity")
    return seal_letter(private, card["identity"], card[key], body), keys.ack_of(secret)


class Stage:
    """Bob, who receives what a test seals in the name of ann."""

    def __init__(self) -> None:
        self.world = VirtualWorld("ann", "bob")
        self.world.register("ann", "bob")
        self.ann, self.bob = self.world.clients["ann"], self.world.clients["bob"]

    def direct(self, **about: Any) -> tuple[bytes, list[bytes]]:
        """The acknowledgement of a letter, and those that bob sent when it came."""
        letter, ack = sealed_by(self.ann, self.world, "bob", **about)
        self.bob.receive(self.world.now_s, self.world.addresses["ann"], letter)
        return ack, self.answers()

    def answers(self) -> list[bytes]:
        self.bob.tick(self.world.now_s)
        sent = [out.data for out in self.bob.world.out if out.data[2] == datagrams.ACK]
        self.world.run(0.001)
        return [ack for data in sent for ack in datagrams.cut(data).acks]

    def mail(self, entry: int, letter: bytes, slot: bytes) -> list[tuple[int, int]]:
        """What is collected of a Mail: entries and outcomes."""
        before = len(self.world.asked("Collected"))
        self.world.server.say(self.world.server.cards["bob"], message("Mail", entry=entry, slot=slot, letter=letter))
        self.world.run(0.1)
        said = self.world.asked("Collected")[before:]
        return [(e["entry"], e["outcome"]) for one in said for e in one["entries"]]

    @property
    def shown(self) -> list[str]:
        self.world.run(1.1)
        return self.world.shown("bob")
