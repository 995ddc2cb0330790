"""What is known of every letter, from what the clients' disks were asked to hold; and the checks of those commits.

Theory of operation. A letter begins to exist when a `SaveOutgoing` is durable at its sender. From then on the
ledger knows it by its secret, its acknowledgement and its slot. It keeps a picture of every inbox of its own, made
from what was asked and not from what the store answered, so that a store which forgets is found out. Whoever
restores a backup goes back to what the backup holds; what was acknowledged before was acknowledged truly.

Outsiders (see `evil`) keep no promise. What they wrote may be entered once, by whom it was written to, as from them; a
letter to them has arrived when they opened it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from udpchat_core.address import Address
from udpchat_core.client_events import LetterReceived, MessageDelivered, MessageQueued, MessageStored
from udpchat_core.client_requests import (
    Entered,
    EnterLetter,
    MarkStored,
    PinOutgoing,
    SaveOutgoing,
    SavePin,
    SettleOutgoing,
)
from udpchat_core.limits import LOOKUP_NEGATIVE_TTL_S, OUTBOX_DAYS_MAX
from udpchat_core.requests import StoreReply
from udpchat_core.secure.keys import ACK_LABEL, ID_BYTES, SLOT_LABEL
from udpchat_core.secure.suite import Suite

from ..stores.memory_client import ClientMemory, Outgoing
from ..stores.memory_server import ServerMemory
from .faults import SERVER, ClockStep
from .invariants import Invariant, Violation
from .node import Event, Node, Observer
from .world import SECOND, World

DAY_MS = 86_400_000
UNKNOWN_US_MAX = (LOOKUP_NEGATIVE_TTL_S + 20) * SECOND
"""How long a client may go on believing that a name is unknown: the answer's life, and its way."""


@dataclass(slots=True)
class Letter:
    """One letter, and the furthest that it came.

    Attributes:
        sender: name of the node that wrote it.
        saved: what the sender's disk holds.
        saved_us: since when.
        life: of its sender's process, then.
        ack: its acknowledgement.
        slot: its slot.
        kept: whether it ever was durable in the recipient's mailbox.
        entered: whether it ever was durable in the recipient's inbox, or opened by an outsider that it was for.
        numbers: epoch and seq of each sealing of it that left.
    """

    sender: str
    saved: SaveOutgoing
    saved_us: int
    life: int
    ack: bytes
    slot: bytes
    kept: bool = False
    entered: bool = False
    numbers: dict[tuple[int, int], None] = field(default_factory=dict)

    @property
    def place(self) -> tuple[int, int]:
        """Its place in the order of sending."""
        return (self.saved.message, self.saved.part)

    def __str__(self) -> str:
        return f"letter {self.saved.message}.{self.saved.part} from {self.sender} to {self.saved.to}"


Stamp = tuple[int, int, int]
"""By which a request to enter a letter is known when it is made again: epoch, seq, time of receiving."""


@dataclass(slots=True)
class Inbox:
    """The picture of one inbox, and what was entered and told over all lives."""

    letters: dict[tuple[bytes, bytes], Stamp] = field(default_factory=dict)
    last: dict[tuple[bytes, int], tuple[int, int]] = field(default_factory=dict)
    entered: Counter[tuple[bytes, int, int, str]] = field(default_factory=Counter)
    told: Counter[tuple[bytes, int, int, str]] = field(default_factory=Counter)


class Ledger(Observer):
    """All letters of a world.

    Attributes:
        by_secret, by_ack, by_slot: the letters.
        identities: I by name.
        names: name by I.
        inboxes: by name.
        bound_us: when a name became durable in the directory.
        outsiders: where they receive, by I.
        foreign: for whom outsiders wrote which text, by (sender, acknowledgement).
        entries: of whom each entry is that a mailbox ever had, by owner and number.
        is_server_honest: whether the server's words count.
    """

    def __init__(self, world: World, is_server_honest: bool = True) -> None:
        self.world = world
        self.is_server_honest = is_server_honest
        self.outsiders: dict[bytes, Address] = {}
        self.entries: dict[tuple[bytes, int], bytes] = {}
        self.foreign: dict[tuple[bytes, bytes], list[tuple[bytes, str]]] = {}
        self.by_secret: dict[bytes, Letter] = {}
        self.by_ack: dict[bytes, Letter] = {}
        self.by_slot: dict[bytes, Letter] = {}
        self.by_message: dict[tuple[str, int], list[Letter]] = {}
        self.inboxes: dict[str, Inbox] = {}
        self.bound_us: dict[str, int] = {}
        self.identities: dict[str, bytes] = {}
        for node in world.nodes.values():
            if isinstance(node.store, ClientMemory):
                self.identities[node.name] = node.suite.sign_public(node.store.load().identity)
                self.inboxes[node.name] = Inbox()
        self.names = {identity: name for name, identity in self.identities.items()}
        self._server_is_set = any(isinstance(each, ClockStep) and each.node == SERVER for each in world.network.faults)

    def is_known(self, letter: Letter) -> bool:
        """Whether the sender's disk has the letter, in the outbox or in the history."""
        return letter.saved.secret in self._outgoing(letter)

    def is_open(self, letter: Letter) -> bool:
        """Whether the letter is in its sender's outbox still."""
        row = self._outgoing(letter).get(letter.saved.secret)
        return row is not None and row.outcome is None

    def server_key(self) -> bytes:
        """The public key of the server that runs now."""
        server = self.world.nodes[SERVER]
        assert isinstance(server.store, ServerMemory)
        return server.suite.dh_public(server.store.load().private)

    def senders(self, ack: bytes) -> list[bytes]:
        """Who wrote a letter with this acknowledgement: an outsider may take a secret that it read."""
        letter = self.by_ack.get(ack)
        honest = [self.identities[letter.sender]] if letter is not None else []
        return honest + [sender for sender in self.outsiders if (sender, ack) in self.foreign]

    def _outgoing(self, letter: Letter) -> dict[bytes, Outgoing]:
        store = self.world.nodes[letter.sender].store
        assert isinstance(store, ClientMemory)
        return store.outgoing

    # --- outsiders ---

    def joined(self, identity: bytes, name: str | None, address: Address) -> None:  # noqa: D102 - said in Observer
        self.outsiders[identity] = address
        if name is not None:
            self.identities[name], self.names[identity] = identity, name

    def wrote(self, identity: bytes, recipient: bytes, secret: bytes, text: str) -> None:  # noqa: D102
        ack = self.world.nodes[SERVER].suite.hash(ACK_LABEL + secret)[:ID_BYTES]
        self.foreign.setdefault((identity, ack), []).append((recipient, text))

    def opened(self, identity: bytes, secret: bytes) -> None:  # noqa: D102
        letter = self.by_secret.get(secret)
        if letter is not None and self._outgoing(letter)[secret].recipient == identity:
            letter.entered = True

    # --- commits ---

    def committed(self, node: Node, replies: tuple[StoreReply, ...]) -> None:  # noqa: D102 - said in Observer
        if node.name == SERVER:
            assert isinstance(node.store, ServerMemory)
            for name in node.store.users:
                self.bound_us.setdefault(name, self.world.now_us)
            return
        for reply in replies:
            match reply.request:
                case SaveOutgoing():
                    self._save(node, reply.request)
                case PinOutgoing(secret, recipient) if secret in self.by_secret:
                    self._check_name(node, self.by_secret[secret].saved.to, recipient)
                case SavePin(name, identity):
                    self._check_name(node, name, identity)
                case MarkStored(secret) if secret in self.by_secret:
                    self._check_stored(node, self.by_secret[secret])
                case SettleOutgoing(secret, outcome) if secret in self.by_secret:
                    self._settle(self.by_secret[secret], outcome)
                case EnterLetter():
                    self._enter(node, reply.request, reply.result == Entered(True))

    def restored(self, node: Node, backup: ClientMemory) -> None:  # noqa: D102
        inbox = self.inboxes[node.name]
        inbox.letters, inbox.last = {key: _stamp(row) for key, row in backup.inbox.items()}, {}
        for key in [key for key in self.by_message if key[0] == node.name]:
            del self.by_message[key]  # their numbers are used again
        for secret, row in backup.outgoing.items():
            self.by_message.setdefault((node.name, row.saved.message), []).append(self.by_secret[secret])

    def _save(self, node: Node, save: SaveOutgoing) -> None:
        known = self.by_secret.get(save.secret)
        if known is not None:
            if known.saved != save:
                raise Violation(Invariant.ONE_LETTER, f"{node.name} gave the secret of {known} to another")
            return
        suite: Suite = node.suite
        ack = suite.hash(ACK_LABEL + save.secret)[:ID_BYTES]
        slot = suite.hash(SLOT_LABEL + save.secret)[:ID_BYTES]
        letter = Letter(node.name, save, self.world.now_us, node.life, ack, slot)
        self.by_secret[save.secret] = self.by_ack[ack] = self.by_slot[slot] = letter
        self.by_message.setdefault((node.name, save.message), []).append(letter)

    def _check_name(self, node: Node, name: str, identity: bytes) -> None:
        if self.identities.get(name) != identity and self.is_server_honest:
            raise Violation(Invariant.RIGHT_PERSON, f"{node.name} pinned {name} to the key of somebody else")

    def is_old(self, letter: Letter) -> bool:
        """Whether the letter may be given up: after its days, or if its sender's clock says so and is not found out.

        It is, as long as the sender's process did not start again and the server's clock was never set.
        """
        now_us, days_ms = self.world.now_us, OUTBOX_DAYS_MAX * DAY_MS
        sender = self.world.nodes[letter.sender]
        if (now_us - letter.saved_us) // 1_000 >= days_ms:
            return True
        by_sender = sender.clock.wall_ms(now_us) - letter.saved.sent_ms >= days_ms
        by_server = self.world.nodes[SERVER].clock.wall_ms(now_us) - letter.saved.sent_ms >= days_ms
        started_again = sender.life != letter.life
        return by_sender and (self._server_is_set or (started_again and by_server))

    def _check_stored(self, node: Node, letter: Letter) -> None:
        if self.is_server_honest and not (letter.kept or letter.entered):
            raise Violation(Invariant.DURABLE, f"{node.name} marked {letter} as stored")

    def _settle(self, letter: Letter, outcome: str) -> None:
        bound_us = self.bound_us.get(letter.saved.to)
        match outcome:
            case "delivered" if letter.entered:
                return
            case "expired" if self.is_old(letter):
                return
            case "refused" if not self.is_server_honest:
                return  # it may deny, and its users are told
            case "refused" if bound_us is None or letter.saved_us < bound_us + UNKNOWN_US_MAX:
                return
        raise Violation(Invariant.NOTHING_LOST, f"{letter} left the outbox as {outcome}")

    def _enter(self, node: Node, enter: EnterLetter, fresh: bool) -> None:
        inbox, key = self.inboxes[node.name], (enter.sender, enter.ack)
        known = inbox.letters.get(key)
        if fresh is not (known in (None, _stamp(enter))):
            if fresh:
                raise Violation(Invariant.ONCE, f"{node.name} entered a letter a second time: {enter.text!r}")
            raise Violation(Invariant.NOTHING_LOST, f"{node.name} took a new letter for an old one: {enter.text!r}")
        if known is not None:
            return
        if enter.sender in self.outsiders:
            self._enter_foreign(node, enter)
            return
        letter = self.by_ack.get(enter.ack)
        if letter is None or letter.saved.to != node.name or self.identities[letter.sender] != enter.sender:
            raise Violation(Invariant.RIGHT_PERSON, f"{node.name} entered {letter or enter}")
        saved = letter.saved
        if (enter.text, enter.part, enter.parts, enter.sent_ms) != (saved.text, saved.part, saved.parts, saved.sent_ms):
            raise Violation(Invariant.ONE_LETTER, f"{node.name} entered {letter} with another content")
        if letter.numbers and (enter.epoch, enter.seq) not in letter.numbers:
            raise Violation(Invariant.OWNERS, f"{node.name} entered {letter} under a number that it never had")
        of = (enter.sender, enter.epoch)
        if letter.place <= inbox.last.get(of, (0, 0)):
            raise Violation(Invariant.IN_ORDER, f"{node.name} entered {letter} after {inbox.last[of]}")
        inbox.last[of] = letter.place
        self._note_entered(inbox, enter)
        letter.entered = True

    def _enter_foreign(self, node: Node, enter: EnterLetter) -> None:
        if (self.identities[node.name], enter.text) not in self.foreign.get((enter.sender, enter.ack), ()):
            raise Violation(Invariant.RIGHT_PERSON, f"{node.name} entered what no outsider wrote to it: {enter.text!r}")
        self._note_entered(self.inboxes[node.name], enter)

    def _note_entered(self, inbox: Inbox, enter: EnterLetter) -> None:
        inbox.letters[enter.sender, enter.ack] = _stamp(enter)
        inbox.entered[enter.sender, enter.part, enter.sent_ms, enter.text] += 1

    # --- events ---

    def emitted(self, node: Node, event: Event) -> None:  # noqa: D102
        match event:
            case LetterReceived(sender, _, _, sent_ms, part, _, text):
                inbox, key = self.inboxes[node.name], (sender, part, sent_ms, text)
                inbox.told[key] += 1
                if inbox.told[key] > inbox.entered[key]:
                    raise Violation(Invariant.ONCE, f"{node.name} was told more often than it was entered: {text!r}")
            case MessageQueued(message):
                self._check_parts(node, message, "queued", lambda _: True)
            case MessageStored(message):
                is_told = not self.is_server_honest  # then it is what the server says, and no more
                self._check_parts(node, message, "stored", lambda each: each.kept or each.entered or is_told)
            case MessageDelivered(message):
                self._check_parts(node, message, "delivered", lambda letter: letter.entered)

    def _check_parts(self, node: Node, message: int, word: str, holds: Callable[[Letter], bool]) -> None:
        letters = self.by_message.get((node.name, message), [])
        if not letters or len(letters) < letters[0].saved.parts:
            raise Violation(Invariant.DURABLE, f"{node.name} said {word} of message {message}, not on its disk")
        for letter in letters:
            if not holds(letter):
                raise Violation(Invariant.DURABLE, f"{node.name} said {word} of {letter}")


def _stamp(enter: EnterLetter) -> Stamp:
    return (enter.epoch, enter.seq, enter.received_ms)
