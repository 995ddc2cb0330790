"""What goes out: queued, sent directly, handed to the mailbox, kept until acknowledged (sections 9.2, 9.3, 10.6)."""

from . import keys
from .contacts import UNKNOWN, Contact, Contacts
from .grammar import Message, message
from .letters import seal_letter
from .outgoing import DIRECT, QUEUED, RESOLVING, STORED, STORING, Letter, Peer
from .path import WAIT_S_MAX, WAITS_S
from .requests import BUSY, NOT_REGISTERED, POSTPONED_S_MAX
from .session import Session
from .store import Row
from .world import NEVER, Address, World

DIRECT_WINDOW_LETTERS, STORED_WINDOW_LETTERS = 64, 32
LOOKUP_PATIENCE_S, UNKNOWN_RETRY_S = 0.25, 10.0
STORE_BACKOFF_S_MIN = 0.5
STORED_RETRY_S_MIN, STORED_RETRY_S_MAX = 30.0, 300.0
RESEAL_RETRY_S = 30.0
OUTBOX_DAYS_MAX, EXPIRY_CHECK_S_MIN, EXPIRY_CHECK_S = 14, 60.0, 3600.0
OUTBOX_LETTERS_MAX = 8192
QUOTA, KEY_CHANGED = 1, 4
PUT_OFF = (QUOTA, BUSY, UNKNOWN, NOT_REGISTERED)


class Outbox:
    """See the module."""

    def __init__(self, world: World, session: Session, contacts: Contacts, name: str) -> None:
        self.world, self.session, self.contacts, self.name = world, session, contacts, name
        self.identity_private: bytes = world.store.get("identity")
        self.epoch = int.from_bytes(world.random(6), "big")  # R-9.2-3
        self.peers: dict[bytes, Peer] = {}
        self.queues: dict[str, list[Letter]] = {}
        self.by_ack: dict[bytes, Letter] = {}
        self.by_slot: dict[bytes, Letter] = {}
        self.noted: list[bytes] = []
        self.expiry_s = NEVER
        for row in world.store.outbox():
            self.add(row)

    def add(self, row: Row) -> None:
        """A letter that is on disk (R-9.2-1)."""
        letter = Letter(row)
        self.queues.setdefault(row.name, []).append(letter)
        self.by_ack[letter.ack] = self.by_slot[letter.slot] = letter

    # --- queued ---

    def pump(self, name: str) -> None:
        """Send what is next to `name`, as far as the windows have room."""
        queue = self.queues.get(name, [])
        while queue and self.session.wanted and self._admit(letter := queue[0]):
            if queue and queue[0] is letter:
                queue.pop(0)
        if not queue:
            self.queues.pop(name, None)

    def _admit(self, letter: Letter) -> bool:
        """Whether the first of a queue left it."""
        contact = self.contacts.of(letter.row.name)
        if not letter.believed and not self.contacts.is_fresh(letter.row.name):
            self._look_up(letter, contact)
            return False
        letter.phase, letter.due_s = QUEUED, NEVER
        if contact.other:  # R-9.2-2: until the user decides
            return False
        if contact.card is None:
            if contact.refusal == 0:
                return False  # no pin could be kept
            if self.world.store.pin(letter.row.name):  # R-9.2-7
                letter.phase, letter.due_s = RESOLVING, self.world.now_s + UNKNOWN_RETRY_S
                return False
            self._finish(letter, "refused", refusal=contact.refusal)
            return True
        identity: bytes = contact.card["identity"]
        if letter.row.identity not in (None, identity):  # R-9.2-2
            self._finish(letter, "refused", refusal=KEY_CHANGED)
            return True
        if letter.row.identity is None:
            letter.row.identity = identity
            self.world.store.update_letter(letter.row)
        return self._number(letter, self.peers.setdefault(identity, Peer()), contact)

    def _look_up(self, letter: Letter, contact: Contact) -> None:
        if letter.phase != RESOLVING:
            letter.phase = RESOLVING
            letter.due_s = self.world.now_s + LOOKUP_PATIENCE_S if contact.card else NEVER  # R-9.3-11
        self.contacts.look_up(letter.row.name)

    def _number(self, letter: Letter, peer: Peer, contact: Contact) -> bool:
        """Number it and send it, if the window of its way has room (R-9.2-4, R-9.3-2)."""
        seq, directly = peer.numbered + 1, contact.address is not None and not self._came_back(letter, contact)
        if directly and not (seq < peer.floor + DIRECT_WINDOW_LETTERS and peer.direct < peer.path.window):
            return False
        if not directly and seq >= peer.lowest_unstored + STORED_WINDOW_LETTERS:
            return False
        letter.seq = peer.numbered = seq
        peer.letters[seq] = letter
        if directly:
            letter.first_s = self.world.now_s
            self._send_directly(letter, peer, contact)
        elif self._came_back(letter, contact):
            letter.phase, letter.due_s = STORED, self.world.now_s + RESEAL_RETRY_S
        else:
            self._store(letter)
        return True

    def _came_back(self, letter: Letter, contact: Contact) -> bool:
        """It was Returned, and there is no newer card to seal it for (R-9.3-6)."""
        returned = letter.row.returned_seq
        return returned is not None and contact.card is not None and contact.card["seq"] <= returned

    # --- directly ---

    def _send_directly(self, letter: Letter, peer: Peer, contact: Contact) -> None:
        assert contact.address
        letter.phase, letter.tries = DIRECT, letter.tries + 1
        letter.due_s = self.world.now_s + peer.path.wait_s(min(letter.tries, len(WAITS_S)))
        self._send_copy(letter, contact, contact.address)

    def _send_copy(self, letter: Letter, contact: Contact, address: Address) -> None:
        assert contact.card
        if letter.direct is None or letter.direct[0] != contact.card["seq"]:
            letter.direct = (contact.card["seq"], self._seal(letter, contact.card["live"]))
        self.world.send(address, letter.direct[1], self._describe(letter))

    def _seal(self, letter: Letter, key: bytes) -> bytes:
        row = letter.row
        assert row.identity  # R-9.2-2: on disk, and for no other
        body = {"sender": keys.sign_public(self.identity_private), "name": self.name, "epoch": self.epoch}
        body |= {"seq": letter.seq, "floor": self.peers[row.identity].floor, "secret": row.secret}
        body |= {"sent_ms": row.sent_ms, "part": row.part, "parts": row.parts, "text": row.text}
        return seal_letter(self.identity_private, row.identity, key, body)

    def _describe(self, letter: Letter) -> str:
        row = letter.row
        return f"LETTER {letter.seq} for {row.name}, part {row.part}/{row.parts}, try {letter.tries}"

    def _direct_timed_out(self, letter: Letter, peer: Peer, contact: Contact) -> None:
        peer.path.unanswered(self.world.now_s)
        if letter.tries < len(WAITS_S) and contact.address:
            self._send_directly(letter, peer, contact)
        elif letter.seq < peer.lowest_unstored + STORED_WINDOW_LETTERS:
            self._tell(letter, "no answer")
            self.contacts.expire(letter.row.name)
            self.contacts.look_up(letter.row.name)
            self._store(letter)
        elif contact.address:  # wait for room
            self._send_directly(letter, peer, contact)
            letter.due_s = self.world.now_s + WAIT_S_MAX
        else:
            letter.due_s = self.world.now_s + WAIT_S_MAX

    # --- through the mailbox ---

    def _store(self, letter: Letter) -> None:
        letter.phase, letter.due_s = STORING, NEVER
        self._ask_store(letter)

    def _ask_store(self, letter: Letter) -> None:
        """Store it: sealed anew, with a higher attempt, if the floor or the card is another one (R-9.3-6, R-9.3-10)."""
        contact, row = self.contacts.of(letter.row.name), letter.row
        assert contact.card
        assert row.identity
        floor, seq = self.peers[row.identity].floor, contact.card["seq"]
        if (
            letter.sealed is None
            or letter.sealed[0] != row.attempt
            or (floor, seq)
            != (
                letter.stored_floor,
                letter.stored_card_seq,
            )
        ):
            row.attempt += 1
            self.world.store.update_letter(row)
            letter.stored_floor, letter.stored_card_seq = floor, seq
            letter.sealed = (row.attempt, self._seal(letter, contact.card["mail"]))
        self.session.requests.cancel(letter.request)
        fields = {"recipient": row.identity, "slot": letter.slot, "attempt": row.attempt, "letter": letter.sealed[1]}
        letter.request = self.session.requests.ask("Store", lambda said: self._store_answered(letter, said), **fields)

    def _store_answered(self, letter: Letter, said: Message) -> bool:
        now = self.world.now_s
        if said.kind == "Refused":
            if said["refusal"] not in PUT_OFF:  # R-9.3-8
                self._finish(letter, "refused", refusal=said["refusal"])
                return True
            if said["refusal"] == QUOTA:
                self._tell(letter, "mailbox full")
            if letter.phase == STORING:
                letter.wait_s = min(max(2 * letter.wait_s, STORE_BACKOFF_S_MIN), STORED_RETRY_S_MAX)
                letter.due_s = now + max(letter.wait_s, min(said["wait_s"], POSTPONED_S_MAX))
            return True
        if said.kind != "Stored":
            return False
        if said["attempt"] > letter.row.attempt:  # R-9.3-5: of an earlier life
            letter.row.attempt = said["attempt"]
            self._ask_store(letter)
            return True
        if letter.phase == STORING:
            letter.phase, letter.wait_s = STORED, 0.0
            self._tell(letter, "stored")
        doubled_s = min(max(2 * letter.wait_s, STORED_RETRY_S_MIN), STORED_RETRY_S_MAX)
        letter.wait_s = STORED_RETRY_S_MIN if said["online"] else doubled_s  # R-9.3-4
        if said["online"]:
            self.contacts.expire_absence(letter.row.name)
        letter.due_s = now + letter.wait_s
        self.pump(letter.row.name)
        return True

    def _stored_timed_out(self, letter: Letter, contact: Contact) -> None:
        self.contacts.look_up(letter.row.name)
        if self._came_back(letter, contact):  # R-9.3-6
            letter.due_s = self.world.now_s + RESEAL_RETRY_S
            self.contacts.expire(letter.row.name)
            self.contacts.look_up(letter.row.name)
            return
        if letter.row.returned_seq is not None:
            letter.row.returned_seq = None
            self._store(letter)
            return
        if contact.address:
            self._send_copy(letter, contact, contact.address)
        letter.due_s = self.world.now_s + max(letter.wait_s, STORED_RETRY_S_MIN)
        self._ask_store(letter)

    # --- what comes ---

    def acknowledged(self, ack: bytes) -> None:
        """An ACK (R-9.3-7)."""
        if letter := self.by_ack.get(ack):
            if letter.phase == DIRECT and letter.row.identity:
                self.peers[letter.row.identity].path.measured(self.world.now_s - letter.first_s)
            self._finish(letter, "delivered")

    def receipt(self, said: Message) -> None:
        letter = self.by_slot.get(said["slot"])
        if letter and letter.ack == said["ack"]:
            self._finish(letter, "delivered")
            self.contacts.expire_absence(letter.row.name)
        self.noted.append(said["slot"])  # its end is on disk; what is not its acknowledgement is noted too (R-9.3-7)

    def returned(self, said: Message) -> None:
        """The recipient could not open it: a newer card is needed (R-9.3-6)."""
        letter = self.by_slot.get(said["slot"])
        if letter and letter.phase in (STORING, STORED):
            letter.row.returned_seq = letter.stored_card_seq
            self.world.store.update_letter(letter.row)
            self.session.requests.cancel(letter.request)
            letter.phase, letter.due_s = STORED, self.world.now_s + STORE_BACKOFF_S_MIN
            self.contacts.expire(letter.row.name)
            self.contacts.look_up(letter.row.name)
        self.noted.append(said["slot"])

    def decided(self, name: str, identity: bytes) -> None:
        """The user takes another identity for `name`: letters of the one before are refused, not resealed (R-9.2-2)."""
        for letter in list(self.by_ack.values()):
            if letter.row.name == name and letter.row.identity not in (None, identity):
                self._finish(letter, "refused", refusal=KEY_CHANGED)

    def _finish(self, letter: Letter, kind: str, **about: object) -> None:
        """Its end: on disk first (R-9.3-1)."""
        row = letter.row
        self.world.store.settle(row)
        self.session.requests.cancel(letter.request)
        del self.by_ack[letter.ack], self.by_slot[letter.slot]
        if row.identity in self.peers:
            self.peers[row.identity].letters.pop(letter.seq, None)
        if letter in self.queues.get(row.name, []):
            self.queues[row.name].remove(letter)
        letter.due_s = NEVER
        self.world.tell(kind, message=row.message, name=row.name, part=row.part, parts=row.parts, **about)

    def _tell(self, letter: Letter, kind: str) -> None:
        if kind not in letter.told:
            letter.told.add(kind)
            self.world.tell(kind, message=letter.row.message, name=letter.row.name, part=letter.row.part)

    # --- time ---

    def online(self) -> None:
        """There is a new link; if the client was not online before, receipts come in the next minute."""
        if self.session.online_since_s == self.world.now_s:
            self.expiry_s = self.world.now_s + EXPIRY_CHECK_S_MIN

    def due_s(self) -> float:
        if not self.session.wanted:
            return NEVER
        return min([letter.due_s for letter in self.by_ack.values()] + [self._expiry_s()])

    def _expiry_s(self) -> float:
        return NEVER if self.session.online_since_s == NEVER else self.expiry_s

    def tick(self) -> None:
        if not self.session.wanted:
            return
        for letter in list(self.by_ack.values()):
            if letter.due_s <= self.world.now_s:
                self._timed_out(letter)
        if self._expiry_s() <= self.world.now_s:
            self.expiry_s = self.world.now_s + EXPIRY_CHECK_S
            self._give_up()
        for name in list(self.queues):
            self.pump(name)

    def _timed_out(self, letter: Letter) -> None:
        contact = self.contacts.of(letter.row.name)
        if contact.other:  # R-9.2-2: it waits until the user decides
            letter.due_s = self.world.now_s + STORED_RETRY_S_MIN
        elif letter.phase == RESOLVING and contact.card is None:
            letter.due_s = self.world.now_s + UNKNOWN_RETRY_S
            self.contacts.expire(letter.row.name)
            self.contacts.look_up(letter.row.name)
        elif letter.phase == RESOLVING:
            letter.believed, letter.due_s = True, NEVER
        elif letter.phase == DIRECT:
            assert letter.row.identity
            self._direct_timed_out(letter, self.peers[letter.row.identity], contact)
        elif letter.phase == STORING:
            if contact.address:
                self._send_copy(letter, contact, contact.address)
            self._store(letter)
        else:
            self._stored_timed_out(letter, contact)

    def _give_up(self) -> None:
        """What is 14 days old by both clocks; those behind it are stored again, with a higher floor (R-9.3-9)."""
        now_ms = min(self.world.unix_ms, self.world.unix_ms + self.session.server_ahead_ms)
        for letter in list(self.by_ack.values()):
            if letter.row.sent_ms + OUTBOX_DAYS_MAX * 86_400_000 >= now_ms:
                continue
            self._finish(letter, "expired")
            peer = self.peers.get(letter.row.identity or b"", Peer())
            for other in peer.letters.values():
                if other.phase == STORED and other.seq > letter.seq:
                    other.due_s = self.world.now_s

    def flush(self) -> None:
        for at in range(0, len(self.noted), 64):
            self.session.say(message("Noted", slots=self.noted[at : at + 64]))
        self.noted = []
