"""Everybody at once, at random: a network, a crowd of peers and a server that do whatever comes to their minds.

Every act follows from the seed and from what happened before, so that a run that fails can be run again.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from udpchat_core import messages as m
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.fields import CollectedEntry, Outcome, Refusal, Scope
from udpchat_core.secure.keys import SIGNATURE_BYTES
from udpchat_core.wire import decode_untrusted

from ...stores.memory_server import ServerMemory
from ..faults import SERVER
from ..network import draws
from ..world import World
from .network import EvilNetwork
from .peer import EvilPeer
from .server import EvilCores, EvilServer, Lie

PEERS_MAX: Final = 12
"""Outsiders of one run."""
_SEQ_MAX: Final = 80
_ATTEMPT_MAX: Final = 5
_ID_MAX: Final = 40


class Enemies:
    """All of them, in one world."""

    def __init__(self, world: World, seed: int, cores: EvilCores | None = None) -> None:
        self._world, self._cores = world, cores
        self._seed = seed
        self._network: EvilNetwork | None = None
        self._peers: list[EvilPeer] = []
        self._random = Random(draws(seed, "enemies")[0])  # noqa: S311 - repeatable is what it is for

    def watch(self) -> EvilNetwork:
        """The network, which sees what is sent from the first act on."""
        if self._network is None:
            self._network = EvilNetwork(self._world, self._seed)
        return self._network

    def mischief(self) -> None:
        """One act of the network."""
        self.watch().mischief()

    # --- peers ---

    def intrude(self) -> None:
        """One act of one outsider; a new one comes now and then."""
        if not self._peers or (len(self._peers) < PEERS_MAX and self._chance(0.1)):
            self._come()
            return
        peer = self._pick(self._peers)
        if peer.link is None or self._chance(0.02):
            peer.connect(**self._pick(({}, {}, {"seq": self._random.randrange(2**48)}, {"live": bytes(32)})))
            return
        act = self._pick((self._write, self._write, self._store, self._say, self._say, self._spoof, self._acknowledge))
        act(peer)

    def _come(self) -> None:
        number = len(self._peers)
        name = self._victim() if self._chance(0.2) else f"eve{number}"
        self._peers.append(EvilPeer(self._world, name))
        self._peers[-1].connect()

    def _card(self) -> CardBody | None:
        """Somebody's card, as the directory has it: it is no secret."""
        store = self._world.nodes[SERVER].store
        assert isinstance(store, ServerMemory)
        user = store.users.get(self._victim())
        return None if user is None else decode_untrusted(CardBody, user.card[SIGNATURE_BYTES:])

    def _body(self, peer: EvilPeer) -> LetterBody:
        seq = self._random.randint(1, _SEQ_MAX)
        changed: dict[str, Any] = {"seq": seq, "floor": self._random.randint(1, seq)}
        if self._chance(0.3):
            changed["name"] = self._victim()
        if self._chance(0.1):
            changed["epoch"] = self._random.randrange(2**48)
        if peer.letters and self._chance(0.2):
            changed["secret"] = self._pick(peer.letters).secret  # of a letter that somebody wrote to it
        return peer.body(f"of {peer.name}", **changed)

    def _write(self, peer: EvilPeer) -> None:
        card = self._card()
        if card is not None:
            source = self._pick((None, None, self._somewhere()))
            peer.send(self._world.network.address(card.name), peer.letter(card, self._body(peer)), source)

    def _store(self, peer: EvilPeer) -> None:
        card = self._card()
        if card is not None:
            slot = self._pick((None, None, self._random.randbytes(16)))
            peer.say(peer.store(card, self._body(peer), slot=slot, attempt=self._random.randint(0, _ATTEMPT_MAX)))

    def _say(self, peer: EvilPeer) -> None:
        entry = self._random.randint(1, _ID_MAX)
        outcome = self._pick(tuple(Outcome))
        ack = self._random.randbytes(16) if outcome is Outcome.ACKNOWLEDGED else None
        said: tuple[m.Message, ...] = (
            m.Register(peer.new_id()),
            m.Deregister(peer.new_id()),
            m.Collected((CollectedEntry(entry, outcome, ack),)),
            m.Noted((self._random.randbytes(16),)),
            m.Watch(peer.new_id(), Scope.ALL, (), None, None),
            *(m.Lookup(peer.new_id(), self._victim()) for _ in range(10)),
        )
        peer.say(*self._random.sample(said, self._random.randint(1, len(said))))

    def _spoof(self, peer: EvilPeer) -> None:
        if peer.initiated is not None and self._chance(0.5):
            peer.send(peer.server, peer.initiated.init, self._pick((None, self._somewhere())))
        else:
            peer.greet(self._somewhere())

    def _acknowledge(self, peer: EvilPeer) -> None:
        acks = [self._random.randbytes(16), *(peer.ack_of(body) for body in peer.letters[-3:])]
        peer.acknowledge(self._somewhere(), acks)

    # --- the server ---

    def deceive(self, for_us: int) -> None:
        """The server tells some lies, and stops it after a while."""
        assert self._cores is not None, "an honest server tells no lies"
        kinds = self._random.sample(tuple(_LIES), self._random.randint(1, len(_LIES)))
        for kind in kinds:
            self._cores.lies[kind] = self._lie(self._pick(_LIES[kind]))
        self._world.at(self._world.now_us + for_us, self._cores.lies.clear)

    def _lie(self, lie: Lie) -> Lie:
        """The lie, told to some."""

        def sometimes(server: EvilServer, user: Any, asked: Any) -> Sequence[m.Message] | None:  # noqa: ANN401
            return lie(server, user, asked) if self._chance(0.5) else None

        return sometimes

    # --- draws ---

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _pick(self, what: Sequence[Any]) -> Any:  # noqa: ANN401 - whatever is in there
        return what[self._random.randrange(len(what))]

    def _victim(self) -> str:
        return str(self._pick([name for name in self._world.nodes if name != SERVER]))

    def _somewhere(self) -> Address:
        return self._world.network.address(self._pick(tuple(self._world.nodes)))


def _swapped(server: EvilServer, user: Any, asked: m.Lookup) -> Sequence[m.Message]:  # noqa: ANN401, ARG001
    others = [name for name in server.names() if name != asked.name]
    return [m.Found(asked.id, server.card_of(name), None, 60) for name in others[:1]]


def _elsewhere(server: EvilServer, user: Any, asked: m.Lookup) -> Sequence[m.Message] | None:  # noqa: ANN401, ARG001
    if asked.name not in server.names():
        return None
    return [m.Found(asked.id, server.card_of(asked.name), Address(b"\x0b\xff\xff\xff", 9), 60)]


def _refuse(refusal: Refusal) -> Lie:
    return lambda server, user, asked: [m.Refused(asked.id, refusal, 2**48 - 1, 0)]  # noqa: ARG005


def _again(server: EvilServer, user: Any, asked: m.Ping) -> Sequence[m.Message]:  # noqa: ANN401, ARG001
    """Push all that anybody stored, to anybody who says anything."""
    kept = [store for _, store in server.asked if isinstance(store, m.Store)][-8:]
    return [m.Mail(number, store.slot, store.letter) for number, store in enumerate(kept)]


def _receipts(server: EvilServer, user: Any, asked: m.Ping) -> Sequence[m.Message]:  # noqa: ANN401, ARG001
    slots = [store.slot for _, store in server.asked if isinstance(store, m.Store)][-8:]
    return [said for slot in slots for said in (m.Receipt(slot, slot), m.Returned(slot))]


_LIES: Final[dict[type[Any], tuple[Callable[..., Any], ...]]] = {
    m.Lookup: (_swapped, _elsewhere, _refuse(Refusal.UNKNOWN), _refuse(Refusal.BUSY)),
    m.Store: (
        lambda server, user, asked: [m.Stored(asked.id, True, asked.attempt)],  # noqa: ARG005
        lambda server, user, asked: [m.Stored(asked.id, False, 2**48 - 1)],  # noqa: ARG005
        _refuse(Refusal.QUOTA),
        _refuse(Refusal.TOO_LONG),
    ),
    m.Ping: (_again, _receipts, lambda server, user, asked: [m.Superseded()]),  # noqa: ARG005
    m.Register: (_refuse(Refusal.BUSY), _refuse(Refusal.NAME_TAKEN)),
    m.Collected: (lambda server, user, asked: [],),  # noqa: ARG005
}
