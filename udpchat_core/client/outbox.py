"""Letters being sent: numbered, sealed, sent, stored, acknowledged, settled.

What a letter goes through is the machine `Outgoing`; here its intents are carried out (`Dispatch` seals and
sends), and letters are admitted from the queue of their contact as long as the windows have room. A queue is
strictly first in, first out: while its head waits for the directory, everything behind waits too.
"""

from ..bodies import CardBody
from ..client_requests import MarkStored, PinOutgoing, SaveOutgoing, SettleOutgoing
from ..errors import BadDatagram, Reason
from ..fields import Refusal
from ..instant import Instant, after
from ..limits import DIRECT_RETRY_US, DIRECT_WAIT_US_MAX, OUTBOX_LETTERS_MAX
from ..machines.outgoing import OUTGOING, Do, Outgoing, OutgoingLetter, Phase
from ..secure.card import is_expired
from ..secure.letter import ack_of, slot_of
from ..table import step
from ..turn import Turn
from .ages import Ages
from .connection import Connection
from .contacts import Contact, Contacts
from .conversation import Conversation, Correspondent
from .dispatch import Dispatch
from .keyring import Keyring
from .progress import Progress
from .receipts import Receipts
from .requester import Requester
from .shared import Shared

_RETRIED = frozenset({Refusal.QUOTA, Refusal.BUSY, Refusal.UNKNOWN, Refusal.NOT_REGISTERED})
"""R-9.3-8: refusals of Store after which it is tried again: a server that lost its directory learns it again."""
_TOLD = frozenset({Refusal.QUOTA, Refusal.UNKNOWN})
"""R-9.3-8: those that may last, so that the user wants to know; the others are over in a moment."""
_ANSWERED_US_MAX = len(DIRECT_RETRY_US) * DIRECT_WAIT_US_MAX
"""An acknowledgement that comes later may answer a probe of a stored letter, and measures nothing."""


class Outbox:
    """Every letter of one user that is not settled.

    Attributes:
        progress: of the messages that the letters are of.
        receipts: that the server passed on.
    """

    def __init__(
        self,
        shared: Shared,
        keyring: Keyring,
        requester: Requester,
        connection: Connection,
        contacts: Contacts,
        epoch: int,
    ) -> None:
        self._shared = shared
        self._requester = requester
        self._connection = connection
        self._contacts = contacts
        self._dispatch = Dispatch(shared, keyring, requester, epoch)
        self._letters: dict[bytes, OutgoingLetter] = {}
        self._by_ack: dict[bytes, OutgoingLetter] = {}
        self._by_slot: dict[bytes, OutgoingLetter] = {}
        self._conversations: dict[bytes, Conversation] = {}
        self._ages = Ages(shared)
        self.receipts = Receipts(shared.suite, connection)
        self.progress = Progress()

    def __len__(self) -> int:
        return len(self._letters)

    @property
    def room(self) -> int:
        """How many more letters fit."""
        return OUTBOX_LETTERS_MAX - len(self._letters)

    # --- in ---

    def write(self, saved: SaveOutgoing, now: Instant) -> None:
        """Know a letter that the user sends now."""
        self._ages.begin(saved.secret, now)
        self.add(saved, now)

    def restore(self, saved: SaveOutgoing, now: Instant) -> None:
        """Know a letter that is on disk; `resume` sends it."""
        self.add(saved, now)
        self.progress.restored(saved.message)
        self._contacts.use(saved.to).queue.append(self._letters[saved.secret])

    def resume(self, turn: Turn) -> None:
        """Go on with what was restored, in its old order, numbered afresh."""
        for contact in dict.fromkeys(self._contacts.use(letter.to) for letter in self._letters.values()):
            self.pin(contact, turn)
            self.admit(contact, turn)

    def add(self, saved: SaveOutgoing, now: Instant) -> None:
        """Know a letter; `queue` follows when it is durable."""
        letter = OutgoingLetter(
            saved.secret, saved.message, saved.part, saved.parts, saved.to, saved.sent_ms, saved.text
        )
        letter.recipient = saved.recipient
        letter.attempt = self._dispatch.first_attempt
        self._letters[saved.secret] = letter
        self._contacts.use(saved.to).letters += 1
        self._by_ack[ack_of(self._shared.suite, saved.secret)] = letter
        self._by_slot[slot_of(self._shared.suite, saved.secret)] = letter
        self.progress.begin(letter, now)

    def queue(self, secret: bytes, turn: Turn) -> None:
        """A letter is durable: it waits for its turn, in the order of sending."""
        letter = self._letters.get(secret)
        if letter is None:  # settled before it could be sent
            return
        contact = self._contacts.use(letter.to)
        contact.queue.append(letter)
        self.progress.queued(letter, turn)
        if letter.recipient is None and contact.owner is not None:
            turn.store(PinOutgoing(secret, contact.owner))
        self.admit(contact, turn)

    def admit(self, contact: Contact, turn: Turn) -> None:
        """Let letters of this contact out, as long as the windows have room and their time has come."""
        self._shared.set_timer(("pace", contact.name), None)
        while contact.queue and contact.offered is None:
            letter = contact.queue[0]
            if contact.identity is None and contact.unknown_until > turn.now:  # R-9.2-7
                self._refuse(letter, Refusal.UNKNOWN, turn)
                continue
            if letter.recipient is not None and contact.identity not in (None, letter.recipient):  # R-9.2-2
                self._refuse(letter, Refusal.KEY_CHANGED, turn)
                continue
            if contact.identity is None and contact.owner is not None:
                return  # `pinned` follows
            peer = self._correspondent(letter, contact, turn)
            if letter.phase is Phase.RESOLVING or (peer.is_known and not self._may_go(letter, peer)):
                return
            if peer.is_known and peer.is_online and (wait_us := peer.conversation.path.wait_us(turn.now)):
                self._shared.set_timer(("pace", contact.name), after(turn.now, wait_us))
                return
            if peer.is_known:
                contact.queue.popleft()
            self._step(letter, Outgoing.admitted, turn)

    def resolved(self, contact: Contact, turn: Turn) -> None:
        """The directory said something about a contact, or the disk holds its pin, or that of its letters."""
        head = contact.queue[0] if contact.queue else None
        if head is not None and head.phase is Phase.RESOLVING and contact.offered is None:
            self._step(head, Outgoing.resolved, turn)
        self.admit(contact, turn)

    def ask_again(self, contact: Contact, turn: Turn) -> None:
        """The directory was of no use a while ago: ask again, if a letter still waits for it."""
        if contact.queue and (contact.queue[0].phase is Phase.RESOLVING or contact.offered is not None):
            self._contacts.look_up(contact.name, turn)
        self.admit(contact, turn)

    def pin(self, contact: Contact, turn: Turn) -> None:
        """It is known whom a name means: what waits for it is for that identity, and never for another."""
        if contact.owner is not None:
            for letter in contact.queue:
                if letter.recipient is None:
                    turn.store(PinOutgoing(letter.secret, contact.owner))

    def pinned(self, pin: PinOutgoing, turn: Turn) -> None:
        """A letter is durably for this identity: now it may go out."""
        letter = self._letters.get(pin.secret)
        if letter is not None:
            letter.recipient = pin.recipient
            self.resolved(self._contacts.use(letter.to), turn)

    def accepted_key(self, contact: Contact, turn: Turn) -> None:
        """The user took another identity for a name: what was meant for the one before is not sent to it."""
        for letter in [letter for letter in self._letters.values() if letter.to == contact.name]:
            if letter.recipient not in (None, contact.owner):
                self._refuse(letter, Refusal.KEY_CHANGED, turn)

    # --- what the network says ---

    def acknowledged_untrusted(self, ack: bytes, turn: Turn) -> None:
        """An acknowledgement came directly."""
        letter = self._by_ack.get(ack)
        if letter is None:
            raise BadDatagram(Reason.LINK)
        # Also one that answers after the budget: a path slower than that would never be measured.
        if letter.tries and letter.first_sent is not None and turn.now <= after(letter.first_sent, _ANSWERED_US_MAX):
            conversation = self._conversation(letter)
            conversation.path.acknowledged(letter.first_sent, turn.now, conversation.in_flight)
        self._step(letter, Outgoing.acknowledged, turn)

    def receipt_untrusted(self, slot: bytes, ack: bytes, turn: Turn) -> None:
        """The server passes an acknowledgement on; noted once the letter is settled on disk."""
        letter = self._by_slot.get(slot)
        if letter is not None:
            if self._by_ack.get(ack) is not letter:  # R-9.3-7
                self.receipts.note(slot)  # else it would take the place of others for ever
                raise BadDatagram(Reason.SEAL)
            self._step(letter, Outgoing.acknowledged, turn)
        self.receipts.came(slot)

    def returned(self, slot: bytes, turn: Turn) -> None:
        """The recipient could not open it."""
        letter = self._by_slot.get(slot)
        if letter is not None:
            self._step(letter, Outgoing.returned, turn)
        self.receipts.note(slot)

    def stored(self, slot: bytes, online: bool, attempt: int, turn: Turn) -> None:
        """The server has it on disk, perhaps as a later sealing of an earlier life of this client."""
        letter = self._by_slot[slot]
        if attempt > letter.attempt:  # R-9.3-5
            letter.attempt = attempt + 1
            self._carry_out(Do.STORE, letter, turn)
            return
        if online and self._contacts.use(letter.to).address is None:  # R-9.3-17: it came online since it was looked up
            self._contacts.stale(letter.to)
        self.progress.online[letter.message] = online
        self._step(letter, Outgoing.kept, turn)

    def store_refused(self, slot: bytes, refusal: Refusal, turn: Turn) -> None:
        """The server does not take it, now or ever."""
        letter = self._by_slot[slot]
        if refusal in _RETRIED:
            if refusal in _TOLD:
                self.progress.postponed(letter, refusal, turn)
            self._step(letter, Outgoing.put_off, turn)
        else:
            self._refuse(letter, refusal, turn)

    # --- what time and disk say ---

    def timed_out(self, secret: bytes, turn: Turn) -> None:
        """No answer in time."""
        letter = self._letters[secret]
        conversation = self._conversation(letter)
        if letter.phase is Phase.DIRECT and conversation.is_among_lowest(letter, 1):
            conversation.path.lost(turn.now)  # R-9.4-1: the recipient may have those behind it, and hold them
        self._step(letter, Outgoing.timed_out, turn)
        if letter.phase is Phase.QUEUED:  # the directory was asked in vain
            self.admit(self._contacts.use(letter.to), turn)

    def expire(self, age_ms_max: int, turn: Turn) -> None:
        """Give up what is older than this; what is stored after it is stored again, for the new floor."""
        old = [letter for letter in self._letters.values() if self._ages.age_ms(letter, turn.now) > age_ms_max]
        for letter in old:
            self._step(letter, Outgoing.expired, turn)
        for conversation in dict.fromkeys(self._conversation(letter) for letter in old):
            for later in conversation.outstanding.values():
                if later.phase is Phase.STORED and not later.came_back:
                    self._carry_out(Do.STORE, later, turn)

    # --- steps and what they ask for ---

    def _may_go(self, letter: OutgoingLetter, peer: Correspondent) -> bool:
        """Whether the letter's recipient is on disk with it, and its window has room."""
        if letter.recipient is None:
            return False
        return peer.conversation.has_direct_room() if peer.is_online else peer.has_store_room(letter)

    def _step(self, letter: OutgoingLetter, event: str, turn: Turn) -> None:
        contact = self._contacts.use(letter.to)
        peer = self._correspondent(letter, contact, turn)
        before = letter.phase
        intents = step(OUTGOING, letter, event, peer, turn.now)
        peer.conversation.moved(letter, before)
        for do in intents:
            self._carry_out(do, letter, turn)
        self._shared.set_timer(("letter", letter.secret), letter.due)
        if before is not letter.phase and before not in (Phase.QUEUED, Phase.RESOLVING):
            self.admit(contact, turn)

    def _carry_out(self, do: Do, letter: OutgoingLetter, turn: Turn) -> None:
        contact = self._contacts.use(letter.to)
        match do:
            case Do.LOOK_UP:
                self._contacts.look_up(letter.to, turn)
            case Do.BELIEVE:
                self._contacts.believe(contact, turn.now)
            case Do.SEND:
                self._dispatch.send(letter, contact, self._conversation(letter), turn)
            case Do.STORE:
                self._dispatch.store(letter, contact, self._conversation(letter), turn)
            case Do.CANCEL:
                self._requester.cancel(("store", letter.secret), turn)
            case Do.REPORT:
                if letter.phase is Phase.STORED:  # said once in a life of this program
                    turn.store(MarkStored(letter.secret))
                self.progress.moved(letter, turn)
            case _:
                self._forget(letter, contact, turn)

    def _forget(self, letter: OutgoingLetter, contact: Contact, turn: Turn) -> None:
        slot = slot_of(self._shared.suite, letter.secret)
        del self._letters[letter.secret], self._by_slot[slot]
        del self._by_ack[ack_of(self._shared.suite, letter.secret)]
        contact.letters -= 1
        if letter.first_sent is None and letter in contact.queue:
            contact.queue.remove(letter)
        self._ages.end(letter.secret)
        self.receipts.settling(slot)
        turn.store(SettleOutgoing(letter.secret, letter.phase))

    def _refuse(self, letter: OutgoingLetter, refusal: Refusal, turn: Turn) -> None:
        self.progress.refusals[letter.message] = refusal
        self._step(letter, Outgoing.refused, turn)

    def _conversation(self, letter: OutgoingLetter) -> Conversation:
        return self._conversations.setdefault(letter.recipient or b"", Conversation())

    def _correspondent(self, letter: OutgoingLetter, contact: Contact, turn: Turn) -> Correspondent:
        def is_fresh(of: Contact) -> bool:
            return of.fresh_until > turn.now or not self._connection.is_online

        def holds(card: CardBody) -> bool:
            return not is_expired(card, self._shared.wall_ms(turn.now) // 1_000)

        return Correspondent(contact, self._conversation(letter), is_fresh, holds)
