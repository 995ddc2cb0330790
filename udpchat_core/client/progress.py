"""How far each message is: a message is as far as the last of its letters."""

from dataclasses import dataclass, field

from ..client_events import (
    MessageDelivered,
    MessageExpired,
    MessagePostponed,
    MessageQueued,
    MessageRefused,
    MessageStored,
    MessageUnanswered,
)
from ..fields import Refusal
from ..instant import Instant
from ..machines.outgoing import OutgoingLetter, Phase
from ..turn import Turn


@dataclass(slots=True)
class _Message:
    begun: Instant
    unqueued: int
    unstored: int
    unsettled: int
    letters_sent: int = 0
    said_unanswered: bool = False
    was_stored: bool = False
    failed: bool = False
    postponed: Refusal | None = None


@dataclass(slots=True)
class Progress:
    """The messages with letters in the outbox, by number.

    Attributes:
        online: what the server last said of the recipient, by message.
        refusals: why a message is refused, said before its letters are.
    """

    online: dict[int, bool] = field(default_factory=dict)
    refusals: dict[int, Refusal] = field(default_factory=dict)
    _messages: dict[int, _Message] = field(default_factory=dict)

    def begin(self, letter: OutgoingLetter, now: Instant) -> None:
        """A letter is in the outbox; after a restart a message may have fewer than it was sent with."""
        message = self._messages.setdefault(letter.message, _Message(now, 0, 0, 0))
        message.unqueued += 1
        message.unstored += 1
        message.unsettled += 1

    def restored(self, number: int) -> None:
        """A letter is durable since before this start; nobody is told."""
        self._messages[number].unqueued -= 1

    def queued(self, letter: OutgoingLetter, turn: Turn) -> None:
        """A letter is durable; the user is told when the whole message is."""
        message = self._messages[letter.message]
        message.unqueued -= 1
        if not message.unqueued:
            turn.emit(MessageQueued(letter.message, letter.to))

    def postponed(self, letter: OutgoingLetter, refusal: Refusal, turn: Turn) -> None:
        """The server does not take a letter now; the user is told once why."""
        message = self._messages[letter.message]
        if message.postponed is not refusal:
            message.postponed = refusal
            turn.emit(MessagePostponed(letter.message, letter.to, refusal))

    def moved(self, letter: OutgoingLetter, turn: Turn) -> None:
        """A letter's machine has something to tell: it is in the phase that it is about to leave or has come to."""
        message = self._messages[letter.message]
        match letter.phase:
            case Phase.STORING if not message.said_unanswered:
                message.said_unanswered = True
                turn.emit(MessageUnanswered(letter.message, letter.to))
            case Phase.STORED:
                message.was_stored = True
                self._stored_or_settled(letter, message, turn)
            case Phase.DELIVERED | Phase.REFUSED | Phase.EXPIRED:
                self._settle(letter, message, turn)
            case _:
                pass

    def _stored_or_settled(self, letter: OutgoingLetter, message: _Message, turn: Turn) -> None:
        message.unstored -= 1
        if message.was_stored and not message.unstored and message.unsettled and not message.failed:
            turn.emit(MessageStored(letter.message, letter.to, self.online.get(letter.message, False)))

    def _settle(self, letter: OutgoingLetter, message: _Message, turn: Turn) -> None:
        message.unsettled -= 1
        message.letters_sent += letter.sent
        if letter.phase is not Phase.DELIVERED and not message.failed:
            message.failed = True
            if letter.phase is Phase.REFUSED:
                turn.emit(MessageRefused(letter.message, letter.to, self.refusals[letter.message]))
            else:
                turn.emit(MessageExpired(letter.message, letter.to))
        if not letter.stored_once:
            self._stored_or_settled(letter, message, turn)
        if message.unsettled:
            return
        if not message.failed:
            retries = max(0, message.letters_sent - letter.parts)
            elapsed_us = turn.now - message.begun
            turn.emit(MessageDelivered(letter.message, letter.to, message.was_stored, elapsed_us, retries))
        del self._messages[letter.message]
        self.refusals.pop(letter.message, None)
        self.online.pop(letter.message, None)
