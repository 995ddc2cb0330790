"""How letters leave: numbered and sealed at each sending, to the recipient's address or for its mailbox."""

from ..bodies import CardBody, LetterBody
from ..instant import Instant
from ..limits import NUMBER_LIMIT
from ..machines.outgoing import OutgoingLetter
from ..messages import Store
from ..secure.letter import seal_letter_untrusted, slot_of
from ..turn import Turn
from .contacts import Contact
from .conversation import Conversation
from .keyring import Keyring
from .requester import Requester
from .shared import Shared

_ATTEMPT_ORDINAL_MAX = 2**31
"""Shifted by 16 bits, it leaves half of the numbers for further attempts."""


class Dispatch:
    """Sends what the outbox has, in one epoch.

    Attributes:
        first_attempt: of each letter in this life.
    """

    def __init__(self, shared: Shared, keyring: Keyring, requester: Requester, epoch: int) -> None:
        self._shared = shared
        self._keyring = keyring
        self._requester = requester
        self._epoch = epoch
        # R-9.3-16: above those of every life before, and unlike them even if the card's seq could not be saved.
        ordinal = min(keyring.card_seq + 1, _ATTEMPT_ORDINAL_MAX)
        self.first_attempt = ordinal << 16 | int.from_bytes(shared.suite.random(2))

    def send(self, letter: OutgoingLetter, contact: Contact, conversation: Conversation, turn: Turn) -> None:
        """Send it to where the recipient is, if that is known."""
        card = _card_for(letter, contact)
        if contact.address is not None:
            conversation.path.sent(turn.now, is_retry=letter.first_sent is not None)
            turn.send(contact.address, self._seal(letter, card.identity, card.live, conversation, turn.now))

    def store(self, letter: OutgoingLetter, contact: Contact, conversation: Conversation, turn: Turn) -> None:
        """Ask the server to store it, until that is answered."""
        card = _card_for(letter, contact)
        floor = conversation.floor
        # R-9.3-10: a recipient that lost what it acknowledged would wait for letters below an old floor.
        further = letter.stored_once and floor > letter.floor
        attempt = min(letter.attempt + further, NUMBER_LIMIT - 1)
        key = ("store", letter.secret)
        if self._requester.is_asked(key) and (attempt, card.seq) == (letter.attempt, letter.card_seq):
            return  # the same is being asked, or waits for a link
        letter.attempt, letter.card_seq, letter.floor = attempt, card.seq, floor
        sealed = self._seal(letter, card.identity, card.mail, conversation, turn.now)
        slot = slot_of(self._shared.suite, letter.secret)
        self._requester.cancel(key, turn)
        self._requester.ask(key, lambda id_: Store(id_, card.identity, slot, attempt, sealed), turn)

    def _seal(
        self, letter: OutgoingLetter, recipient: bytes, key: bytes, conversation: Conversation, now: Instant
    ) -> bytes:
        """The LETTER for the recipient's key, numbered now at the latest. The card's keys were checked with it."""
        conversation.number(letter)
        body = LetterBody(
            sender=self._keyring.identity,
            name=self._keyring.name,
            epoch=self._epoch,
            seq=letter.seq,
            floor=conversation.floor,
            secret=letter.secret,
            sent_ms=letter.sent_ms,
            part=letter.part,
            parts=letter.parts,
            text=letter.text,
        )
        letter.sent += 1
        if letter.first_sent is None:
            letter.first_sent = now
        return seal_letter_untrusted(self._shared.suite, self._keyring.identity_private, recipient, key, body)


def _card_for(letter: OutgoingLetter, contact: Contact) -> CardBody:
    """The card to seal a letter for: of the identity that it is for, and of no other."""
    card = contact.card
    assert card is not None
    assert card.identity == letter.recipient  # R-9.2-2
    return card
