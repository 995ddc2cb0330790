"""Two friends who chat, and a world in which somebody is against them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from udpchat_core import messages as m
from udpchat_core.bodies import CardBody
from udpchat_core.client_events import LetterReceived, MessageDelivered
from udpchat_core.datagrams import Letter
from udpchat_core.limits import MAILBOX_SENDER_LETTERS_MAX
from udpchat_core.secure.keys import LETTER_LABEL, key_id
from udpchat_core.wire import serialize
from udpchat_net.simulation.cores import Cores, Measured
from udpchat_net.simulation.evil import EvilCores, EvilNetwork, EvilPeer, EvilServer
from udpchat_net.simulation.faults import SERVER
from udpchat_net.simulation.oracle import Oracle
from udpchat_net.simulation.owners import Friends
from udpchat_net.simulation.world import SECOND, World
from udpchat_net.stores.memory_client import ClientMemory
from udpchat_net.stores.memory_server import ServerMemory

FRIEND_DELAY_US_MAX = 5 * SECOND
"""Longest that an attack may hold up a message between two who are online: the direct tries take half a second, then
the mailbox has it, which is pushed again after 1 and 2 seconds."""
MAIL_DELAY_US_MAX = 240 * SECOND
"""Longest that a mailbox stuffed by strangers holds up what a friend wrote meanwhile, once both are there. What was
stored behind them comes after 1,024 letters with gaps, 32 at a time, each pushed for 7 seconds, then passed over; what
was refused is tried again every minute, and sent directly by the second try."""


class Scene:
    """Ann and bob are registered and have spoken; `network` sees everything, and does nothing until told."""

    def __init__(
        self,
        seed: int = 5,
        *,
        real: bool = False,
        lies: dict[type[Any], Any] | None = None,
        cores: Cores | None = None,
        delay_us_max: int = FRIEND_DELAY_US_MAX,
        clients: tuple[str, ...] = ("ann", "bob"),
    ) -> None:
        self.cores = EvilCores(lies) if lies is not None else cores
        self.world = World(seed, clients, real=real, cores=self.cores)
        honest = not isinstance(self.cores, EvilCores)
        self.oracle = Oracle(self.world, is_server_honest=honest, friend_delay_us_max=delay_us_max if honest else None)
        self.network = EvilNetwork(self.world, seed)
        self._said = 0
        for name in ("ann", "bob"):
            self.world.register(name)
        self.run(1)
        self.chat(2)

    # --- time and talk ---

    def run(self, seconds: float) -> None:
        self.world.run(int(seconds * SECOND))

    def chat(self, rounds: int = 3, gap_s: float = 0.5) -> None:
        """Ann and bob say something to each other, again and again."""
        for _ in range(rounds):
            self._said += 1
            self.world.send("ann", "bob", f"ann says {self._said}")
            self.world.send("bob", "ann", f"bob says {self._said}")
            self.run(gap_s)

    def end(self) -> None:
        """Everything that friends said has arrived, once, and every promise was kept."""
        self.oracle.heal_and_drain()
        for name in ("ann", "bob"):
            shown = [text for text in self.texts(name) if " says " in text]
            friend = "bob" if name == "ann" else "ann"
            assert shown == [f"{friend} says {number}" for number in range(1, self._said + 1)]

    # --- what there is to see ---

    def texts(self, name: str) -> list[str]:
        return [event.text for event in self.told(name, LetterReceived)]

    def told(self, name: str, kind: type[Any]) -> list[Any]:
        return [event for _, event in self.world.events(name) if isinstance(event, kind)]

    def delivered(self, name: str) -> list[int]:
        return [event.message for event in self.told(name, MessageDelivered)]

    def client(self, name: str) -> ClientMemory:
        store = self.world.nodes[name].store
        assert isinstance(store, ClientMemory)
        return store

    @property
    def directory(self) -> ServerMemory:
        store = self.world.nodes[SERVER].store
        assert isinstance(store, ServerMemory)
        return store

    @property
    def server(self) -> EvilServer:
        core = self.world.nodes[SERVER].core
        assert isinstance(core, EvilServer)
        return core

    @property
    def friends(self) -> Friends:
        [friends] = [each for each in self.world.observers if isinstance(each, Friends)]
        return friends

    def identity(self, name: str) -> bytes:
        return self.oracle.ledger.identities[name]

    def state(self) -> tuple[Any, ...]:
        """What the disks hold, but for the cards: anybody on the path can make a client begin a handshake."""
        clients = [self.client(name) for name in ("ann", "bob")]
        kept = [(replace(each.load(), card_seq=0), dict(each.outgoing), dict(each.inbox)) for each in clients]
        users = {name: user.identity for name, user in self.directory.users.items()}
        boxes = {owner: dict(box.letters) for owner, box in self.directory.mailboxes.items()}
        return (kept, users, boxes, {of: dict(kept) for of, kept in self.directory.receipts.items() if kept})

    # --- enemies ---

    def peer(self, name: str = "eve", *, connected: bool = True, **card: Any) -> EvilPeer:
        eve = EvilPeer(self.world, name, owns_name=name not in ("ann", "bob"))
        if connected:
            eve.connect(**card)
            self.run(0.2)
            assert eve.said(m.Registered) or eve.said(m.Refused)
        return eve

    def crowd(self, count: int, *, connected: bool = True) -> list[EvilPeer]:
        """So many outsiders, each at a host of its own."""
        crowd = [EvilPeer(self.world, f"eve{number}") for number in range(count)]
        for each in crowd if connected else ():
            each.connect()
            self.run(0.002)
        self.run(0.2)
        return crowd

    def push(self, name: str, *said: m.Message, run_s: float = 0.1) -> None:
        """The server says this to a client, unasked."""
        self.world.call(SERVER, lambda core, now: core.push(name, said, now))
        self.run(run_s)

    def server_says_online(self, name: str) -> bool:
        """Whether the directory shows the user as online: asked by an outsider."""
        eve = self.peer(f"asker{self.world.now_us}")
        eve.look_up(name)
        return eve.said(m.Found)[-1].address is not None

    def sizes(self, name: str) -> Mapping[str, int]:
        """How long the queues of a node are."""
        core: object = self.world.nodes[name].core
        assert isinstance(core, Measured)
        return core.sizes()

    @staticmethod
    def reseal(eve: EvilPeer, card: CardBody, plain: bytes, *, stored: bool) -> bytes:
        """What somebody signed for eve, sealed by her for another."""
        key = card.mail if stored else card.live
        sealed = eve.suite.hpke_seal_untrusted(key, LETTER_LABEL + card.identity, plain)
        return serialize(Letter(key_id(eve.suite, key), sealed))

    def exchange_mail(self) -> None:
        """Bob is away, ann writes, and bob collects it: his mailbox knows her."""
        self.world.deregister("bob")
        self.run(1)
        self.world.send("ann", "bob", "by mail")
        self.run(2)
        self.world.register("bob")
        self.run(2)
        assert "by mail" in self.texts("bob")

    def stuff_mailbox(self) -> list[EvilPeer]:
        """Bob goes away, and six strangers put into his mailbox what fits: letters with gaps, which stay there."""
        self.world.deregister("bob")
        crowd = self.crowd(6)
        bob = crowd[0].look_up("bob")
        for number in range(MAILBOX_SENDER_LETTERS_MAX + 4):
            for each in crowd:
                each.say(each.store(bob, each.body("never shown", seq=2 + number % 60)))
            self.run(0.025)
        return crowd

    # --- an evil server ---

    @property
    def evil_cores(self) -> EvilCores:
        assert isinstance(self.cores, EvilCores)
        return self.cores

    @property
    def cores_lies(self) -> dict[type[Any], Any]:
        """The lies of the server, to be changed as it runs."""
        return self.evil_cores.lies

    def asked(self, kind: type[m.Message], name: str) -> int:
        """How often a user asked this of the server, in its life."""
        return sum(who == name and type(message) is kind for who, message in self.server.asked)

    def finish(self) -> None:
        """With a server that lied: friends can speak again, and what clients promise was kept all the time."""
        self.chat(2, 2)
        self.oracle.check()
        for name in ("ann", "bob"):
            friend = "bob" if name == "ann" else "ann"
            shown = [text for text in self.texts(name) if text.startswith(f"{friend} says ")]
            assert shown == [f"{friend} says {number}" for number in range(1, self._said + 1)]
