"""What comes in: opened, put in order, entered in the history, acknowledged, shown once (sections 9.4, 9.5, 10.4)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import datagrams, keys
from .cbor import Refused
from .contacts import Contacts
from .grammar import Message, message
from .letters import NoKey, OpeningKey, open_letter
from .session import Session
from .world import Address, World

ACKNOWLEDGED, UNOPENABLE, UNWANTED = 1, 2, 3
HELD_LETTERS_PER_SENDER_MAX, HELD_LETTERS_MAX, COPIES_MAX = 64, 4096, 16
AHEAD_MAX = 64  # of the highest number that is complete: the direct window
EPOCHS_PER_SENDER_MAX, SENDERS_MAX = 8, 4096
STRANGER_LETTERS_PER_S_MAX = 200
ACKS_MAX, COLLECTED_ENTRIES_MAX = 74, 38

Copy = Address | int  # where a copy came from: an address, or an entry of the mailbox


@dataclass
class Held:
    """A letter ahead of a gap, unanswered."""

    body: dict[str, Any]
    copies: list[Copy]


@dataclass
class Order:
    """One epoch of a sender: complete up to a number, and what came ahead of it."""

    upto: int
    held: dict[int, Held] = field(default_factory=dict)


class Inbox:
    """See the module. `shown` is called with what is to be shown, when it is on disk."""

    def __init__(self, world: World, session: Session, contacts: Contacts, identity: bytes) -> None:
        self.world, self.session, self.contacts, self.identity = world, session, contacts, identity
        self.orders: dict[tuple[bytes, int], Order] = {}
        self.acks: dict[Address, list[bytes]] = {}
        self.collected: list[dict[str, Any]] = []
        self.tokens, self.filled_s = float(STRANGER_LETTERS_PER_S_MAX), 0.0
        self.shown: Callable[[int, dict[str, Any]], None] = lambda _row, _body: None

    # --- the two ways ---

    def direct(self, source: Address, datagram: datagrams.Datagram) -> None:
        """A LETTER that came from `source`."""
        opening = self._opening()
        if not any(key.key_id == datagram["key_id"] for key in opening):
            raise Refused("no key has this id")
        if source not in self.world.known and not self._may_open():  # R-9.4-8
            raise Refused("too many letters of strangers")
        body = open_letter(datagram.data, self.identity, opening)
        self.world.know(source)
        self._take(body, source)

    def mail(self, said: Message) -> None:
        """A Mail; what can never be shown is collected (R-9.4-4)."""
        try:
            body = open_letter(said["letter"], self.identity, self._opening())
            if keys.slot_of(body["secret"]) != said["slot"]:
                raise Refused("not the letter of its slot")
        except Refused as refused:
            self._collect(said["entry"], UNOPENABLE if isinstance(refused, NoKey) else UNWANTED, None)
            self.world.count_refused(refused)
            return
        self._take(body, said["entry"])

    def _opening(self) -> list[OpeningKey]:
        live = [live.key for live in self.session.live if live.until_s > self.world.now_s]
        return live + [OpeningKey.of(private) for private in self.world.store.mail_keys()]

    def _may_open(self) -> bool:
        elapsed = self.world.now_s - self.filled_s
        self.tokens = min(STRANGER_LETTERS_PER_S_MAX, self.tokens + elapsed * STRANGER_LETTERS_PER_S_MAX)
        self.filled_s = self.world.now_s
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    # --- order ---

    def _take(self, body: dict[str, Any], copy: Copy) -> None:
        """A letter that holds, from wherever: the watermark moves by its floor, and then it is its turn, or not."""
        sender, seq, ack = body["sender"], body["seq"], keys.ack_of(body["secret"])
        self.world.notes.append(
            f"letter {seq} of {body['name']}, floor {body['floor']}, part {body['part']}/{body['parts']}"
        )
        order = self._order(sender, body["epoch"])
        self._pass_over(order, body)
        known = self.world.store.has(sender, ack)  # whatever its epoch and number
        if known and (seq <= order.upto or (isinstance(copy, int) and seq > order.upto + 1)):  # R-9.4-2, R-9.4-10
            self._acknowledge(ack, [copy])
        elif seq > order.upto:
            self._hold(sender, order, seq, Held(body, [copy]))  # or it is beyond what is held: unanswered (R-9.4-5)
        elif isinstance(copy, int):  # its number was passed without it
            self._collect(copy, UNWANTED, None)
        while order.upto + 1 in order.held:
            self._enter(order, order.upto + 1)

    def _pass_over(self, order: Order, last: dict[str, Any]) -> None:
        """Pass over numbers below the floor, and over those only; what is held of them is entered (R-9.4-3)."""
        floor = last["floor"]
        for seq in sorted(seq for seq in order.held if seq < floor):
            self._enter(order, seq)
        if order.upto < floor - 1:
            order.upto = floor - 1
            self.world.store.set_watermark(last["sender"], last["epoch"], order.upto)

    def _order(self, sender: bytes, epoch: int) -> Order:
        """The order of one epoch of `sender`; the 8 used last are remembered, of 4,096 senders."""
        order = self.orders.pop((sender, epoch), None) or Order(self.world.store.watermark(sender, epoch))
        self.orders[sender, epoch] = order
        epochs = [key for key in self.orders if key[0] == sender]
        if len(epochs) > EPOCHS_PER_SENDER_MAX:
            del self.orders[epochs[0]]
        if len(self.orders) > SENDERS_MAX:
            del self.orders[next(iter(self.orders))]
        return order

    def _hold(self, sender: bytes, order: Order, seq: int, held: Held) -> None:
        """Hold it if there is room, or take it as one more copy of what is held already."""
        if already := order.held.get(seq):
            if held.body["secret"] != already.body["secret"]:
                return  # a number that was used twice (R-9.2-4): as if there were no room
            for copy in held.copies:
                if copy not in already.copies and len(already.copies) < COPIES_MAX:
                    already.copies.append(copy)
            return
        if seq == order.upto + 1 or (order.upto < seq <= order.upto + AHEAD_MAX and self._has_room(sender)):
            order.held[seq] = held

    def _has_room(self, sender: bytes) -> bool:
        held = [(key[0], len(order.held)) for key, order in self.orders.items()]
        of_sender = sum(letters for other, letters in held if other == sender)
        return of_sender < HELD_LETTERS_PER_SENDER_MAX and sum(letters for _, letters in held) < HELD_LETTERS_MAX

    def _enter(self, order: Order, seq: int) -> None:
        held = order.held.pop(seq)
        order.upto = seq
        ack = keys.ack_of(held.body["secret"])
        if not self.world.store.has(
            held.body["sender"], ack
        ):  # else that its number is passed is on disk with the next
            row = self.world.store.enter(held.body, ack)
            self.shown(row, held.body)
        self._acknowledge(ack, held.copies)  # R-9.4-1: only now

    # --- answers ---

    def _acknowledge(self, ack: bytes, copies: list[Copy]) -> None:
        for copy in copies:
            if isinstance(copy, int):
                self._collect(copy, ACKNOWLEDGED, ack)
            else:
                self.acks.setdefault(copy, []).append(ack)

    def _collect(self, entry: int, outcome: int, ack: bytes | None) -> None:
        self.collected.append({"entry": entry, "outcome": outcome, "ack": ack})  # R-9.4-6

    def flush(self) -> None:
        """Send what was acknowledged in this turn."""
        for address, acks in self.acks.items():
            for at in range(0, len(acks), ACKS_MAX):
                some = acks[at : at + ACKS_MAX]
                self.world.send(address, datagrams.make(datagrams.ACK, b"".join(some)), f"ACK of {len(some)}")
        for at in range(0, len(self.collected), COLLECTED_ENTRIES_MAX):
            self.session.say(message("Collected", entries=self.collected[at : at + COLLECTED_ENTRIES_MAX]))
        self.acks, self.collected = {}, []
