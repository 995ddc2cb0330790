"""The checks at the send seam: whatever a datagram says must be true, and durable, when it leaves.

A check at the end of a run cannot see an acknowledgement that left too early: the retries behind it hide the loss.
Sealed datagrams are read by way of the suite that sealed them; see `tap`.
"""

from typing import Final

from udpchat_core import messages as m
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.datagrams import HEADER_BYTES, Acks, Init, Record
from udpchat_core.datagrams import Letter as LetterDatagram
from udpchat_core.secure.keys import KEY_ID_BYTES, LETTER_LABEL, SIGNATURE_BYTES
from udpchat_core.wire import decode_untrusted, unpack_untrusted

from ..stores.memory_client import ClientMemory
from ..stores.memory_server import ServerMemory
from .faults import SERVER
from .invariants import Invariant, Violation
from .ledger import Ledger, Letter
from .node import Node, Observer

DATAGRAM_BYTES_MAX: Final = 1_200
"""As promised; not the constant of the core, which may be what is wrong."""
_AT_TYPE: Final = 2
_AT_SEALED: Final = HEADER_BYTES + 12
_AT_LETTER: Final = HEADER_BYTES + KEY_ID_BYTES
_ENCAPSULATED: Final = slice(_AT_LETTER, _AT_LETTER + 32)
_INDEX: Final = slice(HEADER_BYTES, HEADER_BYTES + 4)
_INIT_INDEX: Final = slice(HEADER_BYTES + 16, HEADER_BYTES + 20)
_AT_CARD: Final = HEADER_BYTES + 20 + 32 + 48


class Seam(Observer):
    """Reads what leaves, and holds it against the ledger and the disks.

    Attributes:
        announced: the keys in the cards of each identity.
        cards: the cards themselves.
        noted: the slots of each Noted, by who sent it.
        goodbyes: the links on which a user said Deregister: two, while one replaces the other.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._nodes = ledger.world.nodes
        self._links: dict[bytes, tuple[str, int]] = {}
        self._stores: dict[tuple[str, int, int], Letter] = {}
        self._seen: dict[bytes, Letter] = {}
        self._lives: dict[tuple[str, int], int] = {}
        self._numbers: dict[tuple[str, int, str, int], Letter] = {}
        self._floors: dict[tuple[str, int, str], int] = {}
        self.announced: dict[bytes, dict[bytes, None]] = {}
        self.cards: dict[bytes, dict[bytes, None]] = {}
        self.goodbyes: dict[str, dict[bytes, None]] = {}
        self.noted: dict[bytes, dict[bytes, None]] = {}
        self._known_receipts: set[tuple[bytes, bytes, bytes | None]] = set()

    def sent(self, node: Node, to: Address, payload: bytes) -> None:  # noqa: D102 - said in Observer
        if len(payload) > DATAGRAM_BYTES_MAX:
            raise Violation(Invariant.SIZE, f"{node.name} sent {len(payload)} bytes")
        kind = payload[_AT_TYPE]
        if kind == Record.type:
            for message in unpack_untrusted(node.suite.records[payload[_AT_SEALED:]]):
                if node.name == SERVER:
                    if self._ledger.is_server_honest:
                        self._server_says(to, payload[_INDEX], message)
                else:
                    self._client_says(node, payload[_INDEX], message)
        elif kind == LetterDatagram.type:
            self._letter_leaves(node, payload)
        elif kind == Acks.type:
            for at in range(HEADER_BYTES, len(payload), 16):
                self._acknowledges(node, payload[at : at + 16])
        elif kind == Init.type:
            self._links[payload[_INIT_INDEX]] = (node.name, node.life)
            card = node.suite.records.get(payload[_AT_CARD:])
            if card is not None:
                body = decode_untrusted(CardBody, card[SIGNATURE_BYTES:])
                self.announced.setdefault(body.identity, {}).update({body.live: None, body.mail: None})
                self.cards.setdefault(body.identity, {})[card] = None

    # --- a client ---

    def _client_says(self, node: Node, index: bytes, message: m.Message) -> None:
        match message:
            case m.Deregister():
                self.goodbyes.setdefault(node.name, {})[index] = None
            case m.Store(id_, recipient, slot, _, datagram):
                letter = self._letter_leaves(node, datagram, slot)
                assert isinstance(node.store, ClientMemory)
                row = node.store.outgoing[letter.saved.secret]
                if letter.slot != slot or recipient not in (row.recipient, self._ledger.identities.get(row.saved.to)):
                    raise Violation(Invariant.RIGHT_PERSON, f"{node.name} stores {letter} for somebody else")
                self._stores[node.name, node.life, id_] = letter
            case m.Collected(entries):
                for entry in entries:
                    if entry.ack is not None:
                        self._acknowledges(node, entry.ack)
            case m.Noted(slots):
                for slot in slots:
                    self._notes(node, slot)
                    self.noted.setdefault(self._ledger.identities[node.name], {})[slot] = None

    def _acknowledges(self, node: Node, ack: bytes) -> None:
        letters = self._ledger.inboxes[node.name].letters
        senders = self._ledger.senders(ack)
        if not senders:
            raise Violation(Invariant.DURABLE, f"{node.name} acknowledged what nobody sent")
        if not any((sender, ack) in letters for sender in senders):
            letter = self._ledger.by_ack.get(ack, "a letter of an outsider")
            raise Violation(Invariant.DURABLE, f"{node.name} acknowledged {letter} before it was on its disk")

    def _notes(self, node: Node, slot: bytes) -> None:
        letter = self._ledger.by_slot.get(slot)
        returned = (self._ledger.identities[node.name], slot, None) in self._known_receipts
        returned |= not self._ledger.is_server_honest  # it may say so of any letter
        if letter is not None:  # a recipient may say anything of a letter that it threw away
            returned |= any(each[1] == slot and each[2] not in (None, letter.ack) for each in self._known_receipts)
        if letter is not None and self._ledger.is_open(letter) and not returned:
            raise Violation(Invariant.DURABLE, f"{node.name} noted the receipt for {letter}, still in its outbox")

    def _letter_leaves(self, node: Node, datagram: bytes, slot: bytes = b"") -> Letter:
        encapsulated, sealed = datagram[_ENCAPSULATED], datagram[_AT_LETTER:]
        if encapsulated in self._seen:
            return self._seen[encapsulated]
        if sealed not in node.suite.letters and slot in self._ledger.by_slot:
            self._ledger.world.counts["letters not read"] += 1  # sealed long ago, and thousands since
            return self._ledger.by_slot[slot]
        body = decode_untrusted(LetterBody, node.suite.letters[sealed][SIGNATURE_BYTES:])
        letter = self._ledger.by_secret.get(body.secret)
        assert isinstance(node.store, ClientMemory)
        if letter is None or body.secret not in node.store.outgoing:
            raise Violation(Invariant.ONE_LETTER, f"{node.name} sent {body.text!r}, not on its disk under this secret")
        self._seen[encapsulated] = letter
        saved = letter.saved
        if (body.text, body.part, body.parts, body.sent_ms) != (saved.text, saved.part, saved.parts, saved.sent_ms):
            raise Violation(Invariant.ONE_LETTER, f"{node.name} sent {letter} with another content")
        if body.sender != self._ledger.identities[node.name] or body.name != node.name:
            raise Violation(Invariant.RIGHT_PERSON, f"{node.name} sent {letter} as somebody else")
        self._check_numbers(node, letter, body)
        self._check_addressee(node, letter, *node.suite.addressees[sealed])
        return letter

    def _check_addressee(self, node: Node, letter: Letter, public: bytes, info: bytes) -> None:
        assert isinstance(node.store, ClientMemory)
        recipient = node.store.outgoing[letter.saved.secret].recipient
        if info != LETTER_LABEL + (recipient or b""):
            raise Violation(Invariant.SEALED_FOR, f"{node.name} sealed {letter} for another identity than on its disk")
        announced = self.announced.get(recipient or b"")
        if recipient not in self._ledger.outsiders and public not in (announced or {}):
            raise Violation(Invariant.SEALED_FOR, f"{node.name} sealed {letter} to a key that was never announced")

    def _check_numbers(self, node: Node, letter: Letter, body: LetterBody) -> None:
        if self._lives.setdefault((node.name, body.epoch), node.life) != node.life:
            raise Violation(Invariant.NUMBERING, f"{node.name} sent {letter} in the epoch of an earlier start")
        of = (node.name, body.epoch, letter.saved.to)
        if self._numbers.setdefault((*of, body.seq), letter) is not letter:
            raise Violation(Invariant.NUMBERING, f"{node.name} gave seq {body.seq} of {letter} twice")
        for seq in range(self._floors.get(of, 1), body.floor):
            below = self._numbers.get((*of, seq))
            if below is None or below.entered or not self._ledger.is_open(below):
                continue
            if not self._ledger.is_old(below):  # else it may just have been given up
                raise Violation(Invariant.NUMBERING, f"{node.name} set floor {body.floor} above {below}, seq {seq}")
        self._floors[of] = max(body.floor, self._floors.get(of, 1))
        letter.numbers[body.epoch, body.seq] = None

    # --- the server ---

    def _server_says(self, to: Address, index: bytes, message: m.Message) -> None:
        server = self._nodes[SERVER].store
        assert isinstance(server, ServerMemory)
        if self._ledger.world.network.name(to) is None:
            self._outsider_is_told(to, message)
            return
        name, life = self._links[index]
        identity = self._ledger.identities[name]
        match message:
            case m.Stored(id_):
                letter = self._stores.get((name, life, id_))
                if letter is None or not letter.kept:
                    raise Violation(Invariant.DURABLE, f"the server said stored of {letter}, on no disk of it")
            case m.Registered():
                if name not in server.users or server.users[name].identity != identity:
                    raise Violation(Invariant.DURABLE, f"the server said registered to {name}, not on its disk")
            case m.Mail(entry, _) if self._ledger.entries.get((identity, entry)) in self._ledger.outsiders:
                pass
            case m.Mail(_, slot):
                letter = self._ledger.by_slot.get(slot)
                if letter is None or not letter.kept:
                    raise Violation(Invariant.DURABLE, f"the server pushed {letter} to {name} before it was durable")
                if letter.saved.to != name:
                    raise Violation(Invariant.RIGHT_PERSON, f"the server pushed {letter} to {name}")
            case m.Receipt(slot, ack):
                self._receipt_leaves(server, name, (identity, slot, ack))
            case m.Returned(slot):
                self._receipt_leaves(server, name, (identity, slot, None))

    def _outsider_is_told(self, to: Address, message: m.Message) -> None:
        if isinstance(message, m.Mail):
            here = [identity for identity, address in self._ledger.outsiders.items() if address == to]
            if any((identity, message.entry) in self._ledger.entries for identity in here):
                return
            letter = self._ledger.by_slot.get(message.slot, "mail")
            raise Violation(Invariant.RIGHT_PERSON, f"the server pushed {letter} to an outsider who has no such entry")

    def _receipt_leaves(self, server: ServerMemory, name: str, receipt: tuple[bytes, bytes, bytes | None]) -> None:
        if receipt not in self._known_receipts:
            identity, slot, ack = receipt
            kept = server.receipts.get(identity, {}).values()
            if not any((each.slot, each.ack) == (slot, ack) for each in kept):
                raise Violation(Invariant.DURABLE, f"the server sent {name} a receipt that is not on its disk")
            self._known_receipts.add(receipt)
