"""The checks of what belongs to somebody: it changes only through its owner, and no attack holds up a friend.

Theory of operation. `Owners` keeps a shadow of what honest users did, from the calls of the world and from what their
clients signed and sealed, and holds every commit and every event against it: a name, a card, an outbox, a receipt or a
session that changed without its owner was changed by somebody else. `Friends` looks at the clock.
"""

from collections import Counter
from typing import Final

from udpchat_core.address import Address
from udpchat_core.bodies import CardBody
from udpchat_core.client_events import LetterReceived, Superseded
from udpchat_core.client_requests import SaveOutgoing, SavePin, SaveServerKey
from udpchat_core.datagrams import HEADER_BYTES, Init, Retry
from udpchat_core.requests import StoreReply
from udpchat_core.secure.keys import SIGNATURE_BYTES
from udpchat_core.server_events import UserLeft
from udpchat_core.server_requests import BindUser, DropReceipts
from udpchat_core.wire import decode_untrusted

from ..stores.memory_client import ClientMemory
from .faults import SERVER
from .invariants import Invariant, Violation
from .ledger import Ledger, Letter
from .node import Event, Node, Observer
from .seam import Seam

_AT_TYPE: Final = 2
_SERVER_KEY: Final = slice(HEADER_BYTES + 32, HEADER_BYTES + 64)


class Owners(Observer):
    """Holds what changed against what its owner did."""

    def __init__(self, ledger: Ledger, seam: Seam) -> None:
        self._ledger, self._seam = ledger, seam
        self._typed: dict[tuple[str, int], tuple[str, str]] = {}  # recipient and text, by sender and number
        self._left: Counter[str] = Counter()  # how often the server said so
        self._accepts: Counter[tuple[str, str]] = Counter()  # calls of accept_key, by (name, of)
        self._seqs: dict[bytes, int] = {}
        self._pins: dict[tuple[str, str], bytes] = {}
        self._server_keys: dict[str, bytes] = {}
        self._offered = b""  # the key that the server says it has

    # --- what owners do ---

    def used(self, node: Node, what: str, *about: object) -> None:  # noqa: D102 - said in Observer
        match what, about:
            case "send", (int() as number, str() as to, str() as text):
                self._typed[node.name, number] = (to, text)
            case "accept_key", (str() as of,):
                self._accepts[node.name, of] += 1

    def restored(self, node: Node, backup: ClientMemory) -> None:  # noqa: D102
        state = backup.load()
        for key in [key for key in self._pins if key[0] == node.name]:
            del self._pins[key]
        self._pins |= {(node.name, pin.name): pin.identity for pin in state.pins}
        self._server_keys.pop(node.name, None)
        if state.server_key is not None:
            self._server_keys[node.name] = state.server_key

    # --- what changes ---

    def committed(self, node: Node, replies: tuple[StoreReply, ...]) -> None:  # noqa: D102
        for reply in replies:
            match reply.request:
                case BindUser() as bind if self._ledger.is_server_honest:
                    self._bind(bind)
                case DropReceipts(sender, slots) if self._ledger.is_server_honest:
                    if sender not in self._ledger.outsiders and not set(slots) <= self._noted(sender):
                        raise Violation(Invariant.OWNERS, "the server dropped a receipt that its owner did not note")
                case SaveOutgoing() as save:
                    self._save(node, save)
                case SavePin(name, identity):
                    self._pin(node, name, identity)
                case SaveServerKey(key):
                    self._server_keys[node.name] = key

    def _noted(self, sender: bytes) -> set[bytes]:
        return set(self._seam.noted.get(sender, ()))

    def _bind(self, bind: BindUser) -> None:
        ledger = self._ledger
        owner = ledger.identities.get(bind.name)
        if owner is not None and owner != bind.identity and bind.name in ledger.bound_us:
            raise Violation(Invariant.OWNERS, f"the name {bind.name} was bound to somebody else than its owner")
        seq = decode_untrusted(CardBody, bind.card[SIGNATURE_BYTES:]).seq
        if seq < self._seqs.get(bind.identity, 0):
            raise Violation(Invariant.OWNERS, f"the card of {bind.name} went back to seq {seq}")
        self._seqs[bind.identity] = seq
        if bind.identity in ledger.outsiders or bind.identity not in self._seam.cards:
            return
        if bind.card not in self._seam.cards[bind.identity] or ledger.names[bind.identity] != bind.name:
            raise Violation(Invariant.OWNERS, f"{bind.name} was bound to a card that its owner did not make")

    def _save(self, node: Node, save: SaveOutgoing) -> None:
        to, text = self._typed.get((node.name, save.message), ("", ""))
        if save.to != to or save.text not in text:
            raise Violation(Invariant.OWNERS, f"{node.name} has a letter in its outbox that its user did not type")

    def _pin(self, node: Node, name: str, identity: bytes) -> None:
        known = self._pins.setdefault((node.name, name), identity)
        if known != identity:
            if not self._accepts[node.name, name]:
                raise Violation(Invariant.OWNERS, f"{node.name} pinned {name} to another key, and was not asked to")
            self._accepts[node.name, name] -= 1
            self._pins[node.name, name] = identity

    def emitted(self, node: Node, event: Event) -> None:  # noqa: D102
        honest = self._ledger.is_server_honest
        match event:
            case UserLeft(name) if honest and name in self._ledger.world.nodes:
                self._left[name] += 1
                if self._left[name] > len(self._seam.goodbyes.get(name, ())):
                    raise Violation(Invariant.OWNERS, f"{name} was taken offline, and did not ask for it")
            case Superseded() if honest:
                raise Violation(Invariant.OWNERS, f"{node.name} was superseded, and has no other device")
            case LetterReceived(sender, name, True):
                pinned = self._pins.get((node.name, name), self._ledger.identities.get(name) if honest else sender)
                if pinned != sender:
                    raise Violation(Invariant.RIGHT_PERSON, f"{node.name} was told that somebody else is {name}")

    def sent(self, node: Node, to: Address, payload: bytes) -> None:  # noqa: ARG002, D102
        kind = payload[_AT_TYPE]
        if node.name == SERVER and kind == Retry.type:
            self._offered = payload[_SERVER_KEY]
        elif (
            node.name != SERVER
            and kind == Init.type
            and self._offered != self._server_keys.get(node.name, self._offered)
        ):
            raise Violation(Invariant.SERVER_KEY, f"{node.name} began a link to a server with another key")


class Friends(Observer):
    """Measures how long letters between honest users take who both are there, and refuses what takes longer.

    Attributes:
        longest_us: the longest that any took.
    """

    def __init__(self, ledger: Ledger, delay_us_max: int) -> None:
        self.longest_us = 0
        self._ledger, self._delay_us_max = ledger, delay_us_max
        self._here_us: dict[str, int] = {}  # since when a user wants to be online
        self._open: dict[bytes, Letter] = {}

    def used(self, node: Node, what: str, *about: object) -> None:  # noqa: ARG002, D102 - said in Observer
        if what == "register":
            self._here_us.setdefault(node.name, self._ledger.world.now_us)
        elif what == "deregister":
            self._here_us.pop(node.name, None)

    def committed(self, node: Node, replies: tuple[StoreReply, ...]) -> None:  # noqa: ARG002, D102
        for reply in replies:
            if isinstance(reply.request, SaveOutgoing) and reply.request.to in self._ledger.inboxes:
                self._open[reply.request.secret] = self._ledger.by_secret[reply.request.secret]

    def turned(self, node: Node) -> None:  # noqa: ARG002, D102
        for secret, letter in list(self._open.items()):
            ends = (letter.sender, letter.saved.to)
            if all(end in self._here_us for end in ends):
                begun_us = max(letter.saved_us, *(self._here_us[end] for end in ends))
                took_us = self._ledger.world.now_us - begun_us
                self.longest_us = max(self.longest_us, took_us)
                if took_us > self._delay_us_max:
                    raise Violation(Invariant.FRIENDS, f"{letter} is under way for {took_us / 1e6:.1f} s")
            if letter.entered:
                del self._open[secret]
