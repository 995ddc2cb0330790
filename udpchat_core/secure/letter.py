"""Letters, acknowledgements and slots: what one person says to another.

A letter is signed by its sender over recipient, key and body, then sealed to one X25519 key of the recipient:
the live key directly, the mail key through the mailbox. The secret inside names the message: its hash under
one label is the acknowledgement, which only the reader can make, and under another the slot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..bodies import LetterBody
from ..datagrams import Letter
from ..errors import BadDatagram, LocalProtocolError, Reason
from ..limits import OPENING_KEYS_MAX
from ..wire import decode_untrusted, encode, serialize
from .keys import ACK_LABEL, ID_BYTES, LETTER_LABEL, SIGNATURE_BYTES, SLOT_LABEL, check_identity_untrusted, key_id
from .suite import Suite


@dataclass(frozen=True, slots=True)
class OpeningKey:
    """An X25519 key that letters may be sealed to, with its id."""

    private: bytes = field(repr=False)
    public: bytes
    id: bytes

    @classmethod
    def of(cls, suite: Suite, private: bytes) -> "OpeningKey":
        """The key with what follows from it."""
        public = suite.dh_public(private)
        return cls(private, public, key_id(suite, public))


def seal_letter_untrusted(
    suite: Suite, sender_private: bytes, recipient: bytes, recipient_key: bytes, body: LetterBody
) -> bytes:
    """A LETTER datagram for identity `recipient`, sealed to its key `recipient_key`, from the body's sender.

    Raises `BadDatagram(POINT)` if the recipient's key is hostile: it came from a card.
    """
    info = LETTER_LABEL + recipient
    encoded = encode(body)
    signature = suite.sign(sender_private, info + recipient_key + encoded)  # R-6.2-1
    sealed = suite.hpke_seal_untrusted(recipient_key, info, signature + encoded)
    return serialize(Letter(key_id(suite, recipient_key), sealed))


def open_letter_untrusted(suite: Suite, recipient: bytes, keys: Sequence[OpeningKey], letter: Letter) -> LetterBody:
    """What the sender wrote to identity `recipient`, or `BadDatagram`.

    Every key with the letter's id is tried: ids are short, and two keys may share one. More keys than
    `OPENING_KEYS_MAX` raise `LocalProtocolError`.
    """
    if len(keys) > OPENING_KEYS_MAX:
        raise LocalProtocolError(f"{len(keys)} keys to open with: {OPENING_KEYS_MAX} are allowed")
    reason = Reason.KEY
    info = LETTER_LABEL + recipient
    for key in keys:
        if key.id != letter.key_id:  # R-6.1-3
            continue
        try:
            plain = suite.hpke_open_untrusted(key.private, info, letter.sealed)  # R-6.1-2
        except BadDatagram as error:
            reason = error.reason
            continue
        return _read_untrusted(suite, info + key.public, plain)
    raise BadDatagram(reason)


def ack_of(suite: Suite, secret: bytes) -> bytes:
    """The acknowledgement of the message with this secret, 16 bytes."""
    return suite.hash(ACK_LABEL + secret)[:ID_BYTES]  # R-6.3-1


def slot_of(suite: Suite, secret: bytes) -> bytes:
    """The server's name for the stored letter with this secret, 16 bytes."""
    return suite.hash(SLOT_LABEL + secret)[:ID_BYTES]  # R-6.3-2


def _read_untrusted(suite: Suite, context: bytes, plain: bytes) -> LetterBody:
    signature, encoded = plain[:SIGNATURE_BYTES], plain[SIGNATURE_BYTES:]
    body = decode_untrusted(LetterBody, encoded)
    check_identity_untrusted(body.sender)
    suite.verify_untrusted(body.sender, signature, context + encoded)  # R-6.2-2
    return body
