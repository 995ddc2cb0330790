"""What a server sheds, in words for whoever runs it: datagrams that it dropped, requests that it refused."""

from typing import Final

from udpchat_core.errors import Reason
from udpchat_core.fields import Refusal

DROPPED: Final = {
    Reason.SIZE: "of a length that no datagram of udpchat has",
    Reason.MAGIC: "of another protocol",
    Reason.VERSION: "of another version of udpchat",
    Reason.TYPE: "of a kind that is not for a server",
    Reason.PADDING: "filled up with something, not with nothing",
    Reason.CBOR: "with contents that are no CBOR",
    Reason.NOT_CANONICAL: "with contents in another encoding than the one",
    Reason.MESSAGE: "with no message that is known",
    Reason.FIELDS: "with a field that is missing, or not as it has to be",
    Reason.TOKEN: "with a token that is old, or of another address: it is asked for anew",
    Reason.KEY: "sealed to a key that is not here",
    Reason.SEAL: "changed on the way, or sealed with another key",
    Reason.POINT: "with a key that is none",
    Reason.SIGNATURE: "not signed by whom they name",
    Reason.EXPIRED: "with a card past its day: the clock of one side is wrong",
    Reason.NAME: "with a card of another name",
    Reason.STATIC: "with a card of another key",
    Reason.LINK: "of a link that ended, as after a restart: it is made anew",
    Reason.REPLAY: "that came before, or far too late",
    Reason.COUNTER: "with a number that is never used",
    Reason.BUSY: "while there was too much to do: they are sent again",
    Reason.PREFIX_RATE: "as one network began too many links in a second",
    Reason.TOTAL_RATE: "as too many links were begun in a second",
    Reason.SESSION_RATE: "as one client asked too much in a second",
    Reason.STRANGER_RATE: "as strangers wrote too much in a second",
}
"""What datagrams of each reason were, to go after their number."""

REFUSED: Final = {
    Refusal.QUOTA: "as a mailbox was full",
    Refusal.BUSY: "while there was too much to do: they come again",
    Refusal.UNKNOWN: "about somebody who is not known here",
    Refusal.KEY_CHANGED: "with mail for a key that was changed",
    Refusal.STALE_CARD: "with older keys of a name than are known",
    Refusal.TOO_LONG: "with a text that is too long",
    Refusal.BANNED: "of somebody who is banned, or for one",
    Refusal.NAME_TAKEN: "for a name that somebody else has",
    Refusal.TOO_MANY: "for more names than a client, a network or the server may have",
    Refusal.NOT_ADMITTED: "of somebody who is not invited, or not on the list",
    Refusal.NOT_REGISTERED: "of a client that had not registered",
}
"""What requests of each refusal were, to go after their number."""


def dropped(reason: str) -> str:
    """What datagrams were that were dropped for this reason, by its word in `status`."""
    return DROPPED[Reason(reason)]


def refused(refusal: str) -> str:
    """What requests were that were refused, by the word in `status`."""
    return REFUSED[Refusal[refusal.upper()]]
