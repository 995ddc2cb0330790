"""Letters being received: opened, put in order, entered, acknowledged, shown.

Direct letters and mail share this path. Nothing is acknowledged before the disk has it, in order; what is
ahead of a gap is held in memory, unanswered. What was entered is shown: see `display`.
"""

from ..address import Address
from ..bodies import LetterBody
from ..client_requests import Entered, EnterLetter, FindLetter
from ..datagrams import Letter
from ..delivery.order import Epoch, SenderOrder, reached
from ..errors import BadDatagram, Reason
from ..fields import CollectedEntry, Outcome
from ..limits import (
    COLLECTED_ENTRIES_MAX,
    COPIES_MAX,
    ENTERING_LETTERS_MAX,
    HELD_LETTERS_MAX,
    HELD_LETTERS_PER_SENDER_MAX,
    SENDERS_MAX,
)
from ..machines.incoming import INCOMING, Do, Incoming, IncomingLetter, Phase
from ..messages import Collected, Mail
from ..secure.letter import ack_of, open_letter_untrusted, slot_of
from ..table import step
from ..turn import Turn
from ..wire import parse_untrusted
from .connection import Connection
from .contacts import Contacts
from .display import Display
from .keyring import Keyring
from .shared import Shared
from .sources import Sources

_Busy = tuple[bytes, bytes]
"""Sender and acknowledgement: what makes a letter the same letter."""
_RETURNED = frozenset({Reason.KEY, Reason.SEAL})
"""Reasons why mail cannot be opened that a newer card cures: it goes back to its sender."""


class Inbox:
    """What one user receives.

    Attributes:
        display: shows what was entered.
        sources: the addresses that letters are expected from.
    """

    def __init__(
        self,
        shared: Shared,
        keyring: Keyring,
        connection: Connection,
        contacts: Contacts,
        watermarks: tuple[tuple[bytes, int, int], ...],
    ) -> None:
        self._shared = shared
        self._keyring = keyring
        self._connection = connection
        self._senders: dict[bytes, SenderOrder[IncomingLetter]] = {}
        self._busy: dict[_Busy, IncomingLetter] = {}
        self._held = 0
        self._collected: list[CollectedEntry] = []
        self.display = Display(shared, connection, contacts)
        self.sources = Sources()
        for sender, epoch, seq in watermarks:
            self._order(sender).use(epoch)[0].watermark = seq

    def sizes(self) -> dict[str, int]:
        """How many of each are kept, for whoever checks the caps."""
        return {
            "held": self._held,
            "entering": len(self._busy),
            "senders": len(self._senders),
            "unnamed": len(self.display),
            "sources": len(self.sources),
        }

    # --- in ---

    def letter_untrusted(self, letter: Letter, source: Address, turn: Turn) -> None:
        """A letter came directly."""
        keys = self._keyring.opening_keys(turn.now)
        if any(key.id == letter.key_id for key in keys):  # else it is refused without work, and takes no token
            self.sources.check_untrusted(source, turn.now)
        body = open_letter_untrusted(self._shared.suite, self._keyring.identity, keys, letter)
        self.sources.learn(source)
        self._arrived_untrusted(body, source, None, turn)

    def mail_untrusted(self, mail: Mail, turn: Turn) -> None:
        """A stored letter was pushed; one that cannot be opened goes back, one that is none is not wanted."""
        try:
            letter = parse_untrusted(mail.letter)
            if not isinstance(letter, Letter):
                raise BadDatagram(Reason.TYPE)
            keys = self._keyring.opening_keys(turn.now)
            body = open_letter_untrusted(self._shared.suite, self._keyring.identity, keys, letter)
            if slot_of(self._shared.suite, body.secret) != mail.slot:  # R-9.4-4
                raise BadDatagram(Reason.FIELDS)
        except BadDatagram as error:
            outcome = Outcome.UNOPENABLE if error.reason in _RETURNED else Outcome.UNWANTED
            self._collected.append(CollectedEntry(mail.entry, outcome, None))
            raise
        self._arrived_untrusted(body, None, mail.entry, turn)

    def _arrived_untrusted(self, body: LetterBody, source: Address | None, entry: int | None, turn: Turn) -> None:
        ack = ack_of(self._shared.suite, body.secret)
        known = self._busy.get((body.sender, ack))
        if known is not None:
            self._repeat(known, source, entry, turn)
            return
        if len(self._busy) >= ENTERING_LETTERS_MAX:  # the disk is behind: as if it were lost
            raise BadDatagram(Reason.BUSY)
        epoch, gone = self._order(body.sender).use(body.epoch)
        self._evict(gone, turn)
        held = epoch.held.get(body.seq)
        if held is not None and held.ack == ack:
            self._repeat(held, source, entry, turn)
        elif body.seq <= epoch.watermark:
            self._begin(IncomingLetter(body, ack), Incoming.passed, source, entry, turn)
        elif held is None:
            self._hold_untrusted(IncomingLetter(body, ack), epoch, source, entry, turn)
        else:  # another letter under its number: its sender is broken
            raise BadDatagram(Reason.FIELDS)
        self._advance(epoch, body.floor, turn)
        early = epoch.held.get(body.seq)  # R-9.4-10
        if entry is not None and early is not None and early.ack == ack:
            self._step(early, Incoming.early, turn)

    def _hold_untrusted(
        self,
        letter: IncomingLetter,
        epoch: Epoch[IncomingLetter],
        source: Address | None,
        entry: int | None,
        turn: Turn,
    ) -> None:
        """Hold a letter; if it is the next one, only until `_advance`, so that it needs no room."""
        if self._has_room(letter.body, epoch, turn):
            _add_copy(letter, source, entry)
            epoch.held[letter.body.seq] = letter
            self._held += 1
        elif entry is not None:
            self._begin(letter, Incoming.early, source, entry, turn)
        else:
            raise BadDatagram(Reason.BUSY)

    def _has_room(self, body: LetterBody, epoch: Epoch[IncomingLetter], turn: Turn) -> bool:
        next_seq = max(epoch.watermark + 1, body.floor)
        if body.seq == next_seq:
            return True
        if body.seq >= next_seq + HELD_LETTERS_PER_SENDER_MAX:
            return False
        order = self._order(body.sender)
        self._evict(order.make_room(), turn)
        return order.held < HELD_LETTERS_PER_SENDER_MAX and self._held < HELD_LETTERS_MAX  # R-9.4-5

    def _advance(self, epoch: Epoch[IncomingLetter], floor: int, turn: Turn) -> None:
        for _, letter in reached(epoch, floor):
            self._held -= 1
            self._begin(letter, Incoming.reached, None, None, turn)

    def _begin(self, letter: IncomingLetter, event: str, source: Address | None, entry: int | None, turn: Turn) -> None:
        _add_copy(letter, source, entry)
        key = (letter.body.sender, letter.ack)
        under_way = self._busy.get(key)
        if under_way is not None and under_way.phase is Phase.COMMITTING:
            _add_copies(under_way, letter)  # the same letter, numbered in another epoch: one entry serves both
            self._step(letter, Incoming.evicted, turn)
            return
        if under_way is not None:  # looked for under another number: what is found does not matter any more
            _add_copies(letter, under_way)
        self._busy[key] = letter
        self._step(letter, event, turn)

    def _repeat(self, letter: IncomingLetter, source: Address | None, entry: int | None, turn: Turn) -> None:
        _add_copy(letter, source, entry)
        self._step(letter, Incoming.repeated, turn)

    # --- what the disk says ---

    def entered(self, request: EnterLetter, answer: Entered, turn: Turn) -> None:
        """It is in the history, since now or since before."""
        letter = self._busy.pop((request.sender, request.ack))
        # R-9.4-2
        self._step(letter, Incoming.entered if answer.fresh else Incoming.found, turn)

    def looked_for(self, request: FindLetter, answer: Entered, turn: Turn) -> None:
        """It is known whether the history has it."""
        event = Incoming.missing if answer.fresh else Incoming.found
        letter = self._busy.get((request.sender, request.ack))
        if letter is not None and letter.phase is not Phase.COMMITTING:
            del self._busy[request.sender, request.ack]
            self._step(letter, event, turn)
        self._early_looked_for(request, event, turn)

    def _early_looked_for(self, request: FindLetter, event: str, turn: Turn) -> None:
        """The same, of the letter as it is held in other epochs: who asks does not matter."""
        order = self._senders.get(request.sender, SenderOrder())
        for epoch in order.epochs.values():
            for seq in [seq for seq, letter in epoch.held.items() if letter.ack == request.ack]:
                letter = epoch.held[seq]
                self._step(letter, event, turn)
                if letter.phase is Phase.SHOWN:
                    del epoch.held[seq]
                    self._held -= 1

    # --- steps and what they ask for ---

    def _step(self, letter: IncomingLetter, event: str, turn: Turn) -> None:
        for do in step(INCOMING, letter, event, None, turn.now):
            body = letter.body
            match do:
                case Do.ENTER:
                    turn.store(self._entry(letter, turn))
                case Do.FIND:
                    turn.store(FindLetter(body.sender, letter.ack))
                case Do.ACKNOWLEDGE:
                    for source in letter.sources:
                        turn.acknowledge(source, letter.ack)
                    self._collect(letter, Outcome.ACKNOWLEDGED, letter.ack)
                case Do.DECLINE:
                    self._collect(letter, Outcome.UNWANTED, None)
                case _:
                    self.display.show(letter, turn)

    def _entry(self, letter: IncomingLetter, turn: Turn) -> EnterLetter:
        body = letter.body
        return EnterLetter(
            sender=body.sender,
            ack=letter.ack,
            epoch=body.epoch,
            seq=body.seq,
            name=body.name,
            sent_ms=body.sent_ms,
            received_ms=self._shared.wall_ms(turn.now),
            part=body.part,
            parts=body.parts,
            text=body.text,
        )

    def _collect(self, letter: IncomingLetter, outcome: Outcome, ack: bytes | None) -> None:
        self._collected += [CollectedEntry(entry, outcome, ack) for entry in letter.entries]  # R-9.4-6

    def _evict(self, gone: list[IncomingLetter], turn: Turn) -> None:
        for letter in gone:
            self._held -= 1
            self._step(letter, Incoming.evicted, turn)

    def _order(self, sender: bytes) -> SenderOrder[IncomingLetter]:
        """The order of this sender, now the last heard; the one least recently heard goes for a new one."""
        order = self._senders.pop(sender, None) or SenderOrder()
        if len(self._senders) >= SENDERS_MAX:
            gone = self._senders.pop(next(iter(self._senders)))
            self._held -= gone.held
        self._senders[sender] = order
        return order

    def end_turn(self, turn: Turn) -> None:
        """Tell the server which entries may go; without a link it pushes them again."""
        if self._connection.current is not None:
            for at in range(0, len(self._collected), COLLECTED_ENTRIES_MAX):
                entries = tuple(self._collected[at : at + COLLECTED_ENTRIES_MAX])
                turn.say(self._connection.current, Collected(entries))
        self._collected.clear()


def _add_copy(letter: IncomingLetter, source: Address | None, entry: int | None) -> None:
    """Remember where a copy came from; of more than so many, the sender or the server repeats itself."""
    if source is not None and len(letter.sources) < COPIES_MAX:
        letter.sources[source] = None
    if entry is not None and len(letter.entries) < COPIES_MAX:
        letter.entries[entry] = None


def _add_copies(letter: IncomingLetter, other: IncomingLetter) -> None:
    """Remember the copies of `other`, which is the same letter."""
    for source in other.sources:
        _add_copy(letter, source, None)
    for entry in other.entries:
        _add_copy(letter, None, entry)
