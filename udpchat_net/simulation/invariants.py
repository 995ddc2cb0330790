"""The promises that are held against every run, by name."""

from enum import StrEnum


class Invariant(StrEnum):
    """A closed list: each planted fault names the one that must catch it."""

    NOTHING_LOST = "nothing acknowledged is lost"
    ONCE = "a letter is entered, and told, once"
    IN_ORDER = "letters of one sender and epoch are entered in the order of sending"
    RIGHT_PERSON = "a letter is entered for whom it was written to, from whom it says"
    DURABLE = "nothing is acknowledged or answered before it is durable"
    MAILBOX = "mail disappears only when durable at the recipient, returned, unwanted or expired"
    ONE_LETTER = "a letter leaves only as it is on the sender's disk, under one secret"
    NUMBERING = "no number is used twice, no epoch outlives its start, and floor is the truth"
    CAPS = "every queue is within its cap"
    UNPROVEN = "an unproven address gets no more bytes than it sent, and no handshake"
    SIZE = "no datagram is above 1,200 bytes"
    DRAINED = "everything drains within ten minutes once the network is healed"
    OWNERS = "what is somebody's changes only through its owner"
    SEALED_FOR = "a letter is sealed for the identity on disk with it, to a key that this identity announced"
    SERVER_KEY = "nothing but HELLO goes to a server with another key than the pinned one"
    FRIENDS = "no attack holds up a friend's message for more than the stated time"
    NO_ERROR = "nothing that comes from outside raises out of a core"


class Violation(AssertionError):
    """A promise was broken; `invariant` says which."""

    def __init__(self, invariant: Invariant, what: str) -> None:
        super().__init__(f"{invariant.name}: {invariant.value}; but {what}")
        self.invariant = invariant
